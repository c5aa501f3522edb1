import type { Choice, Delta, Generation } from "../generation.ts";
import type { TokenCounts } from "../price-table.ts";

/** The three totals of every chat `usage`. */
export function usageTotals(counts: TokenCounts): Record<string, unknown> {
  return {
    prompt_tokens: counts.promptTokens,
    completion_tokens: counts.completionTokens,
    total_tokens: counts.promptTokens + counts.completionTokens,
  };
}

/** The `choices` of an unstreamed chat completion; the `empty-choices` fault leaves them out. */
export function replyChoices(generation: Generation): readonly unknown[] {
  if (generation.fault?.kind === "empty-choices") return [];
  return generation.choices.map((choice) => ({
    index: choice.index,
    message: {
      role: "assistant",
      content: choice.toolName === undefined ? choice.text : null,
      refusal: null,
      ...(choice.toolName !== undefined && { tool_calls: [toolCall(generation, choice)] }),
    },
    logprobs: null,
    finish_reason: choice.finishReason,
  }));
}

/** The `delta` of one streamed piece. */
export function deltaMessage(generation: Generation, { choice, text, isFirstOfChoice }: Delta): unknown {
  const role = isFirstOfChoice ? { role: "assistant" } : {};
  if (choice.toolName === undefined) return { ...role, content: text };
  return { ...role, content: null, tool_calls: [{ index: 0, ...toolCall(generation, choice) }] };
}

function toolCall(generation: Generation, choice: Choice): Record<string, unknown> {
  return {
    id: `call_${generation.id.replace(/\W/g, "").slice(-20)}${choice.index}`,
    type: "function",
    function: { name: choice.toolName, arguments: choice.text },
  };
}
