import { jsonTokens } from "./json-tokens.ts";
import type { LabelSet } from "./label-set.ts";
import type { AnswerForm } from "./task.ts";

/** Characters of `{"result":[]}`. */
const emptyList = 13;
const usualLabels = 1.5;

/** Every label of a set that applies to a text, in the order of the set; none may apply. */
export function multilabel(labels: LabelSet): AnswerForm {
  const { names } = labels;
  return {
    instructions: [
      "List every one of these labels that applies to the text of the user's message; none may apply:",
      ...labels.lines,
    ],
    schema: { type: "array", items: { type: "string", enum: [...names] } },
    sketch: '["<label>", …]',
    maxOutputTokens: 32 + JSON.stringify(names).length,
    usualOutputTokens: jsonTokens(emptyList + usualLabels * (JSON.stringify(names).length / names.length)),
    read: (result) => {
      if (!Array.isArray(result)) return { problem: "no list of labels" };
      const found = result.map((said) => labels.find(said));
      const unknown = found.indexOf(undefined);
      if (unknown >= 0) return { problem: `${JSON.stringify(result[unknown])} is no label of the set` };
      return { label: names.filter((name) => found.includes(name)) };
    },
  };
}
