import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { Seeded } from "../seeded.ts";
import type { SharedLedger } from "../shared-ledger.ts";
import { AnswerScript, labelOf, labels, textOf } from "./answer-script.ts";
import { CrashBooks } from "./crash-books.ts";
import { readRun } from "./run-on-disk.ts";

/** The command under test, as one file; what is loaded before it. */
export interface Program {
  /** Where runs draw on a pool. Default: they have a budget of their own. */
  ledger?: SharedLedger | undefined;
  cli: string;
  /** Address of a module that is loaded before it. */
  preload: string;
  /** Plants a bug that must be found: writes are not committed together. */
  isTorn: boolean;
}

/** What came of one run that was killed and resumed until it was done. */
interface StoryReport {
  /** Processes that were killed, by what chose the moment. */
  killed: Record<MomentKind, number>;
  /** Calls that the provider billed. */
  billed: number;
  /** Rows of the output. */
  rows: number;
  /** Calls whose outcome was unknown at the end. */
  unresolved: number;
  failures: string[];
}

/** What chooses the moment of a kill: a time since the start, a commit, or a time since a request was answered. */
export type MomentKind = "time" | "commit" | "request";

/** What a run of the command was. */
interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

const concurrency = 8;

/** One run of the labeler, killed so many times at moments that the seed chooses, resumed, and at last left to end. */
export async function runStory(options: { program: Program; seed: number; kills: number; rows: number }) {
  const { seed, kills, rows } = options;
  const story = await Story.open(options);
  const report: StoryReport = {
    killed: { time: 0, commit: 0, request: 0 },
    billed: 0,
    rows,
    unresolved: 0,
    failures: story.books.failures,
  };
  try {
    for (let kill = 0; kill < kills; kill++) {
      const { kind, ended } = await story.kill();
      await story.check();
      if (ended.code === 0) break;
      if (ended.signal === "SIGKILL") report.killed[kind]++;
      else story.books.fail(`ended with ${ended.code}: ${ended.stderr}`);
    }
    const last = await story.start().ended;
    if (last.code !== 0) story.books.fail(`the last resume ended with ${last.code}: ${last.stderr}`);
    const run = await story.check();
    story.books.close(run, rows);
    story.checkOutput({ mustExist: true });
    report.billed = story.simulator.invoice.count;
    report.unresolved = run?.unresolved ?? 0;
  } catch (error) {
    story.books.fail(String(error));
  } finally {
    await story.close();
  }
  report.failures = story.books.failures.map((failure) => `seed ${seed}: ${failure}`);
  return report;
}

class Story {
  readonly simulator: Simulator;
  readonly books: CrashBooks;
  readonly #folder: string;
  readonly #program: Program;
  readonly #script: AnswerScript;
  readonly #random: Seeded;
  readonly #rows: number;
  readonly #pool: string;

  private constructor(options: {
    program: Program;
    seed: number;
    rows: number;
    folder: string;
    simulator: Simulator;
    script: AnswerScript;
  }) {
    this.simulator = options.simulator;
    this.books = new CrashBooks(options.simulator, options.script);
    this.#script = options.script;
    this.#folder = options.folder;
    this.#program = options.program;
    this.#random = new Seeded(options.seed);
    this.#rows = options.rows;
    this.#pool = `seed-${options.seed}`;
  }

  static async open(options: { program: Program; seed: number; rows: number }): Promise<Story> {
    const script = new AnswerScript();
    const simulator = await startSimulator({
      seed: options.seed,
      answer: script.answer,
      latencyMs: { median: 8, p99: 50 },
      faults: [{ kind: "429", rate: 0.05, retryAfter: 0 }],
    });
    const folder = mkdtempSync(join(tmpdir(), "labeler-crashes-"));
    const lines = Array.from({ length: options.rows }, (_, row) => `"${textOf(row).replaceAll('"', '""')}",${row}`);
    writeFileSync(join(folder, "data.csv"), `text,number\n${lines.join("\n")}\n`);
    return new Story({ ...options, folder, simulator, script });
  }

