/** Which labels were given for which. */
export interface Confusion {
  labels: readonly string[];
  /** `matrix[gold][given]`: rows, by the places of the labels in `labels`. */
  matrix: readonly (readonly number[])[];
  /** Rows of each gold label that have no label. */
  unlabeled: readonly number[];
}

/** One wrong pair of a {@link Confusion}. */
export interface ConfusedPair {
  gold: string;
  given: string;
  rows: number;
}

/** Counts pairs of gold label and given label. */
export class ConfusionCounter {
  readonly #labels: string[];
  readonly #places: Map<string, number>;
  readonly #cells: number[][] = [];
  readonly #unlabeled: number[] = [];

  constructor(labels: readonly string[]) {
    this.#labels = [...labels];
    this.#places = new Map(labels.map((label, place) => [label, place]));
  }

  add(gold: string, given: string | null): void {
    const row = this.#placeOf(gold);
    if (given === null) {
      this.#unlabeled[row] = (this.#unlabeled[row] ?? 0) + 1;
      return;
    }
    const cells = this.#cells[row] ?? [];
    this.#cells[row] = cells;
    const column = this.#placeOf(given);
    cells[column] = (cells[column] ?? 0) + 1;
  }

  confusion(): Confusion {
    return {
      labels: this.#labels,
      matrix: this.#labels.map((_gold, row) => this.#labels.map((_given, column) => this.#cells[row]?.[column] ?? 0)),
      unlabeled: this.#labels.map((_gold, row) => this.#unlabeled[row] ?? 0),
    };
  }

  #placeOf(label: string): number {
    const known = this.#places.get(label);
    if (known !== undefined) return known;
    this.#places.set(label, this.#labels.length);
    return this.#labels.push(label) - 1;
  }
}

/** The wrong pairs, the most frequent first. */
export function confusedPairs({ labels, matrix }: Confusion): ConfusedPair[] {
  const pairs = matrix.flatMap((cells, row) =>
    cells.flatMap((rows, column) =>
      rows === 0 || row === column ? [] : [{ gold: labels[row] ?? "", given: labels[column] ?? "", rows }],
    ),
  );
  return pairs.sort((a, b) => b.rows - a.rows || a.gold.localeCompare(b.gold) || a.given.localeCompare(b.given));
}
