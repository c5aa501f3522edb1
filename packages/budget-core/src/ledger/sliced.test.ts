import { describe, test } from "vitest";
import { ledgerSuite } from "../testing/ledger-suite.ts";
import { MemoryLedger } from "./memory.ts";
import { SlicedLedger } from "./sliced.ts";

describe("SlicedLedger, whose calls are one at a time,", () => {
  ledgerSuite(test, () => new SlicedLedger(new MemoryLedger()));
});
