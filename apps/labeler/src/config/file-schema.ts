import { z } from "zod";
import { dataFormats } from "../data/data-format.ts";

const amount = z.union([z.number(), z.string()]);

/** Names of tasks in configuration files, refuel-autolabel's among them, and what they are here. */
export const taskTypes = {
  classification: "classification",
  multilabel: "multilabel",
  multilabel_classification: "multilabel",
  entities: "entities",
  named_entity_recognition: "entities",
  extraction: "extraction",
  attribute_extraction: "extraction",
  question_answering: "question_answering",
} as const;

/** The same of ways to select examples. */
export const selections = { fixed: "fixed", similar: "similar", semantic_similarity: "similar" } as const;

const oneOf = <T extends object>(names: T) => z.enum(Object.keys(names) as [keyof T & string]);

const dataset = z.strictObject({
  path: z.string().optional().describe("The data file, relative to this one."),
  text_column: z.string().optional().describe("The column that is labeled."),
  label_column: z.string().optional().describe("The column with the true labels, where the data has one."),
  id_column: z.string().optional().describe("The column that names the rows. Default: row_id or id, else their place."),
  format: z.enum(dataFormats).optional().describe("Where the file's ending tells none."),
  encoding: z
    .string()
    .optional()
    .describe("Of text files, such as windows-1252. Default: UTF-8, or UTF-16 with its mark."),
  delimiter: z.string().length(1).optional().describe("What separates the columns of a .csv file. Default: a comma."),
});

const model = z.strictObject({
  provider: z.enum(["openrouter", "openai", "corporate"]),
  name: z.string().describe("The provider's own id, such as openai/gpt-4o-mini."),
  params: z
    .looseObject({ max_tokens: z.int().min(1).optional() })
    .optional()
    .describe("max_tokens caps the output."),
  price: z
    .strictObject({ input: amount, output: amount })
    .optional()
    .describe("USD per 1M tokens, for a model that is not listed."),
});

const prompt = z.strictObject({
  task_guidelines: z.string().optional().describe("What the labels mean and how to decide, in your words."),
  labels: z
    .union([z.array(z.string()), z.record(z.string(), z.string()), z.string()])
    .optional()
    .describe("Names, or names with what they mean; or a .json or .txt file with them."),
  schema: z
    .union([z.string(), z.looseObject({})])
    .optional()
    .describe("What an extraction fills: a JSON schema, or a .json file with one."),
  few_shot_examples: z
    .union([z.string(), z.array(z.looseObject({}))])
    .optional()
    .describe("Rows with their labels: a data file, or a list."),
  few_shot_selection: oneOf(selections)
    .optional()
    .describe("The same examples for all rows, or the most similar ones."),
  few_shot_num: z.int().min(0).optional().describe("How many examples go with a row."),
  example_template: z.string().optional().describe("The text of a row, columns in braces: {title}: {body}"),
  chain_of_thought: z.boolean().optional().describe("The model writes its reasons first."),
  confidence: z.boolean().optional().describe("The model states how sure it is."),
});

const budget = z.strictObject({
  max_usd: amount.optional().describe("USD for the whole run, resumes included, or unlimited."),
  pool: z
    .strictObject({ name: z.string(), max_usd: amount.describe("USD for all runs of the pool together.") })
    .optional()
    .describe("A further limit, shared by all runs that name it."),
  max_usd_per_row: amount.optional().describe("USD for one row, all its attempts together."),
});

const limits = z.strictObject({
  max_concurrent_requests: z.int().min(1).optional(),
  max_requests_per_minute: z.number().positive().optional(),
  max_tokens_per_minute: z.number().positive().optional(),
});

/** The keys of `autolabel.yaml`. */
export const fileSchema = z.strictObject({
  $schema: z.string().optional(),
  task_name: z.string().optional().describe("Names the run. Default: the data file's name."),
  task_type: oneOf(taskTypes).optional().describe("Default: classification."),
  dataset: dataset.optional(),
  model: z.union([z.string(), model]).optional().describe("openrouter:openai/gpt-4o-mini, or provider and name."),
  prompt: prompt.optional(),
  budget: z
    .union([amount, budget])
    .optional()
    .describe("USD for the whole run, resumes included, or unlimited; or several limits."),
  limits: limits.optional(),
  order: z
    .union([z.enum(["file", "random"]), z.strictObject({ stratified: z.string().describe("a column") })])
    .optional()
    .describe("In which order rows are bought. Other than file, a budget that ends early leaves a fair sample."),
  dedupe: z.boolean().optional().describe("Whether rows of equal text are bought once. Default: true."),
  output: z.string().optional().describe("Where all rows go, relative to this file."),
});

/** A configuration file, as it is written. */
export type ConfigFile = z.infer<typeof fileSchema>;

/** JSON schema of the file, for editors. */
export function configFileJsonSchema(): object {
  return { ...z.toJSONSchema(fileSchema, { io: "input" }), title: "autolabel.yaml" };
}
