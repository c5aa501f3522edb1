export { type LedgerDifference, verifyLedger } from "./ledger/verify-ledger.ts";
