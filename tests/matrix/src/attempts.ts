import type { Fault } from "@autolabel/simulator";
import type { Door } from "./door.ts";
import { type Attempt, type Family, pieces } from "./ending.ts";
import type { Kind } from "./way.ts";

export const paid: Attempt = { billed: true, recorded: "exact" };
/** Billed, and the amount never came. */
export const lost: Attempt = { billed: true, recorded: "bound" };
/** Not billed, and nothing proves it. */
export const unproven: Attempt = { billed: false, recorded: "bound" };
export const refused: Attempt = { billed: false, recorded: "nothing" };
/** A batch that may exist, and is billed once somebody looks at it. */
const unseen: Attempt = { billed: false, recorded: "unresolved" };

/** The same attempts whoever is asked. */
export function always(...attempts: readonly Attempt[]) {
  return () => attempts;
}

/** Billed, and known from OpenRouter's own record of it where that is looked up. */
export function onRecord({ provider }: Family): readonly Attempt[] {
  return [provider === "OpenRouter" ? paid : lost];
}

/** Not billed and not proven: what may be a batch stays open until somebody looks. */
export function doubtful({ kind }: Family): Attempt {
  return kind === "batch" ? unseen : unproven;
}

/** A gateway, whatever it tells and charges. */
export function isGateway({ provider }: Pick<Family, "provider">): boolean {
  return provider.includes("gateway");
}

/** OpenRouter, whether its records are looked up or not. */
export function isOpenRouter({ provider }: Pick<Family, "provider">): boolean {
  return provider.startsWith("OpenRouter");
}

/** What cannot strike a later request of a call alone. */
export function single({ requestsBefore }: Pick<Door, "requestsBefore">): boolean {
  return requestsBefore === 0;
}

/** Kinds of calls, by the endings that they share. */
export const kinds = {
  every: ["answer", "stream", "embedding", "media", "speech", "untold media", "batch"],
  /** All but batches, which go on by themselves. */
  awaited: ["answer", "stream", "embedding", "media", "speech", "untold media"],
  text: ["answer", "stream"],
  stream: ["stream"],
  /** What the simulator can break at any place. */
  generated: ["answer", "stream", "embedding"],
  whole: ["answer", "embedding"],
} as const satisfies Record<string, readonly Kind[]>;

/** The pieces after which an answer can break, from none to all. */
export const eachPiece = Array.from({ length: pieces + 1 }, (_, piece) => piece);

/** A fault that strikes the n-th request. */
export function strikes(kind: Fault["kind"], rest: Partial<Fault> = {}) {
  return (nth: number): Fault[] => [{ kind, at: nth, retryAfter: 0, ...rest }];
}
