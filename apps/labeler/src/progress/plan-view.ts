import { formatUsd, type Money, usd } from "@autolabel/budget-core";
import type { CostRange } from "../engine/cost-model.ts";
import type { PlannedCosts, RunPlan } from "../engine/plan-run.ts";
import type { RunOutcome } from "../engine/run-rows.ts";
import type { LimitLeft } from "../ledger/limits-left.ts";
import { formatCount, rowsText } from "./bar.ts";
import { amountsFor, rangeText, type Style, wrapText } from "./layout.ts";

/** What is told of a plan. */
export interface PlanReport {
  name: string;
  plan: RunPlan;
  /** The limits that the run would have, the one that leaves the least first; empty where there are none. */
  limits: readonly LimitLeft[];
  probe?: ProbeReport;
}

/** What rows that were bought beforehand told. */
export interface ProbeReport {
  runId: string;
  /** Rows that are paid for. */
  rows: number;
  spent: Money;
  outcome: RunOutcome["kind"];
  /** What all rows will cost in USD, those of the probe included; undefined where too few were paid for. */
  whole?: CostRange;
  /** The command that labels the rest. */
  goOn: string;
}

const nameWidth = 10;
const kinds = [
  ["lower", "short answers, long words, input read from the provider's cache"],
  ["expected", "4 bytes a token, answers of the usual size"],
  ["upper", "what is reserved: the first calls of all rows cannot cost more"],
  ["repairs", "on top at most, if every row had to be asked a second time"],
] as const;

/** A plan for people; no line is wider than `width`. */
export function planTable(report: PlanReport, width: number, style: Style): string {
  const { name, plan, limits, probe } = report;
  const { rows, texts, tokens, model } = plan;
  const line = (title: string, said: string) =>
    `${style("dim", title.padEnd(nameWidth))}${wrapText(said, width, " ".repeat(nameWidth))}\n`;
  return [
    `${style("bold", name)}  ${style("dim", model)}\n\n`,
    line(
      "rows",
      `${formatCount(rows)}${texts < rows ? `, of which ${formatCount(texts)} are bought: equal texts once, empty ones never` : ""}`,
    ),
    line("tokens", `about ${formatCount(tokens.input)} in, ${formatCount(tokens.output)} out`),
    "\n",
    costTable(plan, width, style),
    "\n",
    ...limits.map((limit) => line(limit.kind, reachText(plan, limit))),
    line("price", priceText(plan)),
    ...(probe ? probeLines(probe, limits[0]?.left).map(([title, said]) => line(title, said)) : []),
  ].join("");
}

function costTable({ rows, costs, price }: RunPlan, width: number, style: Style): string {
  if (!price) return "";
  const all = amountsFor(costs.expected);
  const per1000 = (cost: Money) => usd.pico((cost.picoUsd * 1000n) / BigInt(rows));
  const each = amountsFor(per1000(costs.expected));
  const columns = kinds.map(([kind]) => [all(costs[kind]), each(per1000(costs[kind]))] as const);
  const [wide, narrow] = [0, 1].map((place) => Math.max(14, ...columns.map((cells) => (cells[place] ?? "").length)));
  const head = `${" ".repeat(nameWidth)}${"all rows".padStart(wide ?? 0)}  ${"per 1,000 rows".padStart(narrow ?? 0)}`;
  const indent = " ".repeat(head.length + 3);
  const lines = kinds.map(([kind, meaning], index) => {
    const [whole = "", part = ""] = columns[index] ?? [];
    const amounts = `${whole.padStart(wide ?? 0)}  ${part.padStart(narrow ?? 0)}`;
    const said = width - indent.length < 20 ? "" : `   ${style("dim", wrapText(meaning, width, indent))}`;
    const shown = kind === "expected" ? style("bold", amounts) : amounts;
    return `${style("dim", kind.padEnd(nameWidth))}${shown}${said}\n`;
  });
  return `${style("dim", head)}\n${lines.join("")}`;
}

function reachText(plan: RunPlan, { kind, name, limit, left }: LimitLeft): string {
  const { expectedRows, certainRows } = plan.reach(left);
  const rest =
    left.picoUsd === limit.picoUsd ? formatUsd(limit) : `what is left of ${formatUsd(limit)}, ${formatUsd(left)},`;
  const money = kind === "budget" ? rest : `${rest} of ${name}`;
  if (certainRows === plan.rows) return `${money} pays for all rows for certain, repairs aside`;
  const certain = `at least ${formatCount(certainRows)} whatever the answers, repairs aside`;
  if (expectedRows === plan.rows) return `${money} should pay for all rows; ${certain}`;
  return `${money} reaches about ${formatCount(expectedRows)} of ${rowsText(plan.rows)}; ${certain}`;
}

function priceText({ price }: RunPlan): string {
  if (!price) return "the gateway counts as free: state what it charges with --input-price and --output-price";
  const read = price.checked === undefined ? "as you stated" : `${price.source}, read ${price.checked}`;
  return `${listed(price.inputPer1M)} in, ${listed(price.outputPer1M)} out per 1M tokens (${price.modelId}; ${read})`;
}

/** A price as it is listed: exact, with cents. */
function listed(price: Money): string {
  const [whole = "0", fraction = ""] = price.toString().split(".");
  return `$${whole}.${fraction.padEnd(2, "0")}`;
}

function probeLines({ rows, spent, whole, outcome, goOn }: ProbeReport, budget: Money | undefined): [string, string][] {
  const amount = amountsFor(budget ?? spent);
  const bought = `${rowsText(rows)} drawn at random and bought for ${amount(spent)}`;
  const ended = outcome === "completed" ? "" : `; stopped early: ${outcome}`;
  const told = whole
    ? `: all rows will cost ${rangeText(whole, amount)} in eight of ten cases, ${amount(usd(whole.p50.toFixed(12)))} most likely`
    : ": too few to tell what all rows will cost";
  return [
    ["probe", `${bought}${ended}${told}`],
    ["go on", `${goOn} (the rows of the probe are not bought again)`],
  ];
}

/** A plan for programs: amounts are decimal texts in USD. */
export function planJson({ name, plan, limits, probe }: PlanReport): object {
  const { model, rows, texts, tokens, costs, price } = plan;
  const each = (of: (cost: Money) => Money) =>
    Object.fromEntries(kinds.map(([kind]) => [kind, of(costs[kind]).toString()])) as Record<keyof PlannedCosts, string>;
  return {
    name,
    model,
    rows,
    texts,
    tokens,
    costUsd: each((cost) => cost),
    costPer1000RowsUsd: each((cost) => usd.pico((cost.picoUsd * 1000n) / BigInt(rows))),
    price: price && {
      modelId: price.modelId,
      inputUsdPer1M: price.inputPer1M.toString(),
      outputUsdPer1M: price.outputPer1M.toString(),
      source: price.source,
      checked: price.checked,
    },
    limits: limits.map(({ kind, name: limitName, limit, left }) => ({
      kind,
      name: limitName,
      limitUsd: limit.toString(),
      leftUsd: left.toString(),
      ...plan.reach(left),
    })),
    probe: probe && {
      run: probe.runId,
      rows: probe.rows,
      spentUsd: probe.spent.toString(),
      outcome: probe.outcome,
      allRowsUsd: probe.whole && {
        p10: probe.whole.p10.toFixed(12),
        p50: probe.whole.p50.toFixed(12),
        p90: probe.whole.p90.toFixed(12),
      },
      goOn: probe.goOn,
    },
  };
}
