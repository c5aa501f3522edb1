#!/usr/bin/env node
import nodeModule from "node:module";
import { styleText } from "node:util";
import { setFlagsFromString } from "node:v8";
import { BudgetError, LedgerError } from "@autolabel/budget-core";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { processIo } from "./commands/command-io.ts";
import type { ExportOptions } from "./commands/export.ts";
import type { LabelOptions } from "./commands/label.ts";
import type { LedgerOptions, ResolveOptions } from "./commands/ledger.ts";
import type { PlanOptions } from "./commands/plan.ts";
import type { ReportCommandOptions } from "./commands/report.ts";
import { addRunCommands, flags, formatOption, readCount } from "./commands/run-commands.ts";
import { exportLayouts } from "./export/export-layout.ts";
import { offsetUnits } from "./export/offsets.ts";
import { taskKinds } from "./tasks/task.ts";
import { UsageError } from "./usage-error.ts";

const exits = `
Exit codes: 0 all labeled · 1 error · 2 bad usage or configuration · 3 budget reached, partial results written ·
4 finished, some rows without a label · 5 paused, the provider's credit is used up · 130 interrupted`;

function program(setExitCode: (code: number) => void): Command {
  const autolabel = new Command("autolabel")
    .description("Label data sets with LLMs under a budget: stop, resume, lose nothing, pay for nothing twice.")
    .addHelpText("after", exits)
    .exitOverride()
    .configureOutput({ outputError: () => {} });

  addDataCommands(autolabel, setExitCode);
  addRunCommands(autolabel, setExitCode);
  addExportCommand(autolabel, setExitCode);
  addReportCommand(autolabel, setExitCode);
  addLedgerCommands(autolabel, setExitCode);
  return autolabel;
}

/** A command on a data file, with all that says how it is labeled. */
function dataCommand(autolabel: Command, name: string): Command {
  return autolabel
    .command(name)
    .option("-c, --config <file>", "configuration (default: autolabel.yaml, .json or .ts in the working folder)")
    .option("--text-column <name>", "the column that is labeled (default: text)")
    .option("--template <text>", "the text, out of several columns: '{title}: {body}'")
    .option("--id-column <name>", "the column that names the rows (default: row_id or id, else their place)")
    .option("--delimiter <character>", "what separates the columns of a .csv file, or tab (default: a comma)")
    .addOption(formatOption())
    .option("--encoding <name>", "of text files, such as windows-1252 (default: UTF-8, or UTF-16 with its mark)")
    .addOption(new Option("--task <kind>", "what rows are asked for (default: classification)").choices(taskKinds))
    .option("--labels <names>", "a,b,c, or a .json or .txt file with the names")
    .option("--schema <file>", "extraction: a .json file with the JSON schema that is filled")
    .option("--model <id>", "openrouter:openai/gpt-4o-mini, openai:gpt-4o-mini, corporate:my-model")
    .option("--budget <usd>", 'what the run may cost in all, in USD, or "unlimited" (default: LLM_BUDGET)')
    .option(...flags.pool)
    .option(...flags.poolBudget)
    .option(...flags.maxRowCost)
    .option(...flags.ledger)
    .option(
      "-o, --output <file>",
      "where all rows go, labels added; - is standard output (default: <data>.labeled.csv in the working folder)",
    )
    .option("-j, --concurrency <n>", "calls in flight at most (default: 16)", readCount)
    .option("--guidelines <text>", "what the labels mean: text, or a .txt or .md file")
    .option("--examples <file>", "rows with their labels, shown to the model: columns as in the data, and label")
    .option("--similar-examples <n>", "show each row only the n examples most like it", readCount)
    .option("--chain-of-thought", "the model writes its reasons before the answer")
    .option("--confidence", "the model states how sure it is")
    .option("--no-dedupe", "buy rows of equal text one by one")
    .option("--order <order>", "file, random, random:SEED or stratified:COLUMN: what a budget that ends early reaches")
    .option("--rpm <n>", "requests per minute at most (default: what the provider says)", readCount)
    .option("--tpm <n>", "tokens per minute at most (default: what the provider says)", readCount)
    .option("--max-output-tokens <n>", "output cap of a call (default: what the task needs)", readCount)
    .option("--name <name>", "name of the run (default: the file's)")
    .option("--input-price <usd>", "price of a model that is not listed, per 1M input tokens")
    .option("--output-price <usd>", "the same per 1M output tokens")
    .option("--new", "start over and pay again, although these rows were labeled before")
    .option("--force", "overwrite the output file if it exists")
    .option(...flags.store);
}

function addDataCommands(autolabel: Command, setExitCode: (code: number) => void): void {
  dataCommand(autolabel, "plan [data]")
    .summary("what labeling a file would cost, before it costs anything: free, and no key is needed")
    .option("--probe <n>", "buy n random rows within the budget to measure it; label goes on with them", readProbe)
    .option(...flags.jsonLine)
    .action(async (data: string | undefined, options: PlanOptions) => {
      const { plan } = await import("./commands/plan.ts");
      setExitCode(await plan(data, options, processIo));
    });

  dataCommand(autolabel, "label [data]")
    .alias("run")
    .summary("label a .csv, .tsv, .jsonl, .json or .parquet file, or standard input: -")
    .option(...flags.json)
    .action(async (data: string | undefined, options: LabelOptions) => {
      const { label } = await import("./commands/label.ts");
      setExitCode(await label(data, options, processIo));
    });
}

