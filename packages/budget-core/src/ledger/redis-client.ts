import { createHash } from "node:crypto";
import { LedgerError } from "../errors/ledger-error.ts";

/** What a ledger needs of a client or cluster of the package `redis` (node-redis 5 and 6). */
export interface NodeRedisClient {
  evalSha(sha1: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  wait?(replicas: number, timeoutMs: number): Promise<unknown>;
}

/** What a ledger needs of a client or cluster of the package `ioredis` (5 and 6). */
export interface IoRedisClient {
  evalsha(sha1: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
  eval(script: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
  wait?(replicas: number, timeoutMs: number): Promise<unknown>;
}

/** A connected client of either package. Which one is told by its method: `evalSha` or `evalsha`. */
export type RedisClient = NodeRedisClient | IoRedisClient;

/** Runs scripts on either client, one round trip each, and turns whatever goes wrong into a LedgerError. */
export class ScriptRunner {
  readonly #client: RedisClient;
  readonly #key: string;
  readonly #timeoutMs: number;

  constructor(options: { client: RedisClient; key: string; timeoutMs: number }) {
    this.#client = options.client;
    this.#key = options.key;
    this.#timeoutMs = options.timeoutMs;
  }

  /**
   * @returns the script's reply.
   * @throws LedgerError when there is no answer in time, or a bad one. The step may have been taken all the same.
   */
  run(script: string, request: object): Promise<unknown[]> {
    const argument = JSON.stringify(request);
    return this.#inTime(async () => {
      try {
        return await this.#evaluate("hash", hashOf(script), argument);
      } catch (error) {
        // After a restart the server does not know the script yet.
        if (!messageOf(error).startsWith("NOSCRIPT")) throw error;
        return await this.#evaluate("script", script, argument);
      }
    }) as Promise<unknown[]>;
  }

  /** @returns how many replicas have what this connection wrote. @throws LedgerError when there is no answer in time. */
  async countReplicas(atLeast: number): Promise<number> {
    const count = await this.#inTime(async () => await this.#client.wait?.(atLeast, this.#timeoutMs / 2));
    return Number(count ?? 0);
  }

  #evaluate(by: "hash" | "script", text: string, argument: string): Promise<unknown> {
    const client = this.#client;
    if ("evalSha" in client) {
      const options = { keys: [this.#key], arguments: [argument] };
      return by === "hash" ? client.evalSha(text, options) : client.eval(text, options);
    }
    return by === "hash" ? client.evalsha(text, 1, this.#key, argument) : client.eval(text, 1, this.#key, argument);
  }

  async #inTime<T>(step: () => Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${this.#timeoutMs} ms`)), this.#timeoutMs);
    });
    try {
      return await Promise.race([step(), late]);
    } catch (cause) {
      throw faultOf(cause);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What to do about an error of the server, by the word that its message begins with. */
const remedies: Readonly<Record<string, string>> = {
  DAMAGED: "its balances were changed by something else; compare them by verify() and restore a backup",
  NOAUTH: "give the client the server's user name and password",
  WRONGPASS: "give the client the server's user name and password",
  NOPERM: "let the client's user run EVAL, EVALSHA and INFO, and read and write all keys of the ledger's prefix",
  READONLY: "connect the client to the primary, not to a replica",
  OOM: "raise the server's maxmemory",
  MISCONF: "the server cannot save to disk: free space there, or mend its permissions",
  LOADING: "the server still reads its data after a start: try again",
  MASTERDOWN: "the replica has lost its primary: connect the client to the primary",
  CLUSTERDOWN: "the cluster is not complete: bring its nodes back",
  BUSY: "a script of somebody else keeps the server busy: try again",
  WRONGTYPE: "the prefix is used by something else: give the ledger one of its own",
};

function faultOf(cause: unknown): LedgerError {
  const message = messageOf(cause);
  const [word = ""] = message.split(" ", 1);
  // A server older than 7 takes the first line of a script for a mistake.
  const isTooOld = message.includes("user_script:1: unexpected symbol near '#'");
  const remedy = isTooOld ? "the ledger needs Redis 7.0 or newer" : remedies[word];
  const hint = remedy ?? "mend the connection; a step that is repeated under its reservation's id counts once";
  return new LedgerError({ message: `The Redis ledger failed: ${message}. To do: ${hint}`, cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const hashes = new Map<string, string>();

function hashOf(script: string): string {
  const hash = hashes.get(script) ?? createHash("sha1").update(script).digest("hex");
  hashes.set(script, hash);
  return hash;
}
