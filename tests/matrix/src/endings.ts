import type { Fault, SimulatorOptions } from "@autolabel/simulator";
import type { Door, Provider } from "./doors.ts";
import type { Kind } from "./way.ts";

/** What the caller does with a call. */
export type Caller =
  | { does: "reads" }
  /** Aborts before the call, once the request has arrived, once it is answered, or after so many pieces of text. */
  | { does: "aborts"; after: "nothing" | "arrival" | "generation" | number }
  /** Leaves the loop over the pieces after so many. */
  | { does: "breaks"; after: number }
  /** Opens the stream and never reads it. */
  | { does: "forgets" }
  /** Cancels the body of the response after its first chunk. */
  | { does: "cancels" }
  /** Sets the SDK's own time limit. */
  | { does: "times out" };

/** One request of a call, as it stands on the invoice and in the books. */
export interface Attempt {
  billed: boolean;
  /** `exact`: what was billed. `bound`: all that was held, flagged. `nothing`: the hold was released. */
  recorded: "exact" | "bound" | "nothing";
}

/** Who is asked, and for what. */
export interface Family {
  provider: Provider;
  kind: Kind;
}

/** One way in which a call ends, and what must then be in the books. */
export interface Ending {
  /** Its row on the page; endings that differ only in the number of a chunk share one. */
  row: string;
  /** After how many pieces of text it strikes, for those that are tried after each. */
  piece?: number;
  kinds: readonly Kind[];
  /** Default: all. */
  providers?: readonly Provider[];
  /** What the provider does; `nth` is the number of the request that is struck. */
  faults?: (nth: number) => readonly Fault[];
  options?: SimulatorOptions;
  /** Default: reads. */
  caller?: Caller;
  /** Default 0. */
  maxRetries?: number;
  /** How often the AI SDK may start a broken stream anew. Default 0. */
  streamRetries?: number;
  /** Whether a call through a door can end so, where its kind and provider do not decide it. */
  fits?: (door: Pick<Door, "name" | "requestsBefore">) => boolean;
  /** The requests from the struck one on. */
  attempts: (family: Family) => readonly Attempt[];
  /** Why the truth cannot be known, for what is recorded at its bound. */
  why?: string;
}

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

/** How many pieces of text an answer has. */
export const pieces = 3;
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

/** Whether a call through a door can end so. */
export function canEnd({ kinds, providers, fits }: Ending, door: Door): boolean {
  return kinds.includes(door.kind) && (providers?.includes(door.provider) ?? true) && (fits?.(door) ?? true);
}

/** The name of an ending, the number of its chunk included. */
export function nameOf({ row, piece }: Ending): string {
  return piece === undefined ? row : `${row} after ${piece} of ${pieces} pieces`;
}

/** What must be in the books. Where calls cost nothing, there is nothing to be unsure of: each counts as 0. */
export function attemptsOf(ending: Ending, family: Family): readonly Attempt[] {
  const attempts = ending.attempts(family);
  if (family.provider !== "free gateway") return attempts;
  return attempts.map(({ billed, recorded }) => ({ billed, recorded: recorded === "bound" ? "exact" : recorded }));
}
