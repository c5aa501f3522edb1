import type { Fault } from "@autolabel/simulator";
import { type Attempt, type Ending, type Family, pieces } from "./ending.ts";
import type { Kind } from "./way.ts";

const paid: Attempt = { billed: true, recorded: "exact" };
/** Billed, and the amount never came. */
const lost: Attempt = { billed: true, recorded: "bound" };
/** Not billed, and nothing proves it. */
const unproven: Attempt = { billed: false, recorded: "bound" };
const refused: Attempt = { billed: false, recorded: "nothing" };

/** What cannot strike a later request of a call alone. */
const single: Ending["fits"] = ({ requestsBefore }) => requestsBefore === 0;

const all: readonly Kind[] = ["answer", "stream", "embedding"];
const whole: readonly Kind[] = ["answer", "embedding"];
const texts: readonly Kind[] = ["answer", "stream"];
const streams: readonly Kind[] = ["stream"];

const eachPiece = Array.from({ length: pieces + 1 }, (_, piece) => piece);
const strikes = (kind: Fault["kind"], rest: Partial<Fault> = {}) => {
  return (nth: number): Fault[] => [{ kind, at: nth, retryAfter: 0, ...rest }];
};
const always = (...attempts: readonly Attempt[]) => {
  return () => attempts;
};

const onlyError = "OpenRouter's SDK keeps nothing of the response but its error";

const completed: readonly Ending[] = [
  { row: "answered", kinds: all, attempts: always(paid) },
  {
    row: "answered, without the cost in the usage",
    kinds: all,
    providers: ["OpenRouter"],
    options: { costField: "omitted" },
    attempts: always(paid),
  },
  {
    row: "answered, paid by one's own provider key",
    kinds: all,
    providers: ["OpenRouter"],
    options: { byok: true },
    attempts: always(paid),
  },
  {
    row: "answered, without usage",
    kinds: all,
    fits: single,
    options: { usageField: "omitted" },
    attempts: always(lost),
    why: "the response tells neither cost nor tokens",
  },
  {
    row: "answered with no choices",
    kinds: texts,
    faults: strikes("empty-choices"),
    attempts: ({ provider, kind }) => [provider === "OpenRouter" && kind === "answer" ? lost : paid],
    why: onlyError,
  },
  {
    row: "answered with what does not fit the schema",
    kinds: texts,
    options: { answer: () => "no such thing" },
    attempts: always(paid),
  },
];

const refusals: readonly Ending[] = [
  ...(["400", "401", "402"] as const).map(
    (status): Ending => ({ row: `HTTP ${status}`, kinds: all, faults: strikes(status), attempts: always(refused) }),
  ),
  { row: "credit used up", kinds: all, fits: single, options: { creditPicoUsd: 0n }, attempts: always(refused) },
  {
    row: "HTTP 429, then an answer",
    kinds: all,
    maxRetries: 1,
    faults: strikes("429"),
    attempts: always(refused, paid),
  },
  {
    row: "HTTP 429 for good, tried twice",
    kinds: all,
    maxRetries: 1,
    faults: (nth) => [{ kind: "429", at: [nth, nth + 1], retryAfter: 0 }],
    attempts: always(refused, refused),
  },
  {
    row: "HTTP 500, then an answer",
    kinds: all,
    maxRetries: 1,
    faults: strikes("500"),
    attempts: ({ provider }) => [provider === "OpenRouter" ? refused : unproven, paid],
    why: "only OpenRouter promises that its own 500 is not billed",
  },
  {
    row: "HTTP 500 for good, tried twice",
    kinds: all,
    maxRetries: 1,
    faults: (nth) => [{ kind: "500", at: [nth, nth + 1], retryAfter: 0 }],
    attempts: ({ provider }) => (provider === "OpenRouter" ? [refused, refused] : [unproven, unproven]),
    why: "only OpenRouter promises that its own 500 is not billed",
  },
  {
    row: "HTTP 502",
    kinds: all,
    faults: strikes("502"),
    attempts: always(unproven),
    why: "somebody behind the gateway may have answered",
  },
  {
    row: "HTTP 503",
    kinds: all,
    faults: strikes("503"),
    attempts: ({ provider }) => [provider === "gateway" || provider === "free gateway" ? unproven : refused],
    why: "a gateway does not promise that its 503 comes before any answer",
  },
];

