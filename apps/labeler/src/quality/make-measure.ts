import type { LabelValue } from "../store/row.ts";
import { findMentions, type Span } from "../tasks/find-mentions.ts";
import { type LabelSet, type Labels, labelSet } from "../tasks/label-set.ts";
import type { TaskKind } from "../tasks/task.ts";
import { ConfusionCounter } from "./confusion.ts";
import { LabelCounter } from "./label-scores.ts";
import type { Measure } from "./measure.ts";
import { plainAnswer, saySame, textOf } from "./plain-text.ts";
import { proportion } from "./proportion.ts";

const makers: Readonly<Record<TaskKind, (labels: LabelSet, fields: readonly string[]) => Measure>> = {
  classification: measureClasses,
  multilabel: measureLabelSets,
  entities: measureSpans,
  extraction: (_labels, fields) => measureFields(fields),
  question_answering: measureAnswers,
};

/** How labels of a task are compared with gold labels. */
export function makeMeasure(config: {
  task: TaskKind;
  labels?: Labels | undefined;
  schema?: { properties?: object } | undefined;
}): Measure {
  return makers[config.task](labelSet(config.labels ?? []), Object.keys(config.schema?.properties ?? {}));
}

function measureClasses(labels: LabelSet): Measure {
  const counter = new LabelCounter(labels.names);
  const confusion = new ConfusionCounter(labels.names);
  const outside = new Set<string>();
  return {
    add: ({ label, gold: said }) => {
      const gold = asName(said, labels, outside);
      const given = label === null ? null : textOf(label);
      const isCorrect = given === gold;
      counter.add([gold], given === null ? null : [given], isCorrect ? [gold] : []);
      confusion.add(gold, given);
      return { isCorrect, gold };
    },
    details: () => ({
      kind: "classification",
      ...counter.table(),
      confusion: confusion.confusion(),
      goldOutsideLabels: [...outside],
    }),
  };
}

function measureLabelSets(labels: LabelSet): Measure {
  const counter = new LabelCounter(labels.names);
  const outside = new Set<string>();
  return {
    add: ({ label, gold: said }) => {
      const gold = [...new Set(listOf(said, labels).map((each) => asName(each, labels, outside)))];
      const given = (label ?? []) as readonly string[];
      const correct = given.filter((each) => gold.includes(each));
      counter.add(gold, label === null ? null : given, correct);
      return { isCorrect: label !== null && correct.length === gold.length && given.length === gold.length, gold };
    },
    details: () => ({ kind: "multilabel", ...counter.table(), goldOutsideLabels: [...outside] }),
  };
}

function measureSpans(labels: LabelSet): Measure {
  const counter = new LabelCounter(labels.names);
  const key = ({ start, end, label }: Span) => `${start} ${end} ${label}`;
  return {
    add: ({ label, gold: said, text }) => {
      const gold = spansOf(said, text, labels);
      if (gold === undefined) return undefined;
      const given = (label ?? []) as unknown as readonly Span[];
      const places = new Set(gold.map(key));
      const correct = given.filter((span) => places.has(key(span)));
      const kinds = (spans: readonly Span[]) => spans.map((span) => span.label);
      counter.add(kinds(gold), label === null ? null : kinds(given), kinds(correct));
      return { isCorrect: label !== null && correct.length === gold.length && given.length === gold.length, gold };
    },
    details: () => ({ kind: "entities", ...counter.table() }),
  };
}

function measureFields(fields: readonly string[]): Measure {
  const correct = new Map<string, number>(fields.map((field) => [field, 0]));
  let rows = 0;
  return {
    add: ({ label, gold: said }) => {
      const gold = jsonOf(said);
      if (typeof gold !== "object" || gold === null || Array.isArray(gold)) return undefined;
      rows++;
      const given = label as Record<string, unknown> | null;
      const record = gold as Record<string, LabelValue | null>;
      let isCorrect = given !== null;
      for (const field of new Set([...correct.keys(), ...Object.keys(record)])) {
        const isSame = given !== null && saySame(given[field], record[field]);
        correct.set(field, (correct.get(field) ?? 0) + (isSame ? 1 : 0));
        isCorrect &&= isSame;
      }
      return { isCorrect, gold: record };
    },
    details: () => ({
      kind: "extraction",
      fields: [...correct].map(([field, count]) => ({ field, accuracy: proportion(count, rows) })),
    }),
  };
}

function measureAnswers(): Measure {
  return {
    add: ({ label, gold: said }) => {
      const parsed = jsonOf(said);
      // A list is of answers that are all right.
      const accepted = (Array.isArray(parsed) ? parsed : [said]).map(textOf);
      const given = label === null ? undefined : plainAnswer(textOf(label));
      const isCorrect = accepted.some((answer) => plainAnswer(answer) === given);
      return { isCorrect, gold: accepted.length === 1 ? (accepted[0] ?? "") : accepted };
    },
    details: () => ({ kind: "question_answering" }),
  };
}

/** The label that is meant, or the word itself where it is none of the set. */
function asName(said: unknown, labels: LabelSet, outside: Set<string>): string {
  const found = labels.find(said);
  if (found !== undefined) return found;
  const word = textOf(said).trim();
  outside.add(word);
  return word;
}

/** A list, a JSON list, one label, or labels with `;`, `|` or `,` between them. */
function listOf(said: unknown, labels: LabelSet): unknown[] {
  const parsed = jsonOf(said);
  if (Array.isArray(parsed)) return parsed;
  if (typeof said !== "string" || labels.find(said) !== undefined) return [said];
  return said
    .split(/[;|,]/)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/**
 * Mentions in the forms that are usual: `[{ start, end, label }]`, `[{ text, label }]`, or lists of words by kind,
 * `{ person: ["Ada"] }`. Undefined where it is none of them, or a mention does not stand in the text.
 */
function spansOf(said: unknown, text: string, labels: LabelSet): Span[] | undefined {
  const parsed = jsonOf(said);
  if (typeof parsed !== "object" || parsed === null) return undefined;
  const items: Record<string, unknown>[] = Array.isArray(parsed)
    ? (parsed as Record<string, unknown>[])
    : Object.entries(parsed).flatMap(([label, words]) =>
        (Array.isArray(words) ? words : [words]).map((word: unknown) => ({ text: word, label })),
      );
  const mentions = items.map((item) => ({
    ...item,
    label: labels.find(item.label) ?? String(item.label),
    text: typeof item.text === "string" ? item.text : text.slice(Number(item.start), Number(item.end)),
  }));
  if (mentions.every(hasPlace))
    return mentions.map(({ start, end, label }) => ({ start, end, text: text.slice(start, end), label }));
  const spans = findMentions(text, mentions);
  return "found" in spans ? spans.found : undefined;
}

function hasPlace<T extends object>(mention: T): mention is T & { start: number; end: number } {
  const { start, end } = mention as { start?: unknown; end?: unknown };
  return Number.isInteger(start) && Number.isInteger(end);
}

/** A table holds lists and objects as JSON text. */
function jsonOf(said: unknown): unknown {
  if (typeof said !== "string" || !/^\s*[[{]/.test(said)) return said;
  try {
    return JSON.parse(said);
  } catch {
    return said;
  }
}
