interface Waiting<Value, Answer> {
  value: Value;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

/**
 * Gathers what is told in one turn, or while a call is under way, into the next call, so that many concurrent rows share
 * a round trip and a transaction.
 */
export class GatheredCalls<Value, Answer> {
  readonly #send: (values: Value[]) => Promise<readonly Answer[]>;
  readonly #most: number;
  #waiting: Waiting<Value, Answer>[] = [];
  #sending: Promise<void> | undefined;

  /**
   * @param send answers each value, in order; what it throws is told to all of them.
   * @param most so many values at once.
   */
  constructor(send: (values: Value[]) => Promise<readonly Answer[]>, most = 500) {
    this.#send = send;
    this.#most = most;
  }

  tell(value: Value): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ value, resolve, reject });
      this.#sending ??= this.#sendAll();
    });
  }

  /** Waits for all that was told. */
  async drain(): Promise<void> {
    await this.#sending;
  }

  async #sendAll(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#most);
      try {
        const answers = await this.#send(batch.map(({ value }) => value));
        for (const [index, { resolve }] of batch.entries()) resolve(answers[index] as Answer);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#sending = undefined;
  }
}
