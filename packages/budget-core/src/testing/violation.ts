/** Something that a ledger must never do. */
export interface Violation {
  /** The broken promise, by the numbers of the design document, such as `"I3"`. */
  invariant: string;
  message: string;
}

/** Thrown where a promise is found broken. */
export class Broken extends Error {
  readonly invariant: string;

  constructor(invariant: string, message: string) {
    super(message);
    this.invariant = invariant;
  }
}

/** The violation that an error stands for; an error of the subject's own is one too, because nothing was wrong with the step. */
export function violationOf(error: unknown): Violation {
  if (error instanceof Broken) return { invariant: error.invariant, message: error.message };
  return { invariant: "I18", message: `A step failed that must not: ${String(error)}` };
}

/** What came of a step. */
export type Result<T> = { value: T } | { error: unknown };

/** The step's value or its error, as data. */
export async function attempt<T>(step: () => Promise<T>): Promise<Result<T>> {
  try {
    return { value: await step() };
  } catch (error) {
    return { error };
  }
}

/** @throws Broken unless the step was refused because of the state of its reservation. */
export function mustBeRefused(outcome: Result<unknown>, invariant: string, what: string): void {
  if (!("error" in outcome)) throw new Broken(invariant, `${what} went through against the state of the reservation`);
  const { error } = outcome;
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  if (code !== "reservation_state") {
    throw new Broken(invariant, `${what} was refused by ${String(error)} instead of a ReservationStateError`);
  }
}
