import type { JsonObject } from "./json.ts";
import { scoreLabels } from "./label-matching.ts";
import type { ModelRequest } from "./model-request.ts";
import { answerSchema, findLabels, type SchemaChoices } from "./schema-answer.ts";
import { seededFraction, seededIndex } from "./seeded-random.ts";

/** What a scripted answer is told about a request. */
export interface AnswerRequest {
  readonly model: string;
  readonly messages: readonly JsonObject[];
  /** The text of the last user message. */
  readonly lastUserText: string;
  /** The JSON schema of the wanted answer, or undefined. */
  readonly schema: JsonObject | undefined;
  /** The first list of labels in the schema, or undefined. */
  readonly labels: readonly string[] | undefined;
  /** How many times the same messages were requested before, failed requests included. */
  readonly attempt: number;
}

/** A label that no schema allows. */
const INVALID_LABEL = "not_a_label";

const WORDS = (
  "the a this that order account message answer customer simple short clear usual first last next " +
  "asks shows needs gives keeps makes finds takes with about from under before after and but so because"
).split(" ");

/** The built-in answer: a function of the seed, the messages and the number of the choice, nothing else. */
export function composeAnswer(
  request: ModelRequest,
  options: { seed: string; errorRate: number; choice: number; invalidLabel?: string | undefined },
): string {
  const choices = seededChoices(request, options);
  if (request.tool) return JSON.stringify(answerSchema(request.tool.parameters, choices));
  if (request.schema) return JSON.stringify(answerSchema(request.schema, choices));
  if (options.invalidLabel !== undefined) return options.invalidLabel;
  if (request.wantsJson) return JSON.stringify({ answer: choices.text("answer") });
  return Array.from({ length: 1 + Math.floor(choices.fraction("sentences") * 3) }, (_, index) =>
    sentence(options.seed, `${request.promptHash} ${options.choice} ${index}`),
  ).join(" ");
}

/** What a scripted answer needs to know. */
export function answerRequest(request: ModelRequest, model: string, attempt: number): AnswerRequest {
  const { messages, lastUserText, schema } = request;
  return { model, messages, lastUserText, schema, labels: findLabels(schema), attempt };
}

/** The text that the `invalid-label` fault answers instead of a label. */
export function invalidLabelText(body: unknown): string {
  return typeof body === "string" ? body : INVALID_LABEL;
}

function seededChoices(
  request: ModelRequest,
  options: { seed: string; errorRate: number; choice: number; invalidLabel?: string | undefined },
): SchemaChoices {
  const key = `${request.promptHash} ${options.choice}`;
  return {
    pick(values, position) {
      if (options.invalidLabel !== undefined) return options.invalidLabel;
      const best = bestIndex(values.map(String), request.lastUserText, `${options.seed} ${key} ${position}`);
      const isWrong = seededFraction(options.seed, "wrong", key, position) < options.errorRate;
      if (!isWrong || values.length < 2) return values[best];
      return values[(best + 1 + seededIndex(values.length - 1, options.seed, "other", key, position)) % values.length];
    },
    text: (position) => sentence(options.seed, `${key} ${position}`),
    fraction: (position) => seededFraction(options.seed, "fraction", key, position),
  };
}

function bestIndex(labels: readonly string[], text: string, tieSeed: string): number {
  const scores = scoreLabels(labels, text);
  const top = Math.max(...scores);
  const best = scores.flatMap((score, index) => (score === top ? [index] : []));
  return best[seededIndex(best.length, tieSeed)] ?? 0;
}

function sentence(seed: string, key: string): string {
  const length = 4 + seededIndex(8, seed, "length", key);
  const words = Array.from(
    { length },
    (_, index) => WORDS[seededIndex(WORDS.length, seed, "word", key, index)] ?? "so",
  );
  const text = words.join(" ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
