import { picoToDecimal } from "@autolabel/budget-core";
import type { RunReport } from "./run-report.ts";

/** The report as JSON data: each `…PicoUsd` becomes `…Usd`, a decimal text. */
export function reportJson(report: RunReport): Record<string, unknown> {
  return inJson(report) as Record<string, unknown>;
}

function inJson(value: unknown): unknown {
  if (typeof value === "bigint") return decimal(value);
  if (Array.isArray(value)) return value.map(inJson);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [
      typeof field === "bigint" || field === null ? key.replace(/PicoUsd$/, "Usd") : key,
      inJson(field),
    ]),
  );
}

function decimal(picoUsd: bigint): string {
  return picoUsd < 0n ? `-${picoToDecimal(-picoUsd)}` : picoToDecimal(picoUsd);
}
