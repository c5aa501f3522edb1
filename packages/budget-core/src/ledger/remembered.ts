/** How many are remembered at least. */
const remembered = 10_000;

/** What became of the newest ids, in bounded memory: two generations, swapped when one is full. */
export class Remembered<Value> {
  #newest = new Map<string, Value>();
  #before = new Map<string, Value>();

  get(id: string): Value | undefined {
    return this.#newest.get(id) ?? this.#before.get(id);
  }

  set(id: string, value: Value): void {
    if (this.#newest.size >= remembered) {
      this.#before = this.#newest;
      this.#newest = new Map();
    }
    this.#newest.set(id, value);
  }

  delete(id: string): void {
    this.#newest.delete(id);
    this.#before.delete(id);
  }
}
