import type { Surface } from "@autolabel/budget-core";

/** A request of the API, as far as money is concerned. */
export type Door =
  | { kind: "metered"; endpoint: Endpoint }
  /** Costs nothing, and its answer can tell what a batch did cost. */
  | { kind: "batch status" }
  /** Costs nothing: reading, deleting, cancelling, storing. */
  | { kind: "free" }
  /** Costs money in a way that is not metered. */
  | { kind: "closed"; name: string };

/** The metered endpoints by path, with what is asked of the model there. */
const endpoints = {
  "/chat/completions": "generate",
  "/responses": "generate",
  "/embeddings": "embed",
  "/images/generations": "image",
  "/images/edits": "image",
  "/audio/speech": "speech",
  "/audio/transcriptions": "transcription",
  "/audio/translations": "transcription",
  "/batches": "batch",
} as const satisfies Readonly<Record<string, Surface>>;

/** A metered endpoint, by its path. */
export type Endpoint = keyof typeof endpoints;

/**
 * Requests that write and cost nothing, by path. Any other one is closed, so that an endpoint that OpenAI adds is not
 * called unmetered. Source: OpenAI's API reference and pricing page.
 */
const freePaths: readonly RegExp[] = [
  /^\/moderations$/,
  /^\/responses\/input_tokens$/,
  /^\/responses\/[^/]+\/cancel$/,
  /^\/chat\/completions\/[^/]+$/,
  /^\/conversations(\/[^/]+(\/items)?)?$/,
  /^\/files$/,
  /^\/uploads(\/[^/]+\/(parts|complete|cancel))?$/,
  /^\/(batches|fine_tuning\/jobs)\/[^/]+\/cancel$/,
  /^\/fine_tuning\/jobs\/[^/]+\/pause$/,
  /^\/organization\//,
];

/** What a request is, by its method and its path below the base URL. */
export function doorOf(method: string, path: string): Door {
  const name = `${method.toUpperCase()} ${path}`;
  if (/^GET \/batches\/[^/]+$/.test(name)) return { kind: "batch status" };
  if (/^(GET|HEAD|DELETE|OPTIONS) /.test(name)) return { kind: "free" };
  if (name.startsWith("POST ") && Object.hasOwn(endpoints, path))
    return { kind: "metered", endpoint: path as Endpoint };
  return freePaths.some((free) => free.test(path)) ? { kind: "free" } : { kind: "closed", name };
}

/** Where a request goes. */
export interface Target {
  /** Path below the base URL and, on Azure, below the deployment. */
  path: string;
  /** The Azure deployment that the path names. It decides on the model, whatever the body says. */
  deployment: string | undefined;
  /** Whether this is OpenAI itself, not Azure or another service that speaks its protocol. */
  isOpenAi: boolean;
}

/** Reads the path of a request. */
export function targetOf(url: URL, baseURL: string): Target {
  const base = new URL(baseURL).pathname.replace(/\/+$/, "");
  const below = url.pathname.startsWith(`${base}/`) ? url.pathname.slice(base.length) : url.pathname;
  const path = below.replace(/\/+$/, "");
  const inBase = /\/deployments\/([^/]+)$/.exec(base)?.[1];
  const [, inPath, rest] = /^\/deployments\/([^/]+)(\/.+)$/.exec(path) ?? [];
  const deployment = inPath ?? inBase;
  return {
    path: rest ?? path,
    deployment: deployment === undefined ? undefined : decodeURIComponent(deployment),
    isOpenAi: isOpenAi(url),
  };
}

/** Whether an address is OpenAI's own, also a regional one. */
export function isOpenAi({ hostname }: URL): boolean {
  return /(^|\.)openai\.com$/.test(hostname);
}

/** What is asked of the model at an endpoint. */
export function surfaceOf(endpoint: Endpoint, isStream: boolean): Surface {
  const surface = endpoints[endpoint];
  return surface === "generate" && isStream ? "stream" : surface;
}
