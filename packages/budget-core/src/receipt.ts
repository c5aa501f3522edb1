import type { JSONValue } from "@ai-sdk/provider";
import { InvalidAmountError } from "./errors/invalid-amount-error.ts";
import { isValidUsage, type Usage } from "./usage.ts";

/** What a finished call cost and how we know. */
export interface Receipt {
  /** Cost in pico-USD (1e-12 USD). */
  costPicoUsd: bigint;
  /**
   * The evidence: `reported` by the provider, `computed` from usage and price, or the `bound` of the hold because the
   * provider told nothing. Default `reported`.
   */
  kind?: "reported" | "computed" | "bound";
  /** Billable counts, if the provider told them. */
  usage?: Usage;
  /** The model that served the call; with fallbacks it can differ from the one asked for. */
  modelId?: string;
  /** Hash of the price book that the hold was bounded with. Set by the tracker. */
  priceBook?: string;
  /** True when the cost is above the hold's bound. Set by the tracker. */
  boundBreached?: boolean;
}

/** Upper bound and expectation of a call before it is sent. Only `boundPicoUsd` is required of a custom extractor. */
export interface Quote {
  /** The most that the call can cost, in pico-USD; this much is held. */
  boundPicoUsd: bigint;
  /** What it will probably cost, in pico-USD. */
  expectedPicoUsd?: bigint;
  /** The output cap that the bound assumes; it is sent with the request. */
  maxOutputTokens?: number;
  /** Hash of the price book that the bound was computed with. */
  priceBook?: string;
  /** Settings by provider name without which the bound does not hold, such as a highest price; sent with the request. */
  providerOptions?: Readonly<Record<string, Readonly<Record<string, JSONValue>>>>;
}

/** @throws InvalidAmountError unless the receipt holds finite integers >= 0 only. */
export function assertReceipt(receipt: Receipt): void {
  assertPicoUsd("costPicoUsd of a receipt", receipt.costPicoUsd);
  if (receipt.usage && !isValidUsage(receipt.usage)) {
    throw new InvalidAmountError({ what: "usage of a receipt", given: JSON.stringify(receipt.usage) });
  }
}

/** @throws InvalidAmountError unless `amount` is a bigint >= 0. */
export function assertPicoUsd(what: string, amount: unknown): void {
  if (typeof amount !== "bigint" || amount < 0n) throw new InvalidAmountError({ what, given: amount });
}
