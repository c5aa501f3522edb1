import { existsSync } from "node:fs";
import { picoToDecimal } from "@autolabel/budget-core";
import type { Settings } from "../config/settings.ts";
import { isUrl } from "../ledger/ledger-servers.ts";
import { sharedAccountOf } from "../ledger/shared-ledger.ts";
import { readAllStatus } from "../progress/read-status.ts";
import { bringUpToDate, readAccount, readFacts } from "../store/read-run.ts";
import { listRuns, type RunFileSummary, RunFolder, runPath } from "../store/run-folder.ts";
import type { PoolStatus, RunsPage } from "./api.ts";
import { RunFile } from "./run-file.ts";
import { RunWatch } from "./run-watch.ts";

/** A run of the store that is looked at. */
export interface OpenRun {
  readonly summary: RunFileSummary;
  file: RunFile;
  watch: RunWatch;
}

/** The runs of a store; each file is opened when it is first asked for. */
export class OpenRuns {
  readonly #settings: Settings;
  readonly #open = new Map<string, OpenRun>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** A run by its id, which is looked up and never made into a path; undefined when the store has none of it. */
  async find(id: string): Promise<OpenRun | undefined> {
    const known = this.#open.get(id);
    if (known?.file.isThere) return known;
    this.#open.delete(id);
    known?.file.close();
    known?.watch.tell();
    const summary = listRuns(this.#settings.store).find((run) => run.id === id);
    if (!summary) return undefined;
    await bringUpToDate(summary.path);
    const opened = this.#open.get(id);
    if (opened) return opened;
    const file = new RunFile(summary.path);
    const run: OpenRun = {
      file,
      watch: new RunWatch(file),
      // When it was last worked on is known only now.
      get summary() {
        return { ...summary, touchedAt: file.facts().touchedAt ?? "" };
      },
    };
    this.#open.set(id, run);
    return run;
  }

  /** All runs, and the pools that they name. */
  async page(): Promise<Omit<RunsPage, "author">> {
    const runs = await readAllStatus(new RunFolder(this.#settings.store), this.#settings);
    const pools = new Map<string, PoolStatus>();
    for (const { id, pool } of runs) {
      if (!pool) continue;
      const known = pools.get(pool.name);
      // The runs come with the last used first, and each holds the pool to the amount that it was given.
      if (known) known.runs.push(id);
      else pools.set(pool.name, { ...pool, spentUsd: spentInPool(pool.name, id, this.#settings), runs: [id] });
    }
    return { runs, pools: [...pools.values()] };
  }

  close(): void {
    for (const { file, watch } of this.#open.values()) {
      file.close();
      watch.tell();
    }
    this.#open.clear();
  }
}

/** What all runs of a pool spent; null where it is counted on a server, which a list must not wait for. */
function spentInPool(name: string, runId: string, { store }: Settings): string | null {
  const path = runPath(store, runId);
  const { address } = sharedAccountOf(readFacts(path), runId, { store, ledger: undefined });
  if (isUrl(address) || !existsSync(address)) return null;
  return picoToDecimal(readAccount(address, `pool/${name}`)?.spentPicoUsd ?? 0n);
}
