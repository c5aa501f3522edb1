import type { CostTracker } from "@autolabel/budget-core";
import type { WorkerState } from "./row-worker.ts";

/**
 * Tells OpenTelemetry how a worker does, where `@opentelemetry/api` is installed and an SDK has started; the names are in
 * `docs/opentelemetry.md`. All is read each time that metrics are collected.
 *
 * @returns a function that stops it.
 */
export async function meterWorker(worker: { readonly state: WorkerState }): Promise<() => void> {
  const api = await import("@opentelemetry/api").catch(ifMissing);
  if (!api) return () => {};
  const meter = api.metrics.getMeter("@autolabel/labeler");
  const rows = meter.createObservableCounter("autolabel.worker.rows", {
    unit: "{row}",
    description: "Rows that this worker finished, those of equal text included",
  });
  const calls = meter.createObservableUpDownCounter("autolabel.worker.calls", {
    unit: "{call}",
    description: "Calls that this worker has in flight",
  });
  const chunks = meter.createObservableUpDownCounter("autolabel.worker.chunks", {
    unit: "{chunk}",
    description: "Chunks of rows that this worker has taken",
  });
  const workers = meter.createObservableGauge("autolabel.workers", {
    unit: "{worker}",
    description: "Live workers of the database, as this one sees them",
  });
  const silence = meter.createObservableGauge("autolabel.worker.silence", {
    unit: "s",
    description: "Since the database last answered this worker",
  });
  const instruments = [rows, calls, chunks, workers, silence];
  const observe: Parameters<typeof meter.addBatchObservableCallback>[0] = (result) => {
    const { state } = worker;
    const labels = { "autolabel.worker": state.name };
    result.observe(rows, state.rows, labels);
    result.observe(calls, state.callsInFlight, labels);
    result.observe(chunks, state.chunks, labels);
    result.observe(workers, state.workers, labels);
    result.observe(silence, (Date.now() - state.heardAtMs) / 1000, labels);
  };
  meter.addBatchObservableCallback(observe, instruments);
  return () => meter.removeBatchObservableCallback(observe, instruments);
}

/** Tells OpenTelemetry what the calls of a run hold and cost, where it is installed. @returns a function that stops it. */
export async function traceRun(tracker: CostTracker): Promise<() => void> {
  const tracing = await import("@autolabel/budget-core/opentelemetry").catch(ifMissing);
  return tracing?.traceBudget(tracker) ?? (() => {});
}

function ifMissing(error: unknown): undefined {
  if ((error as { code?: string }).code !== "ERR_MODULE_NOT_FOUND") throw error;
}
