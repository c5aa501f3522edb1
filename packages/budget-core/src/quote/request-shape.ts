/** What of a request does not count by its bytes. */
export interface RequestShape {
  /** Pictures in it, which count by their size in pixels. */
  images: number;
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
  hidden: Set<string>;
  providerTools: Set<string>;
}

/** Looks a request over without reading its text: a few steps per message, whatever their length. */
export function shapeOf(request: Readonly<Record<string, unknown>>): RequestShape {
  const found: Found = { images: 0, hidden: new Set(), providerTools: new Set(), hasTools: false, cacheWrites: "none" };
  const settings = isRecord(request.providerOptions) ? Object.values(request.providerOptions) : [];
  for (const place of [request, ...settings]) if (isRecord(place)) readSettings(place, found);
  visit(request, found);
  return found;
}

/** Whether a part of a request is a picture. Its bytes are not what it is billed by. */
export function isImagePart(value: unknown): boolean {
  if (!isRecord(value) || typeof value.type !== "string") return false;
  const { type } = value;
  if (imageTypes.has(type)) return true;
  return hiddenTypes.has(type) && mediaTypeOf(value).startsWith("image");
}

function visit(value: unknown, found: Found): void {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  if (Array.isArray(value)) {
    for (const item of value) visit(item, found);
    return;
  }
  const part = value as Record<string, unknown>;
  if (typeof part.type === "string") {
    if (isImagePart(part)) {
      found.images += 1;
      return;
    }
    if (providerToolTypes.has(part.type)) found.providerTools.add(typeof part.id === "string" ? part.id : part.type);
    else if (hiddenTypes.has(part.type) && !isInlineText(part)) found.hidden.add(`${part.type} content`);
  }
  for (const key in part) {
    if (key === "cache_control" || key === "cacheControl") readCacheMark(part[key], found);
    visit(part[key], found);
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
    const type = isRecord(tool) ? tool.type : undefined;
    const isListed = typeof type === "string" && (ownToolTypes.has(type) || providerToolTypes.has(type));
    if (typeof type === "string" && !isListed) found.providerTools.add(type);
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
