import type { AnswerForm } from "./task.ts";

/** A short answer in words to a question about each text. */
export function questionAnswering(): AnswerForm {
  return {
    instructions: ["Answer the question about the text of the user's message, briefly, from the text alone."],
    schema: { type: "string" },
    sketch: '"<answer>"',
    maxOutputTokens: 256,
    usualOutputTokens: 24,
    read: (result) => {
      const label = typeof result === "string" ? result.trim() : "";
      return label === "" ? { problem: "no answer" } : { label };
    },
  };
}
