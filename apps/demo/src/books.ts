import { exactUsd } from "./exact-usd.ts";
import type { Stage } from "./stage.ts";

/** Amounts under one another, to the last pico-USD. */
export function showBooks(stage: Stage, amounts: readonly (readonly [name: string, picoUsd: bigint])[]): void {
  const width = Math.max(...amounts.map(([name]) => name.length));
  for (const [name, picoUsd] of amounts) {
    stage.line(`${stage.style("dim", name.padEnd(width + 3))}${stage.style("bold", exactUsd(picoUsd))}`);
  }
}
