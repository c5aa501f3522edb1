/*
 * How good plan and forecast are: seeded runs against the simulator, whose invoice is the truth.
 *
 *   node --conditions=@autolabel/source benchmarks/forecast.ts [RUNS=200] [FIRST_SEED=1]
 *
 * Runs vary in model, rows, lengths of texts (equal, even, log-normal, two kinds), order of the file (shuffled, short or
 * long texts first), duplicates, chain of thought, share of answers that must be repaired, and errors (some of them
 * billed). For each: the plan before the first call, and the forecast when 200 rows are done.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Fault, startSimulator } from "@autolabel/simulator";
import { planRun } from "../apps/labeler/src/engine/plan-run.ts";
import { startRun } from "../apps/labeler/src/engine/start-run.ts";
import { Settings } from "../apps/labeler/src/index.ts";

const runs = Number(process.argv[2] ?? 200);
const firstSeed = Number(process.argv[3] ?? 1);
const forecastAfter = 200;
/** Most of their time runs wait for attempts to be repeated. */
const runsAtOnce = 6;

/** A seeded source of numbers in [0, 1). (mulberry32) */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const words =
  "the card money account transfer I my was not refund charged yesterday please help international verification".split(
    " ",
  );
const models = [
  "openai/gpt-4o-mini",
  "openai/gpt-4o",
  "openai/gpt-4.1-nano",
  "anthropic/claude-haiku-4.5",
  "google/gemini-2.5-flash",
];
const labels = ["card_arrival", "exchange_rate", "lost_or_stolen_card", "top_up_failed", "age_limit", "refund"];

interface Scenario {
  seed: number;
  model: string;
  texts: string[];
  lengths: string;
  order: string;
  chainOfThought: boolean;
  repairRate: number;
  billedErrorRate: number;
  faults: Fault[];
}

function scenarioOf(seed: number): Scenario {
  const random = seeded(seed);
  const pick = <T>(options: readonly T[]) => options[Math.floor(random() * options.length)] as T;
  const lengths = pick(["equal", "even", "log-normal", "two kinds"]);
  const lengthOf = () => {
    if (lengths === "equal") return 20;
    if (lengths === "even") return 3 + Math.floor(random() * 120);
    if (lengths === "two kinds")
      return random() < 0.8 ? 8 + Math.floor(random() * 10) : 150 + Math.floor(random() * 250);
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.min(2000, Math.max(2, Math.round(25 * Math.exp(0.8 * normal))));
  };
  const duplicates = pick([0, 0, 0.05, 0.3]);
  const texts: string[] = [];
  const rows = 700 + Math.floor(random() * 800);
  for (let row = 0; row < rows; row++) {
    const text = `${Array.from({ length: lengthOf() }, () => pick(words)).join(" ")} ${row}`;
    texts.push(row > 0 && random() < duplicates ? (texts[Math.floor(random() * row)] ?? text) : text);
  }
  const order = pick(["shuffled", "shuffled", "short first", "long first"]);
  if (order !== "shuffled") texts.sort((a, b) => (order === "short first" ? a.length - b.length : b.length - a.length));
  const repairRate = pick([0, 0, 0.003, 0.01, 0.05, 0.15]);
  const billedErrorRate = pick([0, 0, 0.005, 0.02]);
  const faults: Fault[] = [
    { kind: "503", rate: pick([0, 0.01]) },
    { kind: "500", rate: billedErrorRate, isBilled: true },
    { kind: "invalid-label", rate: repairRate },
  ];
  const chainOfThought = random() < 0.3;
  return { seed, model: pick(models), texts, lengths, order, chainOfThought, repairRate, billedErrorRate, faults };
}

interface Figures {
  scenario: Scenario;
  /** Of the invoice, in USD. */
  actual: number;
  plan: Record<"lower" | "expected" | "upper" | "repairs", number>;
  forecast: Record<"p10" | "p50" | "p90", number>;
}

