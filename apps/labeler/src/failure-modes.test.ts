import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UnpricedModelError } from "@autolabel/budget-core";
import { describe, expect, it } from "vitest";
import { flat, rowsOf, useBench } from "./failure-modes-bench.ts";
import { UsageError } from "./usage-error.ts";

const bench = useBench();

/** Ways in which labelers of data sets lose money, answers or rows. Each is the subject of a test that begins with its number. */
const modes: Readonly<Record<string, string>> = {
  F01: "a resume forgets what was spent",
  F02: "many callers reach for the last dollar",
  F03: "reservations leak",
  F04: "the row that crosses the line is bought again",
  F05: "a resume forgets the declared budget",
  F06: "a run that is exhausted but complete cannot end",
  F07: "an interrupt loses paid answers",
  F08: "one bad row stops the others",
  F09: "failures are kept as answers",
  F10: "truncation passes for an empty answer",
  F11: "reasoning eats the output cap",
  F12: "the failed attempt is not counted",
  F13: "tokens times price stand for the provider's bill",
  F14: "calls with the user's own provider key count nothing, or twice",
  F15: "prices in the wrong unit",
  F16: "a model without a price counts as free",
  F17: "Retry-After is ignored, or waited for without end",
  F18: "429 storms and limits that change",
  F19: "the end of the credit fails rows",
  F20: "memory grows with the data",
  F25: "a torn end of the log loses or doubles records",
  F26: "duplicate rows vanish or are paid for each",
  F27: "labels outside the set",
  F28: "entities whose offsets do not hold",
  F29: "a changed prompt reuses old labels, or a changed budget drops them",
  F30: "two resumes at once",
};

