import { picoToDecimal } from "@autolabel/budget-core";
import type { RunReport } from "./run-report.ts";

/** The report as JSON data: each `…PicoUsd` becomes `…Usd`, a decimal text. */
export type ReportJson = InJson<RunReport>;

type InJson<Value> = Value extends bigint
  ? string
  : Value extends readonly (infer Item)[]
    ? InJson<Item>[]
    : Value extends object
      ? { [Key in keyof Value as Key extends `${infer Name}PicoUsd` ? `${Name}Usd` : Key]: InJson<Value[Key]> }
      : Value;

export function reportJson(report: RunReport): ReportJson {
  return inJson(report) as ReportJson;
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
