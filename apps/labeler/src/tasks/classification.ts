import { jsonTokens } from "./json-tokens.ts";
import type { LabelSet } from "./label-set.ts";
import type { AnswerForm } from "./task.ts";

/** One label of a set for each text. */
export function classification(labels: LabelSet): AnswerForm {
  const lengths = labels.names.map((name) => JSON.stringify({ result: name }).length);
  const longest = Math.max(...lengths);
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  return {
    instructions: ["Assign the text of the user's message to exactly one of these labels:", ...labels.lines],
    schema: { type: "string", enum: [...labels.names] },
    sketch: '"<label>"',
    // A token holds a byte or more, so no label is cut off; a fence or a word around it still fits.
    maxOutputTokens: Math.max(32, 2 * longest),
    usualOutputTokens: jsonTokens(mean),
    read: (result) => {
      const label = labels.find(result);
      return label === undefined ? { problem: "no label of the set" } : { label };
    },
  };
}
