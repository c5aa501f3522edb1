import { formatUsd, usd } from "@autolabel/budget-core";
import { formatCount } from "../../src/progress/bar.ts";
import { plainState, type RunStatus } from "../../src/progress/run-status.ts";
import type { LabelValue, RowStatus } from "../../src/store/row.ts";

const cent = usd("0.01").picoUsd;

/**
 * The one way in which money is told: `$0.4993`, and below a cent four digits that count, `$0.00006600`; a dash where it
 * is not known.
 */
export function money(amountUsd: string | null): string {
  if (amountUsd === null) return "–";
  if (amountUsd.startsWith("-")) return `−${money(amountUsd.slice(1))}`;
  const { picoUsd } = usd(amountUsd);
  const digits = picoUsd === 0n || picoUsd >= cent ? 4 : Math.min(12, 16 - picoUsd.toString().length);
  return formatUsd(amountUsd, { digits });
}

/** The exact amount, for a closer look. */
export function exactMoney(amountUsd: string): string {
  return `${amountUsd} USD`;
}

/** An amount as a length in a chart. Never for arithmetic that is told. */
export function plotted(amountUsd: string | null): number {
  return amountUsd === null ? 0 : Number(amountUsd);
}

/** The cost of one of so many; null where there is none. */
export function each(costUsd: string, count: number): string | null {
  return count === 0 ? null : usd.pico(usd(costUsd).picoUsd / BigInt(count)).toString();
}

/** A label as text: several are joined, mentions are told with their kind, and fields with their name. */
export function labelText(label: LabelValue | null): string {
  if (label === null) return "–";
  if (typeof label !== "object") return String(label);
  if (Array.isArray(label)) return label.length === 0 ? "none" : label.map(itemText).join(", ");
  return Object.entries(label)
    .map(([field, value]) => `${field}: ${labelText(value)}`)
    .join(", ");
}

function itemText(item: LabelValue): string {
  if (typeof item !== "object") return String(item);
  if ("text" in item && "label" in item) return `${labelText(item.text)} (${labelText(item.label)})`;
  return JSON.stringify(item);
}

/** The name of a label in a table of labels, which is the JSON of one with fields. */
export function labelName(name: string): string {
  if (!name.startsWith("{")) return name;
  try {
    return labelText(JSON.parse(name) as LabelValue);
  } catch {
    return name;
  }
}

/** How a run stands: what it is like, in a word, and in whole where that is more. */
export interface RunStanding {
  kind: "working" | "done" | "stopped";
  word: string;
  whole: string | undefined;
}

/** A run that came to its end is not done while rows of it failed: a resume tries them again. */
export function runStanding(status: Pick<RunStatus, "isWorking" | "lastOutcome" | "rowsByStatus">): RunStanding {
  const whole = plainState(status);
  const failed = status.rowsByStatus.error;
  if (!status.isWorking && status.lastOutcome === "completed") {
    if (failed === 0) return { kind: "done", word: whole, whole: undefined };
    return { kind: "stopped", word: `${formatCount(failed)} failed`, whole: `${whole}, but for rows that failed` };
  }
  const [word = "", more] = whole.split(/ \(|, /, 2);
  return { kind: status.isWorking ? "working" : "stopped", word, whole: more === undefined ? undefined : whole };
}

/** States of rows in the order in which they are shown. */
export const rowStatuses: readonly RowStatus[] = [
  "labeled",
  "invalid_label",
  "truncated",
  "refused",
  "error",
  "unpaid",
];

export const statusNames: Readonly<Record<RowStatus, string>> = {
  labeled: "labeled",
  invalid_label: "invalid answer",
  truncated: "cut off",
  refused: "refused",
  error: "failed",
  unpaid: "not paid for yet",
};

const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const withSeconds = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** In the reader's time zone and way of writing. */
export function timeText(at: string | null, options: { seconds?: boolean } = {}): string {
  return at === null ? "–" : (options.seconds ? withSeconds : dayAndTime).format(new Date(at));
}
