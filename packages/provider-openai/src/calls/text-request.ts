import type { Call, UnboundedRequestError } from "@autolabel/budget-core";
import { asRecord } from "./openai-usage.ts";
import { unbounded } from "./unbounded.ts";

/** Members of a body that neither add input nor cost. A member that is not listed could do either, so it is refused. */
const boundedMembers: Readonly<Record<"messages" | "input", ReadonlySet<string>>> = {
  messages: new Set(
    `messages model frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens
    metadata n parallel_tool_calls presence_penalty prompt_cache_key prompt_cache_retention reasoning_effort
    response_format safety_identifier seed service_tier stop store stream stream_options temperature tool_choice tools
    top_logprobs top_p user verbosity`.split(/\s+/),
  ),
  input: new Set(
    `input model dimensions encoding_format include instructions max_output_tokens max_tool_calls metadata
    parallel_tool_calls prompt_cache_key prompt_cache_retention reasoning safety_identifier service_tier store stream
    stream_options temperature text tool_choice tools top_logprobs top_p truncation user`.split(/\s+/),
  ),
};

/** Why a member has no bound, for those that people use; in the words of the API and of the AI SDK's options. */
const unboundedMembers: Readonly<Record<string, string>> = {
  previous_response_id: "adds the stored conversation to the input",
  conversation: "adds the stored conversation to the input",
  prompt: "adds a stored prompt to the input",
  background: "goes on after the response has ended",
  prediction: "bills rejected tokens above the output cap",
  web_search_options: "adds search results to the input, and a fee",
  audio: "is billed at prices of its own",
  context_management: "runs further generations",
  max_completion_tokens: "stands above maxOutputTokens",
  additional_tools: "adds tools that cannot be counted",
  compaction_trigger: "runs further generations",
};

/** Types of content and items whose tokens are the tokens of their text. */
const textTypes = new Set(
  `text refusal input_text output_text summary_text reasoning_text message function_call function_call_output
  custom_tool_call custom_tool_call_output`.split(/\s+/),
);

/** Types of AI SDK prompt parts whose tokens are the tokens of their text. */
const sdkTextTypes = new Set(["text", "reasoning", "tool-call", "tool-result", "tool-approval-response"]);

/**
 * Refuses what has no upper bound before the call: content that is not text, input that is stored at OpenAI, tools that
 * OpenAI runs. Takes bodies of the API and calls of the AI SDK.
 *
 * @throws UnboundedRequestError which names what to change.
 */
export function refuseUnbounded({ request, modelId }: Call): void {
  if (/search-preview|search-api|deep-research/.test(modelId)) {
    throw unbounded(`"${modelId}" searches the web by itself, which adds input and fees`, "Ask a model that does not.");
  }
  if (Array.isArray(request.values)) return;
  if (Array.isArray(request.prompt)) refuseUnboundedSdkCall(request);
  else refuseUnboundedBody(request, "messages" in request ? "messages" : "input");
}

/** The service tier that a call asks for, in the words of the API and of the AI SDK's options. */
export function serviceTierOf({ request }: Call): unknown {
  const tiers = [request.service_tier, ...sdkOptions(request).map(([, { serviceTier }]) => serviceTier)];
  return tiers.find((tier) => (tier ?? null) !== null);
}

/** The options of the AI SDK by the names under which models of OpenAI and of Azure look for them. */
function sdkOptions({ providerOptions }: Call["request"]): (readonly [name: string, Record<string, unknown>])[] {
  return ["openai", "azure"].flatMap((name) => {
    const options = asRecord(asRecord(providerOptions)?.[name]);
    return options ? [[name, options] as const] : [];
  });
}

