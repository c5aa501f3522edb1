import { describe, expect, it } from "vitest";
import { classification } from "./classification.ts";

const labels = ["Card_arrival", "lost card", "Refund"];
const task = classification({ model: "m", labels });
const none = { problem: "no label of the set" };

describe("classification", () => {
  it.each([
    ['{"result":"Card_arrival"}', "Card_arrival"],
    ['{"result":"card arrival"}', "Card_arrival"],
    ['```json\n{"result": "LOST-CARD"}\n```', "lost card"],
    ["refund", "Refund"],
    ['"Refund."', "Refund"],
    ['{"result":"other"}', undefined],
    ['{"result":"ref', undefined],
    ["", undefined],
  ])("reads %s as %s", (answer, label) => {
    expect(task.read(answer, "")).toEqual(label === undefined ? none : { label });
  });

  it("never takes one label for another that only looks alike", () => {
    const signs = classification({ model: "m", labels: ["-1", "0", "1", "Good", "good"] });
    expect(signs.read('{"result":"-1"}', "")).toEqual({ label: "-1" });
    expect(signs.read('{"result":"1"}', "")).toEqual({ label: "1" });
    expect(signs.read('{"result":"good"}', "")).toEqual({ label: "good" });
    expect(signs.read('{"result":"GOOD"}', "")).toEqual(none);
  });

  it("has another version whenever an answer could differ, and only then", () => {
    expect(classification({ model: "m", labels }).version).toBe(task.version);
    expect(classification({ model: "n", labels }).version).not.toBe(task.version);
    expect(classification({ model: "m", labels, guidelines: "x" }).version).not.toBe(task.version);
  });
});
