import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  BudgetExceededError,
  type CostExtractor,
  CostTracker,
  type OpenCall,
  openCall,
  type Posting,
} from "@autolabel/budget-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { configOfFlags, settingsOf } from "../commands/config-flags.ts";
import { LabelingConfig, type LabelingConfigInput } from "../config/labeling-config.ts";
import { readConfigFile } from "../config/read-config-file.ts";
import { Settings, type SettingsInput } from "../config/settings.ts";
import { SqliteRunStore } from "../store/sqlite-run-store.ts";
import { openRunBudget, type RunBudget } from "./run-budget.ts";

let folder: string;
let opened: { store: SqliteRunStore; budget: RunBudget } | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "run-budget-"));
});
afterEach(async () => {
  await close();
  rmSync(folder, { recursive: true, force: true });
});

async function close(): Promise<void> {
  await opened?.budget.close();
  await opened?.store.close();
  opened = undefined;
}

const task = { model: "openrouter:openai/gpt-4o-mini", labels: ["a", "b"] };

async function open(
  config: Partial<LabelingConfigInput>,
  { costTracker, ...settings }: SettingsInput & { costTracker?: CostTracker } = {},
): Promise<RunBudget> {
  const store = new SqliteRunStore(join(folder, "run-1.sqlite"));
  const budget = await openRunBudget({
    runId: "run-1",
    store,
    settings: new Settings({ store: folder, ...settings }, { env: {} }),
    config: new LabelingConfig({ ...task, ...config }),
    costTracker,
  });
  opened = { store, budget };
  return budget;
}

/** Every call is held at so many pico-USD. */
function callOf(tracker: CostTracker, boundPicoUsd: bigint): Promise<OpenCall> {
  const costs: CostExtractor = {
    provider: "test",
    quote: () => ({ boundPicoUsd }),
    receipt: () => ({ costPicoUsd: boundPicoUsd }),
  };
  return openCall({ tracker, costs }, { surface: "generate", modelId: "m", request: {}, settings: {} });
}

describe("which limit counts", () => {
  const tracker = (budget: number) => new CostTracker({ name: "given", budget });
  const cases: [string, Partial<LabelingConfigInput>, () => SettingsInput & { costTracker?: CostTracker }, boolean][] =
    [
      ["a given tracker before config.budget", { budget: 0 }, () => ({ costTracker: tracker(2) }), true],
      [
        "a given tracker of 0 before all others",
        { budget: 2 },
        () => ({ costTracker: tracker(0), llmBudget: 2 }),
        false,
      ],
      ["config.budget before llmBudget", { budget: 2 }, () => ({ llmBudget: 0 }), true],
      ["config.budget of 0 before llmBudget", { budget: 0 }, () => ({ llmBudget: 2 }), false],
      ["config.budget unlimited before llmBudget", { budget: "unlimited" }, () => ({ llmBudget: 0 }), true],
      ["llmBudget alone", {}, () => ({ llmBudget: 2 }), true],
      ["llmBudget of 0", {}, () => ({ llmBudget: 0 }), false],
      ["nothing at all", {}, () => ({}), true],
      ["a pool besides config.budget", { budget: 2, pool: "p", poolBudget: "0.5" }, () => ({}), false],
      ["config.budget besides a pool", { budget: "0.5", pool: "p", poolBudget: 2 }, () => ({}), false],
      ["both at once", { budget: 2, pool: "p", poolBudget: 2 }, () => ({}), true],
      ["a pool of 0", { pool: "p", poolBudget: 0 }, () => ({ llmBudget: 2 }), false],
      ["llmBudget besides a pool", { pool: "p", poolBudget: 2 }, () => ({ llmBudget: "0.5" }), false],
      ["llmBudget and a pool", { pool: "p", poolBudget: 2 }, () => ({ llmBudget: 2 }), true],
      ["a row's limit besides all", { budget: 2, maxRowCost: "0.5" }, () => ({}), false],
      ["a row's limit of 0", { budget: 2, maxRowCost: 0 }, () => ({}), false],
      ["a row's limit that fits", { budget: 2, maxRowCost: 1 }, () => ({}), true],
    ];
  it.each(cases)("%s", async (_name, config, settings, passes) => {
    const { tracker: budget, callFor, isRowLimit } = await open(config, settings());
    const refusal: unknown = await callFor(3, () => callOf(budget, 10n ** 12n)).then(
      (call) => call.cancel(),
      (error: unknown) => error,
    );
    expect(BudgetExceededError.isInstance(refusal)).toBe(!passes);
    if (BudgetExceededError.isInstance(refusal)) expect(isRowLimit(refusal)).toBe(config.maxRowCost !== undefined);
  });
});

