import { readFile } from "node:fs/promises";
import { type BudgetExceededError, CostTracker, findBudgetExceeded, usd } from "@autolabel/budget-core";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { createOpenRouter } from "@openrouter/ai-sdk-provider";
import { generateText, type LanguageModel } from "ai";
import { moneyLine, progressLine, usdText } from "../bars.ts";
import { showBooks } from "../books.ts";
import type { Show } from "../show.ts";
import { cappedModel } from "./capped-model.ts";

const calls = 200;
const maxOutputTokens = 30;

/** Scene 1: two hundred calls at once on a budget for about fifty. */
export async function capAnyCall(show: Show): Promise<void> {
  const { stage } = show;
  const simulator = await startSimulator({ seed: 1, latencyMs: show.latency(230) });
  try {
    const openrouter = createOpenRouter({ baseURL: simulator.openRouterUrl, apiKey: "no-key-needed" });
    const { model, tracker } = cappedModel(openrouter);
    const cap = (await tracker.getStats()).exact.budget?.picoUsd ?? 0n;
    stage.heading("1  A developer caps any call");
    stage.say(`${calls} small calls start at once. The budget of ${usdText(cap)} is enough for about 50 of them.`);
    stage.line();

    stage.say("The usual way is to look at the total before each call, and to add the cost after it:");
    await checkThenCall(openrouter("openai/gpt-4o-mini"), cap);
    const { count, totalPicoUsd } = simulator.invoice;
    const times = (Number(totalPicoUsd) / Number(cap)).toFixed(1);
    stage.say(`${count} of ${calls} were sent and billed: ${usdText(totalPicoUsd)}, ${times} times the budget.`, "red");
    stage.line();
    await stage.pause(1500);

    simulator.reset();
    stage.say("The same calls with a budget on the model:");
    stage.code(await snippet());
    stage.line();
    await stage.pause(2200);
    const outcome = await callAll(show, { model, tracker, cap });
    await compare(show, { ...outcome, simulator, tracker, cap });
  } finally {
    await simulator.close();
  }
}

/** What most code does. Each call sees a total that lacks the calls in flight. */
async function checkThenCall(model: LanguageModel, cap: bigint): Promise<void> {
  const tracker = new CostTracker({ budget: usd.pico(cap) });
  const call = async (number: number) => {
    if (await tracker.isBudgetExceeded()) return;
    const { usage } = await generateText({ model, prompt: promptOf(number), maxOutputTokens });
    const raw = usage.raw as { cost?: number } | undefined;
    await tracker.addCost(raw?.cost ?? 0);
  };
  await Promise.all(Array.from({ length: calls }, (_, index) => call(index)));
}

async function callAll(
  { stage }: Show,
  { model, tracker, cap }: { model: LanguageModel; tracker: CostTracker; cap: bigint },
): Promise<{ paid: number; refusals: readonly BudgetExceededError[] }> {
  const refusals: BudgetExceededError[] = [];
  let paid = 0;
  const call = async (number: number) => {
    try {
      await generateText({ model, prompt: promptOf(number), maxOutputTokens });
      paid++;
    } catch (error) {
      const refusal = findBudgetExceeded(error);
      if (!refusal) throw error;
      refusals.push(refusal);
    }
  };
  await stage.watch(Promise.all(Array.from({ length: calls }, (_, index) => call(index))), async () => {
    const { spent, held } = (await tracker.getStats()).exact;
    const open = calls - paid - refusals.length;
    const rest = open > 0 ? `${open} in flight or waiting` : `${refusals.length} refused`;
    return [
      progressLine(stage, { name: "calls", done: paid, total: calls, text: `${paid} of ${calls} paid, ${rest}` }),
      moneyLine(stage, { budget: cap, spent: spent.picoUsd, held: held.picoUsd }),
    ];
  });
  return { paid, refusals };
}

async function compare(
  { stage, checks }: Show,
  seen: {
    paid: number;
    refusals: readonly BudgetExceededError[];
    simulator: Simulator;
    tracker: CostTracker;
    cap: bigint;
  },
): Promise<void> {
  const { paid, refusals, cap } = seen;
  const { invoice, requests } = seen.simulator;
  const { spent } = (await seen.tracker.getStats()).exact;
  const [refusal] = refusals;
  stage.line();
  if (refusal) stage.say(`${refusal.name}: ${refusal.message}`, "yellow");
  stage.line();
  showBooks(stage, [
    ["budget", cap],
    ["provider's invoice", invoice.totalPicoUsd],
    ["our ledger", spent.picoUsd],
  ]);
  checks.add("the invoice stays under the cap", paid > 0 && invoice.totalPicoUsd <= cap, `${paid} calls paid`);
  checks.add("ledger = invoice, to the last pico-USD", spent.picoUsd === invoice.totalPicoUsd, "");
  checks.add(
    "refused calls never left the process",
    paid + refusals.length === calls && requests === paid && invoice.count === paid,
    `${refusals.length} refused, ${requests} requests arrived`,
  );
  const rest = invoice.totalPicoUsd < cap ? cap - invoice.totalPicoUsd : 0n;
  const needed = usd(refusal?.required ?? 0).picoUsd;
  checks.add("no refusal while one more call would fit", rest < needed, `${usdText(rest)} < ${usdText(needed)}`);
}

function promptOf(number: number): string {
  return `Name a use for object number ${number + 1}.`;
}

/** The lines of capped-model.ts that do it: what is shown is what runs. */
async function snippet(): Promise<string[]> {
  const source = await readFile(new URL("./capped-model.ts", import.meta.url), "utf8");
  const lines = source.split("\n").map((line) => line.replace(/^ {2}/, ""));
  return [
    ...lines.slice(lines.indexOf("// snippet") + 1, lines.indexOf("// end of snippet")),
    "await generateText({ model, prompt });  // or a BudgetExceededError",
  ];
}
