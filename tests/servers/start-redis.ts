import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A Redis server of a test's own. */
export interface RedisServer {
  /** `redis://127.0.0.1:<port>`. */
  readonly url: string;
  readonly port: number;
  /** Ends it, without a save, and removes its files. */
  stop: () => Promise<void>;
  /** As a power cut would: `kill -9`. Its files stay. */
  kill: () => Promise<void>;
  /** Starts it again, by `kill -9`, on the same port with the files that are left; changed `settings` stay. */
  restart: (settings?: Readonly<Record<string, string>>) => Promise<void>;
}

/** Whether tests that need Redis run. Where services are required (`AUTOLABEL_REQUIRE_SERVICES`, `CI`) a lack is a failure. */
export function isRedisThere(): boolean {
  const { error } = spawnSync("redis-server", ["--version"]);
  if (!error) return true;
  const message = "redis-server is not on PATH: install it (apt-get install redis-server, brew install redis)";
  if (process.env.AUTOLABEL_REQUIRE_SERVICES || process.env.CI) throw new Error(message);
  console.warn(`Tests of the Redis ledger are skipped: ${message}`);
  return false;
}

/**
 * Starts a Redis server on a free port, with its files in a folder of its own.
 *
 * @param settings lines of `redis.conf` as names and values. Default: nothing is kept on disk.
 */
export async function startRedis(settings: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "redis-"));
  const port = await freePort();
  let all = { bind: "127.0.0.1", port: String(port), dir: folder, save: "", appendonly: "no", ...settings };
  let server = await launch(port, all);
  const kill = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    server.kill("SIGKILL");
    await once(server, "exit");
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    restart: async (changed = {}) => {
      await kill();
      all = { ...all, ...changed };
      server = await launch(port, all);
    },
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function launch(port: number, settings: Readonly<Record<string, string>>): Promise<ChildProcess> {
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const server = spawn("redis-server", args, { stdio: ["ignore", "pipe", "inherit"] });
  let log = "";
  server.stdout.on("data", (text: Buffer) => (log += String(text)));
  // A test run that is cut off must not leave it behind.
  const end = () => server.kill("SIGKILL");
  process.once("exit", end);
  server.once("exit", () => process.off("exit", end));
  while (!(await answers(port))) {
    if (server.exitCode !== null) throw new Error(`redis-server does not start:\n${log}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return server;
}

/** True once it answers at all: `-NOAUTH`, `-LOADING` and the like are for the test to see. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1", () => socket.write("PING\r\n"));
    const done = (isUp: boolean) => {
      socket.destroy();
      resolve(isUp);
    };
    socket.once("data", () => done(true));
    socket.once("error", () => done(false));
    socket.once("close", () => done(false));
  });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}
