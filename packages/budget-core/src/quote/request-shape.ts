/** What of a request does not count by its bytes. */
export interface RequestShape {
  /** Pictures in it, which count by their size in pixels. */
  images: number;
  /** The parts whose payload is a picture and nothing else: their bytes are not text. */
  imageParts: ReadonlySet<unknown>;
  /** Content that the provider reads from elsewhere or unpacks, such as files; each is named once. */
  hidden: ReadonlySet<string>;
  /** Tools that the provider runs itself, adding input as often as it likes; each is named once. */
  providerTools: ReadonlySet<string>;
  hasTools: boolean;
  /** The longest-lived cache write that the request asks for. */
  cacheWrites: "none" | "5m" | "1h";
}

const imageTypes = new Set(["image", "image_url", "input_image", "image-data", "image-url", "image-file-id"]);
const hiddenTypes = new Set([
  "file",
  "file-data",
  "file-url",
  "file-id",
  "media",
  "input_file",
  "document",
  "input_audio",
  "audio",
  "video",
  "video_url",
  "input_video",
  "reasoning-file",
  "container_upload",
  "item_reference",
]);
const providerToolTypes = new Set(["provider", "provider-defined", "provider-executed"]);
const ownToolTypes = new Set(["function", "custom"]);
/** Settings that point at input which lies at the provider. Names of the OpenAI, Google and AI SDK surfaces. */
const storedInputKeys = [
  "previous_response_id",
  "previousResponseId",
  "conversation",
  "container",
  "cached_content",
  "cachedContent",
];
const searchKeys = ["web_search_options", "plugins", "useSearchGrounding"];

interface Found extends RequestShape {
  imageParts: Set<unknown>;
  hidden: Set<string>;
  providerTools: Set<string>;
}

/**
 * Looks a request over without reading its text: a few steps per message, whatever their length.
 *
 * A picture or a file is one only as a part of a message. The same words in a tool's input, a schema or a setting are
 * sent as text, and count as text.
 */
export function shapeOf(request: Readonly<Record<string, unknown>>): RequestShape {
  const found: Found = {
    images: 0,
    imageParts: new Set(),
    hidden: new Set(),
    providerTools: new Set(),
    hasTools: false,
    cacheWrites: "none",
  };
  const settings = isRecord(request.providerOptions) ? Object.values(request.providerOptions) : [];
  for (const place of [request, ...settings]) if (isRecord(place)) readSettings(place, found);
  for (const messages of [request.prompt, request.messages, request.input]) {
    if (Array.isArray(messages)) for (const message of messages) readMessage(message, found);
  }
  findCacheMarks(request, found);
  return found;
}

/** A part without its picture; all else of it is kept, and counts. */
export function withoutPicture(part: unknown): unknown {
  const {
    data: _data,
    image: _image,
    image_url: _imageUrl,
    source: _source,
    url: _url,
    ...rest
  } = part as Record<string, unknown>;
  return rest;
}

function readMessage(message: unknown, found: Found): void {
  if (!isRecord(message)) return;
  // An item of the responses API can be a part itself.
  readPart(message, found);
  if (Array.isArray(message.content)) for (const part of message.content) readPart(part, found);
}

function readPart(part: unknown, found: Found): void {
  if (!isRecord(part)) return;
  const { output } = part;
  // What a tool returned may reach the model as a picture or as text: it counts as both.
  if (isRecord(output) && Array.isArray(output.value)) for (const item of output.value) readToolOutput(item, found);
  if (Array.isArray(output)) for (const item of output) readToolOutput(item, found);
  if (isImagePart(part)) {
    found.images += 1;
    found.imageParts.add(part);
  } else readHidden(part, found);
}

function readToolOutput(item: unknown, found: Found): void {
  if (isImagePart(item)) found.images += 1;
  else if (isRecord(item)) readHidden(item, found);
}

function readHidden(part: Record<string, unknown>, found: Found): void {
  if (typeof part.type !== "string") return;
  if (hiddenTypes.has(part.type) && !isInlineText(part)) found.hidden.add(`${part.type} content`);
}

function isImagePart(value: unknown): boolean {
  if (!isRecord(value) || typeof value.type !== "string") return false;
  const { type } = value;
  if (imageTypes.has(type)) return true;
  return hiddenTypes.has(type) && mediaTypeOf(value).startsWith("image");
}

function findCacheMarks(value: unknown, found: Found): void {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  if (Array.isArray(value)) {
    for (const item of value) findCacheMarks(item, found);
    return;
  }
  const record = value as Record<string, unknown>;
  for (const key in record) {
    if (key === "cache_control" || key === "cacheControl") readCacheMark(record[key], found);
    findCacheMarks(record[key], found);
  }
}

function readCacheMark(mark: unknown, found: Found): void {
  if (!isRecord(mark)) return;
  // A lifetime that is not known counts as the dearer one.
  if (mark.ttl !== undefined && mark.ttl !== "5m") found.cacheWrites = "1h";
  else if (found.cacheWrites === "none") found.cacheWrites = "5m";
}

function readSettings(settings: Record<string, unknown>, found: Found): void {
  for (const key of storedInputKeys) if (isSet(settings[key])) found.hidden.add(`"${key}"`);
  if (isRecord(settings.prompt) && "id" in settings.prompt) found.hidden.add("a stored prompt");
  for (const key of searchKeys) if (isSet(settings[key])) found.providerTools.add(key);
  if (!Array.isArray(settings.tools)) return;
  for (const tool of settings.tools) {
    found.hasTools = true;
    const { type, id } = isRecord(tool) ? tool : {};
    if (typeof type !== "string" || ownToolTypes.has(type)) continue;
    found.providerTools.add(providerToolTypes.has(type) && typeof id === "string" ? id : type);
  }
}

/** Text in a file part, or in a document, is text, and longer in the request than in the prompt. */
function isInlineText(part: Record<string, unknown>): boolean {
  const { data, source } = part;
  if (isRecord(source)) return source.type === "text";
  const isInline = ArrayBuffer.isView(data) || (typeof data === "string" && !/^[a-z]+:\/\//i.test(data));
  return isInline && mediaTypeOf(part).startsWith("text/");
}

function mediaTypeOf({ mediaType, mimeType }: Record<string, unknown>): string {
  const type = mediaType ?? mimeType;
  return typeof type === "string" ? type : "";
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && !(Array.isArray(value) && value.length === 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
