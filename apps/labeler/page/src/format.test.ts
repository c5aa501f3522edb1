import { expect, it } from "vitest";
import type { RunStatus } from "../../src/progress/run-status.ts";
import { each, labelName, labelText, money, runStanding } from "./format.ts";

it.each([
  ["0", "$0.0000"],
  ["12.345678", "$12.3457"],
  ["0.01", "$0.0100"],
  ["0.0099999", "$0.010000"],
  ["0.000066", "$0.00006600"],
  ["0.000000000001", "$0.000000000001"],
  ["-0.5", "−$0.5000"],
  [null, "–"],
])("money: %s is told as %s", (amount, text) => expect(money(amount)).toBe(text));

it("tells the cost of one of many, and none of none", () => {
  expect(each("0.3", 4)).toBe("0.075");
  expect(each("0.3", 0)).toBeNull();
});

it("labels are told as a person reads them", () => {
  expect(
    [null, "a", ["a", "b"], [], [{ label: "x", text: "y" }], 3, { who: "Ada", when: null, tags: ["b"] }].map(labelText),
  ).toEqual(["–", "a", "a, b", "none", "y (x)", "3", "who: Ada, when: –, tags: b"]);
  expect(["lost_card", '{"who":"Ada"}', "{odd"].map(labelName)).toEqual(["lost_card", "who: Ada", "{odd"]);
});

it.each<[status: { lastOutcome: string; failed?: number; isWorking?: boolean }, standing: object]>([
  [{ lastOutcome: "completed" }, { kind: "done", word: "done" }],
  [
    { lastOutcome: "completed", failed: 1200 },
    { kind: "stopped", word: "1,200 failed" },
  ],
  [
    { lastOutcome: "completed", failed: 3, isWorking: true },
    { kind: "working", word: "working" },
  ],
  [
    { lastOutcome: "budget", failed: 3 },
    { kind: "stopped", word: "budget reached" },
  ],
  [{ lastOutcome: "crashed" }, { kind: "stopped", word: "cut off", whole: expect.stringContaining("upper bound") }],
])("a run is done when no row of it failed: %j", ({ failed = 0, isWorking = false, ...status }, standing) => {
  const rowsByStatus = { unpaid: 0, labeled: 9, invalid_label: 1, truncated: 0, refused: 0, error: failed };
  expect(runStanding({ ...status, isWorking, rowsByStatus } as RunStatus)).toMatchObject(standing);
});
