import type { Money, Usd } from "@autolabel/budget-core";
import type { StatedPrice } from "@autolabel/budget-core/prices";
import { z } from "zod";
import { UsageError } from "../usage-error.ts";
import { readBudget } from "./settings.ts";

/** What {@link LabelingConfig} takes. */
export interface LabelingConfigInput {
  /** Provider and model, such as `openrouter:openai/gpt-4o-mini`. */
  model: string;
  /** The labels; each row gets one of them. At least two. */
  labels: readonly string[];
  /** Limit of this run in USD, over all its resumes. Absent: the settings' `llmBudget`. */
  budget?: Usd | "unlimited";
  /** What the labels mean and how to decide, in your words. */
  guidelines?: string;
  /** Calls in flight at most. Default 16. */
  concurrency?: number;
  /** Output cap of a call in tokens. Default: twice what the longest label needs, and at least 32. */
  maxOutputTokens?: number;
  /** Attempts per row, the first included, for errors that pass by themselves (429, 5xx, network). Default 5. */
  maxAttempts?: number;
  /** How long one call may take, in ms. Default 120,000. */
  timeoutMs?: number;
  /** Prices of models that the price book lacks, by model id, in USD per 1M tokens. */
  prices?: Readonly<Record<string, StatedPrice>>;
}

const schema = z.object({
  model: z.string(),
  labels: z
    .array(z.string().trim().min(1, "a label must not be empty"))
    .min(2, "at least two labels are needed")
    .refine((labels) => new Set(labels).size === labels.length, "a label stands twice"),
  guidelines: z.string().optional(),
  concurrency: z.int().min(1).max(4096).default(16),
  maxOutputTokens: z.int().min(1).optional(),
  maxAttempts: z.int().min(1).max(100).default(5),
  timeoutMs: z.int().min(1).default(120_000),
});

/** How a data set is labeled. */
export class LabelingConfig {
  readonly model: string;
  readonly labels: readonly string[];
  /** Limit of this run; `"unlimited"` was asked for by that word; undefined: none of its own. */
  readonly budget: Money | "unlimited" | undefined;
  readonly guidelines: string | undefined;
  readonly concurrency: number;
  readonly maxOutputTokens: number | undefined;
  readonly maxAttempts: number;
  readonly timeoutMs: number;
  readonly prices: Readonly<Record<string, StatedPrice>> | undefined;

  /** @throws UsageError that names the field and the fix. */
  constructor(input: LabelingConfigInput) {
    const parsed = schema.safeParse(input);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new UsageError(`${String(issue?.path[0] ?? "config")}: ${issue?.message ?? "not valid"}`);
    }
    const { data } = parsed;
    this.model = data.model;
    this.labels = data.labels;
    this.budget =
      input.budget === undefined || input.budget === "unlimited" ? input.budget : readBudget(input.budget, "budget");
    this.guidelines = data.guidelines;
    this.concurrency = data.concurrency;
    this.maxOutputTokens = data.maxOutputTokens;
    this.maxAttempts = data.maxAttempts;
    this.timeoutMs = data.timeoutMs;
    this.prices = input.prices;
  }
}
