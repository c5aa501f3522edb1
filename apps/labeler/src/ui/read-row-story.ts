import { picoToDecimal } from "@autolabel/budget-core";
import { LabelingConfig, type LabelingConfigInput } from "../config/labeling-config.ts";
import { parseExact } from "../data/exact-json.ts";
import { makeTask } from "../tasks/make-task.ts";
import { UsageError } from "../usage-error.ts";
import type { CallStory, Review, RowStory } from "./api.ts";
import { type StoredSummary, summaryColumns, summaryOf } from "./read-rows.ts";
import type { Query, RunFile } from "./run-file.ts";

interface StoredStory extends StoredSummary {
  input: string;
  explanation: string | null;
  error: string | null;
  task_version: string | null;
  duplicate_of: bigint | null;
}

/** All that is known of a row; the calls of a row that was not bought itself are those of the row of the same text. */
export function readRowStory(file: RunFile, position: number): RowStory {
  return file.read((all) => {
    const [row] = all<StoredStory>(
      `SELECT ${summaryColumns}, r.input, r.explanation, r.error, r.task_version, r.duplicate_of
       FROM rows r WHERE r.position = ?`,
      position,
    );
    if (!row) throw new UsageError(`The run has no row at place ${position}`);
    const bought = row.duplicate_of ?? row.position;
    return {
      ...summaryOf(row),
      fullText: row.text,
      input: parseExact(row.input) as Record<string, unknown>,
      explanation: row.explanation,
      error: row.error,
      taskVersion: row.task_version,
      duplicateOf: row.duplicate_of === null ? null : Number(row.duplicate_of),
      prompt: promptOf(file.facts(), row),
      calls: callsOf(all, bought),
      reviews: reviewsOf(all, bought),
    };
  });
}

/** By the version of the task that labeled the row, else by the one of now. */
function promptOf(facts: Readonly<Record<string, string>>, row: StoredStory): RowStory["prompt"] {
  const stored = facts[`task:${row.task_version}`] ?? facts.config;
  if (stored === undefined) return null;
  try {
    const task = makeTask(new LabelingConfig(JSON.parse(stored) as LabelingConfigInput));
    return [
      { role: "system", content: task.instructions },
      { role: "user", content: task.prompt(row.text) },
    ];
  } catch {
    return null;
  }
}

interface StoredCall {
  reservation_id: string;
  call_id: string | null;
  at: string | null;
  model_id: string | null;
  cost_pico_usd: bigint;
  kind: CallStory["kind"];
  price_book: string | null;
  usage: string | null;
  answer: string | null;
  finish_reason: string | null;
  superseded: bigint;
}

function callsOf(all: Query, position: bigint): CallStory[] {
  const calls = all<StoredCall>("SELECT * FROM attempts WHERE position = ? ORDER BY rowid", position);
  return calls.map((call) => ({
    reservationId: call.reservation_id,
    callId: call.call_id,
    at: call.at,
    modelId: call.model_id,
    costUsd: picoToDecimal(call.cost_pico_usd),
    kind: call.kind,
    priceBook: call.price_book,
    usage: call.usage === null ? null : (JSON.parse(call.usage) as Record<string, unknown>),
    answer: call.answer,
    finishReason: call.finish_reason,
    isSuperseded: call.superseded === 1n,
  }));
}

function reviewsOf(all: Query, position: bigint): Review[] {
  const reviews = all<{ action: Review["action"]; label: string | null; author: string; at: string }>(
    "SELECT action, label, author, at FROM reviews WHERE position = ? AND undone_at IS NULL ORDER BY review",
    position,
  );
  return reviews.map(({ label, ...review }) => ({
    ...review,
    label: label === null ? null : (JSON.parse(label) as Review["label"]),
  }));
}
