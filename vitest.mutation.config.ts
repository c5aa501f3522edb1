import { join } from "node:path";
import { defaultClientConditions, defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

const source = "@autolabel/source";

/** The tests that mutants of the money, ledger and tracker code run against: all but the slow random ones. */
export default defineConfig({
  root: join(import.meta.dirname, "packages/budget-core"),
  resolve: { conditions: [source, ...defaultClientConditions] },
  ssr: { resolve: { conditions: [source, ...defaultServerConditions] } },
  test: {
    include: ["src/money.test.ts", "src/ledger/*.test.ts", "src/tracker/*.test.ts"],
    exclude: ["src/**/*-fuzz.test.ts", "src/ledger/postgres*.test.ts"],
    // What takes longer than a moment proves the same with larger numbers.
    testNamePattern: /^(?!.*(million calls|000 calls|thousand calls|another one does not|forgets the oldest))/,
    testTimeout: 2000,
  },
});
