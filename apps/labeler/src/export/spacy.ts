import { UsageError } from "../usage-error.ts";
import { type ExportJob, exportedRows, labelsOf } from "./export-job.ts";
import type { Mention } from "./offsets.ts";

/**
 * Annotations that spaCy 3 takes with `Example.from_dict(nlp.make_doc(line["text"]), line)`, one a line: `cats` with a
 * value for every label, or `entities` of `[start, end, label]` (spacy.io/api/data-formats#dict-input, read in 2026-11).
 * Entities must not overlap there: of those that do, the longest stand in `entities`, and all in the span group
 * `spans.sc`.
 *
 * @throws UsageError for a task that spaCy has no form for.
 */
export async function* spacyExamples(job: ExportJob): AsyncGenerator<object> {
  const { task, labels } = job;
  if (task === "extraction" || task === "question_answering") {
    throw new UsageError(`spaCy has no form for a task of the kind ${task}: export it with --to jsonl`);
  }
  for await (const { text, label } of exportedRows(job)) {
    if (label === null) yield { text };
    else if (task === "entities") yield { text, ...entities(label as unknown as Mention[]) };
    else {
      const chosen = new Set(labelsOf(label));
      yield { text, cats: Object.fromEntries(labels.map((name) => [name, chosen.has(name) ? 1 : 0])) };
    }
  }
}

type Entity = [start: number, end: number, label: string];

function entities(mentions: readonly Mention[]): object {
  const all = mentions.map(({ start, end, label }): Entity => [start, end, label]);
  const kept: Entity[] = [];
  for (const [start, end, label] of all.toSorted((a, b) => b[1] - b[0] - (a[1] - a[0]) || a[0] - b[0])) {
    if (kept.every((other) => end <= other[0] || start >= other[1])) kept.push([start, end, label]);
  }
  const inOrder = kept.sort((a, b) => a[0] - b[0]);
  return kept.length === all.length
    ? { entities: inOrder }
    : { entities: inOrder, spans: { sc: all.map((entity) => [...entity, ""]) } };
}