it("every failure mode has a test", () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" });
  const sources = files
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => readFileSync(join(import.meta.dirname, file), "utf8"));
  const tested = new Set(
    sources.flatMap((source) => [...source.matchAll(/^\s*(?:it|describe)?.*["'`](F\d\d): /gm)].map(([, id]) => id)),
  );
  expect(Object.keys(modes).filter((id) => !tested.has(id))).toEqual([]);
  expect([...tested].filter((id) => !Object.hasOwn(modes, id ?? ""))).toEqual([]);
});

describe("money", () => {
  it("F04: the answer whose charge reaches the limit is kept, and not bought again with a larger budget", async () => {
    const { models, config } = flat("0.01");
    const { invoice } = await bench.simulate({ models });
    const first = await bench.label({ ...config, budget: "0.05", concurrency: 1 }, rowsOf(8));
    expect(first.outcome.kind).toBe("budget");
    expect(first.rows.map(({ status }) => status === "labeled")).toEqual(rowsOf(8).map((_, row) => row < 5));
    expect(first.exact.spent.picoUsd).toBe(50_000_000_000n);
    const second = await bench.label({ ...config, budget: "1", concurrency: 1 }, rowsOf(8));
    expect(second.outcome.kind).toBe("completed");
    expect([invoice.count, bench.boughtTwice()]).toEqual([8, 0]);
  });

  it("F05: a resume keeps the declared budget unless it is given another one, and shows it", async () => {
    await bench.simulate();
    const budget = (await bench.costPerRow()) * 12n;
    const first = await bench.run(bench.data(rowsOf(30), "--budget", inUsd(budget)));
    const again = await bench.run(["resume"]);
    const shown = /labeled for \$[\d.]+ of \$(\d+\.\d+)/;
    expect([first.code, again.code]).toEqual([3, 3]);
    expect(shown.exec(again.stdout)?.[1]).toBe(shown.exec(first.stdout)?.[1]);
    expect(bench.simulator.invoice.totalPicoUsd).toBeLessThanOrEqual(budget);
    const raised = await bench.run(["resume", "--budget", "0.5"]);
    expect(raised.code).toBe(0);
    expect(Number(shown.exec(raised.stdout)?.[1])).toBe(0.5);
    // From now on that is the declared one.
    expect(Number(shown.exec((await bench.run(["resume"])).stdout)?.[1])).toBe(0.5);
  });

  it("F06: a run that spent its whole budget on its last row, and crashed before it said so, ends well without a call", async () => {
    const { models, config } = flat("0.01");
    const { invoice } = await bench.simulate({ models });
    const run = await bench.labeler({ ...config, budget: "0.06" }).start({ rows: rowsOf(6), column: "text" });
    expect(await run.finish()).toEqual({ kind: "completed" });
    // What a crash would leave behind now: the files as they are.
    cpSync(join(bench.folder, ".autolabel"), join(bench.folder, "crashed"), { recursive: true });
    await run.close();
    const resumed = await bench.run(["resume", "--store", "crashed", "-o", "data.out.csv"]);
    expect(resumed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Done: all 6 rows labeled/) });
    expect([invoice.count, bench.simulator.requests]).toEqual([6, 6]);
    expect(bench.output().map(({ label_status }) => label_status)).toEqual(Array(6).fill("labeled"));
  });

  it("F12: an answer in the wrong form is paid for too: the row costs both", async () => {
    const { invoice } = await bench.simulate({
      answer: ({ messages }) => (messages.length > 2 ? undefined : '{"result":17}'),
    });
    const { rows, exact } = await bench.label({}, rowsOf(1));
    expect(rows).toMatchObject([{ status: "labeled", attempts: 2 }]);
    expect(invoice.count).toBe(2);
    expect([rows[0]?.cost.picoUsd, exact.spent.picoUsd]).toEqual([invoice.totalPicoUsd, invoice.totalPicoUsd]);
  });

  it("F13: the provider's word on the cost stands before tokens times price", async () => {
    const own = { promptUsdPerMillion: "0.1", completionUsdPerMillion: "0.4", reasoningTokens: 300 };
    const { invoice } = await bench.simulate({ models: { "test/thinks": own } });
    const { exact } = await bench.label(
      {
        model: "openrouter:test/thinks",
        maxOutputTokens: 500,
        prices: { "test/thinks": { input: "0.9", output: "3", maxOutputTokens: 1000 } },
      },
      rowsOf(20),
    );
    const hidden = invoice.lines.reduce((sum, { reasoningTokens }) => sum + reasoningTokens, 0);
    expect(hidden).toBe(20 * 300);
    expect(exact.spent.picoUsd).toBe(invoice.totalPicoUsd);
  });

  it.each([true, false])(
    "F14: calls count once, by what they cost upstream where the own key pays (%s)",
    async (byok) => {
      const { invoice } = await bench.simulate({ byok });
      const { exact } = await bench.label({}, rowsOf(12));
      expect(invoice.totalPicoUsd).toBeGreaterThan(0n);
      expect(exact.spent.picoUsd).toBe(invoice.totalPicoUsd);
    },
  );

  it.each([
    ["USD per 1K tokens taken for 1M, a thousandfold", { input: "150000", output: "0.6" }],
    ["USD per token where it is per 1M", { input: "0.00000015", output: "0.6" }],
    ["the same of the output", { input: "0.15", output: "0.0000006" }],
  ])("F15: refuses a price in the wrong unit: %s", async (_name, price) => {
    await bench.simulate();
    const config = { model: "openrouter:test/own", prices: { "test/own": price } };
    expect(() => bench.labeler(config)).toThrow(UsageError);
    expect(() => bench.labeler(config)).toThrow(/test\/own.*USD per 1M tokens/);
  });

  it("F16: refuses a model without a price before the first call, with a budget or without", async () => {
    await bench.simulate();
    for (const budget of [1, "unlimited"] as const) {
      const labeling = bench.label({ model: "openrouter:nobody/knows-it", budget }, rowsOf(3));
      await expect(labeling).rejects.toSatisfy((error) => UnpricedModelError.isInstance(error));
    }
    expect(bench.simulator.requests).toBe(0);
  });
});

