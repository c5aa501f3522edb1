const isAscii = /^[\x20-\x7e]*$/;

/** Bytes that a text adds to a request, in the longer of its two forms: what the bound of a call grows with. */
export function jsonBytes(text: string): number {
  const json = JSON.stringify(text);
  if (isAscii.test(json)) return json.length;
  return Math.max(Buffer.byteLength(json), Buffer.byteLength(json.normalize("NFKC")));
}
