/** Seeded randomness: the same seed gives the same schedule on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
  }

  /** An integer from 0 to `below - 1`. (mulberry32) */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  }

  /** True in `percent` of a hundred cases. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** One of the options. */
  pick<T>(options: readonly [T, ...T[]]): T {
    return options[this.below(options.length)] ?? options[0];
  }

  /** Numbers below `below`, in order, at least one. */
  some(below: number): number[] {
    const mask = 1 + this.below(2 ** below - 1);
    return Array.from({ length: below }, (_, index) => index).filter((index) => mask & (1 << index));
  }
}

/** The seed of the environment variable FUZZ_SEED, else one from the clock. Print it: it is all that a replay needs. */
export function seedFromEnvironment(environment: Readonly<Record<string, string | undefined>>): number {
  return Number(environment.FUZZ_SEED ?? Date.now() % 1_000_000_000);
}
