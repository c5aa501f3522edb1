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
  if (config.task !== "entities" || !Array.isArray(label)) return readLabel(config, label, text);
  // A person may say where a mention stands; a model is not asked, and its words are looked for.
  const mentions = label as unknown[];
  const placed = checkSpans(config, mentions.filter(isSpan), text);
  const sought = mentions.filter((mention) => !isSpan(mention));
  const found = sought.length === 0 ? [] : (readLabel(config, sought, text) as readonly Span[]);
  return [...placed, ...found].sort((a, b) => a.start - b.start || a.end - b.end);
}

function readLabel(config: LabelingConfig, label: unknown, text: string): LabelValue {
  const reading = makeTask(config).read(JSON.stringify({ result: label }), text);
  if ("label" in reading) return reading.label;
  throw new UsageError(`This cannot be the label of the row: ${reading.problem}`);
}

function isSpan(mention: unknown): mention is Span {
  return Number.isInteger((mention as Partial<Span> | null)?.start);
}

function checkSpans({ labels = [] }: LabelingConfig, spans: readonly Span[], text: string): Span[] {
  const { names } = labelSet(labels);
  return spans.map(({ start, end, label }) => {
    if (!(start >= 0 && start < end && end <= text.length))
      throw new UsageError(`A mention from ${start} to ${end} is not within the text of ${text.length} units`);
    if (!names.includes(label)) throw new UsageError(`${JSON.stringify(label)} is no kind of the set`);
    return { start, end, text: text.slice(start, end), label };
  });
}
