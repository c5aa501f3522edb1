import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Simulator } from "@autolabel/simulator";
import { parse } from "csv-parse/sync";

const cli = join(import.meta.dirname, "../cli.ts");

/** How a command ended. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The labels of the data that {@link CliFolder.writeData} makes. */
const labels = ["card_arrival", "exchange_rate", "lost_card"];
const phrases = ["When will my card arrive", "What exchange rate do I get", "I lost my card"];

/** The command line in a folder of a test's own, against a simulator. */
export class CliFolder {
  readonly folder: string;
  readonly simulator: Simulator;

  constructor(folder: string, simulator: Simulator) {
    this.folder = folder;
    this.simulator = simulator;
  }

  /** Starts a command as a process of its own. */
  start(
    args: readonly string[],
    env: Record<string, string | undefined> = {},
  ): ChildProcess & { done: Promise<Ended> } {
    const child = spawn(process.execPath, ["--conditions=@autolabel/source", cli, ...args], {
      cwd: this.folder,
      env: {
        PATH: process.env.PATH,
        NO_COLOR: "1",
        OPENROUTER_API_KEY: "test",
        OPENROUTER_BASE_URL: this.simulator.openRouterUrl,
        ...env,
      },
    });
    const ended: Ended = { code: null, stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => (ended.stdout += chunk));
    child.stderr.on("data", (chunk) => (ended.stderr += chunk));
    const done = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ ...ended, code })));
    return Object.assign(child, { done });
  }

  /** Runs a command to its end. */
  run(args: readonly string[], env?: Record<string, string | undefined>): Promise<Ended> {
    return this.start(args, env).done;
  }

  /** Runs a command with `--json` that prints one line. */
  async json(args: readonly string[], env?: Record<string, string | undefined>): Promise<Record<string, unknown>> {
    const { code, stdout, stderr } = await this.run([...args, "--json"], env);
    if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  /** A data file of so many different rows; the texts begin alike where `stem` is alike. */
  writeData(name: string, rows: number, stem = name): void {
    const lines = Array.from({ length: rows }, (_, index) => `${phrases[index % 3]}? (${stem} ${index})`);
    writeFileSync(join(this.folder, name), `text\n${lines.join("\n")}\n`);
  }

  /** What one row costs at most in these tests: a whole run's mean, measured at the provider. */
  async meanCost(): Promise<bigint> {
    this.writeData("probe.csv", 10);
    const { code, stderr } = await this.run([...labelArgs("probe.csv"), "--budget", "1", "--store", "probe"]);
    if (code !== 0) throw new Error(stderr);
    const cost = this.simulator.invoice.totalPicoUsd / 10n;
    this.simulator.reset();
    return cost;
  }

  /** The rows that a run wrote. */
  output(name: string): Record<string, string>[] {
    return parse(readFileSync(join(this.folder, name), "utf8"), { columns: true });
  }

  /** How many calls the provider billed for a prompt that it had billed before. */
  boughtTwice(): number {
    const hashes = this.simulator.invoice.lines.map(({ promptHash }) => promptHash);
    return hashes.length - new Set(hashes).size;
  }
}

/** `autolabel label` of a file, without a budget. */
export function labelArgs(data: string, ...more: string[]): string[] {
  return ["label", data, "--labels", labels.join(","), "--model", "openrouter:openai/gpt-4o-mini", ...more];
}

/** An amount in pico-USD below a dollar as decimal text. */
export function inUsd(picoUsd: bigint): string {
  return `0.${picoUsd.toString().padStart(12, "0")}`;
}
