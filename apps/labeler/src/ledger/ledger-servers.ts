import { type Ledger, LedgerError } from "@autolabel/budget-core";
import { PostgresLedger } from "@autolabel/budget-core/ledgers/postgres";
import { RedisLedger } from "@autolabel/budget-core/ledgers/redis";
import { UsageError } from "../usage-error.ts";
import { loadDriver } from "./load-driver.ts";

const what = "A ledger on this server";

/** A ledger that was opened by its address. */
export interface OpenLedger {
  ledger: Ledger;
  /** Frees the ledger and the connection below it. */
  close: () => Promise<void>;
}

/** There is no ledger on a server yet, and none may be begun. */
export class NoLedgerYetError extends UsageError {}

/** How a ledger on a server is opened. */
interface OpenOptions {
  /** Whether a ledger is begun where there is none. */
  create: boolean;
}

type OpenServer = (url: string, options: OpenOptions) => Promise<OpenLedger>;

/** The ledgers that live on a server, by the protocol of their URLs. */
const servers: Readonly<Record<string, OpenServer>> = {
  "postgres:": openPostgres,
  "postgresql:": openPostgres,
  "redis:": openRedis,
  "rediss:": openRedis,
};

/** Whether an address is a URL: what it names is not a file. */
export function isUrl(address: string): boolean {
  return /^[a-z][a-z+]*:\/\//.test(address);
}

/** An address as it may be shown and kept: without user name and password. */
export function withoutPassword(address: string): string {
  return isUrl(address) ? address.replace(/\/\/[^/?#]*@/, "//") : address;
}

/**
 * Opens the ledger of a server. Its driver is loaded here, so that only who uses one installs it.
 *
 * @throws UsageError for an unknown protocol, a driver that is missing, or a ledger that is not there and may not be
 * begun; LedgerError when the server cannot be reached.
 */
export async function openServer(url: string, options: OpenOptions): Promise<OpenLedger> {
  const protocol = url.slice(0, url.indexOf("//"));
  const open = Object.hasOwn(servers, protocol) ? servers[protocol] : undefined;
  if (!open) {
    throw new UsageError(
      `No ledger is known for ${protocol}// addresses: name a postgres:// or redis:// URL, or a file`,
    );
  }
  return await open(url, options);
}

async function openPostgres(url: string, { create }: OpenOptions): Promise<OpenLedger> {
  const { default: pg } = await loadDriver("pg", what, () => import("pg"));
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  // An idle connection that breaks is opened anew by the next step, which tells what is wrong if that fails.
  pool.on("error", () => undefined);
  return await opened(url, {
    ledger: new PostgresLedger(pool),
    isThere: async () => {
      const { rows } = await pool.query<{ name: string | null }>(
        "SELECT to_regclass('autolabel.ledger_schema')::text AS name",
      );
      return typeof rows[0]?.name === "string";
    },
    create,
    end: () => pool.end(),
  });
}

async function openRedis(url: string, { create }: OpenOptions): Promise<OpenLedger> {
  const { createClient } = await loadDriver("redis", what, () => import("redis"));
  const client = createClient({ url });
  // Without a listener a lost connection would end the process; the step that needs it tells what is wrong.
  client.on("error", () => undefined);
  const end = async () => client.destroy();
  try {
    // The first connection is made or not; a client that is refused would try for ever.
    await Promise.race([client.connect(), new Promise((_, reject) => client.once("error", reject))]);
  } catch (cause) {
    await end();
    throw unreachable(url, cause);
  }
  const isThere = async () => (await client.exists("{autolabel}:ledger_schema")) === 1;
  return await opened(url, { ledger: new RedisLedger(client), isThere, create, end });
}

interface Opening extends OpenOptions {
  ledger: PostgresLedger | RedisLedger;
  isThere: () => Promise<boolean>;
  end: () => Promise<void>;
}

async function opened(url: string, { ledger, isThere, create, end }: Opening): Promise<OpenLedger> {
  try {
    if (create) await ledger.open();
    else if (!(await asked(url, isThere))) throw new NoLedgerYetError(`${withoutPassword(url)} holds no ledger yet`);
    return {
      ledger,
      close: async () => {
        await ledger.close();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

async function asked<T>(url: string, question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (cause) {
    throw unreachable(url, cause);
  }
}

function unreachable(url: string, cause: unknown): LedgerError {
  const reason = cause instanceof AggregateError ? cause.errors.map(String).join("; ") : String(cause);
  return new LedgerError({ message: `The ledger ${withoutPassword(url)} cannot be reached: ${reason}`, cause });
}
