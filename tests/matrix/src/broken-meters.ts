import type { Reservation } from "@autolabel/budget-core";
import { CostTracker, type CostTrackerOptions, type Quote, type ReserveOptions, usd } from "@autolabel/budget-core";
import type { Attempt } from "./ending.ts";
import type { RunOptions } from "./run-cell.ts";

/** A mistake that meters are known to make, and the rows of the matrix that must not pass with it. */
export interface BrokenMeter {
  name: string;
  makeTracker: NonNullable<RunOptions["makeTracker"]>;
  caughtBy: readonly string[];
  /** What must be recorded in a cell for the mistake to be made there. Default: anything. */
  spoils?: Attempt["recorded"];
}

/** What a broken meter does instead, given the real hold and how many there were. */
type Spoil = (hold: Reservation, nth: number, tracker: CostTracker) => Partial<Pick<Reservation, "settle" | "release">>;

/** A budget whose holds end otherwise than they should. */
function spoilt(spoil: Spoil): BrokenMeter["makeTracker"] {
  return (options) => new SpoiltTracker(options, spoil);
}

class SpoiltTracker extends CostTracker {
  readonly #spoil: Spoil;
  #holds = 0;

  constructor(options: CostTrackerOptions, spoil: Spoil) {
    super(options);
    this.#spoil = spoil;
  }

  override async reserve(quote: Quote, options?: ReserveOptions): Promise<Reservation> {
    const hold = await super.reserve(quote, options);
    this.#holds += 1;
    const { settle, release } = this.#spoil(hold, this.#holds, this);
    const real = { settle: hold.settle.bind(hold), release: hold.release.bind(hold) };
    return Object.assign(hold, { settle: settle ?? real.settle, release: release ?? real.release });
  }
}

/** Lets everything through, as one does who looks only after the call. */
class LateTracker extends CostTracker {
  readonly #open = new CostTracker();

  override async reserve(quote: Quote, options?: ReserveOptions): Promise<Reservation> {
    const hold = await this.#open.reserve(quote, options);
    const settle = hold.settle.bind(hold);
    hold.settle = async (receipt) => {
      await settle(receipt);
      await this.addCost(usd.pico(receipt.costPicoUsd));
    };
    return hold;
  }
}

const keep = async () => {};

/** Every mistake that is planted. */
export const brokenMeters: readonly BrokenMeter[] = [
  {
    name: "settles only what finishes",
    makeTracker: spoilt((hold) => {
      const settle = hold.settle.bind(hold);
      return { settle: (receipt) => (receipt.kind === "bound" ? keep() : settle(receipt)) };
    }),
    spoils: "bound",
    caughtBy: ["aborted while the answer is made", "connection cut before the first byte", "no JSON"],
  },
  {
    name: "releases what was aborted or broke",
    makeTracker: spoilt((hold) => {
      const settle = hold.settle.bind(hold);
      return { settle: (receipt) => (receipt.kind === "bound" ? hold.release("it broke") : settle(receipt)) };
    }),
    spoils: "bound",
    caughtBy: ["aborted while the answer is made", "HTTP 502", "no JSON"],
  },
  {
    name: "forgets retries",
    makeTracker: spoilt((hold, nth) => (nth === 1 ? {} : { settle: () => hold.release("counted already") })),
    caughtBy: ["HTTP 429, then an answer"],
  },
  {
    name: "settles twice",
    makeTracker: spoilt((hold, _nth, tracker) => {
      const settle = hold.settle.bind(hold);
      return {
        settle: async (receipt) => {
          await settle(receipt);
          await tracker.addCost(usd.pico(receipt.costPicoUsd));
        },
      };
    }),
    caughtBy: ["answered", "HTTP 429, then an answer", "aborted while the answer is made"],
  },
  {
    name: "does not flag a bound",
    makeTracker: spoilt((hold) => {
      const settle = hold.settle.bind(hold);
      return { settle: (receipt) => settle({ ...receipt, kind: "computed" }) };
    }),
    spoils: "bound",
    caughtBy: ["aborted while the answer is made", "HTTP 502", "no JSON"],
  },
  {
    name: "counts everything at its bound",
    makeTracker: spoilt((hold) => {
      const settle = hold.settle.bind(hold);
      return { settle: () => settle({ costPicoUsd: hold.quote.boundPicoUsd, kind: "bound" }) };
    }),
    caughtBy: ["answered", "HTTP 429, then an answer"],
  },
  {
    name: "counts what was expected, not what it cost",
    makeTracker: spoilt((hold) => {
      const settle = hold.settle.bind(hold);
      const { expectedPicoUsd = 0n } = hold.quote;
      return { settle: (receipt) => settle({ ...receipt, costPicoUsd: expectedPicoUsd }) };
    }),
    caughtBy: ["answered"],
  },
  {
    name: "loses a pico-USD to rounding",
    makeTracker: spoilt((hold) => {
      const settle = hold.settle.bind(hold);
      return { settle: (receipt) => settle({ ...receipt, costPicoUsd: receipt.costPicoUsd - 1n }) };
    }),
    caughtBy: ["answered", "HTTP 429, then an answer"],
  },
  {
    name: "charges for refusals",
    makeTracker: spoilt((hold) => ({
      release: () => hold.settle({ costPicoUsd: hold.quote.boundPicoUsd, kind: "bound" }),
    })),
    caughtBy: ["HTTP 400", "HTTP 429, then an answer", "credit used up"],
  },
  {
    name: "never frees what was refused",
    makeTracker: spoilt(() => ({ release: keep })),
    caughtBy: ["HTTP 400", "HTTP 429 for good, tried twice"],
  },
  {
    name: "looks at the budget only after the call",
    makeTracker: (options) => new LateTracker(options),
    caughtBy: ["answered"],
  },
  {
    name: "checks before, adds after",
    makeTracker: (options) => new CostTracker({ ...options, mode: "check" }),
    caughtBy: ["answered"],
  },
];
