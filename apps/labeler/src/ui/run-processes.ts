import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { UsageError } from "../usage-error.ts";

/** The command line of autolabel itself, and the environment that it is called in. */
export interface CommandLine {
  /** The program and what stands before the command. */
  program: readonly string[];
  env?: Readonly<Record<string, string>>;
}

/** A process that was started to go on with a run. */
interface Worker {
  hasEnded: boolean;
  /** What ended it, in its words; null where nothing did. */
  problem: string | null;
  /** The session of the run that it was; another one since may have mended the problem. */
  session: string | undefined;
}

/** Calls the command line, so that what takes long does not hold up the server, and is done as a person would do it. */
export class RunProcesses {
  readonly #line: CommandLine;
  readonly #workers = new Map<string, Worker>();

  constructor(line: CommandLine) {
    this.#line = line;
  }

  /** Runs a command and gives what it writes. @throws UsageError with its words when it fails before it wrote anything. */
  async output(args: readonly string[]): Promise<ReadableStream<Uint8Array>> {
    const child = this.#spawn(args, ["ignore", "pipe", "pipe"]);
    const stdout = child.stdout as Readable;
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
    const ended = new Promise<number | null>((resolve, reject) => {
      child.on("close", resolve);
      child.on("error", reject);
    });
    const hasBegun = new Promise<"begun">((resolve) => stdout.once("readable", () => resolve("begun")));
    const first = await Promise.race([hasBegun, ended]);
    // An empty output is readable at its end too: then the exit code tells.
    if (first !== "begun" || stdout.readableLength === 0) {
      const code = await ended;
      if (code !== 0) throw new UsageError(problemIn(said));
    }
    void ended.then((code) => code !== 0 && stdout.destroy(new Error(problemIn(said))));
    return Readable.toWeb(stdout) as ReadableStream<Uint8Array>;
  }

  /**
   * Starts a process that goes on with a run and does not end with this one.
   *
   * @param options.log where it says what goes wrong.
   * @param options.session tells the run's sessions apart: it has begun when there is another one.
   * @param options.onEnd called when it ended.
   * @throws UsageError with its words when it ends before that.
   */
  async resume(
    run: string,
    args: readonly string[],
    { log, session, onEnd }: { log: string; session: () => string | undefined; onEnd: () => void },
  ): Promise<void> {
    const before = session();
    const file = openSync(log, logMode);
    let child: ChildProcess;
    try {
      child = this.#spawn(["resume", ...args, "--", run], ["ignore", "ignore", file], true);
    } finally {
      closeSync(file);
    }
    child.unref();
    const worker: Worker = { hasEnded: false, problem: null, session: undefined };
    this.#workers.set(run, worker);
    const ended = new Promise<void>((resolve) => {
      const end = (problem: string | null) => {
        Object.assign(worker, { hasEnded: true, problem, session: session() } satisfies Worker);
        resolve();
        onEnd();
      };
      child.on("exit", (code) => end(code === 1 || code === 2 ? problemIn(readFileSync(log, "utf8")) : null));
      child.on("error", ({ message }) => end(message));
    });
    while (!worker.hasEnded && session() === before) {
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, lookMs))]);
    }
    if (worker.problem !== null) throw new UsageError(worker.problem);
  }

  /** What ended the process that was last started for a run; null where nothing did, or the run went on since. */
  problemOf(run: string, session: string): string | null {
    const worker = this.#workers.get(run);
    return worker?.session === session ? worker.problem : null;
  }

  #spawn(args: readonly string[], stdio: ("ignore" | "pipe" | number)[], detached = false): ChildProcess {
    const [program = process.execPath, ...before] = this.#line.program;
    const env = { ...process.env, ...this.#line.env, NO_COLOR: "1" };
    return spawn(program, [...before, ...args], { stdio, detached, env, windowsHide: true });
  }
}

const lookMs = 25;

/** A link in the store may lead to a file of somebody else's. */
const logMode = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (constants.O_NOFOLLOW ?? 0);

/** The error in what a command said to a person. */
function problemIn(said: string): string {
  const lines = stripVTControlCharacters(said).split("\n");
  const error = lines.find((line) => line.startsWith("error: "));
  return (
    error?.slice("error: ".length) ??
    (lines.filter((line) => line.trim() !== "").at(-1) || "It failed and said nothing")
  );
}