function refuseUnboundedBody(body: Readonly<Record<string, unknown>>, kind: "messages" | "input"): void {
  for (const [name, value] of Object.entries(body)) {
    if (value === undefined || value === null || boundedMembers[kind].has(name)) continue;
    if (name === "modalities" && Array.isArray(value) && value.every((one) => one === "text")) continue;
    if (name === "background" && value === false) continue;
    throw unboundedMember(name);
  }
  if (asRecord(body.reasoning)?.mode === "pro") throw unboundedMember("reasoning.mode");
  for (const tool of listOf(body.tools)) refuseTool(asRecord(tool)?.type);
  for (const item of [...listOf(body.messages), ...listOf(body.input)]) refuseItem(item);
}

function refuseTool(type: unknown): void {
  if (type === "function" || type === "custom") return;
  throw unbounded(
    `the tool "${String(type)}" is run by OpenAI, which adds its results to the input`,
    "Offer functions only, which your own code runs.",
  );
}

function refuseItem(item: unknown): void {
  const { type, role, content, output, encrypted_content, audio } = asRecord(item) ?? {};
  if (audio) throw unboundedContent("stored audio");
  if (type === "reasoning") {
    if (typeof encrypted_content === "string") return;
    throw unbounded(
      "it refers to reasoning that is stored at OpenAI",
      "Send store: false and the encrypted reasoning.",
    );
  }
  if (typeof type === "string" && !textTypes.has(type)) throw unboundedContent(type);
  // Items of an embedding are texts or token ids; others without a type are messages.
  if (asRecord(item) && type === undefined && role === undefined) throw unboundedContent("unknown");
  for (const part of [...listOf(content), ...listOf(output)]) {
    const kind = asRecord(part)?.type;
    if (typeof kind !== "string" || !textTypes.has(kind)) throw unboundedContent(String(kind));
  }
}

function refuseUnboundedSdkCall(request: Readonly<Record<string, unknown>>): void {
  const namespaces = sdkOptions(request);
  for (const [namespace, options] of namespaces) refuseUnboundedOptions(namespace, options);
  const [first, second] = namespaces.map(([, { serviceTier }]) => serviceTier ?? undefined);
  if (first !== undefined && second !== undefined && first !== second) {
    throw unbounded("providerOptions name two service tiers", "Name the tier under openai or azure, not under both.");
  }
  const isStored = namespaces.length === 0 || namespaces.some(([, { store }]) => store !== false);
  for (const message of listOf(request.prompt)) {
    for (const part of listOf(asRecord(message)?.content)) refuseSdkPart(asRecord(part) ?? {}, isStored);
  }
}

function refuseUnboundedOptions(namespace: string, options: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === null) continue;
    const member = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (member in unboundedMembers) throw unboundedMember(member, `providerOptions.${namespace}.${name}`);
    if (name === "reasoningMode" && value === "pro") throw unboundedMember("reasoning.mode", "reasoningMode");
  }
}

function refuseSdkPart(part: Record<string, unknown>, isStored: boolean): void {
  if (!sdkTextTypes.has(String(part.type))) throw unboundedContent(String(part.type));
  const own = asRecord(part.providerOptions) ?? {};
  // The provider replaces stored reasoning by a reference, so its text is not in the request.
  if (part.type === "reasoning" && isStored && [own.openai, own.azure].some((told) => asRecord(told)?.itemId)) {
    throw unbounded("it refers to reasoning that is stored at OpenAI", "Set providerOptions.openai.store to false.");
  }
  const output = asRecord(part.output);
  if (output?.type !== "content") return;
  for (const piece of listOf(output.value)) {
    const kind = asRecord(piece)?.type;
    if (kind !== "text") throw unboundedContent(String(kind));
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function unboundedMember(member: string, name = member): UnboundedRequestError {
  const why = unboundedMembers[member] ?? "can add input or cost that is not in the request";
  return unbounded(`"${name}" ${why}`, `Leave out "${name}", or call without a budget.`);
}

function unboundedContent(type: string): UnboundedRequestError {
  return unbounded(`${type} content cannot be counted before the call`, "Send text only, or call without a budget.");
}
