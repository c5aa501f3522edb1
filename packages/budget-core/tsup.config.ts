import { defineConfig } from "tsup";

export default defineConfig({
  entry: {
    index: "src/index.ts",
    prices: "src/prices/index.ts",
    audit: "src/audit.ts",
    guard: "src/guard.ts",
    loops: "src/meter/loops.ts",
    "ledgers-sqlite": "src/ledger/sqlite.ts",
    "ledgers-postgres": "src/ledger/postgres.ts",
    "ledgers-redis": "src/ledger/redis.ts",
    "ledgers-sliced": "src/ledger/sliced.ts",
    opentelemetry: "src/opentelemetry/index.ts",
    testing: "src/testing/index.ts",
  },
  format: ["esm"],
  dts: true,
  clean: true,
  sourcemap: true,
  target: "node22",
  removeNodeProtocol: false,
});
