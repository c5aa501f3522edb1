import { asText, type JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { seededIndex } from "../seeded-random.ts";
import { countTokens } from "../tokens.ts";
import type { MediaAnswer, MediaEndpoint, MediaRequest } from "./media-endpoint.ts";

/** OpenAI's published output tokens of a gpt-image-1 picture. */
const OUTPUT_TOKENS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  low: { "1024x1024": 272, "1024x1536": 408, "1536x1024": 400 },
  medium: { "1024x1024": 1056, "1024x1536": 1584, "1536x1024": 1568 },
  high: { "1024x1024": 4160, "1024x1536": 6240, "1536x1024": 6208 },
};
const SIZES = ["1024x1024", "1024x1536", "1536x1024"] as const;
const PARTIAL_TOKENS = 100;
/** Every request has some text around its prompt. */
const OVERHEAD_TOKENS = 6;
/** One base token count and a seeded number of tiles; high fidelity adds the tokens of a whole picture. */
const BASE_TOKENS = 65;
const TILE_TOKENS = 129;
const MOST_TILES = 4;
const FIDELITY_TOKENS = [4160, 6240] as const;
/** What newer models think before they draw, at most. */
const MOST_THOUGHT_TOKENS = 300;
const PICTURE = Buffer.from("a picture").toString("base64");

/** `POST /v1/images/generations` and `/v1/images/edits`. */
export const openAiImages: readonly MediaEndpoint[] = [
  endpoint("/v1/images/generations", "image_generation"),
  endpoint("/v1/images/edits", "image_edit"),
];

function endpoint(path: string, name: string): MediaEndpoint {
  return {
    path,
    kind: "image",
    promptText: ({ body }) => asText(body.prompt) ?? "",
    answer: (request, model) => draw(request, model, name),
  };
}

function draw(request: MediaRequest, model: { id: string; reportsUsage: boolean }, name: string): MediaAnswer {
  const { body, seed } = request;
  const prompt = asText(body.prompt);
  if (!prompt) throw new Refusal(400, "Missing required parameter: 'prompt'.");
  const n = Number(body.n ?? 1);
  if (!Number.isInteger(n) || n < 1 || n > 10) throw new Refusal(400, "Invalid 'n': expected 1 to 10.");
  const { quality, size, tokens } = chosen(body, seed);
  const isStream = String(body.stream) === "true";
  const partials = isStream ? Number(body.partial_images ?? 0) : 0;
  const inputImages = Object.values(request.files).flat().length;
  const thoughts = model.id === "gpt-image-1.5" ? seededIndex(MOST_THOUGHT_TOKENS, seed, "thoughts", prompt) : 0;
  const counts = {
    textInput: countTokens(prompt) + OVERHEAD_TOKENS + inputImages * 16,
    imageInput: inputTokens(body, inputImages, seed),
    imageOutput: (tokens + partials * PARTIAL_TOKENS) * n,
    textOutput: thoughts,
  };
  const usage = model.reportsUsage ? { usage: usageOf(counts, isStream) } : {};
  const facts = { background: "opaque", output_format: asText(body.output_format) ?? "png", quality, size };
  const created = Math.floor(Date.now() / 1000);
  if (!isStream) {
    const data = Array.from({ length: n }, () => ({ b64_json: PICTURE }));
    return { counts, reply: { json: { created, ...facts, data, ...usage } } };
  }
  const shown = { b64_json: PICTURE, created_at: created, ...facts };
  const partial = Array.from({ length: partials }, (_, partial_image_index) => ({
    type: `${name}.partial_image`,
    partial_image_index,
    ...shown,
  }));
  return { counts, reply: { frames: [...partial, { type: `${name}.completed`, ...shown, ...usage }] } };
}

/** What `auto` stands for is the model's choice. */
function chosen(body: JsonObject, seed: string): { quality: string; size: string; tokens: number } {
  const qualities = Object.keys(OUTPUT_TOKENS);
  const asked = (name: string) => (body[name] === "auto" ? undefined : asText(body[name]));
  const quality = asked("quality") ?? (qualities[seededIndex(3, seed, "quality", String(body.prompt))] as string);
  const size = asked("size") ?? (SIZES[seededIndex(3, seed, "size", String(body.prompt))] as string);
  const tokens = OUTPUT_TOKENS[quality]?.[size];
  if (tokens === undefined) throw new Refusal(400, `Invalid size '${size}' or quality '${quality}'.`);
  return { quality, size, tokens };
}

function inputTokens(body: JsonObject, images: number, seed: string): number {
  let tokens = 0;
  for (let index = 0; index < images; index++) {
    tokens += BASE_TOKENS + TILE_TOKENS * (1 + seededIndex(MOST_TILES, seed, "tiles", index));
    if (body.input_fidelity === "high") tokens += FIDELITY_TOKENS[seededIndex(2, seed, "fidelity", index)] ?? 0;
  }
  return tokens;
}

/** Streams leave out the details of the output. */
function usageOf(
  { textInput, imageInput, imageOutput, textOutput }: Record<string, number>,
  isStream: boolean,
): JsonObject {
  const input_tokens = Number(textInput) + Number(imageInput);
  const output_tokens = Number(imageOutput) + Number(textOutput);
  return {
    input_tokens,
    input_tokens_details: { text_tokens: textInput, image_tokens: imageInput },
    output_tokens,
    ...(!isStream && { output_tokens_details: { image_tokens: imageOutput, text_tokens: textOutput } }),
    total_tokens: input_tokens + output_tokens,
  };
}
