import { textOf } from "../data/column-type.ts";
import type { LabeledRow, LabelValue } from "../store/row.ts";
import { type ExportJob, exportedRows } from "./export-job.ts";
import type { Mention } from "./offsets.ts";

/**
 * Records as Argilla 2 reads them with `dataset.records.from_json(path)`: `id`, `fields`, `metadata` and `suggestions` by
 * the name of their question, each of `value`, `score` and `agent` (`Record.from_dict`, docs.argilla.io, how-to guide
 * "Importing and exporting datasets and records", read in 2026-11). The field is `text`; the question is `label`, or one
 * per field of an extraction.
 *
 * Places of mentions are code points: the server checks them against the length that Python counts. Its page marks text
 * by UTF-16 units (argilla-io/argilla#5729), so that after an emoji it may show them beside their place.
 */
export async function* argillaRecords(job: ExportJob): AsyncGenerator<object> {
  const seen = new Set<string>();
  for await (const row of exportedRows(job)) {
    const { rowId, position, text, input, status } = row;
    // Two records of one id would overwrite each other.
    const id = seen.has(rowId) ? `${rowId}-${position}` : rowId;
    seen.add(id);
    const metadata = Object.entries(input).filter(([, value]) => ["string", "number"].includes(typeof value));
    yield {
      id,
      fields: { text },
      metadata: { ...Object.fromEntries(metadata), label_status: status },
      suggestions: suggestionsFor(job, row),
      responses: {},
      vectors: {},
    };
  }
}

function suggestionsFor({ task }: ExportJob, { label, confidence, source }: LabeledRow): Record<string, object> {
  if (label === null) return {};
  const suggestion = (value: unknown) => ({ value, score: scoreOf(value, confidence), agent: source });
  if (task === "extraction") {
    const filled = Object.entries(label as object).filter(([, value]) => value !== null);
    return Object.fromEntries(filled.map(([field, value]) => [field, suggestion(textOf(value))]));
  }
  return { label: suggestion(task === "entities" ? spans(label) : label) };
}

function spans(label: LabelValue): object[] {
  return (label as unknown as Mention[]).map(({ start, end, label: kind }) => ({ start, end, label: kind }));
}

/** Its server takes one score for one value, and as many as there are items for a list. */
function scoreOf(value: unknown, confidence: number | null): number | number[] | null {
  if (confidence === null || !Array.isArray(value)) return confidence;
  return value.length === 0 ? null : value.map(() => confidence);
}
