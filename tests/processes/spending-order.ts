/** What a process is told to do. */
export interface SpendingOrder {
  engine: string;
  url: string;
  baseUrl: string;
  /** Tells its prompts from those of the others. */
  number: number;
  calls: number;
  /** How many at once. */
  concurrency: number;
  /** In USD, as decimal text. */
  budget: string;
  /** The budget starts anew each day of Tokyo. */
  isDaily: boolean;
  /** How far its clock is ahead. */
  skewMs: number;
}

/** What it says at its end. */
export interface SpendingReport {
  made: number;
  denied: number;
  /** Thresholds of the alerts that it was told. */
  alerts: number[];
}
