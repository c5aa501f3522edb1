export { ledgerSuite, type TestFunction } from "./ledger-suite.ts";
export { type FuzzFailure, type FuzzLedgerOptions, type FuzzReport, fuzzLedger } from "./overspend-fuzzer.ts";
export { seedFromEnvironment } from "./random.ts";
export { type FuzzTrackerOptions, fuzzTracker } from "./tracker-fuzzer.ts";
export type { Violation } from "./violation.ts";
