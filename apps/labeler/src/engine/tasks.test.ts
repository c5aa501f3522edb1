import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { AutoLabeler } from "../auto-labeler.ts";
import type { LabelingConfigInput } from "../config/labeling-config.ts";
import { Settings } from "../config/settings.ts";

let folder: string;
let simulator: Simulator;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tasks-"));
});
afterEach(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

async function label(config: Partial<LabelingConfigInput>, texts: readonly string[], options: SimulatorOptions = {}) {
  simulator = await startSimulator(options);
  const settings = new Settings(
    { openrouterApiKey: "test", openrouterBaseUrl: simulator.openRouterUrl, store: join(folder, "store") },
    { env: {} },
  );
  const labeler = new AutoLabeler("tasks", settings, { model: "openrouter:openai/gpt-4o-mini", budget: 1, ...config });
  const result = await labeler.label(
    texts.map((text) => ({ text })),
    "text",
  );
  expect(result.stats.exact.spent.picoUsd).toBe(simulator.invoice.totalPicoUsd);
  return result.rows;
}

const labels = ["refund", "delivery"];
const answers = (...all: string[]) => ({ answer: ({ attempt }: { attempt: number }) => all[attempt] ?? all.at(-1) });

describe("tasks, against a provider", () => {
  it("multilabel: a list of labels a row", async () => {
    const rows = await label({ task: "multilabel", labels }, ["late and I want my money back"], {
      answer: () => '{"result":["delivery","refund"]}',
    });
    expect(rows[0]?.label).toEqual(["refund", "delivery"]);
  });

  it("entities: spans that hold what they say", async () => {
    const text = "Ada wrote to Ada in Paris";
    const rows = await label({ task: "entities", labels: ["person", "place"] }, [text], {
      answer: () =>
        JSON.stringify({
          result: [
            { text: "Ada", label: "person" },
            { text: "Ada", label: "person" },
            { text: "Paris", label: "place" },
          ],
        }),
    });
    expect(rows[0]?.label).toEqual([
      { start: 0, end: 3, text: "Ada", label: "person" },
      { start: 13, end: 16, text: "Ada", label: "person" },
      { start: 20, end: 25, text: "Paris", label: "place" },
    ]);
  });

  it("extraction: the fields of a Zod schema", async () => {
    const schema = z.object({ city: z.string(), nights: z.int() });
    const rows = await label({ task: "extraction", schema }, ["two nights in Rome"]);
    expect(rows[0]).toMatchObject({
      status: "labeled",
      label: { city: expect.any(String), nights: expect.any(Number) },
    });
  });

  it("question answering, with reasons and the model's own word on how sure it is", async () => {
    const rows = await label(
      { task: "question_answering", guidelines: "Who writes?", chainOfThought: true, confidence: true },
      ["Ada writes"],
      { answer: () => '{"explanation":"She does.","result":"Ada","confidence":0.75}' },
    );
    expect(rows[0]).toMatchObject({ label: "Ada", confidence: 0.75, explanation: "She does." });
  });
});

describe("an answer that cannot be used", () => {
  it("is asked for once more, with what is wrong with it; both are billed", async () => {
    const asked: string[] = [];
    const rows = await label({ labels }, ["My refund"], {
      answer: ({ messages, lastUserText }) => {
        asked.push(lastUserText);
        return messages.length > 2 ? '{"result":"refund"}' : '{"result":"money"}';
      },
    });
    expect(rows[0]).toMatchObject({ label: "refund", status: "labeled", attempts: 2 });
    expect(rows[0]?.cost.picoUsd).toBe(simulator.invoice.totalPicoUsd);
    expect(asked).toEqual(["My refund", expect.stringContaining("no label of the set")]);
  });

  it("is kept as it is after the second one, or the first where no repair is wanted", async () => {
    const bad = { answer: () => '{"result":"money"}' };
    const rows = await label({ labels }, ["My refund"], bad);
    expect(rows[0]).toMatchObject({ label: null, status: "invalid_label", attempts: 2 });
    expect(simulator.invoice.count).toBe(2);
    await simulator.close();
    rmSync(join(folder, "store"), { recursive: true });
    const [row] = await label({ labels, repair: false }, ["My refund"], bad);
    expect(row).toMatchObject({ status: "invalid_label", attempts: 1 });
  });

  it("and was cut off is asked for once more with more room, not with the same cap", async () => {
    const long = `{"result":"${"re".repeat(300)}fund"}`;
    const rows = await label({ labels }, ["My refund"], answers(long));
    expect(rows[0]?.attempts).toBe(2);
    const [first, second] = simulator.invoice.lines;
    expect(second?.completionTokens).toBeGreaterThan(2 * (first?.completionTokens ?? 0));
    expect(rows[0]?.error).toContain("no label of the set");
  });
});

describe("rows", () => {
  it("F26: of equal text are bought once, and each has its label", async () => {
    const texts = Array.from({ length: 1000 }, () => "Where is my delivery");
    const rows = await label({ labels }, texts);
    expect(simulator.invoice.count).toBe(1);
    expect(rows).toHaveLength(1000);
    expect(rows.every(({ label: given }) => given === "delivery")).toBe(true);
    expect(rows.filter(({ duplicateOf }) => duplicateOf === 0)).toHaveLength(999);
  });

  it("of equal text are bought one by one where that is asked for", async () => {
    await label({ labels, dedupe: false }, ["refund", "refund", "refund"]);
    expect(simulator.invoice.count).toBe(3);
  });
});
