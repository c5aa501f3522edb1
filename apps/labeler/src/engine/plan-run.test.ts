import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { usd } from "@autolabel/budget-core";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LabelingConfigInput } from "../config/labeling-config.ts";
import { Settings } from "../config/settings.ts";
import { planRun } from "./plan-run.ts";
import { startRun } from "./start-run.ts";

let folder: string;
let simulator: Simulator;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "plan-"));
  simulator = await startSimulator();
});
afterEach(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

const texts = [
  "I want a refund",
  "I want a refund",
  "",
  'quotes " and \\ and\nnewlines',
  "卡还没有到",
  "e\u0301 \uFDFA ﬁ ＂wide＂",
  "😀".repeat(40),
  "where is my delivery ".repeat(50),
];
const rowsOf = (all: readonly string[]) => all.map((text, row) => ({ rowId: String(row), text, input: { text } }));
const config = { model: "openrouter:openai/gpt-4o-mini", labels: ["refund", "delivery"], budget: 1 };

const settings = () =>
  new Settings(
    {
      openrouterApiKey: "test",
      openrouterBaseUrl: simulator.openRouterUrl,
      openaiApiKey: "test",
      openaiBaseUrl: simulator.openAiUrl,
      corporateBaseUrl: simulator.gatewayUrl,
      store: folder,
    },
    { env: {} },
  );

/** Labels the rows, and says what was held for the first calls. */
async function label(given: LabelingConfigInput, all: readonly string[]) {
  const run = await startRun({
    name: "plan",
    settings: settings(),
    config: given,
    rows: rowsOf(all),
    whenKnown: () => "start over",
  });
  let heldPicoUsd = 0n;
  run.tracker.on("reserved", ({ quote }) => {
    heldPicoUsd += quote.boundPicoUsd;
  });
  await run.finish();
  await run.close();
  return { heldPicoUsd };
}

describe("a plan", () => {
  const cases: [string, LabelingConfigInput][] = [
    ["OpenRouter", config],
    ["a model whose cache writes are billed", { ...config, model: "openrouter:anthropic/claude-haiku-4.5" }],
    ["OpenAI", { ...config, model: "openai:gpt-4o-mini" }],
    ["a gateway with stated prices", { ...config, model: "corporate:m", prices: { m: { input: 0.3, output: "1.2" } } }],
    ["a gateway that counts as free", { ...config, model: "corporate:m" }],
    ["rows bought one by one", { ...config, dedupe: false }],
    ["reasons before the answer", { ...config, chainOfThought: true, guidelines: "Décide ＂well＂." }],
    [
      "examples that each row has its own of",
      {
        ...config,
        exampleSelection: "similar",
        exampleCount: 1,
        examples: [
          { text: "a refund please", label: "refund" },
          { text: "the delivery is late, and this example is long", label: "delivery" },
        ],
      },
    ],
  ];
  it.each(cases)("has as its upper bound what is held for the first calls: %s", async (_name, given) => {
    const plan = await planRun({ config: given, settings: settings(), rows: rowsOf(texts) });
    expect(simulator.requests).toBe(0);
    if (given.prices) simulator.setModels({ m: { promptUsdPerMillion: "0.3", completionUsdPerMillion: "1.2" } });
    const { heldPicoUsd } = await label(given, texts);
    expect(simulator.invoice.count).toBe(plan.texts);
    // Never below; above only where instructions and text are longest in different forms of Unicode.
    expect(plan.costs.upper.picoUsd).toBeGreaterThanOrEqual(heldPicoUsd);
    expect(1000n * (plan.costs.upper.picoUsd - heldPicoUsd)).toBeLessThanOrEqual(heldPicoUsd);
    expect(plan.costs.upper.picoUsd).toBeGreaterThanOrEqual(simulator.invoice.totalPicoUsd);
    expect(plan.costs.lower.picoUsd).toBeLessThanOrEqual(simulator.invoice.totalPicoUsd);
  });

  it("counts OpenAI itself at the tier that calls to it name, and others at the dearest they may serve", async () => {
    const given = { ...config, model: "openai:gpt-4o-mini" };
    const of = async (settings: { openaiBaseUrl?: string }) =>
      (await planRun({ config: given, settings, rows: rowsOf(texts) })).costs.upper.picoUsd;
    expect(await of({})).toBeLessThan(await of({ openaiBaseUrl: simulator.openAiUrl }));
  });

  it("counts a repair of every row within upper and repairs together", async () => {
    const plan = await planRun({ config, settings: settings(), rows: rowsOf(texts) });
    simulator.setFaults([{ kind: "invalid-label" }]);
    const { heldPicoUsd } = await label(config, texts);
    expect(simulator.invoice.count).toBe(2 * plan.texts);
    const most = plan.costs.upper.picoUsd + plan.costs.repairs.picoUsd;
    expect(most).toBeGreaterThanOrEqual(heldPicoUsd);
  });

  it("tells the price that it rests on, and since when it is known", async () => {
    const { price } = await planRun({ config, settings: settings(), rows: rowsOf(["a"]) });
    expect(price).toMatchObject({
      modelId: "openai/gpt-4o-mini",
      checked: expect.stringMatching(/^20\d\d-\d\d-\d\d$/),
    });
    expect(String(price?.inputPer1M)).toBe("0.15");
  });

  it("tells how far a budget goes: about, and for certain", async () => {
    const all = Array.from({ length: 100 }, (_, row) => `text ${row} ${"word ".repeat(row)}`);
    const plan = await planRun({ config, settings: settings(), rows: rowsOf(all) });
    const { costs } = plan;
    expect(plan.reach(costs.upper)).toEqual({ expectedRows: 100, certainRows: 100 });
    expect(plan.reach(usd(0))).toEqual({ expectedRows: 0, certainRows: 0 });
    const { expectedRows, certainRows } = plan.reach(usd.pico(costs.expected.picoUsd / 2n));
    expect(expectedRows).toBe(50);
    expect(certainRows).toBeGreaterThan(0);
    expect(certainRows).toBeLessThan(expectedRows);
  });

  it.each([
    ["openrouter:openai/gpt-4o-mni", undefined, /no price is known/],
    ["corporate:m", { m: { input: 0.000_000_15, output: 0.6 } }, /input price of m: state it in USD per 1M tokens/],
    ["corporate:m", { m: { input: 1, output: 600_000 } }, /600000 cannot be the output price of m/],
    ["corporate:m", { m: { input: "cheap", output: 1 } }, /cheap cannot be the input price of m/],
  ])("refuses %s with the prices %o", async (model, prices, message) => {
    const given = { ...config, model, ...(prices ? { prices } : {}) };
    await expect(planRun({ config: given, settings: settings(), rows: rowsOf(["a"]) })).rejects.toThrow(message);
  });
});