const broken: readonly Ending[] = [
  {
    row: "HTTP 200 with an error in the body",
    kinds: whole,
    faults: strikes("error-chunk"),
    attempts: always(lost),
    why: `${onlyError}; others tell none`,
  },
  ...eachPiece.map(
    (piece): Ending => ({
      row: "error chunk",
      piece,
      kinds: streams,
      faults: strikes("error-chunk", { afterChunks: piece }),
      attempts: always(lost),
      why: "the SDK drops the usage in a chunk that also tells an error; others tell none",
    }),
  ),
  ...eachPiece.slice(1).map(
    (piece): Ending => ({
      row: "error chunk that says 429",
      piece,
      kinds: streams,
      faults: strikes("error-chunk", { afterChunks: piece, body: { code: 429, message: "Rate limited" } }),
      attempts: always(lost),
      why: "once something was generated, no error proves that nothing was charged",
    }),
  ),
  {
    row: "no JSON",
    kinds: all,
    faults: strikes("bad-json"),
    attempts: always(lost),
    why: "what came cannot be read",
  },
  {
    row: "connection cut before the first byte",
    kinds: all,
    faults: strikes("disconnect"),
    attempts: always(unproven),
    why: "a lost connection proves nothing",
  },
  {
    row: "connection cut in the body",
    kinds: whole,
    faults: strikes("cut"),
    attempts: always(lost),
    why: "the usage was still to come",
  },
  ...eachPiece.map(
    (piece): Ending => ({
      row: "connection cut",
      piece,
      kinds: streams,
      faults: strikes("cut", { afterChunks: piece }),
      attempts: always(lost),
      why: "the usage was still to come",
    }),
  ),
  {
    row: "error chunk, then streamed anew",
    kinds: streams,
    providers: ["OpenRouter", "OpenAI", "gateway", "free gateway"],
    fits: ({ name }) => !name.endsWith("ToolLoopAgent.stream"), // which has no such setting
    streamRetries: 1,
    faults: strikes("error-chunk", { afterChunks: 1 }),
    attempts: always(lost, paid),
    why: "what the first one cost stood in the chunk that told the error, or nowhere",
  },
  {
    row: "empty body",
    kinds: whole,
    faults: strikes("eof"),
    attempts: always(lost),
    why: "the usage never came",
  },
  ...eachPiece.map(
    (piece): Ending => ({
      row: "end without a finish",
      piece,
      kinds: streams,
      faults: strikes("eof", { afterChunks: piece }),
      attempts: always(lost),
      why: "the usage never came",
    }),
  ),
];

const silence = "silence is no proof that nothing was made";
const hanging = "the provider goes on and bills, and its answer does not come any more";
/** The official client closes the connection when its caller leaves; the AI SDK's models are read to their end. */
const leftBy = ({ provider }: Family) => [provider === "OpenAI client" ? lost : paid];

const left: readonly Ending[] = [
  {
    row: "aborted before the call",
    kinds: all,
    fits: single,
    caller: { does: "aborts", after: "nothing" },
    attempts: always(),
  },
  {
    row: "aborted while the answer is made",
    kinds: all,
    faults: strikes("slow", { ms: 60_000 }),
    caller: { does: "aborts", after: "generation" },
    attempts: always(lost),
    why: hanging,
  },
  {
    row: "aborted in the middle of the body",
    kinds: whole,
    faults: strikes("stall"),
    caller: { does: "aborts", after: "generation" },
    attempts: always(lost),
    why: hanging,
  },
  {
    row: "aborted, never answered",
    kinds: all,
    faults: strikes("timeout"),
    caller: { does: "aborts", after: "arrival" },
    attempts: always(unproven),
    why: silence,
  },
  ...eachPiece.map(
    (piece): Ending => ({
      row: "aborted",
      piece,
      kinds: streams,
      faults: strikes("stall", { afterChunks: piece }),
      caller: { does: "aborts", after: piece },
      attempts: always(lost),
      why: hanging,
    }),
  ),
  ...eachPiece.slice(1).map(
    (piece): Ending => ({
      row: "loop left by break",
      piece,
      kinds: streams,
      faults: strikes("stall", { afterChunks: piece }),
      caller: { does: "breaks", after: piece },
      attempts: leftBy,
      why: hanging,
    }),
  ),
  { row: "never read", kinds: streams, fits: single, caller: { does: "forgets" }, attempts: always(paid) },
  {
    row: "body of the response cancelled",
    kinds: streams,
    faults: strikes("stall", { afterChunks: 1 }),
    caller: { does: "cancels" },
    attempts: leftBy,
    why: hanging,
  },
  {
    row: "timed out while the answer is made",
    kinds: whole,
    fits: single,
    faults: strikes("slow", { ms: 60_000 }),
    caller: { does: "times out" },
    attempts: always(lost),
    why: hanging,
  },
  {
    row: "timed out, never answered",
    kinds: all,
    fits: single,
    faults: strikes("timeout"),
    caller: { does: "times out" },
    attempts: always(unproven),
    why: silence,
  },
];

/** Every ending, in the order of the page. */
export const endings: readonly Ending[] = [...completed, ...refusals, ...broken, ...left];
