import type { Money, Usd } from "@autolabel/budget-core";
import type { StatedPrice } from "@autolabel/budget-core/prices";
import type { JSONSchema7 } from "ai";
import { z } from "zod";
import type { RowOrder } from "../store/run-store.ts";
import type { Labels } from "../tasks/label-set.ts";
import { type Example, type TaskKind, taskKinds } from "../tasks/task.ts";
import { UsageError } from "../usage-error.ts";
import { checkPrices } from "./check-prices.ts";
import { readBudget } from "./settings.ts";

/** What {@link LabelingConfig} takes. */
export interface LabelingConfigInput {
  /** Provider and model, such as `openrouter:openai/gpt-4o-mini`. */
  model: string;
  /** What each row is asked for. Default `classification`. */
  task?: TaskKind;
  /**
   * The labels, or the kinds of entities: names, or names with what they mean. At least two for a classification, one for
   * `multilabel` and `entities`; the other tasks take none.
   */
  labels?: Labels;
  /** What `extraction` fills: a Zod object or its JSON schema. */
  schema?: JSONSchema7 | z.ZodObject;
  /** Limit of this run in USD, over all its resumes. Absent: the settings' `llmBudget`. */
  budget?: Usd | "unlimited";
  /** What the labels mean and how to decide, in your words. */
  guidelines?: string;
  /** Texts with the answers they should get, shown to the model. */
  examples?: readonly Example[];
  /** Which examples go with a row: the same ones (default), or those whose words are most like the row's. */
  exampleSelection?: "fixed" | "similar";
  /** How many examples go with a row. Default: all where they are fixed, else 8. */
  exampleCount?: number;
  /** Whether the model writes its reasons before the answer. They are paid for and kept. Default false. */
  chainOfThought?: boolean;
  /** Whether the model states how sure it is, from 0 to 1: its own word, not calibrated. Default false. */
  confidence?: boolean;
  /** Whether an answer that is no label, or was cut off, is asked for once more. Default true. */
  repair?: boolean;
  /** Whether rows of equal text are bought once. Default true. */
  dedupe?: boolean;
  /** In which order rows are bought. Default: as they come. */
  order?: RowOrder;
  /** Calls in flight at most. Default 16. */
  concurrency?: number;
  /** Requests per minute at most. Default: as many as the provider's headers allow. */
  requestsPerMinute?: number;
  /** Tokens per minute at most, input and output cap together. Default: as many as the provider's headers allow. */
  tokensPerMinute?: number;
  /** Longest wait that the provider may ask for within the run, in ms; after it the run pauses. Default 600,000. */
  longestWaitMs?: number;
  /** Output cap of a call in tokens. Default: what the task usually needs, with room to spare. */
  maxOutputTokens?: number;
  /** Attempts per row, the first included, for errors that pass by themselves (429, 5xx, network). Default 5. */
  maxAttempts?: number;
  /** How long one call may take, in ms. Default 120,000. */
  timeoutMs?: number;
  /** Prices of models that the price book lacks, by model id, in USD per 1M tokens. */
  prices?: Readonly<Record<string, StatedPrice>>;
}

const name = z.string().trim().min(1, "a label must not be empty");
const example = z.object({ text: z.string(), label: z.json(), explanation: z.string().optional() });
const seed = z.int().default(1);

const schema = z.object({
  model: z.string(),
  task: z.enum(taskKinds).default("classification"),
  labels: z
    .union([
      z.array(name).refine((labels) => new Set(labels).size === labels.length, "a label stands twice"),
      z.record(name, z.string()),
    ])
    .optional(),
  guidelines: z.string().optional(),
  examples: z.array(example).default([]),
  exampleSelection: z.enum(["fixed", "similar"]).default("fixed"),
  exampleCount: z.int().min(0).optional(),
  chainOfThought: z.boolean().default(false),
  confidence: z.boolean().default(false),
  repair: z.boolean().default(true),
  dedupe: z.boolean().default(true),
  order: z
    .discriminatedUnion("kind", [
      z.object({ kind: z.literal("file") }),
      z.object({ kind: z.literal("random"), seed }),
      z.object({ kind: z.literal("stratified"), seed, column: z.string() }),
    ])
    .default({ kind: "file" }),
  concurrency: z.int().min(1).max(4096).default(16),
  requestsPerMinute: z.number().positive().optional(),
  tokensPerMinute: z.number().positive().optional(),
  longestWaitMs: z.number().min(0).default(600_000),
  maxOutputTokens: z.int().min(1).optional(),
  maxAttempts: z.int().min(1).max(100).default(5),
  timeoutMs: z.int().min(1).default(120_000),
});

