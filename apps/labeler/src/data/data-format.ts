import { extname } from "node:path";
import { UsageError } from "../usage-error.ts";

/** How rows are written down. */
export const dataFormats = ["csv", "tsv", "jsonl", "json", "parquet"] as const;

/** One of {@link dataFormats}. */
export type DataFormat = (typeof dataFormats)[number];

/** Stands for standard input or output where a file is named. */
export const standardStream = "-";

const byEnding: Readonly<Record<string, DataFormat>> = {
  ".csv": "csv",
  ".tsv": "tsv",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".json": "json",
  ".parquet": "parquet",
};

/** The endings that tell a format, for messages. */
export const knownEndings = Object.keys(byEnding).join(", ");

/** What a file's name tells of its form. */
export interface FileForm {
  format: DataFormat;
  /** Whether the file is packed by gzip: `.csv.gz`. */
  isPacked: boolean;
}

/** The form of a file by its name; undefined where the name tells none. */
export function formOf(path: string): FileForm | undefined {
  const isPacked = /\.gz$/i.test(path);
  const format = byEnding[extname(isPacked ? path.slice(0, -3) : path).toLowerCase()];
  // Parquet packs its columns itself, and is read from its end: a packed one could not be.
  return format === undefined || (isPacked && format === "parquet") ? undefined : { format, isPacked };
}

/**
 * The form in which a file is written.
 *
 * @param given for a name that tells none.
 * @throws UsageError when neither tells one.
 */
export function outputForm(path: string, given?: DataFormat): FileForm {
  const form = formOf(path);
  if (form !== undefined) return form;
  if (given !== undefined) return { format: given, isPacked: given !== "parquet" && /\.gz$/i.test(path) };
  if (path === standardStream)
    throw new UsageError("Standard output has no ending that tells a format: say --format csv");
  throw new UsageError(
    `${path}: the output's ending must be one of ${knownEndings} (or .gz after a text format), or say --format csv`,
  );
}
