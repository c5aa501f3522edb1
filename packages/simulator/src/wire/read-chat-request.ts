import { hash } from "node:crypto";
import { asArray, asObject, asText, isJsonObject, type JsonObject } from "../json.ts";
import type { ModelRequest, ToolDefinition } from "../model-request.ts";
import { parsePicoUsd } from "../pico-usd.ts";
import { Refusal } from "../refusal.ts";
import { countJsonTokens, countMessageTokens } from "../tokens.ts";

/**
 * Reads the body of a chat completion, of OpenAI's or of OpenRouter's kind.
 *
 * @throws Refusal 400 when the messages, the model, a cap or `n` make no sense.
 */
export function readChatRequest(body: JsonObject): ModelRequest {
  const messages = readMessages(body.messages);
  const format = asObject(body.response_format);
  const prefix = messages.slice(0, -1);
  const extraTokens = countJsonTokens(body.tools) + countJsonTokens(body.response_format);
  return {
    candidates: readCandidates(body),
    messages,
    promptText: messages.map(messageText).join("\n"),
    lastUserText: messageText(messages.findLast((message) => message.role === "user") ?? {}),
    promptHash: hash("sha256", JSON.stringify(messages)),
    promptTokens: countMessageTokens(messages) + extraTokens,
    prefixTokens: countMessageTokens(prefix),
    prefixHash: hash("sha256", JSON.stringify(prefix)),
    hasCacheControl: "cache_control" in body || JSON.stringify(messages).includes('"cache_control":'),
    maxOutputTokens: readMaxOutputTokens(body),
    choices: readWhole(body.n, "n", 128) ?? 1,
    stream: body.stream === true,
    includeUsage: asObject(body.stream_options).include_usage === true,
    schema: readSchema(format),
    wantsJson: format.type === "json_object" || format.type === "json_schema",
    tool: readTool(body, messages),
    maxPrice: readMaxPrice(asObject(asObject(body.provider).max_price)),
    routing: readRouting(asObject(body.provider)),
    reasoningEffort: readEffort(body),
    serviceTier: asText(body.service_tier) ?? "default",
  };
}

function readMessages(value: unknown): readonly JsonObject[] {
  const messages = asArray(value);
  if (messages.length === 0) throw new Refusal(400, "messages must be an array with at least one message");
  return messages.map((message, index) => {
    if (isJsonObject(message) && typeof message.role === "string") return message;
    throw new Refusal(400, `messages[${index}] must be an object with a role`);
  });
}

function readCandidates(body: JsonObject): readonly string[] {
  const named = [body.model, ...asArray(body.models)].filter((id) => typeof id === "string");
  if (named.length === 0) throw new Refusal(400, "you must provide a model parameter");
  return named;
}

function readMaxOutputTokens(body: JsonObject): number | undefined {
  const caps = ["max_tokens", "max_completion_tokens"].flatMap((name) => readWhole(body[name], name) ?? []);
  return caps.length === 0 ? undefined : Math.min(...caps);
}

/** @throws Refusal 400 unless the value is absent or a whole number from 1 to `most`. */
export function readWhole(value: unknown, name: string, most = Number.MAX_SAFE_INTEGER): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new Refusal(400, `Invalid value for '${name}': expected a whole number of at least 1`);
}

function readSchema(format: JsonObject): JsonObject | undefined {
  const schema = asObject(format.json_schema).schema;
  return isJsonObject(schema) ? schema : undefined;
}

/** With a free choice the model calls a tool once per user message, then answers in words: tool loops end. */
function readTool(body: JsonObject, messages: readonly JsonObject[]): ToolDefinition | undefined {
  const tools = asArray(body.tools).flatMap((tool) => {
    const definition = asObject(asObject(tool).function);
    const name = asText(definition.name);
    return name === undefined ? [] : [{ name, parameters: asObject(definition.parameters) }];
  });
  const choice = body.tool_choice;
  const named = asText(asObject(asObject(choice).function).name);
  const wanted = named === undefined ? tools[0] : tools.find((tool) => tool.name === named);
  const mayCall =
    choice !== "none" && (choice === "required" || named !== undefined || messages.at(-1)?.role === "user");
  return mayCall && wanted ? { ...wanted, parameters: { type: "object", ...wanted.parameters } } : undefined;
}

/** OpenRouter's wishes about who serves a request. */
export function readRouting(provider: JsonObject): ModelRequest["routing"] {
  const slugs = (name: string) => asArray(provider[name]).flatMap((slug) => asText(slug)?.toLowerCase() ?? []);
  return {
    only: slugs("only"),
    ignore: slugs("ignore"),
    order: slugs("order"),
    allowFallbacks: provider.allow_fallbacks !== false,
  };
}

/** The highest prices that a request accepts. @throws Refusal 400 for what is no price. */
export function readMaxPrice(prices: JsonObject): ModelRequest["maxPrice"] {
  const read = (name: "prompt" | "completion" | "request") => {
    const value = prices[name];
    if (typeof value !== "number" && typeof value !== "string") return {};
    try {
      return { [name]: parsePicoUsd(String(value), "drop") };
    } catch {
      throw new Refusal(400, `Invalid value for 'provider.max_price.${name}'`);
    }
  };
  return { ...read("prompt"), ...read("completion"), ...read("request") };
}

function readEffort(body: JsonObject): string | undefined {
  const reasoning = asObject(body.reasoning);
  if (reasoning.enabled === false) return "none";
  return asText(reasoning.effort) ?? asText(body.reasoning_effort);
}

function messageText(message: JsonObject): string {
  const { content } = message;
  if (typeof content === "string") return content;
  return asArray(content)
    .map((part) => asText(asObject(part).text) ?? "")
    .join("\n");
}