/** How many labels a task needs at least; 0 where it takes none. */
const leastLabels: Readonly<Record<TaskKind, number>> = {
  classification: 2,
  multilabel: 1,
  entities: 1,
  extraction: 0,
  question_answering: 0,
};

/** How a data set is labeled. */
export class LabelingConfig {
  readonly model: string;
  readonly task: TaskKind;
  readonly labels: Labels | undefined;
  /** JSON schema of what an extraction fills. */
  readonly schema: JSONSchema7 | undefined;
  /** Limit of this run; `"unlimited"` was asked for by that word; undefined: none of its own. */
  readonly budget: Money | "unlimited" | undefined;
  readonly guidelines: string | undefined;
  readonly examples: Readonly<{ items: readonly Example[]; select: "fixed" | "similar"; count: number }>;
  readonly chainOfThought: boolean;
  readonly confidence: boolean;
  readonly repair: boolean;
  readonly dedupe: boolean;
  readonly order: RowOrder;
  readonly concurrency: number;
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
  readonly longestWaitMs: number;
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
    this.task = data.task;
    this.labels = data.labels;
    this.schema = input.schema && jsonSchemaOf(input.schema);
    checkForm(this);
    this.budget =
      input.budget === undefined || input.budget === "unlimited" ? input.budget : readBudget(input.budget, "budget");
    this.guidelines = data.guidelines;
    const select = data.exampleSelection;
    const count = data.exampleCount ?? (select === "fixed" ? data.examples.length : 8);
    this.examples = { items: data.examples as Example[], select, count };
    this.chainOfThought = data.chainOfThought;
    this.confidence = data.confidence;
    this.repair = data.repair;
    this.dedupe = data.dedupe;
    this.order = data.order;
    this.concurrency = data.concurrency;
    this.requestsPerMinute = data.requestsPerMinute;
    this.tokensPerMinute = data.tokensPerMinute;
    this.longestWaitMs = data.longestWaitMs;
    this.maxOutputTokens = data.maxOutputTokens;
    this.maxAttempts = data.maxAttempts;
    this.timeoutMs = data.timeoutMs;
    checkPrices(input.prices);
    this.prices = input.prices;
  }
}

/** The input as JSON, to be kept with a run: a Zod schema becomes its JSON schema. */
export function storedConfig(input: LabelingConfigInput): string {
  return JSON.stringify({ ...input, ...(input.schema ? { schema: jsonSchemaOf(input.schema) } : {}) });
}

function jsonSchemaOf(schema: JSONSchema7 | z.ZodObject): JSONSchema7 {
  return schema instanceof z.ZodType ? (z.toJSONSchema(schema) as JSONSchema7) : schema;
}

/** @throws UsageError where the task lacks what it needs, or has what it does not take. */
function checkForm({ task, labels, schema: fields }: Pick<LabelingConfig, "task" | "labels" | "schema">): void {
  const least = leastLabels[task];
  const count = Array.isArray(labels) ? labels.length : Object.keys(labels ?? {}).length;
  if (count < least) {
    throw new UsageError(`labels: ${least === 2 ? "at least two labels are needed" : "at least one label is needed"}`);
  }
  if (least === 0 && count > 0) throw new UsageError(`labels: a task of the kind ${task} takes none; leave them out`);
  if (task === "extraction" && fields?.type !== "object")
    throw new UsageError("schema: extraction needs a JSON schema of the type object, or a Zod object");
  if (task !== "extraction" && fields) throw new UsageError(`schema: only extraction takes one; the task is ${task}`);
}
