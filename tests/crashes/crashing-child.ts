import { AsyncLocalStorage } from "node:async_hooks";
import { CostTracker, type Ledger, picoToDecimal } from "@autolabel/budget-core";
import { engineNamed, type RoundTrip } from "../engines.ts";
import { makeMeteredCall } from "../metered-call.ts";
import { alertsDue, type CrashOrder, type CrashReport, callsPerChild } from "./crash-order.ts";

const calls = new AsyncLocalStorage<{ reservationId: string }>();

process.once("message", (order: CrashOrder) => {
  void work(order).then((report) => process.send?.(report, () => process.exit(0)));
});
process.send?.("ready");

async function work(order: CrashOrder): Promise<CrashReport> {
  const points: string[] = [];
  let step = "migrate";
  const pass = (side: "before" | "after") => {
    if (points.length === order.killAt) process.kill(process.pid, "SIGKILL");
    points.push(`${side} ${step}`);
  };
  const roundTrip: RoundTrip = (trip) => {
    pass("before");
    const answer = trip();
    if (answer instanceof Promise) return answer.finally(() => pass("after")) as typeof answer;
    pass("after");
    return answer;
  };
  const opened = await engineNamed(order.engine).open(order.url, roundTrip);
  const ledger = named(opened, (name) => {
    step = name;
  });
  const { fetch } = globalThis;
  globalThis.fetch = async (...request) => {
    step = "dispatch";
    pass("before");
    const response = await fetch(...request);
    pass("after");
    return response;
  };

  const budget = picoToDecimal(BigInt(order.budgetPicoUsd));
  const project = new CostTracker({ name: "project", budget, alerts: alertsDue, ledger });
  const tracker = project.child({ name: "run", per: "day", budget: "unlimited" });
  const alerts: number[] = [];
  project.on("alert", ({ threshold }) => alerts.push(threshold));
  await tracker.recover();
  let next = 0;
  const callUntil = async (last: number) => {
    while (next < last) {
      const prompt = `Call ${next++} of seed ${order.seed}`;
      const call = { reservationId: "" };
      const apiKey = () => call.reservationId;
      await calls.run(call, () => makeMeteredCall({ tracker, baseUrl: order.baseUrl, prompt, apiKey }));
    }
  };
  await callUntil(callsPerChild / 2);
  await Promise.all([callUntil(callsPerChild), callUntil(callsPerChild)]);
  await ledger.close();
  return { points, alerts };
}

/** Says which step of the ledger is under way, and tells a call the id of its reservation: it is billed under that. */
function named(ledger: Ledger, enter: (step: string) => void): Ledger {
  return new Proxy(ledger, {
    get(target, name) {
      const member = Reflect.get(target, name, target) as unknown;
      if (typeof member !== "function") return member;
      return (...given: unknown[]) => {
        enter(name === "claim" ? "alert" : String(name));
        const call = calls.getStore();
        if (name === "reserve" && call) call.reservationId = (given[0] as { id: string }).id;
        return member.apply(target, given) as unknown;
      };
    },
  });
}
