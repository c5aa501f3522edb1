import { type Command, InvalidArgumentError, Option } from "commander";
import { dataFormats } from "../data/data-format.ts";
import { processIo } from "./command-io.ts";
import type { StoreFlags } from "./config-flags.ts";
import type { InitOptions } from "./init.ts";
import type { ResumeOptions } from "./resume.ts";
import type { RetryOptions } from "./retry.ts";
import type { StatusOptions } from "./status.ts";
import type { UiOptions } from "./ui.ts";
import type { WorkerOptions } from "./worker.ts";

/** Flags that several commands take. */
export const flags = {
  store: [
    "--store <place>",
    "where runs are kept: a folder, or postgres://… (default: .autolabel, or AUTOLABEL_STORE)",
  ],
  json: ["--json", "events as JSON lines on stdout; what a person reads goes to stderr"],
  jsonLine: ["--json", "as one line of JSON"],
  pool: ["--pool <name>", "draw on a limit that all runs of this name share, besides the run's own"],
  poolBudget: ["--pool-budget <usd>", "what all runs of the pool may spend together, in USD"],
  maxRowCost: ["--max-row-cost <usd>", "what one row may cost, all its attempts together"],
  ledger: [
    "--ledger <address>",
    "where pools and LLM_BUDGET are counted: postgres://, redis://, or a file (default: in the store, or AUTOLABEL_LEDGER)",
  ],
} as const;

type SetExitCode = (code: number) => void;

/** Adds the commands on runs that exist, and the one before the first. */
export function addRunCommands(autolabel: Command, setExitCode: SetExitCode): void {
  goingOn(autolabel.command("resume [run]"))
    .summary("go on with a run (default: the last one); only rows not paid for yet are bought")
    .option("--relabel", "buy rows again that were labeled before the task's text was changed")
    .action(async (id: string | undefined, options: ResumeOptions) => {
      const { resume } = await import("./resume.ts");
      setExitCode(await resume(id, options, processIo));
    });

  goingOn(autolabel.command("retry [run]"))
    .summary("buy rows again that ended without a label, then go on (default: the last run)")
    .option("--only <endings>", "truncated, invalid, refused, error, separated by commas (default: all of them)")
    .action(async (id: string | undefined, options: RetryOptions) => {
      const { retry } = await import("./retry.ts");
      setExitCode(await retry(id, options, processIo));
    });

  autolabel
    .command("status [run]")
    .summary("how a run stands (default: the last one), also while it goes on")
    .option(...flags.jsonLine)
    .option(...flags.ledger)
    .option(...flags.store)
    .action(async (id: string | undefined, options: StatusOptions) => {
      const { status } = await import("./status.ts");
      setExitCode(await status(id, options, processIo));
    });

  autolabel
    .command("runs")
    .summary("all runs, the last used first")
    .option(...flags.jsonLine)
    .option(...flags.store)
    .action(async (options: StatusOptions) => {
      const { runs } = await import("./status.ts");
      setExitCode(await runs(options, processIo));
    });

  autolabel
    .command("stop [run]")
    .summary("ask whoever works on a run to take no more rows; calls in flight are finished and kept")
    .option(...flags.store)
    .action(async (id: string | undefined, options: StoreFlags) => {
      const { stop } = await import("./stop.ts");
      setExitCode(await stop(id, options, processIo));
    });

  autolabel
    .command("worker")
    .summary("label rows of the runs in a database, beside any number of workers, until SIGTERM or Ctrl-C")
    .option("-j, --concurrency <n>", "calls in flight at most (default: 16)", readCount)
    .option("--health-port <n>", "answer /healthz and /readyz there", readCount)
    .option("--store <url>", "the database: postgres://… (default: AUTOLABEL_STORE)")
    .action(async (options: WorkerOptions) => {
      const { worker } = await import("./worker.ts");
      setExitCode(await worker(options, processIo));
    });

  autolabel
    .command("ui [run]")
    .summary("watch runs, look at rows and review labels in a browser, on this machine alone")
    .option("--port <n>", "where it listens on 127.0.0.1 (default: any free port)", readCount)
    .option("--author <name>", "who reviews (default: the name of the user)")
    .option(...flags.ledger)
    .option(...flags.store)
    .action(async (id: string | undefined, options: UiOptions) => {
      const { ui } = await import("./ui.ts");
      setExitCode(await ui(id, options, processIo));
    });

  autolabel
    .command("init <data>")
    .summary("look at a data file and write autolabel.yaml")
    .option("--text-column <name>", "the column that is labeled (default: the one that looks like it)")
    .option("--label-column <name>", "the column with the true labels (default: one of few different values)")
    .option("--delimiter <character>", "what separates the columns of a .csv file (default: a comma)")
    .action(async (data: string, options: InitOptions) => {
      const { init } = await import("./init.ts");
      setExitCode(await init(data, options, processIo));
    });
}

/** The format of data whose name does not tell it. */
export function formatOption(): Option {
  return new Option("--format <format>", "of input and output, where their endings do not tell").choices(dataFormats);
}

/** The flags of resume and retry. */
function goingOn(command: Command): Command {
  return command
    .option("--budget <usd>", "the new total, not an addition")
    .option(...flags.pool)
    .option(...flags.poolBudget)
    .option(...flags.maxRowCost)
    .option("-c, --config <file>", "a configuration file that stands before what the run has")
    .option("--labels <names>", "other labels from now on: a,b,c, or a .json or .txt file")
    .option("--guidelines <text>", "other guidelines from now on: text, or a .txt or .md file")
    .option("--examples <file>", "other examples from now on")
    .option("--schema <file>", "extraction: another .json file with the JSON schema")
    .option("--order <order>", "file, random, random:SEED or stratified:COLUMN, of the rows that are left")
    .option("-o, --output <file>", "where all rows go; - is standard output (default: as before)")
    .addOption(formatOption())
    .option("-j, --concurrency <n>", "calls in flight at most", readCount)
    .option("--rpm <n>", "requests per minute at most", readCount)
    .option("--tpm <n>", "tokens per minute at most", readCount)
    .option("--force", "overwrite the output file if it exists")
    .option(...flags.json)
    .option(...flags.ledger)
    .option(...flags.store);
}

/** A flag that is a whole number from 1. */
export function readCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new InvalidArgumentError("It must be a whole number from 1.");
  return count;
}
