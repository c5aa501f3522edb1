import type { RunFile } from "./run-file.ts";

/** At most so often is a run looked at, in ms. */
const watchMs = 500;

/** Tells listeners when somebody wrote to a run; nothing is looked at while nobody listens. */
export class RunWatch {
  readonly #file: RunFile;
  readonly #follow: () => Promise<void>;
  readonly #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #version = "";

  /** @param follow brings the file up to date. */
  constructor(file: RunFile, follow: () => Promise<void>) {
    this.#file = file;
    this.#follow = follow;
  }

  /** @returns a function that stops listening. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    if (!this.#timer) {
      this.#version = this.#versionNow();
      this.#timer = setInterval(() => void this.#look(), watchMs);
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /** Wakes all who listen. */
  tell(): void {
    for (const listener of this.#listeners) listener();
  }

  async #look(): Promise<void> {
    // Without its database a run stands as it was last seen.
    await this.#follow().catch(() => undefined);
    const version = this.#versionNow();
    if (version === this.#version) return;
    this.#version = version;
    this.tell();
  }

  /** What cannot be read at this moment is another version: who listens looks for himself, and is told what is wrong. */
  #versionNow(): string {
    try {
      return this.#file.version();
    } catch {
      return "unreadable";
    }
  }
}
