import type { ApiError } from "../../src/ui/api.ts";

/** A request that the server refused, or that did not reach it. */
export class RequestError extends Error {
  /** The HTTP status; 0 where nothing answered. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "RequestError";
    this.status = status;
  }
}

/** @throws RequestError */
export function getJson<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  return request<Answer>(path, signal ? { signal } : {});
}

/** @throws RequestError */
export function postJson<Answer>(path: string, body: unknown): Promise<Answer> {
  const headers = { "content-type": "application/json" };
  return request<Answer>(path, { method: "POST", body: JSON.stringify(body), headers });
}

/** Where something of a run is found, below the server's address. */
export function runAddress(run: string, rest = ""): string {
  return `/api/runs/${encodeURIComponent(run)}${rest}`;
}

/** The cookie that the server set when the page was opened goes along by itself. */
async function request<Answer>(address: string, init: RequestInit): Promise<Answer> {
  let answer: Response;
  try {
    answer = await fetch(address, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new RequestError(0, "The server does not answer. Does autolabel ui still run?");
  }
  if (answer.ok) return (await answer.json()) as Answer;
  const told = (await answer.json().catch(() => undefined)) as ApiError | undefined;
  throw new RequestError(answer.status, told?.error ?? `The server answered ${answer.status}.`);
}
