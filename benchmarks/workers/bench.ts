import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "pg";
import { startPostgres } from "../../tests/servers/start-postgres.ts";
import { options } from "./options.ts";

const root = join(import.meta.dirname, "../..");
const cli = join(root, "apps/labeler/src/cli.ts");

/** A database whose commits reach the disk, a provider that costs next to nothing, and the command line. */
export interface Bench {
  pool: Pool;
  /** Starts a command; what `label` complains about is shown. */
  start: (...args: string[]) => ChildProcess;
  /** Queues a run of so many rows. */
  queue: (rows: number) => Promise<void>;
}

/** Measures something with a database of its own. */
export async function withBench<T>(measure: (bench: Bench) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "bench-workers-"));
  const postgres = await startPostgres({ fsync: true });
  const provider = spawn(process.execPath, [join(root, "benchmarks/labeler/provider.ts"), String(options.latencyMs)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const pool = new Pool({ connectionString: postgres.url, max: 2 });
  try {
    const [port] = (await once(provider.stdout, "data")) as [Buffer];
    const env = {
      PATH: process.env.PATH,
      AUTOLABEL_STORE: postgres.url,
      OPENROUTER_API_KEY: "bench",
      OPENROUTER_BASE_URL: `http://127.0.0.1:${String(port).trim()}/v1`,
    };
    const start = (...args: string[]) =>
      spawn(process.execPath, ["--conditions=@autolabel/source", cli, ...args], {
        cwd: folder,
        env,
        stdio: ["ignore", "ignore", args[0] === "label" ? "inherit" : "ignore"],
      });
    return await measure({
      pool,
      start,
      queue: async (rows) => {
        const texts = Array.from({ length: rows }, (_, row) => `My card has not arrived yet. What can I do? (${row})`);
        writeFileSync(join(folder, "data.csv"), `text\n${texts.join("\n")}\n`);
        const model = "openrouter:openai/gpt-4o-mini";
        const label = start("label", "data.csv", "--labels", "refund,card", "--model", model, "--budget", "100");
        const [code] = (await once(label, "exit")) as [number | null];
        if (code !== 0) throw new Error(`autolabel label ended with ${code}`);
      },
    });
  } finally {
    provider.kill();
    await pool.end();
    await postgres.stop();
    rmSync(folder, { recursive: true });
  }
}
