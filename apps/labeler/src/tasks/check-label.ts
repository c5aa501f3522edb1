import type { LabelingConfig } from "../config/labeling-config.ts";
import type { LabelValue } from "../store/row.ts";
import { UsageError } from "../usage-error.ts";
import type { Span } from "./find-mentions.ts";
import { labelSet } from "./label-set.ts";
import { makeTask } from "./make-task.ts";

/**
 * A label that a person gives a text, in the form of the task.
 *
 * @throws UsageError when the task cannot have it.
 */
export function checkLabel(config: LabelingConfig, label: unknown, text: string): LabelValue {
  // A person says where a mention stands; a model is not asked, and its words are looked for.
  if (config.task === "entities" && areSpans(label)) return checkSpans(config, label, text);
  const reading = makeTask(config).read(JSON.stringify({ result: label }), text);
  if ("label" in reading) return reading.label;
  throw new UsageError(`This cannot be the label of the row: ${reading.problem}`);
}

function areSpans(label: unknown): label is Span[] {
  return (
    Array.isArray(label) && label.every((each: unknown) => Number.isInteger((each as Partial<Span> | null)?.start))
  );
}

function checkSpans({ labels = [] }: LabelingConfig, spans: readonly Span[], text: string): LabelValue {
  const { names } = labelSet(labels);
  const checked = spans.map(({ start, end, label }) => {
    const words = text.slice(start, end);
    if (!(start >= 0 && start < end && end <= text.length))
      throw new UsageError(`A mention from ${start} to ${end} is not within the text of ${text.length} units`);
    if (!names.includes(label)) throw new UsageError(`${JSON.stringify(label)} is no kind of the set`);
    return { start, end, text: words, label };
  });
  return checked.sort((a, b) => a.start - b.start || a.end - b.end);
}
