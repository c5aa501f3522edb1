import { formatUsd, usd } from "@autolabel/budget-core";
import type { RowStatus } from "../store/row.ts";
import { formatCount, rowsText } from "./bar.ts";
import type { Style } from "./layout.ts";

/** A run as `status` and `runs` tell it. Amounts are USD as decimal text; null where nothing tells. */
export interface RunStatus {
  id: string;
  model: string;
  /** The task's version that rows are bought by from now on. */
  taskVersion: string;
  /** All versions that finished rows, and the one of now. */
  taskVersions: { version: string; rows: number }[];
  /** Rows that another version than the one of now finished. */
  staleRows: number;
  /** Whether a process works on the run now. */
  isWorking: boolean;
  /** How the last session ended. */
  lastOutcome: string | null;
  rows: number;
  labeled: number;
  rowsByStatus: Readonly<Record<RowStatus, number>>;
  /** The run's own limit; null where it has none. */
  budgetUsd: string | null;
  spentUsd: string;
  heldUsd: string | null;
  unresolvedUsd: string | null;
  pool: { name: string; budgetUsd: string } | null;
  /** What ended the run for all its rows; null where nothing did. */
  problem: string | null;
  output: string | null;
  createdAt: string | null;
  touchedAt: string;
}

const nameWidth = 12;

/** A run for a person, and the commands that go on. */
export function statusText(run: RunStatus, { command, style }: { command: string; style: Style }): string {
  const { rowsByStatus: rows } = run;
  const without = rows.invalid_label + rows.truncated + rows.refused + rows.error;
  const lines: [string, string][] = [
    ["state", stateText(run, style)],
    ["rows", `${formatCount(run.labeled)} of ${rowsText(run.rows)} labeled${endingsText(run)}`],
    ["money", moneyText(run)],
    ["task", taskText(run)],
  ];
  if (run.pool) lines.push(["pool", `${run.pool.name}, ${formatUsd(run.pool.budgetUsd)} for all its runs`]);
  if (run.problem !== null) lines.push(["problem", run.problem]);
  if (run.output !== null) lines.push(["output", run.output]);
  const next: [string, string][] = [];
  if (!run.isWorking && rows.unpaid + rows.error > 0)
    next.push(["go on", `${command} resume ${run.id}${budgetFlag(run)}`]);
  if (!run.isWorking && without > rows.error) next.push(["again", `${command} retry ${run.id}`]);
  if (!run.isWorking && run.staleRows > 0) next.push(["stale", `${command} resume ${run.id} --relabel`]);
  const all = [...lines, ...next.map(([name, text]): [string, string] => [name, style("bold", text)])];
  const body = all.map(([name, text]) => `  ${style("dim", name.padEnd(nameWidth))}${text}\n`);
  return `${style("bold", run.id)}  ${style("dim", run.model)}\n${body.join("")}`;
}

/** A run that has used its budget up goes on with a larger one alone; how large, whoever pays says. */
function budgetFlag({ lastOutcome, budgetUsd, pool }: RunStatus): string {
  return lastOutcome === "budget" && budgetUsd !== null && !pool ? " --budget USD" : "";
}

/** Runs as a table for a person. */
export function runsText(runs: readonly RunStatus[], store: string, style: Style): string {
  if (runs.length === 0) return `No run in ${store}: start one with autolabel label DATA\n`;
  const table = runs.map((run) => [
    run.id,
    plainState(run),
    `${formatCount(run.labeled)}/${formatCount(run.rows)}`,
    formatUsd(run.spentUsd),
    run.budgetUsd === null ? "" : formatUsd(run.budgetUsd),
    run.model,
    run.touchedAt.slice(0, 16).replace("T", " "),
  ]);
  const headings = ["run", "state", "labeled", "spent", "budget", "model", "last used (UTC)"];
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...table.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) => {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    return `${cells.join("  ").trimEnd()}\n`;
  };
  return `${style("dim", line(headings).trimEnd())}\n${table.map(line).join("")}`;
}

const outcomes: Readonly<Record<string, string>> = {
  completed: "done",
  budget: "budget reached",
  credit: "paused, the provider's credit is used up",
  "rate-limited": "paused, the provider's rate limit is reached",
  interrupted: "interrupted",
  failed: "stopped by an error",
  crashed: "cut off (calls in flight count at their upper bound)",
};

function stateText(run: RunStatus, style: Style): string {
  const color = run.isWorking ? "cyan" : run.lastOutcome === "completed" ? "green" : "yellow";
  return style(color, plainState(run));
}

/** How a run stands, in a few words. */
export function plainState({ isWorking, lastOutcome }: Pick<RunStatus, "isWorking" | "lastOutcome">): string {
  if (isWorking) return lastOutcome === "queued" ? "waits for a worker" : "working";
  return outcomes[lastOutcome ?? ""] ?? "not known";
}

function endingsText({ rowsByStatus: rows }: RunStatus): string {
  const named: [string, number][] = [
    ["not paid for yet", rows.unpaid],
    ["invalid", rows.invalid_label],
    ["truncated", rows.truncated],
    ["refused", rows.refused],
    ["failed", rows.error],
  ];
  const some = named.filter(([, count]) => count > 0).map(([name, count]) => `${formatCount(count)} ${name}`);
  return some.length === 0 ? "" : ` · ${some.join(" · ")}`;
}

function moneyText({ spentUsd, budgetUsd, heldUsd, unresolvedUsd }: RunStatus): string {
  const parts = [`${formatUsd(spentUsd)}${budgetUsd === null ? "" : ` of ${formatUsd(budgetUsd)}`} spent`];
  if (heldUsd !== null && usd(heldUsd).picoUsd > 0n) parts.push(`${formatUsd(heldUsd)} held`);
  if (unresolvedUsd !== null && usd(unresolvedUsd).picoUsd > 0n) parts.push(`${formatUsd(unresolvedUsd)} unresolved`);
  return parts.join(" · ");
}

function taskText({ taskVersion, taskVersions, staleRows }: RunStatus): string {
  if (staleRows === 0) return `version ${taskVersion}`;
  const others = taskVersions.filter(({ version }) => version !== taskVersion);
  const told = others.map(({ version, rows }) => `${rowsText(rows)} by ${version}`).join(", ");
  return `version ${taskVersion}; labeled before it: ${told}`;
}
