import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { defaultClientConditions, defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

const here = import.meta.dirname;
const source = "@autolabel/source";

/** One project per workspace folder that holds sources; no package needs a config of its own. */
const projects = globSync("{packages,apps,tests}/*/src", { cwd: here }).map((folder) => {
  const root = join(here, dirname(folder));
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { name: string };
  return {
    extends: true as const,
    root,
    test: { name: manifest.name, include: ["src/**/*.test.ts"], testTimeout: 60_000 },
  };
});

export default defineConfig({
  resolve: { conditions: [source, ...defaultClientConditions] },
  ssr: { resolve: { conditions: [source, ...defaultServerConditions] } },
  test: {
    projects,
    // Concurrent tests wait for HTTP, not for the processor.
    maxConcurrency: 20,
    // What holds the money is covered to the last branch; `pnpm coverage` fails below that.
    coverage: {
      include: [
        "**/src/ledger/*.ts",
        "**/src/tracker/*.ts",
        "**/src/money.ts",
        "**/src/prices/*.ts",
        "**/src/quote/*.ts",
      ],
      exclude: ["**/*.generated.ts"],
      reporter: ["text"],
      thresholds: { 100: true },
    },
  },
});
