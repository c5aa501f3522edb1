import type { Simulator } from "@autolabel/simulator";
import { type AnswerScript, labelOf, numberOf } from "./answer-script.ts";
import type { RunOnDisk } from "./run-on-disk.ts";

/** The provider's invoice against what a run has on disk, kill after kill. */
export class CrashBooks {
  readonly failures: string[] = [];
  readonly #simulator: Simulator;
  readonly #script: AnswerScript;
  /** Numbers of the answers that were on disk at the last look. */
  #known = new Map<string, bigint>();
  /** Questions that those answered: bought, never to be bought again. */
  #bought = new Set<string>();
  /** Lines of the invoice at the last look. */
  #lines = 0;

  constructor(simulator: Simulator, script: AnswerScript) {
    this.#simulator = simulator;
    this.#script = script;
  }

  fail(message: string): void {
    this.failures.push(message);
  }

  /** To be called when no process works on the run. */
  check(run: RunOnDisk | undefined): void {
    const { lines, totalPicoUsd } = this.#simulator.invoice;
    for (const { answer } of lines.slice(this.#lines)) {
      const question = this.#questionOf(numberOf(answer));
      if (this.#bought.has(question)) this.fail(`row ${question} was paid for, and is billed again`);
    }
    this.#lines = lines.length;
    const answers = run?.answers ?? new Map<string, bigint>();
    for (const number of this.#known.keys()) if (!answers.has(number)) this.fail(`the paid answer ${number} is lost`);
    this.#known = new Map(answers);
    this.#bought = new Set([...answers.keys()].map((number) => this.#questionOf(number)));

    const billed = new Map(lines.map(({ answer, costPicoUsd }) => [numberOf(answer), costPicoUsd]));
    for (const [number, cost] of answers) {
      if (billed.get(number) !== cost) this.fail(`answer ${number} cost ${billed.get(number)}, on disk it is ${cost}`);
    }
    const { spentPicoUsd = 0n, heldPicoUsd = 0n, unresolvedPicoUsd = 0n } = run ?? {};
    const paid = [...answers.values()].reduce((sum, cost) => sum + cost, 0n);
    // With a ledger elsewhere an answer is on disk before its charge is posted: until then it counts at its bound.
    const isRight = run?.isLedgerElsewhere ? paid >= spentPicoUsd : paid === spentPicoUsd;
    if (!isRight) this.fail(`the answers on disk cost ${paid}, the ledger says ${spentPicoUsd}`);
    const counted = spentPicoUsd + heldPicoUsd + unresolvedPicoUsd;
    if (counted < totalPicoUsd) this.fail(`${totalPicoUsd} was billed, only ${counted} is in the books`);
  }

  /** To be called when the run is done. */
  close(run: RunOnDisk | undefined, rows: number): void {
    if (!run || run.rows.length !== rows) {
      this.fail(`${run?.rows.length} of ${rows} rows are on disk`);
      return;
    }
    for (const [row, { status, label, number }] of run.rows.entries()) {
      const isRight = status === "labeled" && label === JSON.stringify(labelOf(row));
      if (!isRight || !run.answers.has(number) || this.#script.asked.get(number)?.row !== row) {
        this.fail(`row ${row} ended as ${status} ${label} by the answer ${number}`);
      }
    }
    const { count, totalPicoUsd } = this.#simulator.invoice;
    const lost = count - run.answers.size;
    const paid = [...run.answers.values()].reduce((sum, cost) => sum + cost, 0n);
    if (paid !== run.spentPicoUsd) this.fail(`the answers cost ${paid}, in the end ${run.spentPicoUsd} is spent`);
    if (run.heldPicoUsd !== 0n) this.fail(`${run.heldPicoUsd} is held by nobody`);
    if (lost > run.unresolved)
      this.fail(`${lost} billed calls have no answer on disk, ${run.unresolved} are unresolved`);
    if (run.unresolved === 0 && run.spentPicoUsd !== totalPicoUsd)
      this.fail(`${totalPicoUsd} was billed, ${run.spentPicoUsd} is spent, and nothing is unresolved`);
  }

  #questionOf(number: string): string {
    return this.#script.asked.get(number)?.question ?? `of the unknown answer ${number}`;
  }
}