function addExportCommand(autolabel: Command, setExitCode: (code: number) => void): void {
  autolabel
    .command("export [run]")
    .summary("write a run's rows for another tool, without any call (default: the last run)")
    .addOption(new Option("--to <layout>", "what is written").choices(exportLayouts).makeOptionMandatory())
    .option("-o, --output <file>", "where it goes; - is standard output (default: the run's name and an ending)")
    .addOption(
      new Option("--only <rows>", "labeled or all rows (default: all; for spacy labeled)").choices(["labeled", "all"]),
    )
    .addOption(
      new Option("--offsets <unit>", "what places of mentions count (default: as the tool does)").choices(offsetUnits),
    )
    .option("--force", "overwrite the output if it exists")
    .option("--store <folder>", "where runs are kept (default: .autolabel, or AUTOLABEL_STORE)")
    .action(async (id: string | undefined, options: ExportOptions) => {
      const { exportRun } = await import("./commands/export.ts");
      setExitCode(await exportRun(id, options, processIo));
    });
}

function addReportCommand(autolabel: Command, setExitCode: (code: number) => void): void {
  autolabel
    .command("report [run]")
    .summary("what a run is worth and what it did cost (default: the last one); nothing is bought")
    .option("--gold <column>", "the column with the true labels (default: label_column of the configuration)")
    .option("--gold-file <file>", "a file with true labels by row_id or id; --gold names its column")
    .option("--reviews", "the labels that people gave in autolabel ui serve as true ones")
    .option("--json", "as one line of JSON")
    .option("--html <file>", "also as one page with charts, complete in itself")
    .option("--reconcile [n]", "compare n calls (default: 50) with what OpenRouter says it billed", readCount)
    .option("--store <folder>", "where runs are kept (default: .autolabel, or AUTOLABEL_STORE)")
    .action(async (id: string | undefined, options: ReportCommandOptions) => {
      const { report } = await import("./commands/report.ts");
      setExitCode(await report(id, options, processIo));
    });
}

const ledgerHelp = "[ledger]: a SQLite file, a URL, or the id of a run (default: the last run)";

function addLedgerCommands(autolabel: Command, setExitCode: (code: number) => void): void {
  const ledger = autolabel.command("ledger").summary("look at the books of a run or of any ledger, and mend them");

  ledger
    .command("inspect [ledger]")
    .summary("balances, and calls that have not ended")
    .addHelpText("after", `\n${ledgerHelp}`)
    .option("--json", "as one line of JSON")
    .option(...flags.store)
    .action(async (target: string | undefined, options: LedgerOptions) => {
      const { inspectLedger } = await import("./commands/ledger.ts");
      setExitCode(await inspectLedger(target, options, processIo));
    });

  ledger
    .command("verify [ledger]")
    .summary("whether balances equal the journal and the open reservations; exit code 1 if not")
    .addHelpText("after", `\n${ledgerHelp}`)
    .option("--json", "as one line of JSON")
    .option(...flags.store)
    .action(async (target: string | undefined, options: LedgerOptions) => {
      const { verifyBooks } = await import("./commands/ledger.ts");
      setExitCode(await verifyBooks(target, options, processIo));
    });

  ledger
    .command("resolve [reservation]")
    .summary("end calls that a crash left unresolved: they count at their upper bound until then")
    .option("--cost <usd>", "what the call did cost, by the provider's log")
    .option("--write-off <reason>", "nothing was charged; the reason is kept")
    .option("--all", "all unresolved calls, with --write-off")
    .option("--ledger <ledger>", "a SQLite file, a URL, or the id of a run (default: the last run)")
    .option("--json", "as one line of JSON")
    .option(...flags.store)
    .action(async (id: string | undefined, options: ResolveOptions) => {
      const { resolveCalls } = await import("./commands/ledger.ts");
      setExitCode(await resolveCalls(id, options, processIo));
    });
}

function readProbe(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 5) throw new InvalidArgumentError("It must be a whole number from 5.");
  return count;
}

/** One line for what a person can mend, and the exit code that goes with it. */
function report(error: unknown): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  if (error instanceof CommanderError && error.code === "commander.help") return 2;
  const isUsage =
    error instanceof UsageError ||
    error instanceof CommanderError ||
    (BudgetError.isInstance(error) && !LedgerError.isInstance(error));
  const message = (error instanceof Error ? error.message : String(error))
    .replace(/^error: /, "")
    .replaceAll("\n", " ");
  process.stderr.write(`${styleText("red", "error:", { stream: process.stderr })} ${message}\n`);
  const isAboutLedger = process.argv[2] === "ledger";
  if (!isUsage && !isAboutLedger) process.stderr.write("What was paid for is kept: go on with autolabel resume\n");
  return isUsage ? 2 : 1;
}

const oldestNode = 22;

async function main(): Promise<void> {
  if (Number(process.versions.node.split(".")[0]) < oldestNode) {
    process.stderr.write(`error: autolabel needs Node ${oldestNode} or later, this is ${process.versions.node}\n`);
    process.exitCode = 2;
    return;
  }
  // What a command loads is compiled once: from then on it starts in two thirds of the time.
  nodeModule.enableCompileCache();
  // V8 would grow its space for young objects to 96 MB, which makes nothing here faster.
  setFlagsFromString("--semi-space-growth-factor=1");
  // And the space for old ones to four times what is in use; twice is enough, and a third less memory in all.
  setFlagsFromString("--heap-growing-percent=100");
  // A reader that has seen enough, such as head, is no error.
  process.stdout.on("error", (error: { code?: string }) => {
    // Whoever writes rows there tells of any other error; where nobody does, it must not pass unseen.
    if (error.code !== "EPIPE" && process.stdout.listenerCount("error") === 1) throw error as Error;
  });
  try {
    await program((code) => {
      process.exitCode = code;
    }).parseAsync();
  } catch (error) {
    process.exitCode = report(error);
  }
}

await main();
