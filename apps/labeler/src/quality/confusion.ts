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

/** The places of the labels that a map shows, in their order: those that occur, and if they are more than `most` the worst. */
export function shownPlaces({ labels, matrix, unlabeled }: Confusion, most: number): number[] {
  const wrong = labels.map(() => 0);
  const seen = labels.map((_label, place) => unlabeled[place] ?? 0);
  for (const [row, cells] of matrix.entries()) {
    for (const [column, count] of cells.entries()) {
      for (const place of [row, column]) {
        seen[place] = (seen[place] ?? 0) + count;
        if (row !== column) wrong[place] = (wrong[place] ?? 0) + count;
      }
    }
  }
  const places = labels.flatMap((_label, place) => ((seen[place] ?? 0) > 0 ? [place] : []));
  if (places.length <= most) return places;
  const worst = places.sort((a, b) => (wrong[b] ?? 0) - (wrong[a] ?? 0)).slice(0, most);
  return worst.sort((a, b) => a - b);
}
