export { type GuardEvent, type GuardedLedger, type GuardOptions, guardLedger } from "./ledger/guard-ledger.ts";
