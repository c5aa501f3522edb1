/** Precision, recall and F1; null where there is nothing to divide by. */
export interface Scores {
  /** Of what was given, the share that is true. */
  precision: number | null;
  /** Of what is true, the share that was given. */
  recall: number | null;
  /** Harmonic mean of both. */
  f1: number | null;
}

/** How well one label, or one kind of entity, was given. The scores are over all rows: one without a label gives nothing. */
export interface LabelScore extends Scores {
  label: string;
  /** How often it is true. */
  support: number;
  /** Of those, how often in a row that has a label. */
  labeled: number;
  /** How often it was given. */
  given: number;
  /** How often it was given where it is true. */
  correct: number;
  /** Over the rows that have a label. */
  ofLabeled: Scores;
}

/** Label scores and their means. */
export interface ScoreTable {
  labels: LabelScore[];
  /** Each label counts alike, those that are neither true nor given left out. */
  macro: Scores & { ofLabeled: Scores };
  /** Each answer counts alike. */
  micro: Scores & { ofLabeled: Scores };
}

type Counts = Pick<LabelScore, "support" | "labeled" | "given" | "correct">;

/** Counts labels that are true and labels that were given. */
export class LabelCounter {
  readonly #counts = new Map<string, Counts>();

  /** @param labels come first in the table, in this order, also when they never occur. */
  constructor(labels: readonly string[]) {
    for (const label of labels) this.#of(label);
  }

  /** Counts one row: what is true; what was given, null where the row has no label; what of it is true. */
  add(gold: readonly string[], given: readonly string[] | null, correct: readonly string[]): void {
    for (const label of gold) {
      const counts = this.#of(label);
      counts.support++;
      if (given) counts.labeled++;
    }
    for (const label of given ?? []) this.#of(label).given++;
    for (const label of correct) this.#of(label).correct++;
  }

  table(): ScoreTable {
    const labels = [...this.#counts].map(([label, counts]) => ({ label, ...counts, ...bothScores(counts) }));
    const sum = (field: keyof Counts) => labels.reduce((total, label) => total + label[field], 0);
    const total = { support: sum("support"), labeled: sum("labeled"), given: sum("given"), correct: sum("correct") };
    return {
      labels,
      macro: { ...meanOf(labels), ofLabeled: meanOf(labels.map(({ ofLabeled }) => ofLabeled)) },
      micro: bothScores(total),
    };
  }

  #of(label: string): Counts {
    const known = this.#counts.get(label) ?? { support: 0, labeled: 0, given: 0, correct: 0 };
    this.#counts.set(label, known);
    return known;
  }
}

function bothScores({ support, labeled, given, correct }: Counts): Scores & { ofLabeled: Scores } {
  return { ...scoresOf(correct, given, support), ofLabeled: scoresOf(correct, given, labeled) };
}

function scoresOf(correct: number, given: number, support: number): Scores {
  return {
    precision: given === 0 ? null : correct / given,
    recall: support === 0 ? null : correct / support,
    f1: support + given === 0 ? null : (2 * correct) / (support + given),
  };
}

/** A label that was never given has no precision: in the mean it counts as 0, as it does in the mean of F1. */
function meanOf(all: readonly Scores[]): Scores {
  const seen = all.filter(({ f1 }) => f1 !== null);
  const mean = (field: keyof Scores) =>
    seen.length === 0 ? null : seen.reduce((sum, scores) => sum + (scores[field] ?? 0), 0) / seen.length;
  return { precision: mean("precision"), recall: mean("recall"), f1: mean("f1") };
}
