import type { LabeledRow } from "@autolabel/labeler";
import { usdText } from "./bars.ts";
import type { Stage } from "./stage.ts";

const otherColumns = 40;

/** A small table of rows: id, the beginning of the text, label, cost. */
export function showRows(stage: Stage, rows: readonly LabeledRow[]): void {
  const textWidth = Math.max(20, stage.width - otherColumns);
  for (const row of rows) {
    const label =
      row.label === null ? stage.style("dim", "–".padEnd(16)) : stage.style("cyan", labelOf(row).padEnd(16));
    const cost = row.status === "unpaid" ? "not bought yet" : usdText(row.cost.picoUsd);
    stage.line(
      `${stage.style("dim", row.rowId)}  ${shorten(row.text, textWidth)}  ${label}${stage.style("dim", cost)}`,
    );
  }
}

function labelOf({ label }: LabeledRow): string {
  return typeof label === "string" ? label : JSON.stringify(label);
}

function shorten(text: string, width: number): string {
  return (text.length > width ? `${text.slice(0, width - 1)}…` : text).padEnd(width);
}
