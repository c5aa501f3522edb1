import { z } from "zod";
import { type ExportLayout, exportLayouts } from "../export/export-layout.ts";
import type { RowStatus } from "../store/row.ts";
import { UsageError } from "../usage-error.ts";
import type { ReportQuery, ReviewQuery, RowQuery } from "./api.ts";

const statuses = ["unpaid", "labeled", "invalid_label", "truncated", "refused", "error"] as const satisfies RowStatus[];
const place = z.coerce
  .number()
  .int()
  .min(0)
  .max(2 ** 31);

const rowQuery = z.object({
  from: place.default(0),
  count: z.coerce.number().int().min(1).max(500).default(100),
  status: z.enum(statuses).optional(),
  label: z.string().optional(),
  search: z.string().min(1).max(1000).optional(),
  sort: z.enum(["position", "confidence", "cost"]).optional(),
  descending: z
    .enum(["true", "false"])
    .transform((text) => text === "true")
    .optional(),
});

const reviewQuery = z.object({
  below: z.coerce.number().min(0).max(1).optional(),
  gold: z.string().optional(),
  count: z.coerce.number().int().min(1).max(200).optional(),
});

const reportQuery = z.object({ gold: z.string().optional(), reviews: z.literal("1").optional() });
const exportQuery = z.object({ to: z.enum(exportLayouts) });

type Words = Readonly<Record<string, string>>;

/** Which rows are asked for. @throws UsageError that names what cannot be. */
export function readRowQuery(words: Words): RowQuery & { from: number; count: number } {
  return checked(rowQuery, words) as RowQuery & { from: number; count: number };
}

/** Which rows wait. @throws UsageError */
export function readReviewQuery(words: Words): ReviewQuery {
  return checked(reviewQuery, words) as ReviewQuery;
}

/** What a report is judged by. @throws UsageError */
export function readReportQuery(words: Words): ReportQuery {
  return checked(reportQuery, words) as ReportQuery;
}

/** A row's place. @throws UsageError */
export function readPlace(word: string): number {
  return checked(z.object({ position: place }), { position: word }).position;
}

const endings: Readonly<Record<Exclude<ExportLayout, "hf">, string>> = {
  csv: "csv",
  tsv: "tsv",
  json: "json",
  jsonl: "jsonl",
  parquet: "parquet",
  "label-studio": "label-studio.json",
  argilla: "argilla.json",
  spacy: "spacy.jsonl",
};

/** What is exported, and the name of the file. @throws UsageError for a layout that is no single file. */
export function readExportQuery(words: Words, runId: string): { to: ExportLayout; fileName: string } {
  const { to } = checked(exportQuery, words);
  if (to === "hf") throw new UsageError("A Hugging Face data set is a folder: write it with autolabel export --to hf");
  return { to, fileName: `${runId}.${endings[to]}` };
}

/** What is sent, in its form. @throws UsageError that names the field. */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(`${String(issue?.path[0] ?? "request")}: ${issue?.message ?? "not valid"}`);
}
