import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { UsageError } from "../usage-error.ts";

/** Where text comes from. */
export interface TextOrigin {
  /** What it is called in messages. */
  name: string;
  /** A name that `TextDecoder` knows, such as `windows-1252`. Default: what a byte order mark says, else UTF-8. */
  encoding?: string | undefined;
}

/**
 * The text of bytes, in parts, without its byte order mark; bytes packed by gzip are unpacked, whatever their name.
 *
 * @throws UsageError for bytes that the encoding does not have: read otherwise they would be paid for as rubbish.
 */
export async function* decodeText(bytes: AsyncIterable<Uint8Array>, origin: TextOrigin): AsyncGenerator<string> {
  const packed = await withHead(bytes);
  const plain = isGzip(packed.head) ? await withHead(unpack(packed.all, origin.name)) : packed;
  const encoding = origin.encoding ?? encodingByMark(plain.head) ?? "utf-8";
  const decoder = decoderFor(encoding);
  const decode = (part?: Uint8Array) => {
    try {
      return part === undefined ? decoder.decode() : decoder.decode(part, { stream: true });
    } catch (cause) {
      throw new UsageError(`${origin.name} is not ${encoding.toUpperCase()} text: ${hint(origin)}`, { cause });
    }
  };
  for await (const part of plain.all) yield decode(part);
  yield decode();
}

function hint({ encoding }: TextOrigin): string {
  if (encoding !== undefined) return "leave --encoding out, or name another one";
  return "save it as UTF-8, or name its encoding, such as --encoding windows-1252 for files of older Windows programs";
}

/** @throws UsageError for a name that is none. */
function decoderFor(encoding: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch (cause) {
    throw new UsageError(
      `No encoding is named "${encoding}": name one such as utf-8, utf-16le, windows-1252, shift_jis`,
      {
        cause,
      },
    );
  }
}

const longestMark = 3;

/** The first bytes, and all bytes from the first one on. */
async function withHead(
  bytes: AsyncIterable<Uint8Array>,
): Promise<{ head: Uint8Array; all: AsyncIterable<Uint8Array> }> {
  const source = bytes[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < longestMark) {
    const next = await source.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  const all = async function* () {
    try {
      yield head;
      for (let next = await source.next(); !next.done; next = await source.next()) yield next.value;
    } finally {
      await source.return?.();
    }
  };
  return { head, all: all() };
}

function isGzip([first, second]: Uint8Array): boolean {
  return first === 0x1f && second === 0x8b;
}

/** UTF-8 needs none: its decoder takes its mark off by itself. */
function encodingByMark([first, second]: Uint8Array): string | undefined {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  return undefined;
}

async function* unpack(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const unpacked = createGunzip();
  const source = Readable.from(bytes).on("error", (error) => unpacked.destroy(error));
  try {
    yield* source.pipe(unpacked) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    if (!(cause as { code?: string }).code?.startsWith("Z_")) throw cause;
    throw new UsageError(`${name} is a damaged gzip file, or a part of one: fetch or pack it again`, { cause });
  } finally {
    source.destroy();
  }
}
