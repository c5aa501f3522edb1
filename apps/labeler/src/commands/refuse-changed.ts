import { relative } from "node:path";
import { LabelingConfig, type LabelingConfigInput } from "../config/labeling-config.ts";
import { formatCount, rowsText } from "../progress/bar.ts";
import type { RunRecord } from "../store/read-run.ts";
import type { RunSummary, Runs } from "../store/runs.ts";
import { makeTask } from "../tasks/make-task.ts";
import { UsageError } from "../usage-error.ts";
import { configPathOf } from "./config-flags.ts";
import { shellWord } from "./finish-run.ts";
import type { LabelInput, LabelOptions } from "./label.ts";

/** What is part of a task's text, as it is called. */
const parts = {
  model: "model",
  task: "task",
  labels: "labels",
  schema: "schema",
  guidelines: "guidelines",
  examples: "examples",
  chainOfThought: "chain of thought",
  confidence: "confidence",
} as const;
type Part = keyof typeof parts;

/** Parts for which resume has a flag. */
const resumeFlags = ["labels", "schema", "guidelines", "examples"] as const satisfies Part[];

/**
 * A changed task text must not buy again what was bought: whoever labels the same rows by it is told of the run that did,
 * and of the command that goes on with it.
 *
 * Another model that writes to another file is meant to be compared, and is let go; so is what has bought nothing, or only
 * a probe.
 *
 * @throws UsageError that names the command.
 */
export async function refuseChanged(
  known: RunSummary,
  now: { runs: Runs; input: LabelInput; taskVersion: string; options: LabelOptions; command: string },
): Promise<void> {
  const { runs, input, taskVersion, options, command } = now;
  const record = await runs.record(known);
  const { facts, rowsByStatus } = record;
  const rows = Object.values(rowsByStatus).reduce((sum, count) => sum + count, 0);
  const done = rows - rowsByStatus.unpaid - rowsByStatus.error;
  if (known.isProbe || done === 0) return;
  const [before, after] = [configOf(record), new LabelingConfig(input.config)];
  if (makeTask(before).version === taskVersion) {
    throw new UsageError(
      `The run ${known.id} labels these rows already: go on with ${command} resume ${known.id}, or pay for them again with --new`,
    );
  }
  const changed = (Object.keys(parts) as Part[]).filter(
    (part) => JSON.stringify(before[part]) !== JSON.stringify(after[part]),
  );
  if (changed.includes("model") && facts.output !== input.facts.output) return;
  const names = changed.map((part) => parts[part]).join(", ");
  const goOn = `${command} ${resumeCommand(known.id, changed, options)}`;
  throw new UsageError(
    `The run ${known.id} labeled ${formatCount(done)} of these ${rowsText(rows)} by another task text (changed: ${names}): go on with ${goOn}, where finished rows keep their label, or are bought again with --relabel; or pay for all rows in a new run with --new`,
  );
}

function configOf({ facts }: RunRecord): LabelingConfig {
  return new LabelingConfig(JSON.parse(facts.config ?? "{}") as LabelingConfigInput);
}

function resumeCommand(id: string, changed: readonly Part[], options: LabelOptions): string {
  const byFlag = resumeFlags.filter((part) => changed.includes(part) && options[part] !== undefined);
  const others = changed.filter((part) => !byFlag.some((flag) => flag === part));
  const path = configPathOf(options);
  // What a flag of label says, and no flag of resume can, has to be written into a file.
  const isInFile = path !== undefined && others.every((part) => options[part] === undefined);
  return [
    `resume ${id}`,
    ...(others.length > 0 ? [`--config ${isInFile ? shellWord(relative(process.cwd(), path)) : "FILE"}`] : []),
    ...byFlag.map((flag) => `--${flag} ${shellWord(String(options[flag]))}`),
    ...(options.budget === undefined ? [] : [`--budget ${options.budget}`]),
    ...(options.store === undefined ? [] : [`--store ${shellWord(options.store)}`]),
  ].join(" ");
}
