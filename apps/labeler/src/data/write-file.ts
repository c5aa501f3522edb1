import { createWriteStream, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { UsageError } from "../usage-error.ts";

/** The parts of a file, in order. */
export type FileParts = AsyncIterable<string | Uint8Array>;

/**
 * To be called before anything is spent.
 *
 * @param options.isFolder whether a folder is to be written.
 * @throws UsageError when nothing could be written there: what stands there must be kept, no permission.
 */
export function assertFree(
  path: string,
  { force, isFolder = false }: { force?: boolean | undefined; isFolder?: boolean } = {},
): void {
  if (!isFolder && statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`${path} is a folder: name a file with -o`);
  if (existsSync(path) && !force) {
    throw new UsageError(
      `${path} exists: name another ${isFolder ? "folder" : "file"} with -o, or overwrite it with --force`,
    );
  }
  try {
    mkdirSync(dirname(path), { recursive: true });
    removeAbandoned(path);
    const probe = partialPath(path);
    writeFileSync(probe, "");
    rmSync(probe);
  } catch (cause) {
    throw new UsageError(`${path} cannot be written (${(cause as Error).message}): name another file with -o`, {
      cause,
    });
  }
}

/** Where a file stands until it is whole. */
export function partialPath(path: string): string {
  return `${path}.partial-${process.pid}`;
}

/** Removes what processes that were killed had written of `path`. */
function removeAbandoned(path: string): void {
  const stem = `${basename(path)}.partial-`;
  const folder = dirname(path);
  for (const name of readdirSync(folder).filter((file) => file.startsWith(stem))) {
    const pid = name.slice(stem.length);
    if (/^\d+$/.test(pid) && !isAlive(Number(pid))) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is somebody else's.
    return (error as { code?: string }).code !== "ESRCH";
  }
}

/**
 * Writes a file beside `path` and moves it there in one step: the file is the old one or the whole new one, never a part,
 * after a power cut too.
 *
 * @throws Error that names the fix when the disk is full; the old file is as it was.
 */
export async function writeFile(path: string, parts: FileParts, { isPacked }: { isPacked: boolean }): Promise<void> {
  const partial = partialPath(path);
  removeAbandoned(path);
  const file = createWriteStream(partial, { flush: true });
  try {
    await (isPacked ? pipeline(Readable.from(parts), createGzip(), file) : pipeline(Readable.from(parts), file));
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw explainWrite(error, path);
  }
}

/** Writes to a stream that goes on, such as standard output, no faster than it is read. */
export async function writeToStream(stream: Writable, parts: FileParts): Promise<void> {
  try {
    await pipeline(Readable.from(parts), stream, { end: false });
  } catch (error) {
    // Who reads no further, such as head, has what it wants.
    if ((error as { code?: string }).code !== "EPIPE") throw explainWrite(error, "The output");
  }
}

const fullDisk = ["ENOSPC", "EDQUOT", "EFBIG"];

/** What a person can do about a file that could not be written. */
export function explainWrite(error: unknown, name: string): unknown {
  if (!fullDisk.includes((error as { code?: string }).code ?? "")) return error;
  const lost = "what stood there is as it was, and every label is kept in the run";
  return new Error(`${name} could not be written, the disk is full: free some space and write it again; ${lost}`, {
    cause: error,
  });
}
