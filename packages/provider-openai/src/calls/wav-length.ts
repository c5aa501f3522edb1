/** The first bytes of a recording, and how long it is in all. */
export interface Recording {
  head: Uint8Array;
  size: number;
}

/** How much of a recording is looked at: the format stands before the samples. */
export const headBytes = 65_536;

const pcm = 1;
const float = 3;
const extensible = 0xff_fe;

/**
 * The most seconds that an uncompressed WAV file can last: all of its bytes as samples. Undefined for any other file,
 * because the length of compressed sound does not follow from its bytes.
 */
export function wavSeconds({ head, size }: Recording): number | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (size < 44 || textAt(view, 0) !== "RIFF" || textAt(view, 8) !== "WAVE") return undefined;
  for (let at = 12; at + 24 <= view.byteLength; at += 8 + roundedUp(view.getUint32(at + 4, true))) {
    if (textAt(view, at) !== "fmt ") continue;
    const tag = view.getUint16(at + 8, true);
    // The extensible form tells the format where the plain one ends.
    const format = tag === extensible && at + 34 <= view.byteLength ? view.getUint16(at + 32, true) : tag;
    const [channels, rate, bits] = [
      view.getUint16(at + 10, true),
      view.getUint32(at + 12, true),
      view.getUint16(at + 22, true),
    ];
    const isPlain = format === pcm || format === float;
    const bytesPerSecond = rate * channels * Math.ceil(bits / 8);
    return isPlain && bytesPerSecond > 0 ? Math.ceil(size / bytesPerSecond) : undefined;
  }
  return undefined;
}

function textAt(view: DataView, at: number): string {
  return at + 4 > view.byteLength ? "" : String.fromCharCode(...[0, 1, 2, 3].map((index) => view.getUint8(at + index)));
}

/** A chunk of odd length is followed by a byte that fills it up. */
function roundedUp(length: number): number {
  return length + (length % 2);
}
