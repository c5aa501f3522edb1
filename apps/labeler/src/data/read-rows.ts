import { createReadStream } from "node:fs";
import { UsageError } from "../usage-error.ts";
import { type DataFormat, formOf, knownEndings, standardStream } from "./data-format.ts";
import { decodeText } from "./decode-text.ts";
import { readDelimited } from "./read-delimited.ts";
import { readJsonArray, readJsonLines } from "./read-json.ts";

/** A row of a data set: a value for each of its columns. */
export type DataRow = Record<string, unknown>;

/** What a file's name does not tell. */
export interface ReadRowsOptions {
  /** Where the file's ending tells none. */
  format?: DataFormat;
  /** What separates the columns of CSV; `tab` is one. Default: a comma. */
  delimiter?: string;
  /** How text is encoded, by a name that `TextDecoder` knows. Default: by its byte order mark, else UTF-8. */
  encoding?: string;
}

/**
 * Rows of a file, one at a time; `-` is standard input. CSV and TSV need a header line; JSONL has an object a line; JSON is
 * an array of objects. Text may be packed by gzip.
 *
 * @throws UsageError that names file, line and fix.
 */
export async function* readRows(path: string, options: ReadRowsOptions = {}): AsyncGenerator<DataRow> {
  try {
    yield* rowsOf(path, options);
  } catch (error) {
    throw explain(error, path);
  }
}

/** The format of a file to be read. @throws UsageError when neither its name nor an option tells it. */
export function inputFormat(path: string, given?: DataFormat): DataFormat {
  const format = formOf(path)?.format ?? given;
  if (format !== undefined) return format;
  if (path === standardStream)
    throw new UsageError("Standard input has no ending that tells a format: say --format csv");
  throw new UsageError(
    `${path}: the format is told by the file's ending, which must be ${knownEndings} (or .gz after a text format), or say --format csv`,
  );
}

async function* rowsOf(path: string, { format, delimiter = ",", encoding }: ReadRowsOptions): AsyncGenerator<DataRow> {
  const known = inputFormat(path, format);
  if (known === "parquet") {
    if (path === standardStream) throw new UsageError("Parquet is read from its end: save it to a file and name that");
    // Loaded only where it is needed: most runs never see Parquet.
    const { readParquet } = await import("./read-parquet.ts");
    yield* readParquet(path);
    return;
  }
  const name = path === standardStream ? "Standard input" : path;
  const bytes: AsyncIterable<Uint8Array> = path === standardStream ? process.stdin : createReadStream(path);
  const text = decodeText(bytes, { name, encoding });
  if (known === "csv") yield* readDelimited(text, { delimiter, name });
  else if (known === "tsv") yield* readDelimited(text, { delimiter: "\t", name });
  else if (known === "jsonl") yield* readJsonLines(text, name);
  else yield* readJsonArray(text, name);
}

function explain(error: unknown, path: string): unknown {
  const { code } = error as { code?: string };
  if (code === "ENOENT") return new UsageError(`${path}: no such file`, { cause: error });
  if (code === "EISDIR")
    return new UsageError(`${path} is a folder: name a data file (${knownEndings})`, { cause: error });
  if (code === "EACCES") return new UsageError(`${path} may not be read: check its permissions`, { cause: error });
  return error;
}
