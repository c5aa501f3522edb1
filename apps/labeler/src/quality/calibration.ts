/** How well stated confidence agrees with being right. */
export interface Calibration {
  /** Labeled rows with a confidence and a gold label. */
  rows: number;
  /** Expected calibration error: the mean gap of confidence and accuracy over the bins, by rows. */
  expectedError: number;
  /** Ten bins of equal width, the empty ones left out. */
  bins: CalibrationBin[];
}

/** Rows of about the same confidence. */
interface CalibrationBin {
  /** Confidence from, to; the last bin holds 1 too. */
  from: number;
  to: number;
  rows: number;
  meanConfidence: number;
  accuracy: number;
}

const binCount = 10;

/** Counts rows by confidence. */
export class CalibrationCounter {
  readonly #bins = Array.from({ length: binCount }, () => ({ rows: 0, confidence: 0, correct: 0 }));

  /** @param confidence from 0 to 1. */
  add(confidence: number, isCorrect: boolean): void {
    const bin = this.#bins[Math.min(binCount - 1, Math.floor(confidence * binCount))];
    if (!bin) return;
    bin.rows++;
    bin.confidence += confidence;
    if (isCorrect) bin.correct++;
  }

  /** Undefined where no row states a confidence. */
  calibration(): Calibration | undefined {
    const bins = this.#bins.flatMap(({ rows, confidence, correct }, index) => {
      const [from, to] = [index / binCount, (index + 1) / binCount];
      return rows === 0 ? [] : [{ from, to, rows, meanConfidence: confidence / rows, accuracy: correct / rows }];
    });
    const rows = bins.reduce((sum, bin) => sum + bin.rows, 0);
    if (rows === 0) return undefined;
    const gaps = bins.reduce((sum, bin) => sum + bin.rows * Math.abs(bin.accuracy - bin.meanConfidence), 0);
    return { rows, expectedError: gaps / rows, bins };
  }
}
