import { BudgetExceededError, CostTracker, usd } from "@autolabel/budget-core";
import { describe, expect, it } from "vitest";
import { liveBlock, type RunState } from "./live-block.ts";
import { moneyOf, type RunMoney, type SharedLimit } from "./run-money.ts";
import { plainLine } from "./run-view.ts";
import { type RunEnd, summarize } from "./summary.ts";

const plain = (_format: unknown, text: string) => text;
const money: RunMoney = {
  spent: usd("0.1"),
  held: usd("0.012"),
  unresolved: usd("0.05"),
  budget: usd("0.25"),
  shared: [],
  free: usd("0.088"),
  usable: usd("0.1"),
  tightest: "the budget",
};
const state: RunState = {
  id: "reviews-1",
  model: "openrouter:openai/gpt-4o-mini",
  counts: { rows: 3080, labeled: 700, invalid: 20, errors: 5, unpaid: 2355 },
  rate: 48.2,
  money,
  waitMs: 0,
  problems: [],
  nowMs: 0,
  isEnded: false,
};

const pool: SharedLimit = {
  kind: "pool",
  name: 'the pool "team"',
  spent: usd("3.9"),
  held: usd("0.02"),
  unresolved: usd(0),
  budget: usd("4"),
};

describe("the view of a run", () => {
  it("says on one line what a log needs", () => {
    expect(plainLine(state)).toBe("720/3,080 rows  48 rows/s  $0.1000 of $0.2500 spent  25 without a label");
  });

  it("tells how far the budget reaches, where it does not reach all rows", () => {
    expect(liveBlock({ ...state, reached: 1440 }, 120, plain)).toContain("ends at about row 1,440, by the budget");
    expect(liveBlock({ ...state, reached: 3080 }, 120, plain)).not.toContain("ends at");
  });

  it("tells what all rows will cost, with what was spent", () => {
    const rest = { p10: 0.31, p50: 0.33, p90: 0.35 };
    expect(liveBlock({ ...state, rest }, 120, plain)).toContain("$0.4100 to $0.4500 for all 3,080 rows");
  });

  it.each([40, 60, 70, 80, 100, 200])("keeps every line within %d columns", (width) => {
    for (const line of liveBlock(state, width, plain).split("\n")) expect(line.length).toBeLessThanOrEqual(width);
  });

  it("tells what went wrong and how often, and that the provider has us wait, on lines of their own", () => {
    const problems = [
      { kind: "HTTP 429", message: "Slow\n down", count: 12 },
      { kind: "answer not usable", message: "x".repeat(300), count: 3 },
    ];
    const lines = liveBlock({ ...state, waitMs: 42_000, problems }, 80, plain).split("\n");
    expect(lines).toContain("waits   42 s: the provider said so");
    expect(lines).toContain("errors  12 x HTTP 429: Slow down");
    expect(lines.at(-1)).toMatch(/^ {8}3 x answer not usable: x+…$/);
    expect(lines.every(({ length }) => length <= 80)).toBe(true);
    expect(plainLine({ ...state, waitMs: 42_000, problems })).toContain("waiting 42 s: the provider said so");
  });

  it("counts to the end of a probe, not of the data", () => {
    expect(liveBlock({ ...state, goal: 740 }, 120, plain)).toContain("720 of 740 rows");
    expect(plainLine({ ...state, goal: 740 })).toContain("720/740 rows");
  });

  it("shows no bar where there is no limit", () => {
    const unlimited = { ...money, budget: null, free: null, usable: null, tightest: undefined };
    const text = liveBlock({ ...state, money: unlimited, rest: { p10: 1, p50: 2, p90: 3 } }, 100, plain);
    expect(text).toContain("spent   $0.1000, unlimited budget");
    expect(text).toContain("$1.1000 to $3.1000 for all 3,080 rows");
  });

  const inPool = { ...money, shared: [pool], free: usd("0.08"), tightest: pool.name };

  it("shows the pool beside the budget, and which of them leaves the least", () => {
    const text = liveBlock({ ...state, money: inPool, reached: 1440 }, 120, plain);
    expect(text).toContain('$0.0800 free, by the pool "team"');
    expect(text).toMatch(/^pool {4}█+▓░* {2}\$3\.9000 of \$4\.0000 spent · all runs of "team"$/m);
    expect(text).toContain('ends at about row 1,440, by the pool "team"');
    expect(plainLine({ ...state, money: inPool })).toContain('$3.9000 of $4.0000 spent of the pool "team"');
  });

  it("shows what a shared limit leaves to a run that has none of its own", () => {
    const shared = { ...pool, kind: "shared" as const, name: "LLM_BUDGET" };
    const text = liveBlock({ ...state, money: { ...inPool, budget: null, shared: [shared] } }, 120, plain);
    expect(text).toContain("spent   $0.1000 by this run");
    expect(text).toMatch(/^shared {2}█+▓░* {2}\$3\.9000 of \$4\.0000 spent · all runs of LLM_BUDGET$/m);
  });

  it.each([40, 60, 80, 120])("keeps the lines of a pool of a long name within %d columns", (width) => {
    const name = `the pool "${"team".repeat(20)}"`;
    const long = { ...inPool, tightest: name, shared: [{ ...pool, name }] };
    for (const reached of [1440, 3080]) {
      const lines = liveBlock({ ...state, money: long, reached }, width, plain).split("\n");
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
    }
  });

  it("keeps a cell of the bar for whatever is not nothing", () => {
    const block = liveBlock({ ...state, money: { ...money, held: usd("0.00001") } }, 100, plain);
    expect(block).toMatch(/█+▒+▓░+/);
  });

  it("shows amounts of a small budget with decimals that move, all alike", () => {
    const small = {
      ...money,
      budget: usd("0.005"),
      spent: usd("0.0015"),
      held: usd("0.00002"),
      unresolved: usd(0),
      free: usd("0.003"),
    };
    expect(liveBlock({ ...state, money: small }, 120, plain)).toMatch(
      /\$0\.001500 of \$0\.005000 spent[\s\S]*\$0\.000020 held · \$0\.003000 free/,
    );
  });
});

