import type { Fault, SimulatorOptions } from "@autolabel/simulator";
import type { Door, Provider } from "./door.ts";
import type { Kind } from "./way.ts";

/** What the caller does with a call. */
type Caller =
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
  /**
   * `exact`: what was billed. `bound`: all that was held, flagged. `nothing`: the hold was released. `unresolved`: all that
   * was held counts until evidence comes.
   */
  recorded: "exact" | "bound" | "nothing" | "unresolved";
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
  fits?: (door: Pick<Door, "name" | "requestsBefore" | "open">) => boolean;
  /** The requests from the struck one on. */
  attempts: (family: Family) => readonly Attempt[];
  /** Lines on the invoice for an answer, where they are not the door's own. */
  bills?: number;
  /** Why the truth cannot be known, for what is recorded at its bound. */
  why?: string;
}

/** How many pieces of text an answer has. */
export const pieces = 3;

/** Whether a call through a door can end so. */
export function canEnd({ kinds, providers, fits }: Ending, door: Door): boolean {
  return kinds.includes(door.kind) && (providers?.includes(door.provider) ?? true) && (fits?.(door) ?? true);
}

/** The name of an ending, the number of its chunk included. */
export function nameOf({ row, piece }: Ending): string {
  return piece === undefined ? row : `${row} after ${piece} of ${pieces} pieces`;
}

/**
 * What must be in the books. Where calls cost nothing, there is nothing to be unsure of: each counts as 0. Where answers
 * tell nothing of their cost, none is sure.
 */
export function attemptsOf(ending: Ending, family: Family): readonly Attempt[] {
  const attempts = ending.attempts(family);
  const instead = (from: Attempt["recorded"], to: Attempt["recorded"]) =>
    attempts.map(({ billed, recorded }) => ({ billed, recorded: recorded === from ? to : recorded }));
  if (family.provider === "free gateway") return instead("bound", "exact");
  return family.kind === "untold media" ? instead("exact", "bound") : attempts;
}
