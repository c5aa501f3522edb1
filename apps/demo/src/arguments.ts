import { parseArgs } from "node:util";
import { type Money, usd } from "@autolabel/budget-core";

/** What the demo is asked to do. */
export type Arguments =
  | { kind: "offline" }
  | { kind: "live"; budget: Money }
  | { kind: "help" }
  | { kind: "wrong"; message: string };

const liveBudget = "0.02";

/** The text of `--help`. */
export const helpText = `Money limits that hold: the story in four scenes, offline, with no key.

  npm run demo                      against a simulated provider that keeps its own invoice
  npm run demo -- --live            12 rows against OpenRouter; needs OPENROUTER_API_KEY
  npm run demo -- --live --budget 0.01

  --live          use the real service
  --budget <usd>  what --live may cost at most, in USD (default: ${liveBudget})
  --help          this text

Exit codes: 0 every claim held · 1 one did not, or an error · 2 wrong usage
`;

/** Reads the command line. Never throws: what is wrong comes back as one line. */
export function readArguments(given: readonly string[]): Arguments {
  try {
    const { values } = parseArgs({
      args: [...given],
      options: { live: { type: "boolean" }, budget: { type: "string" }, help: { type: "boolean", short: "h" } },
    });
    if (values.help) return { kind: "help" };
    if (values.live) return { kind: "live", budget: usd(values.budget ?? liveBudget) };
    if (values.budget !== undefined)
      return { kind: "wrong", message: "--budget goes with --live: add it, or leave both out" };
    return { kind: "offline" };
  } catch (error) {
    const [reason] = (error as Error).message.split(". ");
    return { kind: "wrong", message: `${reason}. See npm run demo -- --help` };
  }
}
