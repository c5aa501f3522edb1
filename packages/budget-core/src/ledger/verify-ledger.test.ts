import { describe, expect, it } from "vitest";
import type { AuditedAccount, LedgerReport } from "./ledger.ts";
import { verifyLedger } from "./verify-ledger.ts";

const account: AuditedAccount = {
  scope: "run",
  window: "all",
  spentPicoUsd: 30n,
  heldPicoUsd: 9n,
  unresolvedPicoUsd: 5n,
  callCount: 3,
  boundCallCount: 1,
  byModel: { m: { callCount: 2, spentPicoUsd: 20n }, n: { callCount: 1, spentPicoUsd: 10n } },
  journal: { spentPicoUsd: 30n, callCount: 3, boundCallCount: 1 },
};
const idle: AuditedAccount = { ...account, window: "w2", heldPicoUsd: 0n, unresolvedPicoUsd: 0n };
const accounts = [{ scope: "run", window: "all" }];
const report: LedgerReport = {
  schemaVersion: 1,
  atMs: 0,
  accounts: [account, idle],
  open: [
    { id: "a", state: "held", accounts, amountPicoUsd: 4n, ageMs: 1 },
    { id: "b", state: "dispatched", accounts, amountPicoUsd: 5n, ageMs: 1 },
    { id: "c", state: "unresolved", accounts, amountPicoUsd: 5n, ageMs: 1, modelId: "m" },
  ],
};

describe("verifyLedger", () => {
  it("finds nothing wrong with books that add up", () => {
    expect(verifyLedger(report)).toEqual([]);
    expect(verifyLedger({ ...report, accounts: [], open: [] })).toEqual([]);
  });

  it.each<[string, Partial<AuditedAccount>, object[]]>([
    [
      "spend without an entry",
      { spentPicoUsd: 31n },
      [
        { field: "spentPicoUsd", shown: 31n, expected: 30n, source: "journal" },
        { field: "spentPicoUsd", shown: 31n, expected: 30n, source: "spend by model" },
      ],
    ],
    [
      "an entry without spend",
      { journal: { spentPicoUsd: 31n, callCount: 4, boundCallCount: 2 } },
      [
        { field: "spentPicoUsd", shown: 30n, expected: 31n, source: "journal" },
        { field: "callCount", shown: 3, expected: 4, source: "journal" },
        { field: "boundCallCount", shown: 1, expected: 2, source: "journal" },
      ],
    ],
    [
      "a hold of nobody",
      { heldPicoUsd: 10n },
      [{ field: "heldPicoUsd", shown: 10n, expected: 9n, source: "open reservations" }],
    ],
    ["a call that was forgotten", { unresolvedPicoUsd: 0n }, [{ field: "unresolvedPicoUsd", shown: 0n, expected: 5n }]],
    [
      "a model that is missing",
      { byModel: { m: { callCount: 2, spentPicoUsd: 30n } } },
      [{ field: "callCount", shown: 3, expected: 2, source: "spend by model" }],
    ],
  ])("lists %s, by account and field", (_name, change, expected) => {
    const found = verifyLedger({ ...report, accounts: [{ ...account, ...change }, idle] });
    expect(found).toMatchObject(expected.map((each) => ({ scope: "run", window: "all", ...each })));
    expect(found).toHaveLength(expected.length);
  });
});
