import { parseBody } from "../admit.ts";
import { Refusal } from "../refusal.ts";
import type { MediaRequest } from "./media-endpoint.ts";

/**
 * Reads a body of JSON or of a form. Members that end in `[]` lose that; of several values the last text counts.
 *
 * @throws Refusal 400 for anything else.
 */
export async function readMediaBody(
  bytes: Uint8Array<ArrayBuffer>,
  contentType: string,
): Promise<Omit<MediaRequest, "seed">> {
  if (!contentType.startsWith("multipart/form-data")) {
    return { body: parseBody(new TextDecoder().decode(bytes)), files: {} };
  }
  const form = await new Response(bytes, { headers: { "content-type": contentType } }).formData().catch(() => {
    throw new Refusal(400, "We could not parse the form of your request.");
  });
  const body: Record<string, unknown> = {};
  const files: Record<string, Uint8Array[]> = {};
  for (const [key, value] of form) {
    const name = key.replace(/\[\]$/, "");
    if (typeof value === "string") body[name] = value;
    else {
      body[`${name} name`] = value.name;
      files[name] = [...(files[name] ?? []), new Uint8Array(await value.arrayBuffer())];
    }
  }
  return { body, files };
}
