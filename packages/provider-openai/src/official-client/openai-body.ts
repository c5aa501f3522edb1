import { type Call, type Quote, UnboundedRequestError } from "@autolabel/budget-core";
import { asRecord } from "../calls/openai-usage.ts";
import { type Endpoint, surfaceOf, type Target } from "./openai-doors.ts";

/** The body of a request that is about to be sent, read as a call. */
export interface ReadBody {
  endpoint: Endpoint;
  body: Readonly<Record<string, unknown>>;
  call: Call;
  isStream: boolean;
  /** Whether the caller asked for the usage of a stream, and so expects its chunk. */
  wantsUsage: boolean;
}

/**
 * Reads a body that the client has written; for OpenAI itself it names the service tier.
 *
 * @throws UnboundedRequestError when it is no JSON object with a model.
 */
export function readBody(endpoint: Endpoint, text: unknown, { deployment, isOpenAi }: Target): ReadBody {
  const given = typeof text === "string" ? asRecord(parse(text)) : undefined;
  // Without a tier the project's default serves, which may be a dearer one than the listed price is of.
  const namesTier = isOpenAi && endpoint !== "/embeddings";
  const body = given && namesTier ? { ...given, service_tier: given.service_tier ?? "default" } : given;
  const modelId = deployment ?? body?.model;
  if (!body || typeof modelId !== "string") {
    throw new UnboundedRequestError({
      reason: `its body is no JSON object with a model (${endpoint})`,
      fix: "Send what the API reference describes.",
    });
  }
  const isStream = body.stream === true;
  const cap = capOf(body, endpoint);
  const call: Call = {
    surface: surfaceOf(endpoint, isStream),
    modelId,
    request: body,
    ...(cap === undefined ? {} : { maxOutputTokens: cap }),
  };
  const wantsUsage = endpoint !== "/chat/completions" || asRecord(body.stream_options)?.include_usage === true;
  return { endpoint, body, call, isStream, wantsUsage };
}

/** The body as it is sent: with the output cap that the bound assumes, and with the usage of a stream asked for. */
export function writeBody({ endpoint, body, isStream }: ReadBody, { maxOutputTokens: cap }: Quote): string {
  const isChat = endpoint === "/chat/completions";
  return JSON.stringify({
    ...body,
    ...(cap === undefined || endpoint === "/embeddings" ? {} : cappedMembers(body, endpoint, cap)),
    ...(isStream && isChat ? { stream_options: { ...asRecord(body.stream_options), include_usage: true } } : {}),
  });
}

/** The larger of the two caps of a chat completion bounds it, whichever of them a server heeds. */
function capOf(body: Readonly<Record<string, unknown>>, endpoint: Endpoint): number | undefined {
  if (endpoint === "/responses") return asCap(body.max_output_tokens);
  const caps = [asCap(body.max_completion_tokens), asCap(body.max_tokens)].filter((cap) => cap !== undefined);
  return caps.length === 0 ? undefined : Math.max(...caps);
}

/** What is no number becomes NaN, which no quote accepts. */
function asCap(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "number" ? value : Number.NaN;
}

function cappedMembers(body: Readonly<Record<string, unknown>>, endpoint: Endpoint, cap: number) {
  if (endpoint === "/responses") return { max_output_tokens: cap };
  const given = ["max_completion_tokens", "max_tokens"].filter((name) => asCap(body[name]) !== undefined);
  const names = given.length === 0 ? ["max_completion_tokens"] : given;
  return Object.fromEntries(names.map((name) => [name, Math.min(asCap(body[name]) ?? cap, cap)]));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
