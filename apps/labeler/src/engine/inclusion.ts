import type { ReachedRows, RowOrder } from "../store/run-store.ts";

/**
 * How the rows were chosen that a run has bought so far: whether they stand for the rest, and with what weight.
 *
 * After a random or stratified order each row had the probability `share` of its stratum to be reached; weight results by
 * `1 / share`. File order is no sample: the rows reached are the first ones of the file. Rows `beyond` the order came by a
 * probe (a random sample of its own), or because they were short enough for the last of the budget: leave those out where
 * length matters.
 */
export interface Inclusion extends Pick<ReachedRows, "inOrder" | "beyond"> {
  order: RowOrder;
  /** Whether rows were bought in another order before: then all together are no sample. */
  isMixed: boolean;
  /** Rows, and how many of them were bought, whatever came of it; by the order's column, or all under the value `""`. */
  strata: readonly { value: string; rows: number; reached: number; share: number }[];
}

/** Fact of a run whose rows were bought in several orders: together they are no sample. */
export const mixedOrders = "mixedOrders";

/** The order in which a run's rows were drawn by chance; undefined where they are no sample. */
export function sampleOrder(
  facts: Readonly<Record<string, string>>,
  { order }: { order: RowOrder },
): RowOrder | undefined {
  return order.kind === "file" || facts[mixedOrders] !== undefined ? undefined : order;
}

/** The inclusion of what was reached in an order. */
export function inclusionOf(order: RowOrder, { strata, ...places }: ReachedRows, isMixed = false): Inclusion {
  const shares = strata.map((stratum) => ({ ...stratum, share: stratum.reached / stratum.rows }));
  return { order, isMixed, ...places, strata: shares };
}
