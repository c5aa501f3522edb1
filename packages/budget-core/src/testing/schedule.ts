import type { Receipt } from "../receipt.ts";
import { Random } from "./random.ts";

/** One step of a schedule: plain data, so that a failing schedule can be printed, cut down and run again. */
export type Step =
  | { do: "reserve"; holds: readonly HoldStep[] }
  | { do: "markDispatched"; attempt: number }
  | { do: "settle"; attempt: number; receipt: Receipt; times: number }
  | { do: "release"; attempt: number; evidence?: string }
  | { do: "split"; attempt: number; part: HoldStep }
  | { do: "extend"; attempt: number; leaseMs: number }
  | { do: "post"; scopes: readonly number[]; receipt: Receipt }
  | { do: "reset"; scopes: readonly number[] }
  | { do: "recover"; abandonedScope?: number }
  | { do: "clock"; byMs: number }
  | { do: "resolve"; attempt: number; receipt: Receipt }
  | { do: "writeOff"; attempt: number }
  | { do: "claim"; scope: number; name: string }
  | { do: "limit"; scope: number; limitPicoUsd: bigint | null }
  | { do: "poison"; attempt: number; into: "settle" | "post" | "reserve"; value: unknown };

/** One of the holds that a step asks for at once. */
export interface HoldStep {
  attempt: number;
  scopes: readonly number[];
  amountPicoUsd: bigint;
  leaseMs: number;
  modelId?: string;
}

/** What happens in one run of the fuzzer, and in which world. */
export interface Schedule {
  seed: number;
  /**
   * True where the stated assumptions hold: costs are within their bounds, limits stay, nothing is posted past the holds.
   * Then the true bill must stay within every limit. Otherwise only the books are checked.
   */
  honest: boolean;
  /** First limit of each scope; null is unlimited. */
  limits: readonly (bigint | null)[];
  /** What the provider bills for each attempt as soon as it is sent. */
  bills: readonly bigint[];
  steps: readonly Step[];
}

/** How many scopes a schedule plays with: a run, a project, a user. */
export const scopeCount = 3;

type Guess = "held" | "dispatched" | "unresolved" | "ended";

/** Where a schedule's writer thinks that things stand: enough to write steps that mostly make sense. */
class Writer {
  readonly random: Random;
  readonly honest: boolean;
  readonly unit: bigint;
  readonly guesses: Guess[] = [];
  readonly holds: HoldStep[] = [];
  readonly bills: bigint[] = [];

  constructor(seed: number) {
    this.random = new Random(seed);
    this.honest = this.random.chance(50);
    // Units past what a float keeps exactly: arithmetic in doubles loses the last digits.
    this.unit = this.random.pick([1n, 1n, 7n, 1_000_003n, 1_125_899_906_842_625n]);
  }

  amount(units: number): bigint {
    return BigInt(this.random.below(units + 1)) * this.unit;
  }

  limit(): bigint | null {
    const kind = this.random.below(10);
    if (kind === 0) return 0n;
    return kind <= 2 ? null : this.amount(80);
  }

  hold(): HoldStep {
    const attempt = this.guesses.push("held") - 1;
    const amountPicoUsd = this.amount(40);
    const share = this.random.pick([0, 1, 2, 3, 4] as const);
    this.bills.push((amountPicoUsd * BigInt(share)) / 4n);
    const hold: HoldStep = {
      attempt,
      scopes: this.random.some(scopeCount),
      amountPicoUsd,
      leaseMs: this.random.pick([20_000, 60_000, 600_000]),
      ...(this.random.chance(50) ? { modelId: this.random.pick(["m1", "m2"]) } : {}),
    };
    this.holds.push(hold);
    return hold;
  }

  /** The receipt of an attempt: true and within its bound in an honest world, anything else outside it. */
  receipt(attempt: number): Receipt {
    const bound = this.holds[attempt]?.amountPicoUsd ?? 0n;
    const bill = this.bills[attempt] ?? 0n;
    if (this.random.chance(20)) return { costPicoUsd: bound, kind: "bound" };
    const modelId = this.random.pick(["m1", "m2", "m3"]);
    const costPicoUsd = this.honest ? bill : this.random.pick([bill, bound, bound + this.unit, this.amount(80)]);
    return { costPicoUsd, ...(this.random.chance(50) ? { modelId } : {}) };
  }

  /** Moves a part into an attempt of its own, which costs nothing: in an honest world the rest stays above the bill. */
  split(attempt: number): Step | undefined {
    const whole = this.holds[attempt];
    if (!whole) return undefined;
    const most = this.honest ? whole.amountPicoUsd - (this.bills[attempt] ?? 0n) : whole.amountPicoUsd + this.unit;
    const amountPicoUsd = (most * BigInt(this.random.below(5))) / 4n;
    const part = { ...whole, attempt: this.guesses.push(this.guesses[attempt] ?? "ended") - 1, amountPicoUsd };
    this.bills.push(0n);
    this.holds.push(part);
    if (amountPicoUsd <= whole.amountPicoUsd)
      this.holds[attempt] = { ...whole, amountPicoUsd: whole.amountPicoUsd - amountPicoUsd };
    return { do: "split", attempt, part };
  }

  writeOff(attempt: number): Step | undefined {
    // In an honest world only what was not billed is written off.
    return this.honest && this.bills[attempt] !== 0n ? undefined : { do: "writeOff", attempt };
  }

