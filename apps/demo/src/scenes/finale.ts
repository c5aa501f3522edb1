import { type Checks, markOf } from "../checks.ts";
import type { Stage } from "../stage.ts";

const promises = [
  ["no overspend", "200 calls at once, or a crash: the invoice is under the cap"],
  ["exact books", "equal to the last pico-USD; after a crash never below the bill"],
  ["nothing lost", "every answer that arrived was kept, also through kill -9"],
  ["nothing twice", "a raised budget bought the missing rows, no others"],
] as const;

const nextSteps = [
  ["own data", "npm run autolabel -- label data.csv --text-column text \\"],
  ["", "  --labels a,b,c --model openrouter:openai/gpt-4o-mini --budget 1"],
  ["live", "OPENROUTER_API_KEY=… npm run demo -- --live"],
  ["read on", "README.md"],
] as const;

/** What was seen, and where to go from here. */
export function finale(stage: Stage, checks: Checks): void {
  const { failed, count } = checks;
  stage.heading("What you have seen");
  if (failed.length === 0)
    for (const [name, text] of promises) stage.line(`${markOf(stage, true)} ${name.padEnd(16)}${text}`);
  else for (const { claim, evidence } of failed) stage.line(`${markOf(stage, false)} ${claim}  ${evidence}`);
  stage.line();
  const result = `${count - failed.length} of ${count} claims held, checked against the provider's invoice.`;
  stage.line(failed.length === 0 ? stage.style(["green", "bold"], result) : stage.style(["red", "bold"], result));
  stage.line();
  for (const [name, command] of nextSteps) stage.line(`${stage.style("dim", name.padEnd(10))}${command}`);
  stage.line();
}
