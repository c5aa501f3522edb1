import { always, doubtful, eachPiece, isOpenRouter, kinds, lost, onRecord, paid, strikes } from "./attempts.ts";
import type { Attempt, Ending, Family } from "./ending.ts";

const usageToCome = "the usage was still to come";
const usageNever = "the usage never came";

/** What a stream costs that ends in an error: OpenRouter's chunk that tells the error tells the usage too. */
function toldWithError(family: Family): readonly Attempt[] {
  return [isOpenRouter(family) ? paid : lost];
}

/** Calls whose answer breaks. */
export const broken: readonly Ending[] = [
  {
    row: "HTTP 200 with an error in the body",
    kinds: kinds.whole,
    faults: strikes("error-chunk"),
    attempts: onRecord,
    why: "OpenRouter's SDK keeps nothing of the response but its error; others tell no usage",
  },
  ...eachPiece.map(
    (piece): Ending => ({
      row: "error chunk",
      piece,
      kinds: kinds.stream,
      faults: strikes("error-chunk", { afterChunks: piece }),
      attempts: toldWithError,
      why: "a chunk that tells an error tells no usage",
    }),
  ),
  ...eachPiece.map(
    (piece): Ending => ({
      row: "error chunk that says 429",
      piece,
      kinds: kinds.stream,
      faults: strikes("error-chunk", { afterChunks: piece, body: { code: 429, message: "Rate limited" } }),
      attempts: toldWithError,
      why: "once an answer has begun, no error proves that nothing was charged",
    }),
  ),
  {
    row: "no JSON",
    kinds: kinds.generated,
    faults: strikes("bad-json"),
    attempts: onRecord,
    why: "what came cannot be read",
  },
  {
    row: "connection cut before the first byte",
    kinds: kinds.every,
    faults: strikes("disconnect"),
    attempts: (family) => [doubtful(family)],
    why: "a lost connection proves nothing",
  },
  {
    row: "connection cut in the body",
    kinds: [...kinds.whole, "media", "speech", "untold media"],
    faults: strikes("cut"),
    attempts: onRecord,
    why: usageToCome,
  },
  {
    row: "connection cut in the body",
    kinds: ["batch"],
    faults: strikes("cut"),
    attempts: (family) => [doubtful(family)],
    why: "a batch may exist although its answer was cut",
  },
  ...eachPiece.map(
    (piece): Ending => ({
      row: "connection cut",
      piece,
      kinds: kinds.stream,
      faults: strikes("cut", { afterChunks: piece }),
      attempts: onRecord,
      why: usageToCome,
    }),
  ),
  {
    row: "error chunk, then streamed anew",
    kinds: kinds.stream,
    providers: ["OpenRouter", "OpenRouter, no look-up", "OpenAI", "gateway", "gateway, cost in header", "free gateway"],
    // Which have no such setting.
    fits: ({ name }) => !name.endsWith("ToolLoopAgent.stream") && !name.endsWith("streamObject"),
    streamRetries: 1,
    faults: strikes("error-chunk", { afterChunks: 1 }),
    attempts: (family) => [...toldWithError(family), paid],
    why: "a chunk that tells an error tells no usage",
  },
  {
    row: "empty body",
    kinds: kinds.whole,
    faults: strikes("eof"),
    attempts: onRecord,
    why: usageNever,
  },
  {
    row: "empty body",
    kinds: ["media", "untold media"],
    faults: strikes("eof"),
    attempts: always(lost),
    why: usageNever,
  },
  ...eachPiece.map(
    (piece): Ending => ({
      row: "end without a finish",
      piece,
      kinds: kinds.stream,
      faults: strikes("eof", { afterChunks: piece }),
      attempts: onRecord,
      why: usageNever,
    }),
  ),
];
