import { formatUsd, usd } from "@autolabel/budget-core";
import type { Stage, Style } from "./stage.ts";

/** A stretch of a bar. */
interface Stretch {
  amount: number;
  /** The character that fills it. */
  fill: string;
  style: Style;
}

/** A budget and what has become of it, in pico-USD. */
export interface Money {
  budget: bigint;
  spent: bigint;
  held: bigint;
  unresolved?: bigint;
}

/** The longest text beside a bar. */
const textWidth = 62;

/** A bar of stretches side by side; they fill it when their amounts add up to `total`. */
function bar(stage: Stage, stretches: readonly Stretch[], total: number): string {
  const barWidth = Math.max(16, Math.min(32, stage.width - textWidth));
  let drawn = 0;
  let reached = 0;
  let text = "";
  for (const { amount, fill, style } of stretches) {
    reached += amount;
    const end = total === 0 ? 0 : Math.min(barWidth, Math.round((reached / total) * barWidth));
    text += end > drawn ? stage.style(style, fill.repeat(end - drawn)) : "";
    drawn = Math.max(drawn, end);
  }
  return text + stage.style("dim", "░".repeat(barWidth - drawn));
}

/** `rows    ████░░░░  118 of 240 labeled`. */
export function progressLine(
  stage: Stage,
  options: { name: string; done: number; total: number; text: string },
): string {
  const { name, done, total, text } = options;
  return `${name.padEnd(8)}${bar(stage, [{ amount: done, fill: "█", style: "cyan" }], total)}  ${text}`;
}

/** The budget burning down: what is free, then what calls in flight hold, then what is gone. */
export function moneyLine(stage: Stage, money: Money): string {
  const { budget, spent, held, unresolved = 0n } = money;
  const rest = budget - spent - held - unresolved;
  const free = rest > 0n ? rest : 0n;
  const stretches: Stretch[] = [
    { amount: Number(free), fill: "█", style: "green" },
    { amount: Number(held), fill: "▒", style: "yellow" },
    { amount: Number(unresolved), fill: "▒", style: "red" },
  ];
  const parts = [
    `${stage.style("bold", steadyText(free))} of ${usdText(budget)} left`,
    ...(held > 0n && unresolved === 0n ? [stage.style("yellow", `${steadyText(held)} held`)] : []),
    ...(unresolved > 0n ? [stage.style("red", `${steadyText(unresolved)} unresolved`)] : []),
  ];
  return `${"budget".padEnd(8)}${bar(stage, stretches, Number(budget))}  ${parts.join(stage.style("dim", " · "))}`;
}

/** An amount that changes while it is looked at: always as many digits. */
function steadyText(picoUsd: bigint): string {
  return formatUsd(usd.pico(picoUsd), { digits: 6 });
}

/** An amount for people. */
export function usdText(picoUsd: bigint): string {
  return formatUsd(usd.pico(picoUsd));
}
