import { setTimeout as sleep } from "node:timers/promises";
import { afterEach } from "vitest";
import { type Simulator, startSimulator } from "./server.ts";
import type { SimulatorOptions } from "./simulator-options.ts";

const running: Simulator[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((simulator) => simulator.close()));
});

/** Starts a simulator that the test file closes after each test. */
export async function simulate(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(options);
  running.push(simulator);
  return simulator;
}

/** What the tests read of a chat completion. */
export interface ChatBody {
  readonly id: string;
  readonly model: string;
  readonly choices: readonly {
    readonly message: {
      readonly content: string;
      readonly tool_calls?: readonly { function: { arguments: string } }[];
    };
    readonly finish_reason: string;
  }[];
  readonly usage: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly cost?: number;
    readonly is_byok: boolean;
    readonly prompt_tokens_details: { cached_tokens: number; cache_write_tokens: number };
    readonly completion_tokens_details: { reasoning_tokens: number };
    readonly cost_details: { upstream_inference_cost: number };
  };
  readonly error: { readonly code: number | string; readonly message: string; readonly type?: string };
}

/** A chat body with one user message. */
export function userBody(content: string, rest: object = {}): object {
  return { model: "openai/gpt-4o-mini", messages: [{ role: "user", content }], ...rest };
}

/** Sends a body to OpenRouter's chat endpoint, or to another path. */
export function post(
  simulator: Simulator,
  body: unknown,
  options: { path?: string; key?: string; signal?: AbortSignal } = {},
): Promise<Response> {
  return fetch(`${simulator.url}${options.path ?? "/api/v1/chat/completions"}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${options.key ?? "test"}` },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...(options.signal && { signal: options.signal }),
  });
}

/** Sends a body and reads the JSON of the answer. */
export async function chat(
  simulator: Simulator,
  body: unknown,
  options?: { path?: string; key?: string },
): Promise<ChatBody> {
  const response = await post(simulator, body, options);
  return (await response.json()) as ChatBody;
}

/** Reads JSON from a GET. */
export async function get<T>(simulator: Simulator, path: string): Promise<T> {
  const response = await fetch(`${simulator.url}${path}`);
  return (await response.json()) as T;
}

/** The data of the SSE frames of a text, parsed; the end mark stays a text. */
export function framesOf(text: string): (StreamChunk | string)[] {
  return text
    .split("\n\n")
    .filter((frame) => frame.startsWith("data: "))
    .map((frame) => frame.slice("data: ".length))
    .map((data) => (data === "[DONE]" ? data : (JSON.parse(data) as StreamChunk)));
}

/** What the tests read of a streamed chunk. */
export interface StreamChunk {
  readonly choices?: readonly {
    readonly delta: { readonly content?: string };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: ChatBody["usage"] | null;
  readonly error?: { readonly code: number };
}

/** Waits until the condition holds; the simulator notices a lost client only when the socket tells. */
export async function eventually(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000 && !holds(); tries += 1) await sleep(5);
  if (!holds()) throw new Error("the condition never came true");
}
