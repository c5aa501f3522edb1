import { createReadStream } from "node:fs";
import { extname } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { parse } from "csv-parse";
import { UsageError } from "../usage-error.ts";

/** A data set being read: its columns, and its rows as they come. */
export type DataRow = Record<string, unknown>;

const formats = ".csv, .tsv, .jsonl, .ndjson or .json";

/**
 * Rows of a file, one at a time. CSV and TSV need a header line; JSONL has an object a line; JSON is an array of objects.
 *
 * @throws UsageError that names file, line and fix.
 */
export async function* readRows(path: string, options: { delimiter?: string } = {}): AsyncGenerator<DataRow> {
  const extension = extname(path).toLowerCase();
  try {
    if (extension === ".csv") yield* readDelimited(path, options.delimiter ?? ",");
    else if (extension === ".tsv") yield* readDelimited(path, "\t");
    else if (extension === ".jsonl" || extension === ".ndjson") yield* readJsonLines(path);
    else if (extension === ".json") yield* readJson(path);
    else throw new UsageError(`${path}: the format is told by the file's ending, which must be ${formats}`);
  } catch (error) {
    throw explain(error, path);
  }
}

async function* readDelimited(path: string, delimiter: string): AsyncGenerator<DataRow> {
  const parser = parse({ bom: true, delimiter, skip_empty_lines: true });
  const source = Readable.from(utf8Of(path)).on("error", (error) => parser.destroy(error));
  source.pipe(parser);
  let columns: string[] | undefined;
  for await (const record of parser as AsyncIterable<string[]>) {
    if (columns === undefined) {
      columns = record;
      const twice = columns.find((name, index) => columns?.indexOf(name) !== index);
      if (twice !== undefined) throw new UsageError(`${path}: two columns are named "${twice}"; rename one of them`);
      continue;
    }
    yield Object.fromEntries(columns.map((name, index) => [name, record[index] ?? ""]));
  }
}

async function* readJsonLines(path: string): AsyncGenerator<DataRow> {
  let line = 0;
  const input = Readable.from(utf8Of(path));
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  input.on("error", (error) => lines.emit("error", error));
  for await (const text of lines) {
    line++;
    const content = line === 1 ? text.replace(/^\uFEFF/, "") : text;
    if (content.trim() !== "") yield asRow(parseJson(content, `${path}, line ${line}`), `${path}, line ${line}`);
  }
}

async function* readJson(path: string): AsyncGenerator<DataRow> {
  const value = parseJson((await textOfFile(path)).replace(/^\uFEFF/, ""), path);
  if (!Array.isArray(value)) throw new UsageError(`${path} must hold an array of objects`);
  for (const [index, row] of value.entries()) yield asRow(row, `${path}, item ${index + 1}`);
}

async function textOfFile(path: string): Promise<string> {
  let text = "";
  for await (const part of utf8Of(path)) text += part;
  return text;
}

/** The file's text, in parts. @throws UsageError for bytes that are no UTF-8: read otherwise they would be paid for as rubbish. */
async function* utf8Of(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const decode = (bytes: Uint8Array | undefined) => {
    try {
      return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode();
    } catch (cause) {
      throw new UsageError(`${path} is not UTF-8 text: save it as UTF-8`, { cause });
    }
  };
  for await (const bytes of createReadStream(path) as AsyncIterable<Uint8Array>) yield decode(bytes);
  yield decode(undefined);
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${where} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

function asRow(value: unknown, where: string): DataRow {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as DataRow;
  throw new UsageError(`${where} must be an object with a field per column`);
}

function explain(error: unknown, path: string): unknown {
  const { code, message } = error as { code?: string; message?: string };
  if (code === "ENOENT") return new UsageError(`${path}: no such file`, { cause: error });
  if (code === "EISDIR") return new UsageError(`${path} is a folder: name a data file (${formats})`, { cause: error });
  if (code === "EACCES") return new UsageError(`${path} may not be read: check its permissions`, { cause: error });
  if (code?.startsWith("CSV_")) return new UsageError(`${path} is no valid CSV: ${message}`, { cause: error });
  return error;
}
