import { parseArgs } from "node:util";
import type { Fault } from "./faults.ts";
import { parsePicoUsd } from "./pico-usd.ts";
import type { SimulatorOptions } from "./simulator-options.ts";

/** What `--help` prints. */
export const USAGE = `Usage: autolabel-simulator [options]

An offline stand-in for OpenRouter and OpenAI that keeps its own exact invoice.

  --port NUMBER       port to listen on (default 4010; 0 takes any free one)
  --host ADDRESS      address to listen on (default 127.0.0.1)
  --latency MS        median time until an answer starts (default 50); one in a hundred takes four times as long
  --seed TEXT         source of every seeded choice (default 7)
  --fail-rate SHARE   share of requests that fail with 429 or 503, 0 to 1 (default 0)
  --credit USD        credit of the account; used up, requests get 402 (default: none)
  --quiet             print nothing
  --help              print this
`;

/** What the command line asks for. */
export type CliArguments =
  | { readonly kind: "run"; readonly options: SimulatorOptions; readonly quiet: boolean }
  | { readonly kind: "help" }
  | { readonly kind: "error"; readonly message: string };

/** Reads the command line; a mistake comes back as one line of text. */
export function parseCliArguments(args: readonly string[]): CliArguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      strict: true,
      options: {
        port: { type: "string", default: "4010" },
        host: { type: "string", default: "127.0.0.1" },
        latency: { type: "string", default: "50" },
        seed: { type: "string", default: "7" },
        "fail-rate": { type: "string", default: "0" },
        credit: { type: "string" },
        quiet: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return { kind: "help" };
    const median = numberOption("--latency", values.latency, 3_600_000);
    const options: SimulatorOptions = {
      port: wholeOption("--port", values.port, 65_535),
      host: values.host,
      seed: values.seed,
      latencyMs: { median, p99: 4 * median },
      faults: failures(numberOption("--fail-rate", values["fail-rate"], 1)),
      ...(values.credit !== undefined && { creditPicoUsd: moneyOption("--credit", values.credit) }),
    };
    return { kind: "run", options, quiet: values.quiet };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: "error", message: `${message.split(/\.? To specify|\n/)[0]} (see --help)` };
  }
}

/** Half of the failures are rate limits, half are outages; both go away on a retry. */
function failures(rate: number): readonly Fault[] {
  if (rate === 0) return [];
  // The second fault sees only the requests that the first let through.
  const rest = rate / 2 / (1 - rate / 2);
  return [
    { kind: "429", rate: rate / 2, retryAfter: 1 },
    { kind: "503", rate: rest },
  ];
}

function numberOption(name: string, text: string, most: number): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= 0 && value <= most) return value;
  throw new Error(`${name} must be a number from 0 to ${most}, not "${text}"`);
}

function wholeOption(name: string, text: string, most: number): number {
  const value = numberOption(name, text, most);
  if (Number.isInteger(value)) return value;
  throw new Error(`${name} must be a whole number, not "${text}"`);
}

function moneyOption(name: string, text: string): bigint {
  try {
    return parsePicoUsd(text);
  } catch {
    throw new Error(`${name} must be an amount of USD such as 1.50, not "${text}"`);
  }
}
