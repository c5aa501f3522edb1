/** How well one label, or one kind of entity, was given. */
export interface LabelScore {
  label: string;
  /** How often it is true. */
  support: number;
  /** How often it was given. */
  given: number;
  /** How often it was given where it is true. */
  correct: number;
  /** Of what was given, the share that is true; null where it was never given. */
  precision: number | null;
  /** Of what is true, the share that was given; null where it is never true. A row without a label gives nothing. */
  recall: number | null;
  /** Harmonic mean of both; null where it is neither true nor given. */
  f1: number | null;
}

/** Precision, recall and F1 over several labels. */
export interface MeanScores {
  precision: number | null;
  recall: number | null;
  f1: number | null;
}

/** Label scores and their means. */
export interface ScoreTable {
  labels: LabelScore[];
  /** Each label counts alike, those that are neither true nor given left out. */
  macro: MeanScores;
  /** Each answer counts alike. */
  micro: MeanScores;
}

/** Counts labels that are true and labels that were given. */
export class LabelCounter {
  readonly #counts = new Map<string, { support: number; given: number; correct: number }>();

  /** @param labels come first in the table, in this order, also when they never occur. */
  constructor(labels: readonly string[]) {
    for (const label of labels) this.#of(label);
  }

  /** Counts one row's labels: what is true, and what was given; `correct` are those of `given` that are true. */
  add(gold: readonly string[], given: readonly string[], correct: readonly string[]): void {
    for (const label of gold) this.#of(label).support++;
    for (const label of given) this.#of(label).given++;
    for (const label of correct) this.#of(label).correct++;
  }

  table(): ScoreTable {
    const labels = [...this.#counts].map(([label, counts]) => ({ label, ...counts, ...scores(counts) }));
    const seen = labels.filter(({ f1 }) => f1 !== null);
    const sum = (field: "support" | "given" | "correct") => labels.reduce((total, label) => total + label[field], 0);
    return {
      labels,
      macro: {
        precision: mean(seen.map(({ precision }) => precision)),
        recall: mean(seen.map(({ recall }) => recall)),
        f1: mean(seen.map(({ f1 }) => f1)),
      },
      micro: scores({ support: sum("support"), given: sum("given"), correct: sum("correct") }),
    };
  }

  #of(label: string) {
    let counts = this.#counts.get(label);
    if (!counts) {
      counts = { support: 0, given: 0, correct: 0 };
      this.#counts.set(label, counts);
    }
    return counts;
  }
}

function scores({ support, given, correct }: Pick<LabelScore, "support" | "given" | "correct">): MeanScores {
  return {
    precision: given === 0 ? null : correct / given,
    recall: support === 0 ? null : correct / support,
    f1: support + given === 0 ? null : (2 * correct) / (support + given),
  };
}

/** A label that was never given has no precision: in the mean it counts as 0, as it does in the mean of F1. */
function mean(values: readonly (number | null)[]): number | null {
  if (values.length === 0) return null;
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0) / values.length;
}
