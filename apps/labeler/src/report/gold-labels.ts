import { type DataRow, readRows } from "../data/read-rows.ts";
import type { LabeledRow } from "../store/row.ts";
import { UsageError } from "../usage-error.ts";

/** Where true labels come from. */
export interface GoldLabels {
  /** As it is shown: the column, or file and column. */
  name: string;
  /** The true label of a row as the data tells it; undefined where it tells none. */
  of(row: Pick<LabeledRow, "rowId" | "input" | "review">): unknown;
}

/** The labels that people gave in reviews. */
export const reviewedLabels: GoldLabels = { name: "reviews", of: ({ review }) => review?.label };

/**
 * True labels in a column of the run's own data.
 *
 * @param columns the columns of the data.
 * @throws UsageError where there is no such column.
 */
export function goldColumn(column: string, columns: readonly string[]): GoldLabels {
  if (!columns.includes(column)) {
    throw new UsageError(`The run's data has no column "${column}": --gold takes one of ${columns.join(", ")}`);
  }
  return { name: column, of: ({ input }) => stated(input[column]) };
}

/**
 * True labels in a file of their own, joined by row id.
 *
 * @param column defaults to `label`, or to the only column beside the ids.
 * @throws UsageError where the file lacks ids or labels, or tells one row twice.
 */
export async function goldFile(path: string, column: string | undefined): Promise<GoldLabels> {
  const labels = new Map<string, unknown>();
  let named: { id: string; label: string } | undefined;
  for await (const row of readRows(path)) {
    named ??= columnsOf(path, row, column);
    const id = String(row[named.id]);
    if (labels.has(id)) throw new UsageError(`${path}: two rows have the ${named.id} "${id}"; keep one of them`);
    labels.set(id, stated(row[named.label]));
  }
  if (!named) throw new UsageError(`${path} has no rows: there is no gold label in it`);
  return { name: `${path}, ${named.label}`, of: ({ rowId }) => labels.get(rowId) };
}

function columnsOf(path: string, row: DataRow, asked: string | undefined): { id: string; label: string } {
  const columns = Object.keys(row);
  const id = ["row_id", "id"].find((name) => columns.includes(name));
  if (id === undefined) {
    throw new UsageError(
      `${path} has no column row_id or id: gold labels are joined by it; it has ${columns.join(", ")}`,
    );
  }
  const others = columns.filter((name) => name !== id);
  const label = asked ?? (others.length === 1 ? others[0] : "label");
  if (label !== undefined && others.includes(label)) return { id, label };
  throw new UsageError(
    `${path} has no column "${label}": name that of the gold labels with --gold, one of ${others.join(", ")}`,
  );
}

/** An empty cell tells no label. */
function stated(value: unknown): unknown {
  return value === null || (typeof value === "string" && value.trim() === "") ? undefined : value;
}
