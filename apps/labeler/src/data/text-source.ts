import type { InputRow } from "../store/run-store.ts";
import { UsageError } from "../usage-error.ts";
import { textOf } from "./column-type.ts";
import type { DataRow, ReadRowsOptions } from "./read-rows.ts";

/** Where the text of a row comes from: a column, or several put into a template. */
export interface TextSource extends ReadRowsOptions {
  column?: string;
  /** The text, with columns in braces: `{title}: {body}`. */
  template?: string;
  /** The column that names the rows. Default: `row_id` or `id`, else their place. */
  idColumn?: string;
}

/**
 * The rows with the text that is labeled.
 *
 * @throws UsageError when a column is missing, or there is no row.
 */
export async function* withText(
  rows: Iterable<DataRow> | AsyncIterable<DataRow>,
  source: TextSource,
  name = "The data",
): AsyncGenerator<InputRow> {
  const { column = "text", template, idColumn } = source;
  const needed =
    template === undefined ? [column] : [...template.matchAll(placeholder)].map(([, field]) => field ?? "");
  if (needed.length === 0) throw new UsageError(`The template ${JSON.stringify(template)} names no column in braces`);
  let position = 0;
  for await (const input of rows) {
    for (const field of idColumn === undefined ? needed : [...needed, idColumn]) {
      if (!Object.hasOwn(input, field)) throw missing(field, input, position, name);
    }
    const id = idColumn === undefined ? (input.row_id ?? input.id) : input[idColumn];
    const rowId = id === undefined || id === null || id === "" ? String(position) : textOrNone(id);
    const text =
      template === undefined
        ? textOrNone(input[column])
        : template.replace(placeholder, (_whole, field: string) => textOrNone(input[field]));
    yield { rowId, text, input };
    position++;
  }
  if (position === 0) throw new UsageError(`${name} has no rows: there is nothing to label`);
}

const placeholder = /\{([^{}]+)\}/g;

function missing(field: string, input: DataRow, position: number, name: string): UsageError {
  const columns = Object.keys(input).join(", ");
  const place = position === 0 ? "" : ` in row ${position + 1}`;
  const hint = Object.keys(input).length === 1 ? delimiterHint(columns) : "";
  return new UsageError(`${name} has no column "${field}"${place}: name one of ${columns} with --text-column${hint}`);
}

function delimiterHint(header: string): string {
  if (header.includes(";")) return " (is it separated by semicolons? say --delimiter ';')";
  return header.includes("\t") ? " (is it separated by tabs? say --delimiter tab)" : "";
}

/** What is missing is no text. */
function textOrNone(value: unknown): string {
  return value === null || value === undefined ? "" : textOf(value);
}
