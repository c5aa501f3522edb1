import type { Quote, Usage } from "@autolabel/budget-core";
import { type BillingReach, type ModelPrice, priceBound } from "@autolabel/budget-core/prices";

/** What a result tells of what is billed. */
export interface Told {
  usage: Usage;
  /** False when parts are not told and count as their dearest kind: then the cost is an upper bound. */
  isExact: boolean;
}

/** What a media call can use at most. */
export interface MediaBound {
  inputTokens: number;
  outputTokens: number;
  reach?: BillingReach;
}

/** The quote of a call that no output cap can be sent with. */
export function quoteMedia(price: ModelPrice, priceBook: string, bound: MediaBound): Quote {
  return { boundPicoUsd: priceBound(price, bound.inputTokens, bound.outputTokens, bound.reach), priceBook };
}

/** A listed limit is rounded; a tenth more holds it. */
export function limitTokens(maxTokens: number): number {
  return Math.ceil(maxTokens * 1.1);
}
