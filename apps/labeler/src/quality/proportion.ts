/** A share that was counted, and how far chance may have moved it. */
export interface Proportion {
  /** How many are so. */
  count: number;
  /** Of how many. */
  total: number;
  /** `count / total`; null where there is nothing to count. */
  share: number | null;
  /** Ends of the 95 % Wilson interval; null where there is nothing to count. */
  low: number | null;
  high: number | null;
}

/** The two-sided 95 % quantile of the normal distribution. */
const z = 1.959963984540054;

/** A proportion with its 95 % interval by Wilson, which holds for small counts and at 0 and 1 too. */
export function proportion(count: number, total: number): Proportion {
  if (total === 0) return { count, total, share: null, low: null, high: null };
  const share = count / total;
  const scale = 1 + z ** 2 / total;
  const middle = (share + z ** 2 / (2 * total)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / total + z ** 2 / (4 * total ** 2));
  // At the ends the formula gives 0 and 1 but for rounding.
  const low = count === 0 ? 0 : middle - half;
  const high = count === total ? 1 : middle + half;
  return { count, total, share, low, high };
}
