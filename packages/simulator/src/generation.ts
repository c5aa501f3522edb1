import type { FaultKind } from "./faults.ts";
import type { ModelRequest } from "./model-request.ts";
import { type Charge, chargeFor, type TokenCounts } from "./price-table.ts";
import type { PricedModel } from "./simulated-model.ts";
import { countTokens, truncateToTokens } from "./tokens.ts";

/** Which numbers a response shows. The invoice is true in any case. */
export interface Reporting {
  readonly cost: boolean;
  readonly usage: boolean;
  /** Where the gateway tells its cost, if it does. */
  readonly gatewayCost: "body" | "header" | undefined;
  /** The caller's own provider key pays: `cost` is 0 and the upstream cost is the true charge. */
  readonly byok: boolean;
}

/** One answer of a generation, already cut to the caller's cap. */
export interface Choice {
  readonly index: number;
  readonly text: string;
  /** The name of the called tool; `text` then holds its arguments. */
  readonly toolName: string | undefined;
  readonly finishReason: "stop" | "length" | "tool_calls";
}

/** A piece of a streamed answer. */
export interface Delta {
  readonly choice: Choice;
  readonly text: string;
  readonly tokens: number;
  readonly isFirstOfChoice: boolean;
}

/** A finished generation, before it is billed and delivered. */
export interface Generation {
  readonly id: string;
  readonly createdSeconds: number;
  readonly model: PricedModel;
  readonly request: ModelRequest;
  readonly choices: readonly Choice[];
  readonly counts: TokenCounts;
  readonly apiKey: string;
  readonly reporting: Reporting;
  /** The fault to act out on delivery, if any. */
  readonly fault: { readonly kind: FaultKind; readonly afterChunks: number; readonly body: unknown } | undefined;
}

/** Cuts the answers to the caps of the caller and of the model, and counts all tokens. */
export function measureAnswers(
  request: ModelRequest,
  model: PricedModel,
  answers: readonly string[],
): { choices: Choice[]; completionTokens: number; reasoningTokens: number } {
  const room = Math.max(1, model.contextLength - request.promptTokens);
  const cap = Math.min(request.maxOutputTokens ?? room, model.maxCompletionTokens ?? room);
  const thinks = request.reasoningEffort !== "none" && request.reasoningEffort !== "minimal";
  const reasoningEach = thinks ? Math.min(model.reasoningTokens, cap) : 0;
  let completionTokens = 0;
  const choices = answers.map((answer, index): Choice => {
    const cut = truncateToTokens(answer, cap - reasoningEach);
    completionTokens += reasoningEach + cut.tokens;
    const whole = request.tool ? "tool_calls" : "stop";
    const finishReason = cut.truncated ? "length" : whole;
    return { index, text: cut.text, toolName: request.tool?.name, finishReason };
  });
  return { choices, completionTokens, reasoningTokens: reasoningEach * answers.length };
}

/** The answers in word pieces, in the order in which a stream sends them. A tool call is one piece. */
export function deltasOf(generation: Generation): Delta[] {
  return generation.choices.flatMap((choice) => {
    const pieces = choice.toolName ? [choice.text] : (choice.text.match(/\s*\S+\s*$|\s*\S+/g) ?? []);
    return pieces.map((text, index) => ({
      choice,
      text,
      tokens: countTokens(text),
      isFirstOfChoice: index === 0,
    }));
  });
}

/** The charge for the whole generation. */
export function fullCharge(generation: Generation): Charge {
  return chargeFor(generation.model, generation.counts);
}

/** The charge when generation stopped after `sentTokens` of answer; reasoning counts once anything was sent. */
export function partialCharge(generation: Generation, sentTokens: number): Charge {
  const reasoningTokens = sentTokens === 0 ? 0 : generation.counts.reasoningTokens;
  return chargeFor(generation.model, {
    ...generation.counts,
    reasoningTokens,
    completionTokens: reasoningTokens + sentTokens,
  });
}
