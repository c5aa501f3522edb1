import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/** A folder for run files that goes with the demo, however it ends, and whatever else must end with it. */
export class Scratch {
  readonly folder = mkdtempSync(join(tmpdir(), "autolabel-demo-"));
  readonly #endings = new Set<() => void>();

  constructor() {
    process.once("exit", () => this.#end());
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(exitCodes[signal]));
  }

  /** Calls `ending` when the demo ends. @returns a function that takes it back. */
  endWith(ending: () => void): () => void {
    this.#endings.add(ending);
    return () => this.#endings.delete(ending);
  }

  #end(): void {
    for (const ending of this.#endings) ending();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
