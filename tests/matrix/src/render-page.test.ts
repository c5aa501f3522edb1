import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { providers } from "./door.ts";
import { endings } from "./endings.ts";
import { renderPage } from "./render-page.ts";

it("docs/matrix.md is what the tables say; `npx pnpm matrix:page` writes it", () => {
  const page = readFileSync(new URL("../../../docs/matrix.md", import.meta.url), "utf8");
  expect(page).toBe(renderPage());
});

it("every row that is held at its bound tells why", () => {
  for (const { row, kinds, attempts, why } of endings) {
    const families = providers.flatMap((provider) => kinds.map((kind) => ({ provider, kind })));
    const isHeld = families.some((family) =>
      attempts(family).some(({ recorded }) => recorded === "bound" || recorded === "unresolved"),
    );
    expect([row, why !== undefined]).toEqual([row, isHeld]);
  }
});
