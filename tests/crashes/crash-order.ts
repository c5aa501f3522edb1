/** What a child is told to do. */
export interface CrashOrder {
  engine: string;
  url: string;
  baseUrl: string;
  seed: number;
  /** How many calls it makes: the first half one by one, the others two at a time. */
  calls: number;
  /** The process kills itself at this point, `before settle 3`; without it, it ends by itself and says which there were. */
  killAt: string | undefined;
  budgetPicoUsd: string;
}

/** What a child says that was not killed. */
export interface CrashReport {
  /** All that it passed: the side of a trip, the step that made it, and the how many-th of these it was, from 1. */
  points: string[];
  /** Alerts that were told, by threshold. */
  alerts: number[];
}

/** Parts of the budget that its calls reach for certain. */
export const alertsDue = [0.05, 0.1, 0.2];
