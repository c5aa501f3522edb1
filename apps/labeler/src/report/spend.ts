import type { LabeledRow, RowStatus } from "../store/row.ts";
import type { RecordedAttempt } from "../store/run-store.ts";
import { kindOfError } from "./wrong-rows.ts";

/** Charged calls and what they did cost. */
export interface CallSpend {
  calls: number;
  costPicoUsd: bigint;
}

/** What the calls of a run did cost, and for what. Each breakdown adds up to the total. */
export interface Spend extends CallSpend {
  /** How the cost is known: told by the provider, computed from usage and price, or the upper bound. */
  byEvidence: Record<RecordedAttempt["kind"], CallSpend>;
  /** What calls were for: the first answer, a repair, an answer that was bought again later, or nothing came. */
  byPurpose: Record<Purpose, CallSpend>;
  /** By the model that served. */
  byModel: ModelSpend[];
  /** By the state of the rows that calls were made for. */
  byStatus: { status: RowStatus; rows: number; costPicoUsd: bigint }[];
  /** Rows without a label that were paid for, by what went wrong. */
  byError: { status: RowStatus; error: string; rows: number; costPicoUsd: bigint }[];
  /** Rows that got the answer of a row of the same text, and what that saved. */
  dedupe: { rows: number; savedPicoUsd: bigint };
  /** The spend as it grew: at most some 200 points, the last one is the total. */
  burn: BurnPoint[];
}

/** What calls were for. */
export type Purpose = "answers" | "repairs" | "failed" | "boughtAgain";

/** A model's calls, and the rows whose label is from it. */
export interface ModelSpend extends CallSpend {
  /** Null where no call told it. */
  modelId: string | null;
  labeled: number;
  /** Of those with a gold label, how many are right. */
  correct: number;
}

/** The spend after so many calls. */
export interface BurnPoint extends CallSpend {
  /** When, ISO 8601; null in runs of the first version. */
  at: string | null;
}

const mostPoints = 200;
const purposes: readonly Purpose[] = ["answers", "repairs", "failed", "boughtAgain"];
const evidences: readonly RecordedAttempt["kind"][] = ["reported", "computed", "bound"];

/** Adds up what rows and their calls did cost: first all rows, then all calls. */
export class SpendCounter {
  readonly #total: CallSpend = nothing();
  readonly #byEvidence = spends(evidences);
  readonly #byPurpose = spends(purposes);
  readonly #byModel = new Map<string | null, ModelSpend>();
  readonly #byStatus = new Map<RowStatus, Spend["byStatus"][number]>();
  readonly #byError = new Map<string, Spend["byError"][number]>();
  readonly #dedupe = { rows: 0, savedPicoUsd: 0n };
  readonly #burn: BurnPoint[] = [];
  /** Cost by position, for the duplicates that follow. */
  readonly #costs: BigInt64Array;
  readonly #answered: Uint8Array;
  #stride = 1;
  #last: BurnPoint | undefined;

  /** @param rows how many rows the run has. */
  constructor(rows: number) {
    this.#costs = new BigInt64Array(rows);
    this.#answered = new Uint8Array(rows);
  }

  addRow(row: LabeledRow, isCorrect: boolean): void {
    const { status, position, duplicateOf } = row;
    const costPicoUsd = row.cost.picoUsd;
    this.#costs[position] = costPicoUsd;
    addTo(this.#byStatus, status, { status, rows: 0, costPicoUsd: 0n }, costPicoUsd);
    if (status === "labeled") {
      const model = this.#model(row.source);
      model.labeled++;
      if (isCorrect) model.correct++;
    } else if (status !== "unpaid") {
      const error = kindOfError(row.error);
      addTo(this.#byError, `${status} ${error}`, { status, error, rows: 0, costPicoUsd: 0n }, costPicoUsd);
    }
    if (duplicateOf !== null && status !== "unpaid") {
      this.#dedupe.rows++;
      this.#dedupe.savedPicoUsd += this.#costs[duplicateOf] ?? 0n;
    }
  }

  addAttempt(attempt: RecordedAttempt): void {
    for (const spend of [
      this.#total,
      this.#byEvidence[attempt.kind],
      this.#byPurpose[this.#purposeOf(attempt)],
      this.#model(attempt.modelId),
    ]) {
      spend.calls++;
      spend.costPicoUsd += attempt.costPicoUsd;
    }
    this.#burnTo({ ...this.#total, at: attempt.at });
  }

  spend(): Spend {
    const byCost = (a: { costPicoUsd: bigint }, b: { costPicoUsd: bigint }) => compare(b.costPicoUsd, a.costPicoUsd);
    const isWhole = this.#last === undefined || this.#burn.at(-1)?.calls === this.#last.calls;
    return {
      ...this.#total,
      byEvidence: this.#byEvidence,
      byPurpose: this.#byPurpose,
      byModel: [...this.#byModel.values()].sort(byCost),
      byStatus: [...this.#byStatus.values()].sort(byCost),
      byError: [...this.#byError.values()].sort(byCost),
      dedupe: this.#dedupe,
      burn: isWhole ? this.#burn : [...this.#burn, this.#last as BurnPoint],
    };
  }

  #purposeOf({ position, isAnswered, isSuperseded }: RecordedAttempt): Purpose {
    if (isSuperseded) return "boughtAgain";
    if (!isAnswered) return "failed";
    const isFirst = this.#answered[position] === 0;
    this.#answered[position] = 1;
    return isFirst ? "answers" : "repairs";
  }

  #model(modelId: string | null): ModelSpend {
    const known = this.#byModel.get(modelId) ?? { modelId, ...nothing(), labeled: 0, correct: 0 };
    this.#byModel.set(modelId, known);
    return known;
  }

  /** Keeps every n-th point, with n doubled whenever there are too many. */
  #burnTo(point: BurnPoint): void {
    this.#last = point;
    if (point.calls % this.#stride !== 0) return;
    this.#burn.push(point);
    if (this.#burn.length < mostPoints) return;
    this.#stride *= 2;
    this.#burn.splice(0, this.#burn.length, ...this.#burn.filter(({ calls }) => calls % this.#stride === 0));
  }
}

function nothing(): CallSpend {
  return { calls: 0, costPicoUsd: 0n };
}

function spends<Key extends string>(keys: readonly Key[]): Record<Key, CallSpend> {
  return Object.fromEntries(keys.map((key) => [key, nothing()])) as Record<Key, CallSpend>;
}

function addTo<Key, Entry extends { rows: number; costPicoUsd: bigint }>(
  map: Map<Key, Entry>,
  key: Key,
  fresh: Entry,
  costPicoUsd: bigint,
): void {
  const entry = map.get(key) ?? fresh;
  entry.rows++;
  entry.costPicoUsd += costPicoUsd;
  map.set(key, entry);
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b);
}