  /** Starts the command: `label` until there is a run, `resume` from then on. */
  start(killAt = "") {
    const isKnown = readRun(join(this.#folder, ".autolabel")) !== undefined;
    const task = ["--labels", labels.join(","), "--model", "openrouter:openai/gpt-4o-mini", "--chain-of-thought"];
    const args = isKnown
      ? ["resume"]
      : ["label", "data.csv", ...task, ...this.#limit(), "-o", "out.csv", "-j", String(concurrency)];
    const { ledger } = this.#program;
    const child = spawn(
      process.execPath,
      ["--import", `${this.#program.preload}${killAt}`, this.#program.cli, ...args],
      {
        cwd: this.#folder,
        stdio: ["ignore", "ignore", "pipe"],
        env: {
          PATH: process.env.PATH,
          OPENROUTER_API_KEY: "test",
          OPENROUTER_BASE_URL: this.simulator.openRouterUrl,
          ...(ledger ? { AUTOLABEL_LEDGER: ledger.address } : {}),
        },
      },
    );
    let stderr = "";
    child.stderr.on("data", (chunk) => (stderr += chunk));
    const ended = new Promise<Ended>((resolve) => {
      child.once("close", (code, signal) => resolve({ code, signal, stderr }));
    });
    return { ended, kill: () => child.kill("SIGKILL") };
  }

  #limit(): string[] {
    return this.#program.ledger ? ["--pool", this.#pool, "--pool-budget", "1"] : ["--budget", "1"];
  }

  /** Starts the command and kills it at some moment, or lets it end where that comes first. */
  async kill(): Promise<{ kind: MomentKind; ended: Ended }> {
    const random = this.#random;
    const kind = this.#program.isTorn
      ? "commit"
      : ((["time", "commit", "commit", "request", "request"] as const)[random.between(0, 4)] ?? "time");
    const side = this.#program.isTorn ? "torn" : (["before", "after"] as const)[random.between(0, 1)];
    const at = `?${side}=${random.between(1, this.#program.isTorn ? 400 : 60)}`;
    const { ended, kill } = this.start(kind === "commit" ? at : "");
    let timer: ReturnType<typeof setTimeout> | undefined;
    if (kind === "time") timer = setTimeout(kill, random.between(30, 700));
    if (kind === "request") {
      const delayMs = random.between(0, 20);
      let left = random.between(1, 25);
      this.#script.onAnswer = () => {
        if (--left === 0) timer = setTimeout(kill, delayMs);
      };
    }
    const result = { kind, ended: await ended };
    clearTimeout(timer);
    this.#script.onAnswer = () => {};
    return result;
  }

  /** Holds what is on disk now against the invoice. */
  async check() {
    // Requests of a dead process may still be on their way into the simulator, which bills them all the same.
    for (let quiet = 0; quiet < 20; quiet = this.simulator.inFlight === 0 ? quiet + 1 : 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const run = await this.#read();
    this.books.check(run);
    this.checkOutput({ mustExist: false });
    return run;
  }

  async #read() {
    const run = readRun(join(this.#folder, ".autolabel"));
    const { ledger } = this.#program;
    return run && ledger ? { ...run, ...(await ledger.balance(this.#pool)), isLedgerElsewhere: true } : run;
  }

  /** The output is whole or not there. */
  checkOutput({ mustExist }: { mustExist: boolean }): void {
    const path = join(this.#folder, "out.csv");
    const parts = readdirSync(this.#folder).filter((name) => name.includes(".partial-"));
    if (mustExist && parts.length > 0) this.books.fail(`${parts.join(", ")} is left of a process that was killed`);
    if (!existsSync(path)) {
      if (mustExist) this.books.fail("there is no output");
      return;
    }
    const text = readFileSync(path, "utf8");
    const isWhole =
      text.endsWith("\n") &&
      Array.from({ length: this.#rows }, (_, row) => row).every((row) => text.includes(lineOf(row, mustExist)));
    if (!isWhole) this.books.fail("the output is torn, or not what an uninterrupted run writes");
  }

  async close(): Promise<void> {
    await this.simulator.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The line of a row in the output, up to where a label may be missing. */
function lineOf(row: number, isLabeled: boolean): string {
  const input = `\n${/[",\n]/.test(textOf(row)) ? `"${textOf(row).replaceAll('"', '""')}"` : textOf(row)},${row},`;
  return isLabeled ? `${input}${labelOf(row)},,labeled,` : input;
}
