import {
  always,
  doubtful,
  isGateway,
  isOpenRouter,
  kinds,
  lost,
  onRecord,
  paid,
  refused,
  single,
  strikes,
  unproven,
} from "./attempts.ts";
import type { Door } from "./door.ts";
import type { Attempt, Ending, Family } from "./ending.ts";

const own500 = "only OpenRouter promises that its own 500 is not billed; a batch may exist all the same";

/** What an answer without usage costs. Its record is looked up; the header of a gateway tells it but for streams. */
function withoutUsage(family: Family): readonly Attempt[] {
  if (family.kind === "speech") return [paid];
  if (family.provider === "gateway, cost in header" && family.kind !== "stream") return [paid];
  return onRecord(family);
}

/** OpenAI's old completions over the AI SDK, asked for an answer in one piece. */
function isOldCompletion({ name }: Pick<Door, "name">): boolean {
  return name === "withBudget, OpenAI completion: generateText";
}

/** Calls that are answered. */
export const completed: readonly Ending[] = [
  { row: "answered", kinds: kinds.every, attempts: always(paid) },
  {
    row: "answered, without the cost in the usage",
    kinds: kinds.generated,
    providers: ["OpenRouter", "OpenRouter, no look-up"],
    options: { costField: "omitted" },
    attempts: always(paid),
  },
  {
    row: "answered, paid by one's own provider key",
    kinds: kinds.generated,
    providers: ["OpenRouter", "OpenRouter, no look-up"],
    options: { byok: true },
    attempts: always(paid),
  },
  {
    row: "answered, without usage",
    kinds: [...kinds.generated, "media", "speech"],
    fits: single,
    options: { usageField: "omitted" },
    attempts: withoutUsage,
    why: "the response tells neither cost nor tokens",
  },
  {
    row: "answered, without usage, and its record comes late",
    kinds: kinds.text,
    providers: ["OpenRouter"],
    fits: single,
    options: { usageField: "omitted", lookupMisses: 2 },
    attempts: always(paid),
  },
  {
    row: "answered, without usage, and its record never comes",
    kinds: kinds.text,
    providers: ["OpenRouter"],
    fits: single,
    options: { usageField: "omitted", lookupMisses: Number.POSITIVE_INFINITY },
    attempts: always(lost),
    why: "OpenRouter has no record of it by the last look",
  },
  {
    row: "answered with no choices",
    kinds: kinds.text,
    fits: (door) => !isOldCompletion(door),
    faults: strikes("empty-choices"),
    attempts: (family) => [isOpenRouter(family) && family.kind === "answer" ? lost : paid],
    why: "OpenRouter's SDK keeps nothing of the response but its error",
  },
  {
    row: "answered with no choices, by the old completions",
    kinds: ["answer"],
    providers: ["OpenAI"],
    fits: isOldCompletion,
    faults: strikes("empty-choices"),
    attempts: always(lost),
    why: "the AI SDK fails on it, and keeps nothing of the response",
  },
  {
    row: "answered with what does not fit the schema",
    kinds: kinds.text,
    options: { answer: () => "no such thing" },
    attempts: always(paid),
  },
  {
    row: "answered by the default service tier",
    kinds: kinds.text,
    fits: ({ name }) => name.includes("service tier"),
    options: { servedTier: () => "default" },
    attempts: always(paid),
  },
  {
    row: "expired after one of its requests",
    kinds: ["batch"],
    options: { batchLines: 1 },
    attempts: always(paid),
    bills: 1,
  },
];

/** Calls that are refused, or fail before an answer. */
export const refusals: readonly Ending[] = [
  ...(["400", "401", "402"] as const).map(
    (status): Ending => ({
      row: `HTTP ${status}`,
      kinds: kinds.every,
      faults: strikes(status),
      attempts: always(refused),
    }),
  ),
  {
    row: "HTTP 400 of Azure's content filter",
    kinds: kinds.text,
    providers: ["OpenAI client"],
    fits: ({ name }) => name.startsWith("AzureOpenAI"),
    faults: strikes("400", { body: { error: { code: "content_filter", message: "filtered", status: 400 } } }),
    attempts: always(unproven),
    why: "Azure bills what its filter stops after looking at it",
  },
  {
    row: "credit used up",
    kinds: kinds.awaited,
    fits: single,
    options: { creditPicoUsd: 0n },
    attempts: always(refused),
  },
  {
    row: "HTTP 429, then an answer",
    kinds: kinds.every,
    maxRetries: 1,
    faults: strikes("429"),
    attempts: always(refused, paid),
  },
  {
    row: "HTTP 429 for good, tried twice",
    kinds: kinds.every,
    maxRetries: 1,
    faults: (nth) => [{ kind: "429", at: [nth, nth + 1], retryAfter: 0 }],
    attempts: always(refused, refused),
  },
  {
    row: "HTTP 500, then an answer",
    kinds: kinds.every,
    maxRetries: 1,
    faults: strikes("500"),
    attempts: (family) => [isOpenRouter(family) ? refused : doubtful(family), paid],
    why: own500,
  },
  {
    row: "HTTP 500 for good, tried twice",
    kinds: kinds.every,
    maxRetries: 1,
    faults: (nth) => [{ kind: "500", at: [nth, nth + 1], retryAfter: 0 }],
    attempts: (family) => (isOpenRouter(family) ? [refused, refused] : [doubtful(family), doubtful(family)]),
    why: own500,
  },
  {
    row: "HTTP 502",
    kinds: kinds.every,
    faults: strikes("502"),
    attempts: (family) => [doubtful(family)],
    why: "somebody behind the gateway may have answered",
  },
  {
    row: "HTTP 503",
    kinds: kinds.every,
    faults: strikes("503"),
    attempts: (family) => [isGateway(family) ? unproven : refused],
    why: "a gateway does not promise that its 503 comes before any answer",
  },
];
