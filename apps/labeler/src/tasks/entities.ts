import { findMentions } from "./find-mentions.ts";
import { jsonTokens } from "./json-tokens.ts";
import type { LabelSet } from "./label-set.ts";
import type { AnswerForm } from "./task.ts";

const roomForEntities = 24;
const usualEntities = 3;
/** Characters of `{"text":"…","label":""},` with a mention of two words. */
const usualMention = 36;

/**
 * Mentions in a text, each with a label of the set and its place: `{ start, end, text, label }`, in UTF-16 units, so that
 * `row.text.slice(start, end) === text`. Models count badly, so they are asked for the words, and the places are found
 * here: the first answer of a word is its first mention, and so on.
 */
export function entities(labels: LabelSet): AnswerForm {
  const longest = Math.max(...labels.names.map((name) => name.length));
  return {
    instructions: [
      "Find every mention in the text of the user's message that is of one of these kinds:",
      ...labels.lines,
      "List the mentions in the order in which they stand in the text, each one as often as it stands there. Copy them character by character.",
    ],
    schema: {
      type: "array",
      items: {
        type: "object",
        properties: { text: { type: "string" }, label: { type: "string", enum: [...labels.names] } },
        required: ["text", "label"],
        additionalProperties: false,
      },
    },
    sketch: '[{"text": "<mention>", "label": "<kind>"}, …]',
    maxOutputTokens: 64 + roomForEntities * (24 + longest),
    usualOutputTokens: jsonTokens(13 + usualEntities * (usualMention + longest)),
    read: (result, text) => {
      if (!Array.isArray(result)) return { problem: "no list of mentions" };
      const mentions: { text: string; label: string }[] = [];
      for (const said of result as unknown[]) {
        const { text: mention, label: kind } = (said ?? {}) as Record<string, unknown>;
        const label = labels.find(kind);
        if (typeof mention !== "string" || mention === "") return { problem: "a mention without its text" };
        if (label === undefined) return { problem: `${JSON.stringify(kind)} is no kind of the set` };
        mentions.push({ text: mention, label });
      }
      const spans = findMentions(text, mentions);
      return "missing" in spans
        ? { problem: `${JSON.stringify(spans.missing)} does not stand in the text` }
        : { label: spans.found };
    },
  };
}
