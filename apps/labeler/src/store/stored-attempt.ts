import type { Attempt } from "./run-store.ts";

/** A charged call as a store keeps it: texts, numbers and null. */
export function storedAttempt({ posting, answer, taskVersion, callId }: Attempt) {
  const { reservationId, receipt, outcome } = posting;
  const finishReason = (outcome.result?.finishReason as { unified?: unknown } | undefined)?.unified;
  return {
    reservationId,
    answer: answer ?? null,
    finishReason: typeof finishReason === "string" ? finishReason : null,
    modelId: receipt.modelId ?? null,
    costPicoUsd: receipt.costPicoUsd,
    kind: receipt.kind ?? "reported",
    error: outcome.error === undefined ? null : messageOf(outcome.error),
    taskVersion,
    usage: receipt.usage === undefined ? null : JSON.stringify(receipt.usage),
    priceBook: receipt.priceBook ?? outcome.quote.priceBook ?? null,
    callId: callId ?? null,
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : JSON.stringify(error);
}
