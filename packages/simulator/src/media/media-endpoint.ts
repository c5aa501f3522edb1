import type { JsonObject } from "../json.ts";
import type { MediaCounts, MediaKind } from "./media-prices.ts";

/** A media request: members of its JSON or form, and its files by name. */
export interface MediaRequest {
  readonly body: JsonObject;
  readonly files: Readonly<Record<string, readonly Uint8Array[]>>;
  readonly seed: string;
}

/** What a model made of a request: what it is billed for, and how it is told. */
export interface MediaAnswer {
  readonly counts: Partial<MediaCounts>;
  readonly reply: MediaReply;
}

/** A JSON body, a text, sound, or the frames of a stream; the last frame tells the usage. */
type MediaReply =
  | { readonly json: unknown }
  | { readonly text: string }
  | { readonly sound: Uint8Array; readonly type: string }
  | { readonly frames: readonly unknown[] };

/** How one endpoint speaks. */
export interface MediaEndpoint {
  readonly path: string;
  readonly kind: MediaKind;
  /** The text that faults are matched with. */
  promptText(request: MediaRequest): string;
  /** @throws Refusal 400 for a request that makes no sense. */
  answer(request: MediaRequest, model: { id: string; bySecond: boolean; reportsUsage: boolean }): MediaAnswer;
}
