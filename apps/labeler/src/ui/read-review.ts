import type { LabelingConfig } from "../config/labeling-config.ts";
import { makeMeasure } from "../quality/make-measure.ts";
import { goldColumn } from "../report/gold-labels.ts";
import type { LabelValue } from "../store/row.ts";
import type { ReviewQuery, ReviewQueue, ReviewRow } from "./api.ts";
import { type StoredSummary, summaryColumns, summaryOf } from "./read-rows.ts";
import type { Query, RunFile } from "./run-file.ts";

/** Why rows wait, and where they stand; each row once, for the first of its reasons. */
type Waiting = readonly (readonly [why: ReviewRow["why"], places: readonly number[]])[];

/** What waits for a person: rows without a label, then those that disagree with gold labels, then the doubtful ones. */
export function readReviewQueue(file: RunFile, { below = 0.8, gold, count = 50 }: ReviewQuery): ReviewQueue {
  const facts = file.facts();
  const config = file.config();
  if (gold !== undefined) goldColumn(gold, JSON.parse(facts.columns ?? "[]") as string[]);
  return file.read((all) => {
    const waiting = file.keep(`review ${JSON.stringify([below, gold])}`, () =>
      findWaiting(all, config, { below, gold }),
    );
    const reviewed = new Set(
      all<{ position: bigint }>("SELECT DISTINCT position FROM reviews WHERE undone_at IS NULL").map(({ position }) =>
        Number(position),
      ),
    );
    const left = waiting.flatMap(([why, places]) =>
      places.filter((place) => !reviewed.has(place)).map((place) => ({ place, why })),
    );
    return {
      waiting: left.length,
      reviewed: reviewed.size,
      task: config.task ?? "classification",
      choices: choicesOf(config),
      rows: rowsOf(all, left.slice(0, count), gold),
    };
  });
}

/** Rows that were bought: those of the same text are answered with them. */
function findWaiting(
  all: Query,
  config: LabelingConfig,
  { below, gold }: { below: number; gold?: string | undefined },
): Waiting {
  const placesOf = (where: string, ...values: (string | number)[]) => {
    const [found] = all<{ places: string }>(
      `SELECT json_group_array(position) AS places FROM (SELECT position FROM rows WHERE ${where})`,
      ...values,
    );
    return JSON.parse(found?.places ?? "[]") as number[];
  };
  const invalid = placesOf(
    `status <> 'unpaid' AND status IN ('invalid_label', 'truncated', 'refused', 'error') AND duplicate_of IS NULL
     ORDER BY position`,
  );
  const disagreeing = gold === undefined ? [] : disagreeingWith(all, config, gold);
  const known = new Set(disagreeing);
  const doubtful = placesOf(
    "confidence IS NOT NULL AND confidence < ? AND duplicate_of IS NULL AND status = 'labeled' ORDER BY confidence, position",
    below,
  ).filter((place) => !known.has(place));
  return [
    ["invalid", invalid],
    ["disagrees", disagreeing],
    ["doubtful", doubtful],
  ];
}

function disagreeingWith(all: Query, config: LabelingConfig, gold: string): number[] {
  const path = `$.${JSON.stringify(gold)}`;
  const candidates = all<{ position: bigint; label: string; gold: string | number | bigint; text: string }>(
    `SELECT position, label, text, json_extract(input, ?1) AS gold FROM rows
     WHERE status <> 'unpaid' AND status = 'labeled' AND duplicate_of IS NULL AND json_extract(input, ?1) IS NOT NULL
       AND label <> json_quote(json_extract(input, ?1)) ORDER BY position`,
    path,
  );
  const measure = makeMeasure(config as Parameters<typeof makeMeasure>[0]);
  const isWrong = ({ label, gold: said, text }: (typeof candidates)[number]) => {
    if (typeof said === "string" && said.trim() === "") return false;
    const stated = typeof said === "bigint" ? Number(said) : said;
    return measure.add({ label: JSON.parse(label) as LabelValue, gold: stated, text })?.isCorrect === false;
  };
  return candidates.filter(isWrong).map(({ position }) => Number(position));
}

function choicesOf({ task, labels = [] }: LabelingConfig): ReviewQueue["choices"] {
  if (task === "extraction" || task === "question_answering") return null;
  if (Array.isArray(labels)) return labels.map((name: string) => ({ name, description: null }));
  return Object.entries(labels).map(([name, description]) => ({ name, description: description || null }));
}

function rowsOf(
  all: Query,
  places: readonly { place: number; why: ReviewRow["why"] }[],
  gold: string | undefined,
): ReviewRow[] {
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
