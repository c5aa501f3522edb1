import { type Call, type Quote, UnboundedRequestError } from "@autolabel/budget-core";
import { asRecord } from "../calls/openai-usage.ts";
import { headBytes } from "../calls/wav-length.ts";
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

/** The endpoints whose answers are text, capped by a member of the body. */
const textEndpoints: ReadonlySet<Endpoint> = new Set<Endpoint>(["/chat/completions", "/responses"]);

/**
 * Reads a body as the client has written it, JSON or a form.
 *
 * @throws UnboundedRequestError when it is neither, or has no model.
 */
export async function readWritten(endpoint: Endpoint, written: unknown, target: Target): Promise<ReadBody> {
  if (typeof written === "string") return readBody(endpoint, written, target);
  if (written instanceof FormData) return readCall(endpoint, await readForm(written), target);
  throw new UnboundedRequestError({
    reason: `its body cannot be looked at before it is sent (${endpoint})`,
    fix: "Give the file as a whole (a File, a Blob, fs.createReadStream), not with toStreamingFile.",
  });
}

/**
 * Reads a body of JSON; for OpenAI itself it names the service tier.
 *
 * @throws UnboundedRequestError when it is no JSON object with a model.
 */
export function readBody(endpoint: Endpoint, text: unknown, target: Target): ReadBody {
  const given = typeof text === "string" ? asRecord(parse(text)) : undefined;
  // Without a tier the project's default serves, which may be a dearer one than the listed price is of.
  const namesTier = target.isOpenAi && textEndpoints.has(endpoint);
  return readCall(
    endpoint,
    given && namesTier ? { ...given, service_tier: given.service_tier ?? "default" } : given,
    target,
  );
}

function readCall(endpoint: Endpoint, body: ReadBody["body"] | undefined, { deployment }: Target): ReadBody {
  const modelId = deployment ?? body?.model;
  if (!body || typeof modelId !== "string") {
    throw new UnboundedRequestError({
      reason: `its body is no object with a model (${endpoint})`,
      fix: "Send what the API reference describes.",
    });
  }
  const isStream = body.stream === true || body.stream_format === "sse" || body.stream === "true";
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

/** The members of a form; of a sound file its first bytes and its size. `image[]` stands for several of `image`. */
async function readForm(form: FormData): Promise<Record<string, unknown>> {
  const body: Record<string, unknown> = {};
  for (const key of new Set(form.keys())) {
    const values: unknown[] = [];
    for (const value of form.getAll(key)) {
      values.push(value instanceof Blob && key === "file" ? await readHead(value) : value);
    }
    body[key.replace(/\[\]$/, "")] = values.length === 1 ? values[0] : values;
  }
  return body;
}

async function readHead(file: Blob): Promise<{ head: Uint8Array; size: number }> {
  return { head: new Uint8Array(await file.slice(0, headBytes).arrayBuffer()), size: file.size };
}

/** The body as it is sent: with the output cap that the bound assumes, and with the usage of a stream asked for. */
export function writeBody({ endpoint, body, isStream }: ReadBody, { maxOutputTokens: cap }: Quote): string {
  const isChat = endpoint === "/chat/completions";
  return JSON.stringify({
    ...body,
    ...(cap === undefined || !textEndpoints.has(endpoint) ? {} : cappedMembers(body, endpoint, cap)),
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
