import { seededFraction } from "./seeded-random.ts";

/**
 * What goes wrong. Not billed: the HTTP statuses unless `isBilled`, `timeout` (held open until the client leaves) and
 * `disconnect` (socket destroyed before any byte). Billed: `cut` (socket destroyed in mid-body), `stall` (silent in
 * mid-body until the client leaves, or until the simulator is told to resume), `eof` (the body ends properly, but early; an
 * unstreamed one is empty), `error-chunk` (an error inside a 200), `bad-json`, `bad-schema` (JSON with its usage, whose
 * answer has another shape), `empty-choices`, `invalid-label`. `slow` answers properly after `ms`.
 */
export type FaultKind =
  | "400"
  | "401"
  | "402"
  | "403"
  | "412"
  | "429"
  | "500"
  | "502"
  | "503"
  | "timeout"
  | "disconnect"
  | "slow"
  | "cut"
  | "stall"
  | "eof"
  | "error-chunk"
  | "bad-json"
  | "bad-schema"
  | "empty-choices"
  | "invalid-label";

/** A scripted failure. All given conditions must hold; without any it hits every request. */
export interface Fault {
  readonly kind: FaultKind;
  /** The billable requests to hit, counted from 1 in order of arrival. */
  readonly at?: number | readonly number[];
  /** Hit every n-th billable request. */
  readonly every?: number;
  /** Hit this share of requests (0 to 1), seeded. */
  readonly rate?: number;
  /** Hit only prompts that contain this text. */
  readonly promptIncludes?: string;
  /** Hit at most so many requests. */
  readonly times?: number;
  /** Sent as `retry-after`: seconds, or an HTTP date. */
  readonly retryAfter?: number | string;
  /** `cut`, `stall`, `eof` and `error-chunk`: how many word chunks of a stream go out before. Default 2. */
  readonly afterChunks?: number;
  /** An HTTP status that comes after the answer was generated: it is billed, and the error body tells the usage. */
  readonly isBilled?: boolean;
  /**
   * Replaces the body of an HTTP error or of `bad-json`, and the error that an `error-chunk` tells; for `invalid-label` a
   * text that replaces the label.
   */
  readonly body?: unknown;
  /** `slow`: milliseconds to wait. Default 1000. */
  readonly ms?: number;
}

/** The faults of a simulator with the count of how often each has struck. */
export class FaultPlan {
  readonly #seed: string;
  #faults: readonly Fault[] = [];
  #struck: number[] = [];

  constructor(seed: string, faults: readonly Fault[]) {
    this.#seed = seed;
    this.replace(faults);
  }

  /** Takes new faults and starts their counts at zero. */
  replace(faults: readonly Fault[]): void {
    this.#faults = faults;
    this.#struck = faults.map(() => 0);
  }

  /** Starts the counts again. */
  reset(): void {
    this.replace(this.#faults);
  }

  /** The first fault that hits this request; taking it counts as a strike. */
  strike(request: { index: number; promptText: string }): Fault | undefined {
    const position = this.#faults.findIndex(
      (fault, order) =>
        (this.#struck[order] ?? 0) < (fault.times ?? Number.POSITIVE_INFINITY) &&
        hits(fault, request) &&
        (fault.rate === undefined || seededFraction(this.#seed, "fault", order, request.index) < fault.rate),
    );
    if (position < 0) return undefined;
    this.#struck[position] = (this.#struck[position] ?? 0) + 1;
    return this.#faults[position];
  }
}

function hits(fault: Fault, request: { index: number; promptText: string }): boolean {
  const at = typeof fault.at === "number" ? [fault.at] : fault.at;
  if (at && !at.includes(request.index)) return false;
  if (fault.every !== undefined && request.index % fault.every !== 0) return false;
  return fault.promptIncludes === undefined || request.promptText.includes(fault.promptIncludes);
}
