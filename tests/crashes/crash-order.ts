/** What a child is told to do. */
export interface CrashOrder {
  engine: string;
  url: string;
  baseUrl: string;
  seed: number;
  /** The process kills itself at its n-th point, from 0; without it, it ends by itself and says which points there were. */
  killAt: number | undefined;
  budgetPicoUsd: string;
}

/** What a child says that was not killed: the name of each of its points. */
export interface CrashReport {
  points: string[];
  /** Alerts that were told, by threshold. */
  alerts: number[];
}

/** How many calls a child makes: the first half one by one, the others two at a time. */
export const callsPerChild = 6;

/** Parts of the budget that its calls reach for certain. */
export const alertsDue = [0.05, 0.1, 0.2];
