import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { picoToDecimal } from "@autolabel/budget-core";
import type { Settings } from "../config/settings.ts";
import { isUrl } from "../ledger/ledger-servers.ts";
import { sharedAccountOf } from "../ledger/shared-ledger.ts";
import { readAllStatus, readStatus } from "../progress/read-status.ts";
import type { RunStatus } from "../progress/run-status.ts";
import { bringUpToDate, readAccount, readFacts } from "../store/read-run.ts";
import { runPath } from "../store/run-folder.ts";
import type { RunStore } from "../store/run-store.ts";
import { isDatabase, openRuns, type RunSummary, type Runs } from "../store/runs.ts";
import type { PoolStatus, RunsPage } from "./api.ts";
import { RunFile } from "./run-file.ts";
import { RunMirror } from "./run-mirror.ts";
import { RunWatch } from "./run-watch.ts";

/** A run of the store that is looked at. */
export interface OpenRun {
  readonly id: string;
  /** The run's own file, or one that follows it where it is in a database. */
  readonly file: RunFile;
  readonly watch: RunWatch;
  /** How it stands. */
  status(): Promise<RunStatus>;
  /** Writes what people say beside whoever works on it; the file has it then. */
  write<T>(work: (store: RunStore) => Promise<T>): Promise<T>;
  /** Brings the file up to date. */
  follow(staleMs?: number): Promise<void>;
  close(): void;
}

/** The runs of a store; each is opened when it is first asked for. */
export class OpenRuns {
  readonly #settings: Settings;
  readonly #runs: Runs;
  readonly #open = new Map<string, OpenRun>();
  readonly #opening = new Map<string, Promise<OpenRun | undefined>>();
  /** Where runs of a database are followed. */
  #mirrors: string | undefined;

  private constructor(settings: Settings, runs: Runs) {
    this.#settings = settings;
    this.#runs = runs;
  }

  /** @throws UsageError when the store cannot be opened. */
  static async open(settings: Settings): Promise<OpenRuns> {
    return new OpenRuns(settings, await openRuns(settings.store));
  }

  /** Where processes that go on with a run say what goes wrong; undefined where workers go on with it. */
  get logFolder(): string | undefined {
    return this.#runs.isServer ? undefined : this.#settings.store;
  }

  /** A run by its id, which is looked up and never made into a path; undefined when the store has none of it. */
  async find(id: string): Promise<OpenRun | undefined> {
    const known = this.#open.get(id);
    if (known?.file.isThere) {
      await known.follow();
      return known;
    }
    this.#open.delete(id);
    known?.close();
    // A page asks for several things of a run at once, and its first copy may take seconds.
    const opening = this.#opening.get(id) ?? this.#openById(id).finally(() => this.#opening.delete(id));
    this.#opening.set(id, opening);
    return await opening;
  }

  async #openById(id: string): Promise<OpenRun | undefined> {
    const summary = (await this.#runs.list()).find((run) => run.id === id);
    const run = summary && (await this.#openRun(summary));
    if (run) this.#open.set(id, run);
    return run;
  }

  async #openRun(summary: RunSummary): Promise<OpenRun> {
    const runs = this.#runs;
    if (!isDatabase(runs)) {
      const path = runPath(this.#settings.store, summary.id);
      await bringUpToDate(path);
      return this.#lookAt(summary, new RunFile(path));
    }
    this.#mirrors ??= mkdtempSync(join(tmpdir(), "autolabel-ui-"));
    const folder = mkdtempSync(join(this.#mirrors, "run-"));
    const mirror = await RunMirror.open(runs, summary, join(folder, "run.db"));
    return this.#lookAt(summary, new RunFile(mirror.path), mirror);
  }

  #lookAt(summary: RunSummary, file: RunFile, mirror?: RunMirror): OpenRun {
    const follow = async (staleMs?: number) => await mirror?.follow(staleMs);
    const watch = new RunWatch(file, follow);
    return {
      id: summary.id,
      file,
      watch,
      follow,
      // When it was last worked on is known only now.
      status: () => readStatus(this.#runs, { ...summary, touchedAt: file.facts().touchedAt ?? "" }, this.#settings),
      write: async (work) => {
        const store = await this.#runs.beside(summary);
        try {
          return await work(store);
        } finally {
          await store.close();
          await follow(0);
        }
      },
      close: () => {
        file.close();
        mirror?.close();
        watch.tell();
      },
    };
  }

  /** All runs, and the pools that they name. */
  async page(): Promise<Omit<RunsPage, "author">> {
    const runs = await readAllStatus(this.#runs, this.#settings);
    const pools = new Map<string, PoolStatus>();
    for (const { id, pool } of runs) {
      if (!pool) continue;
      const known = pools.get(pool.name);
      // The runs come with the last used first, and each holds the pool to the amount that it was given.
      if (known) known.runs.push(id);
      else pools.set(pool.name, { ...pool, spentUsd: await this.#spentInPool(pool.name, id), runs: [id] });
    }
    return { runs, pools: [...pools.values()] };
  }

  /** What all runs of a pool spent; null where it is counted on another server, which a list must not wait for. */
  async #spentInPool(name: string, runId: string): Promise<string | null> {
    const scope = `pool/${name}`;
    if (isDatabase(this.#runs)) return picoToDecimal((await this.#runs.spentIn(scope)) ?? 0n);
    const { store } = this.#settings;
    const { address } = sharedAccountOf(readFacts(runPath(store, runId)), runId, { store, ledger: undefined });
    if (isUrl(address) || !existsSync(address)) return null;
    return picoToDecimal(readAccount(address, scope)?.spentPicoUsd ?? 0n);
  }

  async close(): Promise<void> {
    for (const run of this.#open.values()) run.close();
    this.#open.clear();
    await this.#runs.close();
    if (this.#mirrors !== undefined) rmSync(this.#mirrors, { recursive: true, force: true });
  }
}
