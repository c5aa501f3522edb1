import type { Delta, Generation } from "../generation.ts";
import type { JsonObject } from "../json.ts";
import type { ModelRequest } from "../model-request.ts";
import type { Charge } from "../price-table.ts";
import type { Refusal } from "../refusal.ts";
import type { WireName } from "../simulated-model.ts";

/**
 * How one API speaks: its path, its reading of a request and its shapes. Frames of a stream are whole SSE texts, so that
 * an API with named events fits as well.
 */
export interface Wire {
  readonly name: WireName;
  /** True when models that nobody priced are served for nothing, as behind a company's gateway. */
  readonly servesAnyModel?: boolean;
  /** The path of the endpoint, for POST. */
  readonly path: string;
  /** @throws Refusal When the body is no valid request. */
  readRequest(body: JsonObject): ModelRequest;
  /** A new generation id. */
  newId(nowMs: number): string;
  /** Headers of every 200. */
  headers(generation: Generation): Record<string, string>;
  /** The refusal of a model that is not sold here. */
  unknownModel(id: string): Refusal;
  /** The refusal when the credit is used up. */
  noCredit(): Refusal;
  /** The body of an error status. */
  refusalBody(refusal: Refusal): unknown;
  /** The body of an unstreamed answer. */
  reply(generation: Generation, charge: Charge): unknown;
  /** The body of a 200 that tells an error of the upstream model. */
  errorReply(generation: Generation, charge: Charge): unknown;
  /** Frames before the answer starts. */
  openFrames(generation: Generation): readonly string[];
  /** Frames of one piece of the answer. */
  deltaFrames(generation: Generation, delta: Delta): readonly string[];
  /** Frames after the last piece, up to and including the end mark. */
  closeFrames(generation: Generation, charge: Charge): readonly string[];
  /** Frames of an error in mid-stream, up to its end. */
  errorFrames(generation: Generation, charge: Charge): readonly string[];
}

/** One SSE frame with a JSON body. */
export function sseData(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** The frame that ends a stream of chat completions. */
export const SSE_DONE = "data: [DONE]\n\n";
