import { statSync } from "node:fs";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { LabelingConfig, type LabelingConfigInput } from "../config/labeling-config.ts";
import { kindOfError } from "../report/wrong-rows.ts";
import { openBesideToRead } from "../store/open-to-read.ts";
import { isRunLocked } from "../store/run-lock.ts";

/** Reads rows of a query; integers come as bigints where amounts are among them. */
export type Query = <Row>(sql: string, ...values: SQLInputValue[]) => Row[];

/** A run file that is looked at again and again, beside whoever writes it. */
export class RunFile {
  readonly path: string;
  readonly #database: DatabaseSync;
  /** Tells this file from another one of the same name. */
  readonly #inode: bigint | undefined;
  readonly #statements = new Map<string, StatementSync>();
  readonly #kept = new Map<string, Kept>();

  /** @throws UsageError when another version of autolabel wrote it. */
  constructor(path: string) {
    this.path = path;
    this.#inode = inodeOf(path);
    this.#database = openBesideToRead(path);
    this.#database.function("kind_of_error", { deterministic: true }, (error) =>
      kindOfError(error === null ? null : String(error)),
    );
  }

  /** Whether its path still leads to it: somebody may have deleted the run, or have put another one in its place. */
  get isThere(): boolean {
    return this.isOpen && this.#inode !== undefined && inodeOf(this.path) === this.#inode;
  }

  /** Changes whenever somebody wrote to the run, began or ceased to work on it, or took it away. */
  version(): string {
    if (!this.isThere) return "gone";
    const [row] = this.all<{ data_version: bigint }>("PRAGMA data_version");
    return `${row?.data_version} ${isRunLocked(this.path)}`;
  }

  /** All that is read inside is of one moment. */
  read<T>(look: (all: Query) => T): T {
    this.#database.exec("BEGIN");
    try {
      return look(this.all);
    } finally {
      this.#database.exec("COMMIT");
    }
  }

  readonly all: Query = <Row>(sql: string, ...values: SQLInputValue[]) => this.#statement(sql).all(...values) as Row[];

  /** The rows of a query one by one, for as long as they are asked for. */
  each<Row>(sql: string, ...values: SQLInputValue[]): IterableIterator<Row> {
    return this.#statement(sql).iterate(...values) as IterableIterator<Row>;
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      statement.setReadBigInts(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Facts about the run. */
  facts(): Readonly<Record<string, string>> {
    const pairs = this.all<{ key: string; value: string }>("SELECT key, value FROM run");
    return Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
  }

  /** How the run is labeled from now on. */
  config(): LabelingConfig {
    return new LabelingConfig(JSON.parse(this.facts().config ?? "{}") as LabelingConfigInput);
  }

  /**
   * What was made before, while it is still true. While a process writes the run it may be older, by a few times what
   * making it took: looking at a large run must not take the processor from the work on it.
   */
  keep<T>(key: string, make: () => T): T {
    const version = this.version();
    const known = this.#kept.get(key);
    const now = performance.now();
    if (known && (known.version === version || now < known.untilMs)) return known.value as T;
    const value = make();
    const tookMs = performance.now() - now;
    this.#kept.delete(key);
    this.#kept.set(key, { version, value, untilMs: performance.now() + patience * tookMs });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > mostKept && oldest !== undefined) this.#kept.delete(oldest);
    return value;
  }

  get isOpen(): boolean {
    return this.#database.isOpen;
  }

  close(): void {
    this.#database.close();
  }
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}

interface Kept {
  version: string;
  value: unknown;
  untilMs: number;
}

/** What takes a second to make may be four seconds old. */
const patience = 4;
const mostKept = 20;