describe("the money of a run", () => {
  it.each([
    ["1", "2", "0.9", "the budget"],
    ["2", "1", "0.7", 'the pool "team"'],
    ["1", "1.2", "0.9", "the budget"],
    ["1", "1.1", "0.8", 'the pool "team"'],
  ])(
    "of a budget of %s and a pool of %s is what the smaller one leaves: %s",
    async (budget, poolBudget, free, name) => {
      const [own, pool] = [
        new CostTracker({ budget, name: "reviews-1" }),
        new CostTracker({ budget: poolBudget, name: "pool/team" }),
      ];
      await own.addCost("0.1");
      await pool.addCost("0.3");
      const money = await moneyOf({ limits: [own, pool] });
      expect([money.free, money.usable, money.tightest]).toEqual([usd(free), usd(free), name]);
    },
  );

  it("of a run without a limit of its own is what LLM_BUDGET leaves", async () => {
    const parent = new CostTracker({ budget: "1", name: "llm-budget" });
    await parent.addCost("0.4");
    const money = await moneyOf({ limits: [parent.child({ name: "reviews-1" }), parent] });
    expect(money).toMatchObject({ budget: null, free: usd("0.6"), tightest: "LLM_BUDGET" });
  });
});

describe("the summary of a run", () => {
  const rest = { p10: 0.14, p50: 0.145, p90: 0.15 };
  const make = async (change: Partial<RunEnd>): Promise<string> => {
    const tracker = new CostTracker({ budget: "0.25", name: "reviews-1" });
    await tracker.addCost("0.1");
    const end: RunEnd = {
      ownScope: "reviews-1",
      outcome: { kind: "completed" },
      counts: { rows: 100, labeled: 100, invalid: 0, errors: 0, unpaid: 0 },
      stats: await tracker.getStats(),
      usedPicoUsd: usd("0.1").picoUsd,
      output: `${process.cwd()}/out.csv`,
      resumeCommand: "autolabel resume reviews-1",
      ...change,
    };
    return summarize(end, 100, plain);
  };
  const refused = (scope: string, budget: string) =>
    new BudgetExceededError({ totalCost: "0.1", budget, required: "0.001", scope });

  it("of a finished run is two lines", async () => {
    expect(await make({})).toBe("Done: all 100 rows labeled for $0.1000 of $0.2500.\n  output      out.csv\n");
  });

  it("of a stop at the budget names the command that is enough for the rest", async () => {
    const counts = { rows: 100, labeled: 40, invalid: 0, errors: 0, unpaid: 60 };
    const text = await make({ counts, rest, outcome: { kind: "budget", error: refused("reviews-1", "0.25") } });
    expect(text).toContain("the other 60 rows need $0.1400 to $0.1500 more");
    expect(text).toContain("autolabel resume reviews-1 --budget 0.27");
  });

  it("of a stop at the shared budget names that one", async () => {
    const counts = { rows: 100, labeled: 40, invalid: 0, errors: 0, unpaid: 60 };
    const text = await make({ counts, rest, outcome: { kind: "budget", error: refused("llm-budget", "0.12") } });
    expect(text).toContain("LLM_BUDGET of $0.1200, which all runs without a budget of their own share");
    expect(text).toContain("LLM_BUDGET=0.27 autolabel resume reviews-1");
  });

  it("of a stop at the pool or the budget raises the other one too, where it is too small for the rest", async () => {
    const counts = { rows: 100, labeled: 40, invalid: 0, errors: 0, unpaid: 60 };
    const end = (scope: string, limit: SharedLimit) =>
      make({ counts, rest, pool: limit, outcome: { kind: "budget", error: refused(scope, "0.25") } });
    const small = { ...pool, spent: usd("0.1"), budget: usd("0.12") };
    expect(await end("reviews-1", { ...pool, budget: usd(9) })).toMatch(/reviews-1 --budget 0\.27\n/);
    expect(await end("reviews-1", small)).toContain("autolabel resume reviews-1 --budget 0.27 --pool-budget 0.27");
    expect(await end("pool/team", small)).toContain("autolabel resume reviews-1 --budget 0.27 --pool-budget 0.27");
  });

  it("offers a resume only where one helps", async () => {
    expect(await make({ counts: { rows: 100, labeled: 90, invalid: 10, errors: 0, unpaid: 0 } })).not.toContain(
      "go on",
    );
    expect(await make({ counts: { rows: 100, labeled: 90, invalid: 0, errors: 10, unpaid: 0 } })).toContain("go on");
  });

  it("hides no overrun", async () => {
    const tracker = new CostTracker({ budget: "0.05" });
    await tracker.addCost("0.1");
    expect(await make({ stats: await tracker.getStats() })).toContain("$0.0500 above the budget");
  });
});