  release(attempt: number): Step {
    const isTrue = !this.honest || this.bills[attempt] === 0n;
    const evidence = isTrue && this.random.chance(60) ? { evidence: "HTTP 429" } : {};
    return { do: "release", attempt, ...evidence };
  }
}

/** The schedule of a seed: the same for ever. */
export function makeSchedule(seed: number, stepCount: number): Schedule {
  const writer = new Writer(seed);
  const limits = Array.from({ length: scopeCount }, () => writer.limit());
  const steps: Step[] = [];
  while (steps.length < stepCount) {
    const isFirst = writer.guesses.length === 0;
    const step = isFirst || writer.random.chance(28) ? reserveStep(writer) : nextStep(writer);
    if (step) steps.push(step);
  }
  return { seed, honest: writer.honest, limits, bills: writer.bills, steps };
}

function reserveStep(writer: Writer): Step {
  const count = writer.random.chance(20) ? 2 + writer.random.below(3) : 1;
  const holds = Array.from({ length: count }, () => writer.hold());
  const [first] = holds;
  // The same request twice, at once: a retry of a step whose answer was lost.
  return { do: "reserve", holds: first && writer.random.chance(5) ? [...holds, first] : holds };
}

function nextStep(writer: Writer): Step | undefined {
  const { random, guesses } = writer;
  if (random.chance(25)) return worldStep(writer);
  const attempt = random.chance(3) ? guesses.length + 5 : random.below(guesses.length);
  const sensible = random.chance(80) ? guesses[attempt] : undefined;
  if (sensible === "held" && random.chance(75)) return advance(writer, attempt, { do: "markDispatched", attempt });
  if (sensible === "dispatched" && random.chance(12)) return writer.split(attempt);
  if (sensible === "dispatched" && random.chance(65)) return settleStep(writer, attempt);
  if (sensible === "unresolved") return resolveStep(writer, attempt);
  return anyStep(writer, attempt);
}

function advance(writer: Writer, attempt: number, step: Step): Step {
  writer.guesses[attempt] = step.do === "markDispatched" ? "dispatched" : "ended";
  return step;
}

function settleStep(writer: Writer, attempt: number): Step {
  const times = writer.random.chance(10) ? 3 : 1;
  return advance(writer, attempt, { do: "settle", attempt, receipt: writer.receipt(attempt), times });
}

function resolveStep(writer: Writer, attempt: number): Step {
  const writeOff = writer.random.chance(50) ? writer.writeOff(attempt) : undefined;
  return advance(writer, attempt, writeOff ?? { do: "resolve", attempt, receipt: writer.receipt(attempt) });
}

/** A step of an attempt in any state: most of these must be refused. */
function anyStep(writer: Writer, attempt: number): Step | undefined {
  const { random } = writer;
  const kind = random.below(10);
  if (kind === 0) return { do: "markDispatched", attempt };
  if (kind === 9) return writer.split(attempt);
  if (kind === 1) return { do: "settle", attempt, receipt: writer.receipt(attempt), times: 1 };
  if (kind <= 3) return writer.release(attempt);
  if (kind === 4) return { do: "extend", attempt, leaseMs: random.pick([0, 20_000, 600_000]) };
  if (kind === 5) return { do: "resolve", attempt, receipt: writer.receipt(attempt) };
  if (kind === 6) return writer.writeOff(attempt);
  if (kind === 7) return reserveAgain(writer, attempt);
  const value = random.pick<unknown>([-1n, Number.NaN, Number.POSITIVE_INFINITY, 1.5, 1, "1", undefined, null]);
  return { do: "poison", attempt, into: random.pick(["settle", "post", "reserve"]), value };
}

/** The same id once more: harmless as it was, refused with another amount. */
function reserveAgain({ random, holds, unit }: Writer, attempt: number): Step | undefined {
  const hold = holds[attempt];
  if (!hold) return undefined;
  const amountPicoUsd = random.chance(50) ? hold.amountPicoUsd : hold.amountPicoUsd + unit;
  return { do: "reserve", holds: [{ ...hold, amountPicoUsd }] };
}

/** A step that is no attempt's own: time, crashes, and what people do to budgets. */
function worldStep(writer: Writer): Step | undefined {
  const { random } = writer;
  const kind = random.below(writer.honest ? 6 : 9);
  if (kind <= 1) return { do: "clock", byMs: random.pick([1, 20_000, 60_000, 3_600_000]) };
  if (kind <= 4) {
    for (const [attempt, guess] of writer.guesses.entries()) {
      if (guess === "dispatched" && random.chance(60)) writer.guesses[attempt] = "unresolved";
    }
    return { do: "recover", ...(random.chance(60) ? { abandonedScope: random.below(scopeCount) } : {}) };
  }
  if (kind === 5)
    return { do: "claim", scope: random.below(scopeCount), name: random.pick(["alert 0.5", "alert 0.9"]) };
  if (kind === 6) {
    const receipt: Receipt = { costPicoUsd: writer.amount(60), ...(random.chance(30) ? { kind: "bound" } : {}) };
    return { do: "post", scopes: random.some(scopeCount), receipt };
  }
  if (kind === 7) return { do: "reset", scopes: random.some(scopeCount) };
  return { do: "limit", scope: random.below(scopeCount), limitPicoUsd: writer.limit() };
}
