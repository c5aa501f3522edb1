/** A range of costs in USD: the middle, and what it is below and above in one of ten cases each. */
export interface CostRange {
  p10: number;
  p50: number;
  p90: number;
}

/** 90th percentile of the normal distribution. */
const z90 = 1.2816;
/** From so many rows on there is something to say. */
const fewestRows = 5;
/** How far off the price list's word on a character may be, as a share of it: languages differ in letters per token. */
const priorSpread = 0.4;

/**
 * What rows will cost, learnt from those that were paid for. Two things add up:
 *
 * - First calls: a part that all rows share (the instructions) and a part that grows with the text, by least squares.
 *   Where the texts seen so far are all alike, as at the begin of a file that is sorted by length, the price of a
 *   character stands in for what cannot be learnt yet.
 * - Further calls (repairs, attempts that failed but were billed): a share of the first calls. They are few, so their rate
 *   is uncertain, and more upwards than downwards: none in 200 rows does not mean none in 20,000.
 *
 * Floating point: a forecast is for reading, never for the books.
 */
export class CostModel {
  readonly #perCharacter: number | undefined;
  #rows = 0;
  #meanSize = 0;
  #meanCost = 0;
  #sizes = 0;
  #costs = 0;
  #products = 0;
  #furtherCalls = 0;
  #furtherCost = 0;
  #firstOfFurther = 0;

  /** @param perCharacter what a character of text costs by the price list, in USD; undefined where nothing tells. */
  constructor(perCharacter?: number) {
    this.#perCharacter = perCharacter;
  }

  /** Learns from the first call for a row: its text's length in characters, and what it cost in USD. */
  first(size: number, cost: number): void {
    this.#rows++;
    const [fromSize, fromCost] = [size - this.#meanSize, cost - this.#meanCost];
    this.#meanSize += fromSize / this.#rows;
    this.#meanCost += fromCost / this.#rows;
    this.#sizes += fromSize * (size - this.#meanSize);
    this.#costs += fromCost * (cost - this.#meanCost);
    this.#products += fromSize * (cost - this.#meanCost);
  }

  /** A row that was paid for is asked again. */
  again(): void {
    this.#furtherCalls++;
  }

  /** Learns what further calls for a row did cost, whose first one did cost `first`, in USD. */
  further(calls: number, cost: number, first: number): void {
    this.#furtherCost += cost;
    this.#firstOfFurther += calls * first;
  }

  /**
   * What so many rows, with so many characters together, will cost; undefined where too little is known.
   *
   * @param repeated what the first calls did cost, in USD, of rows that are being asked again.
   */
  forecast(rows: number, characters: number, repeated = 0): CostRange | undefined {
    if (rows === 0 && repeated === 0) return { p10: 0, p50: 0, p90: 0 };
    if (this.#rows < fewestRows) return undefined;
    const first = this.#firstCalls(rows, characters);
    const further = this.#furtherCallsOf(rows, first.middle);
    const middle = first.middle + further.middle + repeated * this.#relative;
    return {
      p10: Math.max(0, middle - Math.hypot(first.spread, further.below)),
      p50: middle,
      p90: middle + Math.hypot(first.spread, further.above),
    };
  }

  /** What a further call costs, by what the first one for its row did. */
  get #relative(): number {
    return this.#firstOfFurther > 0 ? this.#furtherCost / this.#firstOfFurther : 1;
  }

  #firstCalls(rows: number, characters: number): { middle: number; spread: number } {
    const degrees = this.#rows - 2;
    const explained = this.#sizes > 0 ? this.#products ** 2 / this.#sizes : 0;
    const noise = Math.max(0, this.#costs - explained) / degrees;
    const { slope, variance } = this.#slope(noise);
    const beyond = characters - rows * this.#meanSize;
    // Of the rows to come, of the mean that was learnt, and of what a character costs.
    const total = noise * (rows + rows ** 2 / this.#rows) + beyond ** 2 * variance;
    const middle = Math.max(0, rows * this.#meanCost + beyond * slope);
    return { middle, spread: studentT90(degrees) * Math.sqrt(total) };
  }

  /** What a character costs: as seen, and as listed, each by its certainty. */
  #slope(noise: number): { slope: number; variance: number } {
    const listed = this.#perCharacter;
    const doubt = listed === undefined ? Number.POSITIVE_INFINITY : (priorSpread * listed) ** 2;
    const weight = listed === undefined || doubt === 0 ? 0 : noise / doubt;
    const certainty = this.#sizes + weight;
    if (certainty === 0) return { slope: listed ?? 0, variance: 0 };
    return { slope: (this.#products + weight * (listed ?? 0)) / certainty, variance: noise / certainty };
  }

  /** Further calls, given what the first ones cost: the rate has a gamma distribution (Jeffreys prior). */
  #furtherCallsOf(rows: number, firstCost: number): { middle: number; below: number; above: number } {
    const shape = this.#furtherCalls + 0.5;
    const relative = this.#relative;
    const costAt = (z: number) => (gammaQuantile(shape, z) / this.#rows) * relative * firstCost;
    const middle = costAt(0);
    const perCall = rows === 0 ? 0 : (relative * firstCost) / rows;
    const chance = z90 * perCall * Math.sqrt((rows * shape) / this.#rows);
    return {
      middle,
      below: Math.hypot(middle - costAt(-z90), Math.min(middle, chance)),
      above: Math.hypot(costAt(z90) - middle, chance),
    };
  }
}

/** A quantile of the gamma distribution with scale 1 (Wilson and Hilferty). */
function gammaQuantile(shape: number, z: number): number {
  return shape * Math.max(0, 1 - 1 / (9 * shape) + z / (3 * Math.sqrt(shape))) ** 3;
}

/** 90th percentile of Student's t (the first terms of its series in 1 / degrees). */
function studentT90(degrees: number): number {
  const z = z90;
  return z + (z ** 3 + z) / (4 * degrees) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2);
}
