import type { Ledger } from "../ledger/ledger.ts";
import { runLedgerSchedule } from "./ledger-run.ts";
import { makeSchedule, type Schedule, type Step } from "./schedule.ts";
import type { Violation } from "./violation.ts";

/** Options of {@link fuzzLedger}. */
export interface FuzzLedgerOptions {
  /**
   * A ledger for one schedule; it is closed after it. It may share a store with others: scopes and ids never repeat.
   * `clock` tells the time in ms that the ledger must go by, unless `ownClock` is set.
   */
  makeLedger: (clock: () => number) => Ledger | Promise<Ledger>;
  /** How many schedules to play. */
  schedules: number;
  /** How many steps each has. Default 10. */
  stepsPerSchedule?: number;
  /** Where to start; schedule number n has the seed `seed + n`. Print it. */
  seed: number;
  /** Set for a ledger that goes by the clock of its store. Default false. */
  ownClock?: boolean;
  /** How many schedules may fail before the fuzzer stops. Default 1. */
  maxFailures?: number;
  /** Told of every schedule that failed, cut down to the steps that it takes. */
  onFailure?: (failure: FuzzFailure) => void;
}

/** A schedule in which a ledger broke a promise. */
export interface FuzzFailure extends Violation {
  /** Plays the schedule again: {@link FuzzReport.replay}. */
  seed: number;
  /** The fewest steps found that still break it, in words. */
  trace: readonly string[];
}

/** What came of fuzzing. */
export interface FuzzReport {
  /** Schedules played. */
  schedules: number;
  /** Steps played. */
  steps: number;
  /** Empty for a ledger that keeps its promises; the first one is the first that failed. */
  violations: readonly FuzzFailure[];
  /** Plays one schedule again, alone. */
  replay: (seed: number) => Promise<FuzzFailure | undefined>;
}

/** Keeps runs in one store apart, also runs of other processes. */
const processTag = crypto.randomUUID().slice(0, 8);
let runs = 0;

/**
 * Looks for overspend: plays random schedules of holds, dispatches, settlements, crashes, clock jumps and nonsense
 * against a ledger, and compares it after each step with a model of its own and with a provider that bills independently.
 * Every custom ledger must pass it, beside the conformance suite.
 *
 * @example
 * const report = await fuzzLedger({ makeLedger: (clock) => new MyLedger({ now: clock }), schedules: 10_000, seed: 1 });
 * if (report.violations.length > 0) throw new Error(JSON.stringify(report.violations));
 */
export async function fuzzLedger(options: FuzzLedgerOptions): Promise<FuzzReport> {
  const { stepsPerSchedule = 10, maxFailures = 1 } = options;
  const violations: FuzzFailure[] = [];
  const replay = async (seed: number) => {
    const schedule = makeSchedule(seed, stepsPerSchedule);
    const violation = await play(options, schedule);
    return violation && (await explain(options, schedule, violation));
  };
  let schedules = 0;
  while (schedules < options.schedules && violations.length < maxFailures) {
    const failure = await replay(options.seed + schedules);
    schedules++;
    if (!failure) continue;
    violations.push(failure);
    options.onFailure?.(failure);
  }
  return { schedules, steps: schedules * stepsPerSchedule, violations, replay };
}

async function play(options: FuzzLedgerOptions, schedule: Schedule): Promise<Violation | undefined> {
  const clock = { now: 0 };
  const ledger = await options.makeLedger(() => clock.now);
  try {
    const namespace = `${processTag}.${runs++}`;
    return await runLedgerSchedule({ ledger, schedule, clock, namespace, ownClock: options.ownClock ?? false });
  } finally {
    await ledger.close();
  }
}

/** Leaves out every step without which the schedule still fails. */
async function explain(options: FuzzLedgerOptions, schedule: Schedule, found: Violation): Promise<FuzzFailure> {
  let steps = schedule.steps;
  let violation = found;
  for (let index = steps.length - 1; index >= 0; index--) {
    const fewer = steps.filter((_, place) => place !== index);
    const still = await play(options, { ...schedule, steps: fewer });
    if (!still) continue;
    steps = fewer;
    violation = still;
    index = steps.length;
  }
  const trace = [`limits ${schedule.limits.map((limit) => limit ?? "unlimited").join(", ")}`, ...steps.map(inWords)];
  return { ...violation, seed: schedule.seed, trace };
}

function inWords({ do: name, ...details }: Step): string {
  const text = JSON.stringify(details, (_, value: unknown) => {
    return typeof value === "bigint" || typeof value === "number" ? String(value) : value;
  });
  return `${name} ${text.replaceAll('"', "")}`;
}
