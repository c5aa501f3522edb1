import { usd } from "@autolabel/budget-core";
import { parseExact } from "../data/exact-json.ts";
import type { Answer, HumanLabel, LabeledRow, LabelValue, PendingRow, RowStatus } from "./row.ts";
import type { RecordedAttempt } from "./run-store.ts";

/** Columns of a row of the database; integers are bigints where amounts are among them. */
export type StoredRow = Record<string, string | number | bigint | null>;

/** A row as it stands, as the model said. */
export function readRow(row: StoredRow): LabeledRow {
  return {
    position: Number(row.position),
    rowId: String(row.row_id),
    input: parseExact(String(row.input)) as Record<string, unknown>,
    text: String(row.text),
    label: row.label === null ? null : (JSON.parse(String(row.label)) as LabelValue),
    confidence: row.confidence === null ? null : Number(row.confidence),
    status: row.status as RowStatus,
    source: textOrNull(row.source),
    duplicateOf: row.duplicate_of === null ? null : Number(row.duplicate_of),
    cost: usd.pico(BigInt(row.cost ?? 0n)),
    attempts: Number(row.attempts),
    explanation: textOrNull(row.explanation),
    error: textOrNull(row.error),
    taskVersion: textOrNull(row.task_version),
    review: row.review === null ? null : (JSON.parse(String(row.review)) as HumanLabel),
  };
}

/** A charged attempt. */
export function readAttempt(attempt: StoredRow): RecordedAttempt {
  return {
    position: Number(attempt.position),
    reservationId: String(attempt.reservation_id),
    costPicoUsd: BigInt(attempt.cost_pico_usd ?? 0n),
    kind: attempt.kind as RecordedAttempt["kind"],
    modelId: textOrNull(attempt.model_id),
    isAnswered: Number(attempt.answered) === 1,
    isSuperseded: Number(attempt.superseded) === 1,
    at: textOrNull(attempt.at),
    callId: textOrNull(attempt.call_id),
  };
}

/** A row that waits, with the paid answers that nobody read. */
export function readPending(row: StoredRow): PendingRow {
  return {
    position: Number(row.position),
    turn: Number(row.turn),
    rowId: String(row.row_id),
    text: String(row.text),
    status: row.status === "error" ? "error" : "unpaid",
    answers: (JSON.parse(String(row.answers)) as Record<keyof Answer, string | null>[]).map(readStoredAnswer),
  };
}

type Cell = string | number | bigint | null | undefined;

function textOrNull(value: Cell): string | null {
  return value === null || value === undefined ? null : String(value);
}

function readStoredAnswer({ text, finishReason, modelId }: Record<keyof Answer, string | null>): Answer {
  return { text: text ?? "", finishReason: finishReason ?? undefined, modelId: modelId ?? undefined };
}
