import { always, eachPiece, kinds, lost, onRecord, paid, single, strikes, unproven } from "./attempts.ts";
import type { Door } from "./door.ts";
import type { Ending, Family } from "./ending.ts";

const silence = "silence is no proof that nothing was made";
const hanging = "the provider goes on and bills, and its answer does not come any more";
/** The official client closes the connection when its caller leaves; the AI SDK's models are read to their end. */
const leftBy = ({ provider }: Family) => [provider === "OpenAI client" ? lost : paid];
const isOpened = ({ open, requestsBefore }: Pick<Door, "open" | "requestsBefore">) =>
  open !== undefined && requestsBefore === 0;

/** Calls that their caller leaves. */
export const left: readonly Ending[] = [
  {
    row: "aborted before the call",
    kinds: kinds.every,
    fits: single,
    caller: { does: "aborts", after: "nothing" },
    attempts: always(),
  },
  {
    row: "aborted while the answer is made",
    kinds: kinds.generated,
    faults: strikes("slow", { ms: 60_000 }),
    caller: { does: "aborts", after: "generation" },
    attempts: always(lost),
    why: hanging,
  },
  {
    row: "aborted in the middle of the body",
    kinds: kinds.whole,
    faults: strikes("stall"),
    caller: { does: "aborts", after: "generation" },
    attempts: always(lost),
    why: hanging,
  },
  {
    row: "aborted, never answered",
    kinds: kinds.awaited,
    faults: strikes("timeout"),
    caller: { does: "aborts", after: "arrival" },
    attempts: always(unproven),
    why: silence,
  },
  {
    row: "aborted before any text",
    kinds: kinds.stream,
    faults: strikes("stall", { afterChunks: 0 }),
    caller: { does: "aborts", after: 0 },
    attempts: always(lost),
    why: hanging,
  },
  ...eachPiece.slice(1).map(
    (piece): Ending => ({
      row: "aborted",
      piece,
      kinds: kinds.stream,
      faults: strikes("stall", { afterChunks: piece }),
      caller: { does: "aborts", after: piece },
      attempts: onRecord,
      why: hanging,
    }),
  ),
  ...eachPiece.slice(1).map(
    (piece): Ending => ({
      row: "loop left by break",
      piece,
      kinds: kinds.stream,
      faults: strikes("stall", { afterChunks: piece }),
      caller: { does: "breaks", after: piece },
      attempts: leftBy,
      why: hanging,
    }),
  ),
  {
    row: "never read",
    kinds: kinds.text,
    fits: isOpened,
    caller: { does: "forgets" },
    attempts: always(paid),
  },
  {
    row: "body of the response cancelled",
    kinds: kinds.text,
    fits: ({ open }) => open !== undefined,
    faults: strikes("stall", { afterChunks: 1 }),
    caller: { does: "cancels" },
    attempts: leftBy,
    why: hanging,
  },
  {
    row: "timed out while the answer is made",
    kinds: [...kinds.whole, "media", "speech", "untold media"],
    fits: single,
    faults: strikes("slow", { ms: 60_000 }),
    caller: { does: "times out" },
    attempts: always(lost),
    why: hanging,
  },
  {
    row: "timed out, never answered",
    kinds: kinds.awaited,
    fits: single,
    faults: strikes("timeout"),
    caller: { does: "times out" },
    attempts: always(unproven),
    why: silence,
  },
];
