import { picoToDecimal } from "@autolabel/budget-core";
import type { LabeledRow } from "../store/row.ts";
import type { Column, ColumnType } from "./column-type.ts";
import type { DataRow } from "./read-rows.ts";

/** Columns added to the input's, in this order. */
const added: readonly (readonly [name: string, type: ColumnType, value: (row: LabeledRow) => unknown])[] = [
  ["label", "string", (row) => row.label],
  ["label_confidence", "double", (row) => row.confidence],
  ["label_status", "string", (row) => row.status],
  ["label_source", "string", (row) => row.source],
  ["label_cost_usd", "string", (row) => picoToDecimal(row.cost.picoUsd)],
  ["label_attempts", "int32", (row) => row.attempts],
  ["label_error", "string", (row) => row.error],
  ["row_id", "string", (row) => row.rowId],
];
const inclusion: (typeof added)[number] = ["label_inclusion", "double", (row) => row.inclusion ?? null];

/** The columns of an output: the input's as they are, and what is known of the label. */
export class LabelColumns {
  readonly #input: readonly string[];
  readonly #names: readonly string[];
  readonly #added: typeof added;

  /**
   * @param isSample whether each row tells with which probability it was drawn.
   *
   * Where the input has a column of the same name already, the added ones are prefixed by `autolabel_`, and by
   * `autolabel2_` where it has those too.
   */
  constructor(inputColumns: readonly string[], isSample = false) {
    this.#input = inputColumns;
    this.#added = isSample ? [...added, inclusion] : added;
    const prefix = freePrefix(inputColumns, this.#added);
    this.#names = this.#added.map(([name]) => `${prefix}${name}`);
  }

  /** Name of the column with the label. */
  get label(): string {
    return this.#names[0] as string;
  }

  /** All columns in order. @param typeOfInput the types of the input's. @param labelType how the label is written. */
  columns(typeOfInput: ReadonlyMap<string, ColumnType>, labelType: ColumnType = "string"): Column[] {
    const own = this.#names.map((name, index) => ({
      name,
      type: index === 0 ? labelType : (this.#added[index]?.[1] ?? "string"),
    }));
    return [
      ...this.#input.map((name) => ({ name, type: typeOfInput.get(name) ?? "string" })),
      ...own.filter(({ name }) => !this.#input.includes(name)),
    ];
  }

  /** A row with all its columns. */
  record(row: LabeledRow): DataRow {
    const own = this.#added.map(([, , value], index) => [this.#names[index], value(row)]);
    return { ...row.input, ...Object.fromEntries(own) };
  }
}

function freePrefix(inputColumns: readonly string[], columns: typeof added): string {
  for (let round = 0; ; round++) {
    const prefix = round === 0 ? "" : `autolabel${round === 1 ? "" : round}_`;
    // The row's name may be the input's own; a label must never be mistaken for one that was there before.
    const clashes = columns.some(([name]) => name !== "row_id" && inputColumns.includes(`${prefix}${name}`));
    if (!clashes) return prefix;
  }
}
