import type { Surface } from "../costs.ts";

/** Kinds of AI SDK models, by the name of the provider's method that makes them. */
export type ModelKind =
  | "language"
  | "embedding"
  | "image"
  | "speech"
  | "transcription"
  | "reranking"
  | "video"
  | "decision";

const factories: readonly (readonly [ModelKind, RegExp])[] = [
  ["embedding", /embedding/i],
  ["image", /^image/i],
  ["speech", /^speech(Model)?$/],
  ["transcription", /^transcription/i],
  ["reranking", /^rerank/i],
  ["video", /^video/i],
  ["decision", /^(decision|evaluation|extraction)/i],
  ["language", /^(languageModel|chat|chatModel|completion|completionModel|responses)$/],
];

/** The methods of a model that cost money and can be metered, and what they are. Its other `do` methods are refused. */
const billable: Readonly<Record<ModelKind, Readonly<Record<string, Surface>>>> = {
  language: { doGenerate: "generate", doStream: "stream" },
  embedding: { doEmbed: "embed" },
  image: { doGenerate: "image" },
  speech: { doGenerate: "speech" },
  transcription: { doGenerate: "transcription" },
  reranking: { doRerank: "rerank" },
  video: { doGenerate: "video" },
  decision: { doDecide: "decision", doEvaluate: "decision", doExtract: "decision" },
};

/** What kind of model a provider's method makes; undefined for a method that makes none we know. */
export function kindOfFactory(name: string): ModelKind | undefined {
  return factories.find(([, pattern]) => pattern.test(name))?.[0];
}

/**
 * What kind of model an object is, by its own members, else by the factory that made it: models for speech and for
 * transcription look alike. Undefined for what is no model, or none we know.
 */
export function kindOfModel(value: unknown, made?: ModelKind): ModelKind | undefined {
  if (typeof value !== "object" || value === null || !("modelId" in value)) return undefined;
  if ("doEmbed" in value) return "embedding";
  if ("doRerank" in value) return "reranking";
  if ("doDecide" in value || "doEvaluate" in value || "doExtract" in value) return "decision";
  if ("maxImagesPerCall" in value) return "image";
  if ("maxVideosPerCall" in value) return "video";
  if ("doStream" in value && "supportedUrls" in value) return "language";
  return "doGenerate" in value ? made : undefined;
}

/** What a model's method costs money for; undefined for one that does not, or that we cannot meter. */
export function surfaceOf(kind: ModelKind, method: string): Surface | undefined {
  const surfaces = billable[kind];
  return Object.hasOwn(surfaces, method) ? surfaces[method] : undefined;
}

/** All that models of a kind cost money for. */
export function surfacesOf(kind: ModelKind): Surface[] {
  return Object.values(billable[kind]);
}

/** A method by which a model does its work: each of these costs money. */
export function isDoor(method: string): boolean {
  return /^do[A-Z]/.test(method);
}
