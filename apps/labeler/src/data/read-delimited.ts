import { Readable } from "node:stream";
import { parse } from "csv-parse";
import { UsageError } from "../usage-error.ts";
import type { DataRow } from "./read-rows.ts";

interface ParsedRecord {
  record: string[];
  info: { lines: number };
}

/**
 * Rows of CSV or TSV text with a header line. Values are text, as they stand; fields that a row is short of are empty.
 *
 * @throws UsageError for rows with more fields than the header: values would have no column.
 */
export async function* readDelimited(
  text: AsyncIterable<string>,
  { delimiter, name }: { delimiter: string; name: string },
): AsyncGenerator<DataRow> {
  const parser = parse({
    delimiter: delimiter === "tab" || delimiter === "\\t" ? "\t" : delimiter,
    // Named, because the parser would take the first one that it meets for the only one.
    record_delimiter: ["\r\n", "\n"],
    relax_column_count: true,
    skip_empty_lines: true,
    info: true,
  });
  const source = Readable.from(text).on("error", (error) => parser.destroy(error));
  source.pipe(parser);
  let columns: string[] | undefined;
  try {
    for await (const { record, info } of parser as AsyncIterable<ParsedRecord>) {
      if (columns === undefined) columns = checkHeader(record, name);
      else yield asRow(columns, record, `${name}, line ${info.lines}`);
    }
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    if (!code?.startsWith("CSV_")) throw error;
    throw new UsageError(`${name} is no valid CSV: ${message}`, { cause: error });
  } finally {
    source.destroy();
  }
}

function checkHeader(columns: string[], name: string): string[] {
  const twice = columns.find((column, index) => columns.indexOf(column) !== index);
  if (twice !== undefined) throw new UsageError(`${name}: two columns are named "${twice}"; rename one of them`);
  if (columns.some((column) => column.includes("\0"))) {
    throw new UsageError(`${name} looks like UTF-16 without a mark: say --encoding utf-16le, or save it as UTF-8`);
  }
  if (columns.some((column) => /\r./s.test(column))) {
    throw new UsageError(`${name} ends its lines as old Macs did, with a CR alone: save it with LF or CRLF`);
  }
  return columns;
}

function asRow(columns: readonly string[], record: readonly string[], where: string): DataRow {
  if (record.slice(columns.length).some((value) => value !== "")) {
    throw new UsageError(
      `${where}: ${record.length} fields, but the header names ${columns.length} columns: put fields that hold the delimiter or a line break in quotes`,
    );
  }
  return Object.fromEntries(columns.map((column, index) => [column, record[index] ?? ""]));
}
