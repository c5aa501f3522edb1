import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { parse } from "csv-parse/sync";
import { afterEach, beforeEach } from "vitest";
import { AutoLabeler } from "./auto-labeler.ts";
import type { LabelingConfigInput } from "./config/labeling-config.ts";
import { Settings, type SettingsInput } from "./config/settings.ts";

/** How a process ended. */
interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A process under test. */
type Started = ChildProcess & {
  done: Promise<Ended>;
  /** What it said to the person so far. */
  said: () => string;
};

/** Labels of the tasks under test. */
const labels = ["refund", "delivery"];

/** Different rows, each with its number. */
export const rowsOf = (count: number, what = "My refund number") =>
  Array.from({ length: count }, (_, row) => ({ text: `${what} ${row}` }));

/** A model whose calls cost so much each, whatever is asked; its bound is its cost. */
export const flat = (usdPerCall: string) => ({
  models: { "test/flat": { promptUsdPerMillion: "0", completionUsdPerMillion: "0", requestUsd: usdPerCall } },
  config: {
    model: "openrouter:test/flat",
    prices: { "test/flat": { input: "0", output: "0", request: usdPerCall, maxOutputTokens: 1000 } },
  },
});

/** A folder, a provider and the labeler, as a library and as a command; made anew for every test. */
export class Bench {
  folder = "";
  #simulator: Simulator | undefined;

  get simulator(): Simulator {
    if (!this.#simulator) throw new Error("simulate() first");
    return this.#simulator;
  }

  async simulate(options: SimulatorOptions = {}): Promise<Simulator> {
    await this.#simulator?.close();
    this.#simulator = await startSimulator(options);
    return this.#simulator;
  }

  open(): void {
    this.folder = mkdtempSync(join(tmpdir(), "failure-modes-"));
  }

  async close(): Promise<void> {
    await this.#simulator?.close();
    this.#simulator = undefined;
    rmSync(this.folder, { recursive: true, force: true });
  }

  settings(input: SettingsInput = {}): Settings {
    const { openRouterUrl: openrouterBaseUrl, openAiUrl: openaiBaseUrl } = this.simulator;
    const keys = { openrouterApiKey: "test", openaiApiKey: "test", openrouterBaseUrl, openaiBaseUrl };
    return new Settings({ ...keys, store: join(this.folder, ".autolabel"), ...input }, { env: {} });
  }

  labeler(config: Partial<LabelingConfigInput> = {}, settings: SettingsInput = {}): AutoLabeler {
    const usual = { model: "openrouter:openai/gpt-4o-mini", budget: 1, concurrency: 8 };
    const isLabeled = config.task === undefined || config.task === "classification";
    return new AutoLabeler("run", this.settings(settings), { ...usual, ...(isLabeled ? { labels } : {}), ...config });
  }

  /** Labels texts by the library, whatever ends it. */
  async label(config: Partial<LabelingConfigInput>, rows: readonly { text: string }[], settings: SettingsInput = {}) {
    const run = await this.labeler(config, settings).start({ rows, column: "text" });
    try {
      const outcome = await run.finish();
      return { outcome, rows: await Array.fromAsync(run.rows()), exact: (await run.stats()).exact };
    } finally {
      await run.close();
    }
  }

  /** Writes a data file and gives the arguments that label it. */
  data(rows: readonly { text: string }[], ...more: string[]): string[] {
    return this.dataNamed("data", rows, ...more);
  }

  /** The same under another name: `NAME.csv` becomes `NAME.out.csv`. */
  dataNamed(name: string, rows: readonly { text: string }[], ...more: string[]): string[] {
    const lines = rows.map(({ text }) => `"${text.replaceAll('"', '""')}"`);
    writeFileSync(join(this.folder, `${name}.csv`), `text\n${lines.join("\n")}\n`);
    const model = ["--labels", labels.join(","), "--model", "openrouter:openai/gpt-4o-mini"];
    return ["label", `${name}.csv`, ...model, "-o", `${name}.out.csv`, ...more];
  }

  /** Starts the command in a process of its own. */
  start(args: string[], env: Record<string, string> = {}): Started {
    const cli = join(import.meta.dirname, "cli.ts");
    const OPENROUTER_BASE_URL = this.simulator.openRouterUrl;
    const child = spawn(process.execPath, ["--conditions=@autolabel/source", cli, ...args], {
      cwd: this.folder,
      env: { PATH: process.env.PATH, OPENROUTER_API_KEY: "test", OPENROUTER_BASE_URL, ...env },
    });
    const ended: Ended = { code: null, stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => (ended.stdout += chunk));
    child.stderr.on("data", (chunk) => (ended.stderr += chunk));
    const done = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ ...ended, code })));
    return Object.assign(child, { done, said: () => ended.stderr });
  }

  /** Runs the command to its end. */
  run(args: string[], env: Record<string, string> = {}): Promise<Ended> {
    return this.start(args, env).done;
  }

  output(): Record<string, string>[] {
    return parse(readFileSync(join(this.folder, "data.out.csv"), "utf8"), { columns: true });
  }

  /** The balances of a run, or of another ledger of the store, out of its file. */
  books(file = "data-1.sqlite"): Record<"spent" | "held" | "unresolved", bigint> {
    const database = new DatabaseSync(join(this.folder, ".autolabel", file), { readOnly: true });
    const statement = database.prepare(
      "SELECT spent_pico_usd AS spent, held_pico_usd AS held, unresolved_pico_usd AS unresolved FROM accounts ORDER BY length(scope)",
    );
    statement.setReadBigInts(true);
    const account = statement.get();
    database.close();
    return account as Record<"spent" | "held" | "unresolved", bigint>;
  }

  /** How many prompts the provider billed more than once. */
  boughtTwice(): number {
    const { lines } = this.simulator.invoice;
    return lines.length - new Set(lines.map(({ promptHash }) => promptHash)).size;
  }

  /** What a row of {@link rowsOf} costs, measured at the provider. */
  async costPerRow(): Promise<bigint> {
    await this.label({}, rowsOf(10), { store: join(this.folder, "probe") });
    const cost = this.simulator.invoice.totalPicoUsd / 10n;
    this.simulator.reset();
    return cost;
  }
}

/** A bench for the tests of a file. */
export function useBench(): Bench {
  const bench = new Bench();
  beforeEach(() => bench.open());
  afterEach(() => bench.close());
  return bench;
}
