import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";

/** Opens each file at the moment when all threads have come to it. */
const opener = `
  const { openDatabase } = await import(workerData.module);
  const arrived = new Int32Array(workerData.arrived);
  for (const [round, file] of workerData.files.entries()) {
    Atomics.add(arrived, round, 1);
    while (Atomics.load(arrived, round) < workerData.threads) {}
    try {
      openDatabase(file).close();
    } catch (error) {
      parentPort.postMessage(String(error));
    }
  }
`;

it("opens a new file for all that come at one moment", { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "open-"));
  const threads = 4;
  const files = Array.from({ length: 40 }, (_, round) => join(folder, `${round}.sqlite`));
  const workerData = {
    module: new URL("./open-database.ts", import.meta.url).href,
    arrived: new SharedArrayBuffer(4 * files.length),
    files,
    threads,
  };
  const code = `const { parentPort, workerData } = await import("node:worker_threads");${opener}`;
  const errors: unknown[] = [];
  const ends = Array.from({ length: threads }, () => {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData });
    worker.on("message", (error) => errors.push(error));
    return once(worker, "exit");
  });
  await Promise.all(ends);
  expect(errors).toEqual([]);
  rmSync(folder, { recursive: true, force: true });
});
