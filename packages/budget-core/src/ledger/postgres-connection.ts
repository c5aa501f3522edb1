import { LedgerError } from "../errors/ledger-error.ts";

/** What a ledger needs of a PostgreSQL driver: `Pool` of `pg` and `PGlite` have `query`, `postgres()` has `unsafe`. */
export type PostgresClient =
  | { query(text: string, values?: string[]): Promise<{ rows: unknown[] }> }
  | { unsafe(text: string, values?: string[], options?: { prepare?: boolean }): PromiseLike<unknown[]> };

/** A function of the caller's own that is run in the transaction of a step. */
export interface PostgresCall {
  /**
   * Its name as SQL writes it, schema and all. It takes one JSONB: an array of the values of all calls that share the
   * transaction. After a lost connection it may be told the same values again, and must do nothing then.
   */
  functionName: string;
  /** What it is told; anything that JSON can say, without the character U+0000 and surrogates that stand alone. */
  value: unknown;
}

/** Columns by name; the ledger asks for texts only, so that no driver's parsers come into play. */
type TextRow = Readonly<Record<string, string | null>>;

/** A client whose calls end in bounded time, once more where the connection was lost, and fail with a LedgerError. */
export class PostgresConnection {
  readonly timeoutMs: number;
  /** How long the server waits for a lock: less, so that it answers why, and does nothing after the answer is late. */
  readonly lockTimeoutMs: number;
  readonly #send: (text: string, values?: string[]) => PromiseLike<unknown[]>;

  constructor(client: PostgresClient, timeoutMs: number) {
    this.timeoutMs = timeoutMs;
    this.lockTimeoutMs = Math.ceil(timeoutMs / 2);
    this.#send =
      "unsafe" in client
        ? // Otherwise it asks for the types first, at every step: two round trips. Its own option `prepare: false` still holds.
          (text, values) => client.unsafe(text, values, { prepare: values !== undefined })
        : async (text, values) => (await client.query(text, values)).rows;
  }

  /** Runs one statement. @throws LedgerError */
  async query(text: string, values?: string[]): Promise<TextRow[]> {
    try {
      return await this.#inTime(this.#send(text, values));
    } catch (cause) {
      throw faultOf(cause);
    }
  }

  /**
   * Calls a function of the schema that takes a request and answers, both JSON. When it is not known whether the server
   * did it, it is asked once more with `again` set, which every function answers as if it were the first time.
   *
   * @param beside run after it, in the same transaction.
   * @throws LedgerError when it was not done, or it is not known whether it was.
   */
  async call(functionName: string, request: object, beside: readonly PostgresCall[] = []): Promise<unknown> {
    const others = new Map<string, unknown[]>();
    for (const { functionName: name, value } of beside) others.set(name, [...(others.get(name) ?? []), value]);
    const calls = [...others.keys()].map(
      (name, index) => `, ${name}($${index + 2}::text::jsonb)::text AS beside_${index}`,
    );
    const text = `SELECT ${functionName}($1::text::jsonb)::text AS answer${calls.join("")}`;
    const told = [...others.values()].map((values) => JSON.stringify(values));
    const ask = async (asked: object) => {
      const request = JSON.stringify({ ...asked, lockTimeoutMs: this.lockTimeoutMs });
      const [row] = (await this.query(text, [request, ...told])) as [{ answer: string }];
      return JSON.parse(row.answer) as unknown;
    };
    try {
      return await ask(request);
    } catch (error) {
      if (!mayRepeat((error as LedgerError).cause)) throw error;
      return ask({ ...request, again: true });
    }
  }

  #inTime(answer: PromiseLike<unknown[]>): Promise<TextRow[]> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new TimeoutError(this.timeoutMs)), this.timeoutMs);
    });
    return Promise.race([answer as PromiseLike<TextRow[]>, late]).finally(() => clearTimeout(timer));
  }
}

class TimeoutError extends Error {
  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
  }
}

/** SQLSTATE, where the server answered: https://www.postgresql.org/docs/current/errcodes-appendix.html */
function sqlStateOf(cause: unknown): string | undefined {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  return typeof code === "string" && /^[0-9FHPX][0-9A-Z]{4}$/.test(code) ? code : undefined;
}

/** A lost or refused connection, a shutdown, a deadlock or a serialization failure; a server that is slow is not asked twice. */
function mayRepeat(cause: unknown): boolean {
  if (cause instanceof TimeoutError) return false;
  const sqlState = sqlStateOf(cause);
  return sqlState === undefined || /^(08|57P0|40)/.test(sqlState);
}

/** Whether the server refused the values of a statement, not the statement: others may pass. */
export function isRefusedForItsValues(error: unknown): boolean {
  const sqlState = sqlStateOf((error as LedgerError).cause);
  return sqlState !== undefined && /^(22|23|54)/.test(sqlState);
}

/** What helps, by SQLSTATE. */
const remedies: readonly (readonly [sqlState: string, remedy: string])[] = [
  ["25006", "it is read-only; connect to the primary server"],
  [
    "42501",
    "its role lacks a right; grant it usage of the ledger's schema and its tables, or let it create the schema",
  ],
  ["3F000", "its schema is gone; make the ledger anew to create it"],
  ["42P01", "a table is gone; restore it, or drop the schema"],
  ["42883", "a function is gone; restore it, or drop the schema"],
  ["53100", "its disk is full"],
  ["53300", "it has no connection free; lower the pool's size or raise max_connections"],
  ["55P03", "another transaction holds the account; look for one that hangs"],
  ["57014", "the statement was cancelled by its timeout"],
];

function faultOf(cause: unknown): LedgerError {
  const text = cause instanceof Error && cause.message ? cause.message : String(cause);
  const sqlState = sqlStateOf(cause);
  const [, remedy] = remedies.find(([code]) => code === sqlState) ?? [];
  const where = sqlState ? `The PostgreSQL ledger failed (${sqlState})` : "The PostgreSQL ledger cannot be reached";
  return new LedgerError({ message: remedy ? `${where}: ${remedy}: ${text}` : `${where}: ${text}`, cause });
}
