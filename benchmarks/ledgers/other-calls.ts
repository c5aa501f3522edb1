import { setTimeout as delay } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import type { Account } from "@autolabel/budget-core";
import { engineNamed } from "../../tests/engines.ts";

/** Makes one call after the other in a ledger, on a connection and a thread of its own, with a pause as for an answer. */
const { address, pool } = workerData as { address: { engine: string; url: string }; pool: Account };
const ledger = await engineNamed(address.engine).open(address.url);
let longestMs = 0;
let isStopped = false;
parentPort?.once("message", () => {
  isStopped = true;
});

async function timed(step: () => Promise<unknown>): Promise<void> {
  const startedAt = performance.now();
  await step();
  longestMs = Math.max(longestMs, performance.now() - startedAt);
}

async function call(): Promise<void> {
  const id = crypto.randomUUID();
  await timed(() => ledger.reserve({ id, accounts: [pool], amountPicoUsd: 1n, leaseMs: 60_000 }));
  await timed(() => ledger.markDispatched(id));
  await timed(() => ledger.settle(id, { costPicoUsd: 1n }));
}

// The first ones bring along what is needed once.
for (let warm = 0; warm < 20; warm++) await call();
longestMs = 0;
parentPort?.postMessage("ready");
while (!isStopped) {
  await call();
  await delay(5);
}
await ledger.close();
parentPort?.postMessage(longestMs);
