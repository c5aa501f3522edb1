import type { Random } from "./random.ts";

/**
 * Decides who goes on when many things are under way at once. Whoever waits at the {@link gate} is let through in random
 * order, a random number of microtasks apart: seeded, so that an order that breaks something comes again.
 */
export class Interleaving {
  readonly #random: Random;
  readonly #waiting: (() => void)[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** Waits for its turn. */
  gate(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /**
   * Lets them through until `isOver` and nobody is at the gate any more.
   *
   * @param onStuck called when nothing moves any more before it is over; false gives up.
   */
  async run(isOver: () => boolean, onStuck: () => Promise<boolean>): Promise<void> {
    for (;;) {
      const index = this.#random.below(this.#waiting.length);
      const [go] = this.#waiting.splice(index, 1);
      if (go) {
        go();
        for (let turns = this.#random.below(9); turns > 0; turns--) await Promise.resolve();
        continue;
      }
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#waiting.length > 0) continue;
      if (isOver() || !(await onStuck())) return;
    }
  }
}
