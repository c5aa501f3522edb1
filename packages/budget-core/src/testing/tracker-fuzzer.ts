import type { Ledger } from "../ledger/ledger.ts";
import { MemoryLedger } from "../ledger/memory.ts";
import type { FuzzFailure, FuzzReport } from "./overspend-fuzzer.ts";
import { runTrackerSchedule } from "./tracker-run.ts";

/** Options of {@link fuzzTracker}. */
export interface FuzzTrackerOptions {
  /** The ledger under the trackers; it must go by `clock`, in ms. Default: in memory. */
  makeLedger?: (clock: () => number) => Ledger | Promise<Ledger>;
  /** How many schedules to play. */
  schedules: number;
  /** How many calls each has in flight at once. Default 8. */
  callsPerSchedule?: number;
  /** Where to start; schedule number n has the seed `seed + n`. */
  seed: number;
}

/**
 * Looks for overspend, phantom denials, leaks and stuck calls above the ledger: concurrent calls of nested trackers that
 * wait, clamp, abort, crash and meet faults of the store, in random but repeatable interleavings. It stops at the first
 * schedule that fails; its trace tells what happened, in order.
 */
export async function fuzzTracker(options: FuzzTrackerOptions): Promise<FuzzReport> {
  const { makeLedger = (now: () => number) => new MemoryLedger({ now }), callsPerSchedule: calls = 8 } = options;
  let steps = 0;
  const replay = async (seed: number): Promise<FuzzFailure | undefined> => {
    const trace: string[] = [];
    const violation = await runTrackerSchedule({ seed, makeLedger, calls, note: (line) => trace.push(line) });
    steps += trace.length;
    return violation && { ...violation, seed, trace };
  };
  for (let schedules = 1; schedules <= options.schedules; schedules++) {
    const failure = await replay(options.seed + schedules - 1);
    if (failure) return { schedules, steps, violations: [failure], replay };
  }
  return { schedules: options.schedules, steps, violations: [], replay };
}
