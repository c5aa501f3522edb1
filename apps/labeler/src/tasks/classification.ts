import type { LabelSet } from "./label-set.ts";
import type { AnswerForm } from "./task.ts";

/** One label of a set for each text. */
export function classification(labels: LabelSet): AnswerForm {
  const longest = Math.max(...labels.names.map((name) => JSON.stringify({ result: name }).length));
  return {
    instructions: ["Assign the text of the user's message to exactly one of these labels:", ...labels.lines],
    schema: { type: "string", enum: [...labels.names] },
    sketch: '"<label>"',
    // A token holds a byte or more, so no label is cut off; a fence or a word around it still fits.
    maxOutputTokens: Math.max(32, 2 * longest),
    read: (result) => {
      const label = labels.find(result);
      return label === undefined ? { problem: "no label of the set" } : { label };
    },
  };
}
