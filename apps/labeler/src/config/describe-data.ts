import type { DataRow } from "../data/read-rows.ts";

/** What a look at a data set tells. */
export interface DataDescription {
  rows: number;
  columns: readonly ColumnDescription[];
  /** The column that is most likely labeled. */
  textColumn: string | undefined;
  /** A column of few different values: most likely the true labels. */
  labelColumn: ColumnDescription | undefined;
  /** A column whose values all differ and that is named like one that names rows. */
  idColumn: string | undefined;
}

/** One column of a data set. */
interface ColumnDescription {
  name: string;
  /** Its different values in the order in which they come, up to {@link mostValues} and one more. */
  values: readonly string[];
  /** Mean length in characters. */
  meanLength: number;
  /** Rows in which it holds something. */
  filled: number;
}

/** More different values than this are no labels. */
export const mostValues = 200;

const textNames = ["text", "content", "message", "body", "review", "comment", "question", "description"];
const labelNames = ["label", "labels", "category", "class", "intent", "sentiment", "topic", "target"];
const idNames = ["row_id", "id", "uuid", "key"];

/** Reads a data set once and says what its columns seem to be. Memory does not grow with the rows. */
export async function describeData(data: AsyncIterable<DataRow>): Promise<DataDescription> {
  const columns = new Map<string, Counted>();
  let rows = 0;
  for await (const row of data) {
    rows++;
    for (const [name, value] of Object.entries(row)) {
      const column = columns.get(name) ?? { values: new Set(), characters: 0, filled: 0 };
      columns.set(name, column);
      count(column, value);
    }
  }
  const described = [...columns].map(([name, { values, characters, filled }]) => ({
    name,
    values: [...values],
    meanLength: filled === 0 ? 0 : characters / filled,
    filled,
  }));
  const labelColumn = findLabels(described);
  const others = described.filter((column) => column !== labelColumn);
  return {
    rows,
    columns: described,
    textColumn: named(others, textNames) ?? others.toSorted((a, b) => b.meanLength - a.meanLength)[0]?.name,
    labelColumn,
    idColumn: named(
      others.filter(({ filled }) => filled === rows),
      idNames,
    ),
  };
}

interface Counted {
  values: Set<string>;
  characters: number;
  filled: number;
}

function count(column: Counted, value: unknown): void {
  const text = typeof value === "string" ? value : value === null || value === undefined ? "" : JSON.stringify(value);
  if (text.trim() === "") return;
  column.filled++;
  column.characters += text.length;
  // One more than are labels tells that there are too many.
  if (column.values.size <= mostValues) column.values.add(text);
}

/** By its name, else the column with the fewest values that come back: each of them twice at least, on average. */
function findLabels(columns: readonly ColumnDescription[]): ColumnDescription | undefined {
  const likely = columns.filter(
    ({ values, filled }) => values.length >= 2 && values.length <= mostValues && filled >= 2 * values.length,
  );
  const name = named(likely, labelNames);
  if (name !== undefined) return likely.find((column) => column.name === name);
  return likely
    .filter((column) => !textNames.includes(column.name))
    .toSorted((a, b) => a.values.length - b.values.length)[0];
}

function named(columns: readonly ColumnDescription[], names: readonly string[]): string | undefined {
  for (const name of names) {
    const found = columns.find((column) => column.name.toLowerCase() === name);
    if (found) return found.name;
  }
  return undefined;
}
