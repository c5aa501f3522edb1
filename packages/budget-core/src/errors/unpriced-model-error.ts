import { BudgetError, hasCode } from "./budget-error.ts";

/** No price is known for a model, so its cost cannot be bounded. Nothing was sent. */
export class UnpricedModelError extends BudgetError {
  readonly provider: string;
  readonly modelId: string;
  /** Ids that are priced and look alike, nearest first. Never used by themselves: a guess is not a price. */
  readonly nearest: readonly string[];

  constructor(options: { provider: string; modelId: string; nearest?: readonly string[]; reason?: string }) {
    const { provider, modelId, nearest = [], reason = "no price is known" } = options;
    const meant = nearest.length > 0 ? ` Did you mean ${nearest.join(", ")}?` : "";
    super({
      code: "unpriced_model",
      message:
        `Model "${modelId}" of ${provider} cannot be used under a budget: ${reason}.${meant} ` +
        `To use it, state its price in USD per 1M tokens: prices: { "${modelId}": { input: "0.15", output: "0.60" } }`,
    });
    this.name = "UnpricedModelError";
    this.provider = provider;
    this.modelId = modelId;
    this.nearest = nearest;
  }

  static override isInstance(error: unknown): error is UnpricedModelError {
    return hasCode(error, "unpriced_model");
  }
}
