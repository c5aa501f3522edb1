import { stripVTControlCharacters, styleText } from "node:util";
import { formatUsd, type Money, usd } from "@autolabel/budget-core";
import type { CostRange } from "../engine/cost-model.ts";

/** Styles text for a stream: plain in pipes and with NO_COLOR. */
export type Style = (format: Parameters<typeof styleText>[0], text: string) => string;

/** The style of a stream. */
export function styleFor(stream: NodeJS.WriteStream): Style {
  return (format, text) => styleText(format, text, { stream });
}

/** Parts joined by ` · `, on as many lines as the width needs; each further line begins with the indent. */
export function joinParts(parts: readonly string[], width: number, indent: string): string {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const joined = `${last} · ${part}`;
    if (last === undefined || visibleLength(joined) + indent.length > width) lines.push(part);
    else lines[lines.length - 1] = joined;
  }
  return lines.join(`\n${indent}`);
}

/** A text on one line of at most `width` columns. */
export function oneLine(text: string, width: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}

/** Words on as many lines as the width needs; each further line begins with the indent. */
export function wrapText(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || visibleLength(`${last} ${word}`) + indent.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join(`\n${indent}`);
}

/** Shows amounts of one run with the same number of decimals, fine enough for a thousandth of its budget. */
export function amountsFor(budget: Money | null): (amount: Money) => string {
  const picos = budget?.picoUsd ?? 0n;
  const digits = picos === 0n ? 4 : Math.max(4, Math.min(12, 16 - picos.toString().length));
  return (amount) => formatUsd(amount, { digits });
}

/** A forecast with what was spent before it: `$0.1800 to $0.2010`; one amount where both ends look alike. */
export function rangeText({ p10, p90 }: CostRange, amount: (money: Money) => string, before?: Money): string {
  const [low, high] = [p10, p90].map((end) => amount(usd.pico(usd(end.toFixed(12)).picoUsd + (before?.picoUsd ?? 0n))));
  return low === high ? `about ${low}` : `${low} to ${high}`;
}

function visibleLength(text: string): number {
  return stripVTControlCharacters(text).length;
}
