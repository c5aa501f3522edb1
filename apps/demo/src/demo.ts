import type { Money } from "@autolabel/budget-core";
import { startSimulator } from "@autolabel/simulator";
import { helpText, readArguments } from "./arguments.ts";
import { Checks } from "./checks.ts";
import { capAnyCall } from "./scenes/cap-any-call.ts";
import { finale } from "./scenes/finale.ts";
import { labelToTheCap } from "./scenes/label-to-the-cap.ts";
import { labelLive, liveSettings } from "./scenes/live.ts";
import { raiseTheBudget } from "./scenes/raise-the-budget.ts";
import { surviveAKill } from "./scenes/survive-a-kill.ts";
import { Scratch } from "./scratch.ts";
import type { Show } from "./show.ts";
import { Stage } from "./stage.ts";

const exitCodes = { held: 0, failed: 1, usage: 2 } as const;
const readingMs = 1800;

async function main(): Promise<number> {
  const given = readArguments(process.argv.slice(2));
  if (given.kind === "wrong") return wrong(given.message);
  if (given.kind === "help") {
    process.stdout.write(helpText);
    return exitCodes.held;
  }
  const show = openShow();
  const ended = given.kind === "live" ? await live(show, given.budget) : await offline(show);
  return ended ?? (show.checks.failed.length === 0 ? exitCodes.held : exitCodes.failed);
}

/** The four scenes. */
async function offline(show: Show): Promise<undefined> {
  const { stage, checks } = show;
  stage.line();
  stage.line(stage.style("bold", "autolabel: money limits that hold"));
  stage.say(
    "Offline, no key: a simulated OpenRouter on this machine, over real HTTP. It shares no code with the rest and " +
      "keeps its own invoice. Every claim below is checked against that.",
  );
  await stage.pause(readingMs);

  await capAnyCall(show);
  await stage.pause(readingMs);
  const simulator = await startSimulator({ seed: 2, latencyMs: show.latency(250) });
  try {
    await labelToTheCap(show, simulator);
    await stage.pause(readingMs);
    await raiseTheBudget(show, simulator);
    await stage.pause(readingMs);
  } finally {
    await simulator.close();
  }
  await surviveAKill(show);
  await stage.pause(readingMs);
  finale(stage, checks);
}

/** The real service. @returns an exit code where it cannot begin. */
async function live(show: Show, budget: Money): Promise<number | undefined> {
  const settings = liveSettings(show.scratch.folder);
  if (!settings) return wrong("--live needs a key: set OPENROUTER_API_KEY in the environment or in a .env file");
  await labelLive(show, settings, budget);
  return undefined;
}

function openShow(): Show {
  const stage = new Stage(process.stdout);
  return {
    stage,
    checks: new Checks(stage),
    scratch: new Scratch(),
    latency: (medianMs) => (stage.isLive ? { median: medianMs, p99: medianMs * 3 } : { median: 15, p99: 40 }),
  };
}

function wrong(message: string): number {
  process.stderr.write(`error: ${message}\n`);
  return exitCodes.usage;
}

// A reader that has seen enough, such as `head`, is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = exitCodes.failed;
}
