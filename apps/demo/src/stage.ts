import { setTimeout as sleep } from "node:timers/promises";
import { styleText } from "node:util";
import { createLogUpdate } from "log-update";

/** A style of node:util's styleText. */
export type Style = Parameters<typeof styleText>[0];

const frameMs = 80;
const maxWidth = 96;
const indent = 2;

/**
 * Where the story is told. On a terminal it has colour, moving parts and pauses to read; in a pipe it is plain text at
 * full speed. `NO_COLOR` is respected.
 */
export class Stage {
  /** Whether a person watches: a terminal that can move its cursor. */
  readonly isLive: boolean;
  readonly #stream: NodeJS.WriteStream;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.isLive = stream.isTTY === true && process.env.TERM !== "dumb";
  }

  /** Columns that a line may use. */
  get width(): number {
    return Math.min(maxWidth, this.#stream.columns ?? maxWidth);
  }

  /** Colours a text where colour is wanted. */
  style(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#stream });
  }

  /** Writes a line, indented; without a text an empty one. */
  line(text = ""): void {
    this.#stream.write(text === "" ? "\n" : `  ${text}\n`);
  }

  /** Writes prose, broken at spaces where a line is full. */
  say(text: string, style?: Style): void {
    const lines = text.match(new RegExp(`.{1,${this.width - 2 * indent}}(?:\\s|$)`, "g")) ?? [text];
    for (const line of lines) this.line(style ? this.style(style, line.trimEnd()) : line.trimEnd());
  }

  /** The heading of a scene. */
  heading(title: string): void {
    this.line();
    this.line(this.style("bold", title));
    this.line(this.style("dim", "─".repeat(this.width - 2 * indent)));
  }

  /** Lines of code, set off by a rule at their left. */
  code(lines: readonly string[]): void {
    for (const text of lines) this.line(`${this.style("dim", "│")} ${this.style("cyan", text)}`);
  }

  /** Time to read; none in a pipe. */
  async pause(ms: number): Promise<void> {
    if (this.isLive) await sleep(ms);
  }

  /**
   * Shows work while it goes on: redrawn in place on a terminal, and only its last state in a pipe.
   *
   * @returns what the work gives.
   */
  async watch<T>(work: Promise<T>, frame: () => Promise<readonly string[]>): Promise<T> {
    const text = async () => (await frame()).map((line) => `  ${line}`).join("\n");
    if (!this.isLive) {
      const result = await work;
      this.#stream.write(`${await text()}\n`);
      return result;
    }
    const block = createLogUpdate(this.#stream);
    let ended = false;
    const end = () => {
      ended = true;
    };
    const settled = work.then(end, end);
    while (!ended) {
      block(await text());
      await Promise.race([sleep(frameMs), settled]);
    }
    block(await text());
    block.done();
    return await work;
  }
}
