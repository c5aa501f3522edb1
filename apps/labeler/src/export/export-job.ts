import type { ColumnType } from "../data/column-type.ts";
import type { LabeledRow, LabelValue } from "../store/row.ts";
import type { TaskKind } from "../tasks/task.ts";
import { mentionsIn, type OffsetUnit } from "./offsets.ts";

/** What is exported: a run, as far as another tool asks for it. */
export interface ExportJob {
  /** The run's id. */
  runId: string;
  task: TaskKind;
  /** The label set; empty for tasks without one. */
  labels: readonly string[];
  /** The model that was asked. */
  model: string;
  /** The fields that an extraction fills. */
  fields: readonly string[];
  /** The input's columns, in order. */
  inputColumns: readonly string[];
  /** Types of input columns where the input told them. */
  columnTypes: ReadonlyMap<string, ColumnType>;
  offsets: OffsetUnit;
  /** Whether rows without a label are left out. */
  onlyLabeled: boolean;
  /** Whether rows tell with which probability they were drawn. */
  isSample: boolean;
  /** Every row in input order; each call begins anew. */
  rows: () => AsyncIterable<LabeledRow>;
}

/** The rows that are exported, the places of mentions in the unit that was asked for. */
export async function* exportedRows({ task, offsets, onlyLabeled, rows }: ExportJob): AsyncGenerator<LabeledRow> {
  for await (const row of rows()) {
    if (onlyLabeled && row.label === null) continue;
    if (row.label === null || task !== "entities" || offsets === "utf16") yield row;
    else yield { ...row, label: mentionsIn(row.label, row.text, offsets) as unknown as LabelValue };
  }
}

/** The labels of a classification or a multilabel row, as a list. */
export function labelsOf(label: LabelValue): string[] {
  return Array.isArray(label) ? (label as string[]) : [label as string];
}
