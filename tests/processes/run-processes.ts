import { fork } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { bundleChild } from "../bundle-child.ts";
import type { SpendingOrder, SpendingReport } from "./spending-order.ts";

/** What is different from process to process. */
export interface ProcessPlan extends SpendingOrder {
  /** Time zone of the process: its TZ variable. */
  zone: string;
}

/** Starts all processes, lets them go at once, and waits for what they say. @throws Error when one ends without a word. */
export async function runProcesses(plans: readonly ProcessPlan[]): Promise<SpendingReport[]> {
  const file = await bundleChild(join(import.meta.dirname, "spending-child.ts"));
  try {
    const children = await Promise.all(plans.map((plan) => start(file, plan)));
    return await Promise.all(children.map((run) => run()));
  } finally {
    rmSync(file);
  }
}

/** A process that is ready. @returns a function that lets it go. */
async function start(file: string, { zone, ...order }: ProcessPlan): Promise<() => Promise<SpendingReport>> {
  const child = fork(file, {
    execArgv: [],
    env: { ...process.env, TZ: zone },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  await new Promise((resolve) => child.once("message", resolve));
  return () =>
    new Promise((resolve, reject) => {
      let report: SpendingReport | undefined;
      child.once("message", (message) => {
        report = message as SpendingReport;
      });
      child.once("close", (code, signal) => {
        if (report) resolve(report);
        else reject(new Error(`Process ${order.number} ended without a word (${code ?? signal}): see its error above`));
      });
      child.send(order);
    });
}
