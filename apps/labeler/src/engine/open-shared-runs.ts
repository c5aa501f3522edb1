import type { Settings } from "../config/settings.ts";
import { type Chunk, sessionOf } from "../store/row-queue.ts";
import type { RunDatabase } from "../store/run-database.ts";
import { SharedRun } from "./shared-run.ts";

/** After so long without a chunk a run is closed, in ms. */
const idleMs = 30_000;

interface OpenedRun {
  opening: Promise<SharedRun>;
  /** Once it is open. */
  run?: SharedRun;
  chunks: number;
  /** By the clock that does not go back. */
  usedAt: number;
}

/** The runs that a worker has chunks of, each opened for one session of it and closed when it has had none for a while. */
export class OpenSharedRuns {
  readonly #runs: RunDatabase;
  readonly #options: { settings: Settings; concurrency: number };
  readonly #open = new Map<string, OpenedRun>();
  #share = 1;

  constructor(runs: RunDatabase, options: { settings: Settings; concurrency: number }) {
    this.#runs = runs;
    this.#options = options;
  }

  /** Works on a chunk with its run. @throws what {@link SharedRun.open} throws, and `work`. */
  async using<T>(chunk: Chunk, work: (run: SharedRun) => Promise<T>): Promise<T> {
    const opened = this.#openedFor(chunk);
    opened.chunks++;
    try {
      return await work(await opened.opening);
    } finally {
      opened.chunks--;
      opened.usedAt = performance.now();
    }
  }

  #openedFor(chunk: Chunk): OpenedRun {
    const key = sessionOf(chunk);
    const known = this.#open.get(key);
    if (known) return known;
    const opening = SharedRun.open(this.#runs, chunk.run, this.#options);
    const opened: OpenedRun = { opening, chunks: 0, usedAt: performance.now() };
    this.#open.set(key, opened);
    opening.then(
      (run) => {
        opened.run = run;
        run.share(this.#share);
      },
      () => this.#open.delete(key),
    );
    return opened;
  }

  /** Keeps calls to a part of what each run, or its provider, allows all workers together. */
  async share(part: number): Promise<void> {
    this.#share = part;
    for (const run of await this.#all()) run.share(part);
  }

  /** Sessions whose calls wait for the provider's limits: more rows of them are of no use here. */
  heldBack(): string[] {
    return [...this.#open].filter(([, { run }]) => run?.isHeldBack).map(([key]) => key);
  }

  /** Sessions of which somebody asked that they stop. */
  async stopped(): Promise<Set<string>> {
    const stopped = new Set<string>();
    for (const [key, { opening }] of this.#open) {
      const run = await opening.catch(() => undefined);
      if (await run?.isStopAsked()) stopped.add(key);
    }
    return stopped;
  }

  /** Closes the session of a chunk, which is over, or what has been idle for long. */
  async closeIdle(over?: Chunk): Promise<void> {
    const idleSince = performance.now() - idleMs;
    for (const [key, { opening, chunks, usedAt }] of this.#open) {
      if (chunks > 0 || (usedAt > idleSince && (!over || key !== sessionOf(over)))) continue;
      this.#open.delete(key);
      await close(opening);
    }
  }

  async close(): Promise<void> {
    for (const { opening } of this.#open.values()) await close(opening);
    this.#open.clear();
  }

  async #all(): Promise<SharedRun[]> {
    const opened = await Promise.allSettled([...this.#open.values()].map(({ opening }) => opening));
    return opened.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  }
}

async function close(opening: Promise<SharedRun>): Promise<void> {
  await opening.then((run) => run.close()).catch(() => undefined);
}
