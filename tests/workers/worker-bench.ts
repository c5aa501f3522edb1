import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { Pool } from "pg";
import { Settings } from "../../apps/labeler/src/config/settings.ts";
import { readStatus } from "../../apps/labeler/src/progress/read-status.ts";
import type { RunStatus } from "../../apps/labeler/src/progress/run-status.ts";
import { findRun, openRuns, type Runs } from "../../apps/labeler/src/store/runs.ts";
import { CliFolder, type Ended } from "../../apps/labeler/src/testing/run-cli.ts";
import { type PostgresServer, startPostgres } from "../servers/start-postgres.ts";

/** A worker's process. */
export type WorkerProcess = ReturnType<CliFolder["start"]>;

/** A database of its own for each test, the provider, and the command line. */
export class WorkerBench {
  static async start(): Promise<WorkerBench> {
    return new WorkerBench(await startPostgres());
  }

  readonly postgres: PostgresServer;
  cli!: CliFolder;
  url!: string;
  #runs: Runs | undefined;
  #databases = 0;
  #workers: WorkerProcess[] = [];

  private constructor(postgres: PostgresServer) {
    this.postgres = postgres;
  }

  get simulator(): Simulator {
    return this.cli.simulator;
  }

  /** Begins a test. */
  async open(options: SimulatorOptions = {}): Promise<void> {
    const simulator = await startSimulator({ latencyMs: 20, ...options });
    this.cli = new CliFolder(mkdtempSync(join(tmpdir(), "workers-")), simulator);
    const name = `store_${this.#databases++}`;
    const pool = new Pool({ connectionString: this.postgres.url });
    await pool.query(`CREATE DATABASE ${name}`);
    await pool.end();
    this.url = this.postgres.url.replace(/postgres$/, name);
  }

  /** Ends a test; its workers die. */
  async close(): Promise<void> {
    for (const worker of this.#workers) worker.kill("SIGKILL");
    await Promise.all(this.#workers.map(({ done }) => done));
    this.#workers = [];
    await this.#runs?.close();
    this.#runs = undefined;
    await this.simulator.close();
    rmSync(this.cli.folder, { recursive: true });
  }

  run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
    return this.cli.run(args, { AUTOLABEL_STORE: this.url, ...env });
  }

  worker(...args: string[]): WorkerProcess {
    return this.workerWith({}, ...args);
  }

  /** One with an environment of its own. */
  workerWith(env: Record<string, string>, ...args: string[]): WorkerProcess {
    const started = this.cli.start(["worker", ...args], { AUTOLABEL_STORE: this.url, ...env });
    this.#workers.push(started);
    return started;
  }

  /** What `autolabel status` tells. */
  async status(run: string): Promise<RunStatus> {
    this.#runs ??= await openRuns(this.url);
    return await readStatus(this.#runs, await findRun(this.#runs, run), new Settings({ store: this.url }, { env: {} }));
  }

  /** Waits until something is true of a run. */
  async until(run: string, isTrue: (status: RunStatus) => boolean): Promise<RunStatus> {
    for (;;) {
      const status = await this.status(run);
      if (isTrue(status)) return status;
      await sleep(100);
    }
  }

  /** Waits until nobody works on a run, and none of its rows waits for a worker. */
  ended(run: string): Promise<RunStatus> {
    return this.until(run, ({ isWorking }) => isWorking === false);
  }

  /** Stops workers as an operator does. @returns how each ended. */
  async stop(workers: readonly WorkerProcess[]): Promise<Ended[]> {
    for (const worker of workers) worker.kill("SIGTERM");
    return await Promise.all(workers.map(({ done }) => done));
  }
}
