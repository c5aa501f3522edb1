import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CostTracker } from "@autolabel/budget-core";
import { verifyLedger } from "@autolabel/budget-core/audit";
import { SqliteLedger } from "@autolabel/budget-core/ledgers/sqlite";
import { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../servers/start-postgres.ts";
import { isRedisThere, type RedisServer, startRedis } from "../servers/start-redis.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/choosing-a-ledger.md"), "utf8");
const blocksIn = (language: string) =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, "g"))].map(([, block = ""]) => block);
const snippets = blocksIn("ts");
const redisSettings = Object.fromEntries(blocksIn("conf").flatMap((block) => block.trim().split("\n").map(wordsOf)));

function wordsOf(line: string): [string, string] {
  const [name = "", ...values] = line.split(" ");
  return [name, values.join(" ")];
}

/** A call on the ledger that a snippet has made, and what the books show then. */
const proof = `
const { CostTracker: Tracker } = await import("@autolabel/budget-core");
const { verifyLedger: verify } = await import("@autolabel/budget-core/audit");
const proof = new Tracker({ name: "proof", budget: 1, ledger });
const hold = await proof.reserve({ boundPicoUsd: 5n });
await hold.markDispatched();
await hold.settle({ costPicoUsd: 3n });
const { spent, held } = (await proof.getStats()).exact;
const books = [String(spent.picoUsd), String(held.picoUsd), verify(await ledger.inspect()).length];
console.log(JSON.stringify({ books, durable: typeof durable === "undefined" ? null : durable }));
process.exit(0);
`;

describe("what docs/choosing-a-ledger.md shows", () => {
  let folder: string;
  let postgres: PostgresServer;
  let redis: RedisServer | undefined;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "choosing-"));
    symlinkSync(join(root, "packages/budget-core/node_modules"), join(folder, "node_modules"));
    cpSync(join(root, "packages/budget-core/package.json"), join(folder, "package.json"));
    symlinkSync(join(root, "packages/budget-core/src"), join(folder, "src"));
    postgres = await startPostgres();
    redis = isRedisThere() ? await startRedis(redisSettings) : undefined;
  });
  afterAll(async () => {
    await Promise.all([postgres.stop(), redis?.stop()]);
    rmSync(folder, { recursive: true });
  });

  /** Runs a script or a command in an empty folder in which the packages are installed. @returns what it printed. */
  async function run(args: readonly string[], input = ""): Promise<string> {
    const env = { ...process.env, DATABASE_URL: postgres.url, REDIS_URL: redis?.url };
    const child = spawn(process.execPath, ["--conditions=@autolabel/source", ...args], { cwd: folder, env });
    let printed = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => (printed += String(text)));
    child.stdin.end(input);
    const [code] = (await once(child, "close")) as [number];
    expect(code, printed).toBe(0);
    return printed;
  }

  it.each(snippets.map((snippet, index) => [index, snippet] as const))(
    "snippet %i runs as it stands",
    async (_, snippet) => {
      if (snippet.includes("REDIS_URL") && !redis) return;
      writeFileSync(join(folder, "snippet.ts"), snippet + proof);
      const printed = await run(["snippet.ts"]);
      const told = JSON.parse(printed.trim().split("\n").at(-1) ?? "") as { books: unknown[]; durable: boolean | null };
      const [spent, held, differences] = told.books;
      // Several snippets share a file or a server.
      expect(Number(spent) % 3).toBe(0);
      expect([Number(spent) > 0, held, differences]).toEqual([true, "0", 0]);
      expect(told.durable).toBe(snippet.includes("durable") ? true : null);
    },
  );

  it("the rights that a role needs are enough, and less is not", async () => {
    const admin = new Pool({ connectionString: postgres.url });
    const { PostgresLedger } = await import("@autolabel/budget-core/ledgers/postgres");
    await new PostgresLedger(admin).open();
    const [create = "", ...grants] = (blocksIn("sql")[0] ?? "").trim().split("\n");
    await admin.query(create);
    const app = new Pool({ connectionString: postgres.url.replace("postgres@", "app@") });
    const tracker = new CostTracker({ name: "role", budget: 1, ledger: new PostgresLedger(app) });
    for (const grant of grants) {
      await expect(tracker.reserve({ boundPicoUsd: 5n })).rejects.toThrow("its role lacks a right");
      await admin.query(grant);
    }
    const hold = await tracker.reserve({ boundPicoUsd: 5n });
    await hold.markDispatched();
    await hold.settle({ costPicoUsd: 3n });
    expect(verifyLedger(await tracker.ledger.inspect())).toEqual([]);
    await Promise.all([app.end(), admin.end()]);
  });

  it("the commands do what is said of them", async () => {
    const ledger = new SqliteLedger(join(folder, "budget.sqlite"));
    const tracker = new CostTracker({ name: "commands", ledger });
    const hold = await tracker.reserve({ boundPicoUsd: 10n ** 12n });
    await hold.markDispatched();
    await tracker.recover({ abandoned: true });
    const cli = join(root, "apps/labeler/src/cli.ts");
    const commands = (blocksIn("sh")[0] ?? "")
      .trim()
      .split("\n")
      .map((line) => line.split(" ").slice(1));
    const [inspected, verified, resolved] = [
      await run([cli, ...(commands[0] ?? [])]),
      await run([cli, ...(commands[1] ?? [])]),
      await run([cli, ...(commands[2] ?? []).map((word) => (word === "ID" ? hold.id : word))]),
    ];
    expect(inspected).toMatch(/unresolved/);
    expect(verified).toMatch(/^Sound/);
    expect(resolved).toMatch(/Resolved 1 call; 0 unresolved left/);
    expect((await tracker.getStats()).exact.spent.picoUsd).toBe(1_200_000_000n);
    await ledger.close();
  });
});
