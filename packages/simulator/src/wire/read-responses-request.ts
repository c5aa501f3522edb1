import { asArray, asObject, asText, isJsonObject, type JsonObject } from "../json.ts";
import type { ModelRequest } from "../model-request.ts";
import { Refusal } from "../refusal.ts";
import { readChatRequest } from "./read-chat-request.ts";

/**
 * Reads the body of OpenAI's `POST /responses` by saying it as a chat completion: instructions, items and flat tools
 * become messages and nested tools of the same text.
 *
 * @throws Refusal 400 when the input, the model or the cap make no sense.
 */
export function readResponsesRequest(body: JsonObject): ModelRequest {
  const format = asObject(asObject(body.text).format);
  const { name, schema } = format;
  const effort = asText(asObject(body.reasoning).effort);
  const request = readChatRequest({
    model: body.model,
    messages: [...instructions(body.instructions), ...messages(body.input)],
    tools: asArray(body.tools).map(nestedTool),
    tool_choice: toolChoice(body.tool_choice),
    max_completion_tokens: body.max_output_tokens,
    stream: body.stream,
    service_tier: body.service_tier,
    ...(format.type === "json_schema" && { response_format: { type: "json_schema", json_schema: { name, schema } } }),
    ...(format.type === "json_object" && { response_format: { type: "json_object" } }),
    ...(effort !== undefined && { reasoning_effort: effort }),
  });
  return { ...request, includeUsage: true };
}

function instructions(text: unknown): JsonObject[] {
  return typeof text === "string" ? [{ role: "system", content: text }] : [];
}

function messages(input: unknown): JsonObject[] {
  if (typeof input === "string") return [{ role: "user", content: input }];
  return asArray(input).map((item) => {
    if (!isJsonObject(item)) throw new Refusal(400, "Invalid value for 'input': expected items");
    switch (item.type) {
      case "function_call":
        return { role: "assistant", content: null, tool_calls: [{ name: item.name, arguments: item.arguments }] };
      case "function_call_output":
        return { role: "tool", content: asText(item.output) ?? JSON.stringify(item.output) };
      case "reasoning":
        return { role: "assistant", content: asText(item.encrypted_content) ?? "" };
      default:
        return { role: asText(item.role) ?? "user", content: item.content };
    }
  });
}

function nestedTool(tool: unknown): unknown {
  const { type, name, parameters, description } = asObject(tool);
  return { type, function: { name, parameters, description } };
}

function toolChoice(choice: unknown): unknown {
  const { name } = asObject(choice);
  return name === undefined ? choice : { type: "function", function: { name } };
}
