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

/**
 * What rows will cost, learnt from those that were paid for: a part that all rows share (the instructions) and a part that
 * grows with the text, by least squares. Floating point: a forecast is for reading, never for the books.
 */
export class CostModel {
  #rows = 0;
  #meanSize = 0;
  #meanCost = 0;
  #sizes = 0;
  #costs = 0;
  #products = 0;

  /** Learns from one row: its text's length in characters, and what it cost in USD, all attempts together. */
  add(size: number, cost: number): void {
    this.#rows++;
    const [fromSize, fromCost] = [size - this.#meanSize, cost - this.#meanCost];
    this.#meanSize += fromSize / this.#rows;
    this.#meanCost += fromCost / this.#rows;
    this.#sizes += fromSize * (size - this.#meanSize);
    this.#costs += fromCost * (cost - this.#meanCost);
    this.#products += fromSize * (cost - this.#meanCost);
  }

  /** What so many rows, with so many characters together, will cost; undefined where too little is known. */
  forecast(rows: number, characters: number): CostRange | undefined {
    if (rows === 0) return { p10: 0, p50: 0, p90: 0 };
    if (this.#rows < fewestRows) return undefined;
    const perCharacter = this.#sizes > 0 ? this.#products / this.#sizes : 0;
    const further = characters - rows * this.#meanSize;
    const middle = rows * this.#meanCost + further * perCharacter;
    const noise = Math.max(0, this.#costs - perCharacter * this.#products) / (this.#rows - 2);
    // Of the rows to come, and of what was learnt from the ones before.
    const learnt = rows ** 2 / this.#rows + (this.#sizes > 0 ? further ** 2 / this.#sizes : 0);
    const spread = z90 * Math.sqrt(noise * (rows + learnt));
    return { p10: Math.max(0, middle - spread), p50: Math.max(0, middle), p90: Math.max(0, middle + spread) };
  }
}
