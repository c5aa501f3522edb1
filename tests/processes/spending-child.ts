import { CostTracker, isBudgetExceeded } from "@autolabel/budget-core";
import { engineNamed } from "../engines.ts";
import { makeMeteredCall } from "../metered-call.ts";
import type { SpendingOrder, SpendingReport } from "./spending-order.ts";

process.once("message", (order: SpendingOrder) => {
  void work(order).then((report) => process.send?.(report, () => process.exit(0)));
});
process.send?.("ready");

async function work(order: SpendingOrder): Promise<SpendingReport> {
  const now = Date.now.bind(Date);
  Date.now = () => now() + order.skewMs;
  const ledger = await engineNamed(order.engine).open(order.url);
  const { budget, isDaily } = order;
  const tracker = new CostTracker({
    name: "project",
    budget,
    ledger,
    ...(isDaily ? { per: "day", timeZone: "Asia/Tokyo" } : {}),
  });
  const report: SpendingReport = { made: 0, denied: 0, alerts: [] };
  tracker.on("alert", ({ threshold }) => report.alerts.push(threshold));
  let next = 0;
  const worker = async () => {
    while (next < order.calls) {
      const prompt = `Call ${next++} of process ${order.number}`;
      try {
        await makeMeteredCall({ tracker, baseUrl: order.baseUrl, prompt, apiKey: () => String(order.number) });
        report.made++;
      } catch (error) {
        if (!isBudgetExceeded(error)) throw error;
        report.denied++;
      }
    }
  };
  await Promise.all(Array.from({ length: order.concurrency }, worker));
  await ledger.close();
  return report;
}
