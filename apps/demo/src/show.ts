import type { Checks } from "./checks.ts";
import type { Scratch } from "./scratch.ts";
import type { Stage } from "./stage.ts";

/** What every scene has at hand. */
export interface Show {
  stage: Stage;
  /** Claims, checked against the simulator's invoice. */
  checks: Checks;
  /** Where run files go. */
  scratch: Scratch;
  /** How long the simulated model thinks: long enough to watch on a terminal, short in a pipe. */
  latency: (medianMs: number) => { median: number; p99: number };
}
