import { randomUUID } from "node:crypto";
import { Refusal } from "../refusal.ts";

/** A file as OpenAI tells of it. */
export interface StoredFile {
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly filename: string;
  readonly purpose: string;
  readonly createdSeconds: number;
}

/** The files of an account. Storing and reading them costs nothing. */
export class FileStore {
  readonly #files = new Map<string, StoredFile>();

  add(file: Omit<StoredFile, "id">): StoredFile {
    const stored = { ...file, id: `file-${randomUUID().replaceAll("-", "")}` };
    this.#files.set(stored.id, stored);
    return stored;
  }

  /** @throws Refusal 404 for an unknown id. */
  get(id: string): StoredFile {
    const file = this.#files.get(id);
    if (!file) throw new Refusal(404, `No such File object: ${id}`);
    return file;
  }

  delete(id: string): void {
    this.#files.delete(id);
  }

  clear(): void {
    this.#files.clear();
  }
}

/** The body that tells of a file. */
export function fileBody({ id, bytes, filename, purpose, createdSeconds }: StoredFile): object {
  return {
    id,
    object: "file",
    bytes: bytes.length,
    created_at: createdSeconds,
    filename,
    purpose,
    status: "processed",
  };
}
