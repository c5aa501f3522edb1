import type { Stage } from "./stage.ts";

/** A claim of the demo, and whether the numbers bear it out. */
export interface Check {
  /** The promise that it stands for, in a few words. */
  claim: string;
  holds: boolean;
  /** The numbers. */
  evidence: string;
}

const evidenceColumn = 42;

/** All claims of a performance. Each is shown when it is made, with its mark. */
export class Checks {
  readonly #stage: Stage;
  readonly #checks: Check[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  get failed(): readonly Check[] {
    return this.#checks.filter(({ holds }) => !holds);
  }

  get count(): number {
    return this.#checks.length;
  }

  /** Notes a claim and shows it. */
  add(claim: string, holds: boolean, evidence: string): void {
    this.#checks.push({ claim, holds, evidence });
    const mark = markOf(this.#stage, holds);
    this.#stage.line(`${mark} ${claim.padEnd(evidenceColumn)}${this.#stage.style("dim", evidence)}`.trimEnd());
  }
}

/** A green tick, or a red cross. */
export function markOf(stage: Stage, holds: boolean): string {
  return holds ? stage.style("green", "✔") : stage.style(["red", "bold"], "✘ FAILED:");
}