describe("rows", () => {
  it("F08: a row that is refused for ever and one that is too long leave 498 of 500 with their labels", async () => {
    const { models, config } = flat("0.0001");
    const short = { "test/flat": { ...models["test/flat"], contextLength: 2000 } };
    const faults = [{ kind: "429", promptIncludes: "number 247", retryAfter: 0 }] as const;
    await bench.simulate({ models: short, faults });
    const rows = rowsOf(500).map((row, index) => (index === 300 ? { text: "word ".repeat(5000) } : row));
    const { outcome, rows: all } = await bench.label({ ...config, concurrency: 32 }, rows);
    expect(outcome).toEqual({ kind: "completed" });
    expect(all.filter(({ status }) => status === "labeled")).toHaveLength(498);
    expect(all[247]).toMatchObject({ status: "error", error: expect.stringMatching(/HTTP 429.*attempts/) });
    expect(all[300]).toMatchObject({ status: "error", error: expect.stringMatching(/HTTP 400.*context length/) });
  });

  it("F09: what failed is asked for again by the next run, what came is not", async () => {
    const { invoice } = await bench.simulate({ faults: [{ kind: "empty-choices", promptIncludes: "number 3" }] });
    const first = await bench.label({ maxAttempts: 1 }, rowsOf(6));
    expect(first.rows.map(({ status }) => status === "labeled")).toEqual(rowsOf(6).map((_, row) => row !== 3));
    const paid = invoice.count;
    bench.simulator.setFaults([]);
    const second = await bench.label({ maxAttempts: 1 }, rowsOf(6));
    expect(second.rows.every(({ status }) => status === "labeled")).toBe(true);
    expect(invoice.count).toBe(paid + 1);
  });

  it("F10: entities that were cut off are `truncated` and paid for, never an empty list", async () => {
    const mention = '{"text":"Ada","label":"person"},';
    const { invoice } = await bench.simulate({ answer: () => `{"result":[${mention.repeat(2000)}` });
    const entities = { task: "entities", labels: ["person"], maxOutputTokens: 40 } as const;
    const { rows } = await bench.label(entities, [{ text: "Ada wrote to Ada" }]);
    expect(rows).toMatchObject([{ status: "truncated", label: null, attempts: 2 }]);
    expect(rows[0]?.error).toMatch(/cut off at \d+ tokens \(maxOutputTokens/);
    expect(rows[0]?.cost.picoUsd).toBe(invoice.totalPicoUsd);
  });

  it("F11: a model that thinks its whole cap away is asked once more, with more room", async () => {
    const thinks = { promptUsdPerMillion: "0.1", completionUsdPerMillion: "0.4", reasoningTokens: 199 };
    const { invoice } = await bench.simulate({ models: { "test/thinks": thinks } });
    const prices = { "test/thinks": { input: "0.1", output: "0.4", maxOutputTokens: 4000 } };
    const config = { model: "openrouter:test/thinks", prices, maxOutputTokens: 200 };
    const { rows, exact } = await bench.label(config, rowsOf(8));
    expect(rows.every(({ status, attempts }) => status === "labeled" && attempts === 2)).toBe(true);
    const used = invoice.lines.map(({ completionTokens }) => completionTokens);
    expect(used.filter((tokens) => tokens === 200)).toHaveLength(8);
    expect(used.filter((tokens) => tokens > 200)).toHaveLength(8);
    expect(exact.spent.picoUsd).toBe(invoice.totalPicoUsd);
  });

  it.each(["Refund", "  refund ", '"refund"', "REFUND.", "`refund`"])(
    "F27: reads %s as the label it means, at one call",
    async (said) => {
      await bench.simulate({ answer: () => JSON.stringify({ result: said }) });
      expect((await bench.label({}, rowsOf(1))).rows).toMatchObject([{ label: "refund", attempts: 1 }]);
    },
  );

  it("F27: never makes a new class of what is no label, even after it asked again", async () => {
    await bench.simulate({ answer: () => '{"result":"refunds and more"}' });
    const { rows } = await bench.label({}, rowsOf(3));
    expect(rows.every(({ label, status }) => label === null && status === "invalid_label")).toBe(true);
    expect(bench.simulator.invoice.count).toBe(6);
  });

  it("F29: changed guidelines buy new labels; a column more or another budget or pace buys none", async () => {
    const { invoice } = await bench.simulate();
    const rows = rowsOf(10);
    const first = await bench.label({ guidelines: "Money first" }, rows);
    expect(invoice.count).toBe(10);
    for (const same of [{ budget: 2 }, { concurrency: 2 }, { requestsPerMinute: 1e6 }, { maxAttempts: 2 }]) {
      await bench.label({ guidelines: "Money first", ...same }, rows);
    }
    await bench.label(
      { guidelines: "Money first" },
      rows.map((row, number) => ({ ...row, number })),
    );
    expect(invoice.count).toBe(10);
    const second = await bench.label({ guidelines: "Money last" }, rows);
    expect(invoice.count).toBe(20);
    expect(second.rows[0]?.taskVersion).not.toBe(first.rows[0]?.taskVersion);
    expect((await bench.label({ guidelines: "Money first" }, rows)).rows[0]?.taskVersion).toBe(
      first.rows[0]?.taskVersion,
    );
    expect(invoice.count).toBe(20);
  });
});

function inUsd(picoUsd: bigint): string {
  return `0.${picoUsd.toString().padStart(12, "0")}`;
}