async function measure(scenario: Scenario): Promise<Figures> {
  const simulator = await startSimulator({ seed: scenario.seed, faults: scenario.faults });
  const store = mkdtempSync(join(tmpdir(), "forecast-"));
  try {
    const settings = new Settings({ openrouterApiKey: "none", openrouterBaseUrl: simulator.openRouterUrl, store });
    const { model, chainOfThought, seed } = scenario;
    const config = {
      model: `openrouter:${model}`,
      labels,
      chainOfThought,
      budget: "unlimited" as const,
      concurrency: seed % 2 === 0 ? 16 : 64,
    };
    const rows = scenario.texts.map((text, row) => ({ rowId: String(row), text, input: { text } }));
    const { costs } = await planRun({ config, settings, rows });
    const run = await startRun({ name: "forecast", settings, config, rows, whenKnown: () => "start over" });
    let spent = 0;
    let forecast: Figures["forecast"] | undefined;
    run.tracker.on("spend", ({ receipt }) => {
      spent += Number(receipt.costPicoUsd) / 1e12;
      const rest = forecast === undefined && run.finishedNow >= forecastAfter ? run.forecast() : undefined;
      if (rest) forecast = { p10: spent + rest.p10, p50: spent + rest.p50, p90: spent + rest.p90 };
    });
    await run.finish();
    const { spent: booked } = (await run.stats()).exact;
    await run.close();
    if (booked.picoUsd !== simulator.invoice.totalPicoUsd) throw new Error("the books are not the invoice");
    if (!forecast) throw new Error("the run ended before its forecast");
    const plan = Object.fromEntries(
      Object.entries(costs).map(([kind, cost]) => [kind, Number(cost)]),
    ) as Figures["plan"];
    return { scenario, actual: Number(simulator.invoice.totalPicoUsd) / 1e12, plan, forecast };
  } finally {
    await simulator.close();
    rmSync(store, { recursive: true, force: true });
  }
}

const share = (all: readonly Figures[], holds: (one: Figures) => boolean) =>
  `${((100 * all.filter(holds).length) / all.length).toFixed(1)} %`;
const quantile = (values: number[], at: number) => values.sort((a, b) => a - b)[Math.floor(at * values.length)] ?? 0;
const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
const isInside = ({ actual, forecast }: Figures) => actual >= forecast.p10 && actual <= forecast.p90;
const errorOf = ({ actual, forecast }: Figures) => Math.abs(forecast.p50 / actual - 1);

function line(name: string, all: readonly Figures[]): string {
  const errors = all.map(errorOf);
  const below = share(all, ({ actual, forecast }) => actual < forecast.p10);
  const above = share(all, ({ actual, forecast }) => actual > forecast.p90);
  const width = quantile(
    all.map(({ actual, forecast }) => (forecast.p90 - forecast.p10) / actual),
    0.5,
  );
  return `${name.padEnd(24)} ${String(all.length).padStart(4)} runs  error of P50: median ${percent(quantile(errors, 0.5))}, worst of ten ${percent(quantile(errors, 0.9))}  inside P10..P90 ${share(all, isInside)} (below ${below}, above ${above})  width ${percent(width)}`;
}

const all: Figures[] = [];
let nextSeed = firstSeed;
const work = async () => {
  while (nextSeed < firstSeed + runs) {
    all.push(await measure(scenarioOf(nextSeed++)));
    if (process.stderr.isTTY) process.stderr.write(`\r${all.length} of ${runs} runs`);
  }
};
await Promise.all(Array.from({ length: runsAtOnce }, work));
console.log(`forecast when ${forecastAfter} rows are done`);
console.log(line("all", all));
for (const key of ["order", "lengths", "repairRate", "billedErrorRate"] as const) {
  const values = [...new Set(all.map(({ scenario }) => scenario[key]))].toSorted((a, b) => (a < b ? -1 : 1));
  for (const value of values) {
    console.log(
      line(
        `${key} ${value}`,
        all.filter(({ scenario }) => scenario[key] === value),
      ),
    );
  }
}
const ratio = (kind: "lower" | "expected" | "upper") => all.map(({ actual, plan }) => plan[kind] / actual);
console.log("\nplan, before the first call");
console.log(`upper below actual               ${all.filter(({ actual, plan }) => plan.upper < actual).length} runs`);
console.log(
  `upper + repairs below actual     ${all.filter(({ actual, plan }) => plan.upper + plan.repairs < actual).length} runs`,
);
console.log(`lower above actual               ${all.filter(({ actual, plan }) => plan.lower > actual).length} runs`);
for (const kind of ["lower", "expected", "upper"] as const) {
  const ratios = ratio(kind);
  console.log(
    `${kind.padEnd(9)}/ actual   least ${quantile(ratios, 0).toFixed(2)}, median ${quantile(ratios, 0.5).toFixed(2)}, most ${quantile(ratios, 0.9999).toFixed(2)}`,
  );
}
