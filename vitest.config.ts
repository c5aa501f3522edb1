import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { defaultClientConditions, defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

const here = import.meta.dirname;
const source = "@autolabel/source";

/** What Node itself resolves by: packages may keep files under `module` that only a bundler can load. */
const nodeConditions = defaultServerConditions.filter((condition) => condition !== "module");

/** One project per workspace folder that holds sources; no package needs a config of its own. */
const projects = globSync("{packages,apps,examples,tests}/*/src", { cwd: here }).map((folder) => {
  const root = join(here, dirname(folder));
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { name: string };
  return {
    extends: true as const,
    root,
    test: { name: manifest.name, include: ["src/**/*.test.ts", "page/src/**/*.test.ts"], testTimeout: 60_000 },
  };
});

/** What takes several packages and processes stands in `tests/`. */
const across = {
  extends: true as const,
  root: here,
  test: { name: "tests", include: ["tests/*/*.test.ts"], testTimeout: 120_000, hookTimeout: 60_000 },
};

export default defineConfig({
  resolve: { conditions: [source, ...defaultClientConditions] },
  ssr: { resolve: { conditions: [source, ...nodeConditions] } },
  test: {
    projects: [...projects, across],
    // On a machine with two processors the default is one worker.
    maxWorkers: "100%",
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
