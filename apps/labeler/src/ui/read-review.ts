import type { LabelingConfig } from "../config/labeling-config.ts";
import { makeMeasure } from "../quality/make-measure.ts";
import { goldColumn } from "../report/gold-labels.ts";
import type { LabelValue } from "../store/row.ts";
import type { ReviewQuery, ReviewQueue, ReviewRow } from "./api.ts";
import { type StoredSummary, summaryColumns, summaryOf } from "./read-rows.ts";
import type { Query, RunFile } from "./run-file.ts";

interface Place {
  place: number;
  why: ReviewRow["why"];
}

/** Disagreeing rows beyond these are neither shown nor counted: a wrong column would make every row one. */
const mostDisagreeing = 2000;

/** What waits for a person: rows without a label, then those that disagree with gold labels, then the doubtful ones. */
export function readReviewQueue(file: RunFile, { below = 0.8, gold, count = 50 }: ReviewQuery): ReviewQueue {
  const columns = JSON.parse(file.facts().columns ?? "[]") as string[];
  if (gold !== undefined) goldColumn(gold, columns);
  const config = file.config();
  return file.read((all) => {
    const wrong = gold === undefined ? [] : file.keep(`disagreeing ${gold}`, () => disagreeingWith(file, config, gold));
    const reviewed = all<{ position: bigint }>("SELECT DISTINCT position FROM reviews WHERE undone_at IS NULL");
    const invalid = waiting(all, "invalid", isInvalid, { order: "position", values: [], most: count });
    const places = JSON.stringify(wrong);
    const disagreeing = waiting(all, "disagrees", "position IN (SELECT value FROM json_each(?1))", {
      order: "position",
      values: [places],
      most: count,
    });
    const doubtful = waiting(all, "doubtful", `${isDoubtful} AND position NOT IN (SELECT value FROM json_each(?1))`, {
      order: "confidence, position",
      values: [places, below],
      most: count,
    });
    const kinds = [invalid, disagreeing, doubtful];
    return {
      waiting: kinds.reduce((sum, { rows }) => sum + rows, 0),
      reviewed: reviewed.length,
      task: config.task ?? "classification",
      choices: choicesOf(config),
      fields: config.schema ? Object.keys(config.schema.properties ?? {}) : null,
      isConfidenceAsked: config.confidence,
      rows: rowsOf(all, kinds.flatMap(({ first }) => first).slice(0, count), gold),
    };
  });
}

// Rows of equal text are answered together: only the one that was bought waits.
const isInvalid = `status <> 'unpaid' AND status IN ('invalid_label', 'truncated', 'refused', 'error')
  AND duplicate_of IS NULL`;
const isDoubtful = "status <> 'unpaid' AND status = 'labeled' AND duplicate_of IS NULL AND confidence < ?2";

/** How many rows wait for one reason, and the first of them. */
function waiting(
  all: Query,
  why: ReviewRow["why"],
  condition: string,
  { order, values, most }: { order: string; values: (string | number)[]; most: number },
): { rows: number; first: Place[] } {
  const isOpen = `${condition} AND position NOT IN (SELECT position FROM reviews WHERE undone_at IS NULL)`;
  const [counted] = all<{ rows: bigint }>(`SELECT count(*) AS rows FROM rows WHERE ${isOpen}`, ...values);
  const first = all<{ position: bigint }>(
    `SELECT position FROM rows WHERE ${isOpen} ORDER BY ${order} LIMIT ${most}`,
    ...values,
  );
  return { rows: Number(counted?.rows ?? 0n), first: first.map(({ position }) => ({ place: Number(position), why })) };
}

function disagreeingWith(file: RunFile, config: LabelingConfig, gold: string): number[] {
  const candidates = file.each<{ position: bigint; label: string; gold: string | number | bigint; text: string }>(
    `SELECT position, label, text, json_extract(input, ?1) AS gold FROM rows
     WHERE status = 'labeled' AND duplicate_of IS NULL AND label <> json_quote(json_extract(input, ?1))
     ORDER BY position`,
    `$.${JSON.stringify(gold)}`,
  );
  const measure = makeMeasure(config as Parameters<typeof makeMeasure>[0]);
  const wrong: number[] = [];
  for (const { position, label, gold: said, text } of candidates) {
    if (said === null || (typeof said === "string" && said.trim() === "")) continue;
    const stated = typeof said === "bigint" ? Number(said) : said;
    const judged = measure.add({ label: JSON.parse(label) as LabelValue, gold: stated, text });
    if (judged?.isCorrect === false) wrong.push(Number(position));
    if (wrong.length === mostDisagreeing) break;
  }
  return wrong;
}

function choicesOf({ task, labels = [] }: LabelingConfig): ReviewQueue["choices"] {
  if (task === "extraction" || task === "question_answering") return null;
  if (Array.isArray(labels)) return labels.map((name: string) => ({ name, description: null }));
  return Object.entries(labels).map(([name, description]) => ({ name, description: description || null }));
}

function rowsOf(all: Query, places: readonly Place[], gold: string | undefined): ReviewRow[] {
  const rows = all<StoredSummary & { explanation: string | null; gold: string | null }>(
    `SELECT ${summaryColumns}, r.explanation, json_quote(json_extract(r.input, ?2)) AS gold
     FROM json_each(?1) p JOIN rows r ON r.position = p.value ORDER BY p.key`,
    JSON.stringify(places.map(({ place }) => place)),
    gold === undefined ? null : `$.${JSON.stringify(gold)}`,
  );
  return rows.map((row, index) => ({
    ...summaryOf(row),
    fullText: row.text,
    why: places[index]?.why ?? "doubtful",
    gold: row.gold === null ? null : (JSON.parse(row.gold) as LabelValue | null),
    explanation: row.explanation,
  }));
}
