import { CostTracker, picoToDecimal } from "@autolabel/budget-core";
import { callBilledById, telling } from "../check-books.ts";
import { engineNamed, type RoundTrip } from "../engines.ts";
import { makeMeteredCall } from "../metered-call.ts";
import { alertsDue, type CrashOrder, type CrashReport } from "./crash-order.ts";

process.once("message", (order: CrashOrder) => {
  void work(order).then((report) => process.send?.(report, () => process.exit(0)));
});
process.send?.("ready");

async function work(order: CrashOrder): Promise<CrashReport> {
  const points: string[] = [];
  const passed = new Map<string, number>();
  let step = "migrate";
  const pass = (side: "before" | "during" | "after") => {
    const name = `${side} ${step}`;
    const count = (passed.get(name) ?? 0) + 1;
    passed.set(name, count);
    const point = `${name} ${count}`;
    if (point === order.killAt) process.kill(process.pid, "SIGKILL");
    points.push(point);
  };
  const roundTrip: RoundTrip = (trip) => {
    pass("before");
    const answer = trip();
    if (answer instanceof Promise) {
      // By then the request has left, and the store does it, whatever becomes of the process.
      setImmediate(() => pass("during"));
      return answer.finally(() => pass("after")) as typeof answer;
    }
    pass("after");
    return answer;
  };
  const opened = await engineNamed(order.engine).open(order.url, roundTrip);
  const ledger = telling(opened, (name) => {
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
      await callBilledById((apiKey) => makeMeteredCall({ tracker, baseUrl: order.baseUrl, prompt, apiKey }));
    }
  };
  await callUntil(order.calls / 2);
  await Promise.all([callUntil(order.calls), callUntil(order.calls)]);
  await ledger.close();
  return { points, alerts };
}
