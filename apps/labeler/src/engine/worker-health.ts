import { createServer } from "node:http";
import { UsageError } from "../usage-error.ts";
import type { RowWorker, WorkerState } from "./row-worker.ts";

/** Without an answer of the database for so long a worker is of no use, in ms. */
const silentMs = 30_000;

/**
 * Answers whoever watches a worker, on all addresses of the machine: `/healthz` with 200 while it hears from its database,
 * else 503; `/readyz` with 503 also while it stops. The body is its state as JSON.
 *
 * @throws UsageError when the port is taken, or none.
 */
export async function serveHealth(worker: RowWorker, port: number): Promise<{ close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    const { state } = worker;
    const isHealthy = Date.now() - state.heardAtMs < silentMs;
    const isReady = isHealthy && !state.isStopping;
    const isKnown = request.url === "/healthz" || request.url === "/readyz";
    const isFine = request.url === "/healthz" ? isHealthy : isReady;
    response.writeHead(isKnown ? (isFine ? 200 : 503) : 404, { "content-type": "application/json" });
    response.end(isKnown ? `${JSON.stringify(state satisfies WorkerState)}\n` : "{}\n");
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, resolve);
  }).catch((cause: Error) => {
    throw new UsageError(`--health-port ${port} cannot be opened (${cause.message}): name another one`, { cause });
  });
  return { close: () => new Promise((resolve) => server.close(() => resolve())) };
}