describe("flags before the file before the environment", () => {
  const yaml = "model: openai:m\nbudget: { max_usd: 2, pool: { name: file, max_usd: 3 }, max_usd_per_row: 0 }\n";
  it.each([
    ["the file alone", {}, yaml, { budget: 2, pool: "file", poolBudget: 3, maxRowCost: 0 }],
    ["flags over the file", { budget: "0", poolBudget: "9" }, yaml, { budget: "0", pool: "file", poolBudget: "9" }],
    ["flags alone", { budget: "unlimited", maxRowCost: "0" }, "", { budget: "unlimited", maxRowCost: "0" }],
    ["a plain amount", {}, "budget: 0\n", { budget: 0 }],
    ["a plain amount in words", {}, 'budget: "0.25"\n', { budget: "0.25" }],
  ])("%s", async (_name, flags, content, expected) => {
    const path = join(folder, "autolabel.json");
    writeFileSync(path, content === "" ? "{}" : content);
    const merged = { ...(await readConfigFile(path)).config, ...(await configOfFlags(flags)) };
    expect(JSON.parse(JSON.stringify(merged))).toMatchObject(expected);
  });

  it.each([
    [{ llmBudget: 0 }, { LLM_BUDGET: "5" }, 0n],
    [{}, { LLM_BUDGET: "0" }, 0n],
    [{}, { LLM_BUDGET: "" }, undefined],
    [{ llmBudget: 3 }, {}, 3n * 10n ** 12n],
  ])("settings %j with the environment %j", (input, env, expected) => {
    expect(new Settings(input, { env }).llmBudget?.picoUsd).toBe(expected);
  });

  it("a ledger by flag stands before AUTOLABEL_LEDGER", () => {
    expect(new Settings({ ledger: "a" }, { env: { AUTOLABEL_LEDGER: "b" } }).ledger).toBe("a");
    expect(new Settings({}, { env: { AUTOLABEL_LEDGER: "b" } }).ledger).toBe("b");
    expect(settingsOf({ ledger: "c", store: "s" })).toMatchObject({ ledger: "c", store: "s" });
  });
});

describe("a crash between the answer and its charge in the pool", () => {
  it("is mended by the answer's cost, which is on file", async () => {
    const config = { budget: 1, pool: "team", poolBudget: 1 };
    const { tracker, limits, callFor } = await open(config);
    const { store } = opened as { store: SqliteRunStore };
    await store.addRows([{ rowId: "0", text: "t", input: {} }], { order: { kind: "file" }, dedupe: true });
    const answered = await callFor(0, () => callOf(tracker, 10n ** 11n));
    await callFor(0, () => callOf(tracker, 10n ** 11n));
    const quote = { boundPicoUsd: 10n ** 11n };
    const posting = {
      reservationId: answered.reservationId,
      receipt: { costPicoUsd: 7n, modelId: "m" },
      outcome: { quote },
    } as unknown as Posting;
    await store.recordAttempt(0, { posting, answer: "{}", taskVersion: "v" });
    expect(limits.map(({ scope }) => scope)).toEqual(["run/run-1", "pool/team"]);
    await close();

    const after = await open(config);
    for (const limit of after.limits) {
      const { spent, held, unresolved } = (await limit.getStats()).exact;
      expect([spent.picoUsd, held.picoUsd, unresolved.picoUsd]).toEqual([7n, 0n, 10n ** 11n]);
    }
  });
});
