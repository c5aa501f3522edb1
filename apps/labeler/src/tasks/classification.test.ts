import { describe, expect, it } from "vitest";
import { classification } from "./classification.ts";

const task = classification({ model: "m", labels: ["Card_arrival", "lost card", "Refund"] });

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
    expect(task.read(answer)).toBe(label);
  });

  it("never takes one label for another that only looks alike", () => {
    const signs = classification({ model: "m", labels: ["-1", "0", "1", "Good", "good"] });
    expect(signs.read('{"result":"-1"}')).toBe("-1");
    expect(signs.read('{"result":"1"}')).toBe("1");
    expect(signs.read('{"result":"good"}')).toBe("good");
    expect(signs.read('{"result":"GOOD"}')).toBeUndefined();
  });

  it("has another version whenever an answer could differ, and only then", () => {
    expect(classification({ model: "m", labels: ["Card_arrival", "lost card", "Refund"] }).version).toBe(task.version);
    expect(classification({ model: "n", labels: task.labels }).version).not.toBe(task.version);
    expect(classification({ model: "m", labels: task.labels, guidelines: "x" }).version).not.toBe(task.version);
  });
});
