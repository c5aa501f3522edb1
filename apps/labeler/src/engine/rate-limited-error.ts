/** The provider asks for a wait that is longer than a run should last: the run pauses, and its rows are as before. */
export class RateLimitedError extends Error {
  override readonly name = "RateLimitedError";
  /** When it may be tried again. */
  readonly retryAt: Date;

  constructor(waitMs: number, cause: unknown) {
    const retryAt = new Date(Date.now() + waitMs);
    super(`The provider takes no more calls until ${retryAt.toISOString()}`, { cause });
    this.retryAt = retryAt;
  }
}
