import { metrics } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { WorkerState } from "./row-worker.ts";
import { meterWorker } from "./worker-metrics.ts";

let exporter: InMemoryMetricExporter;
let provider: MeterProvider;
beforeEach(() => {
  exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  provider = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
  });
  metrics.setGlobalMeterProvider(provider);
});
afterEach(async () => {
  await provider.shutdown();
  metrics.disable();
});

/** The values that were collected last, by name. */
async function collected(): Promise<Record<string, { value: unknown; worker: unknown }>> {
  exporter.reset();
  await provider.forceFlush();
  const [exported] = exporter.getMetrics();
  return Object.fromEntries(
    (exported?.scopeMetrics ?? []).flatMap(({ metrics: told }) =>
      told.flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ value, attributes }) => [descriptor.name, { value, worker: attributes["autolabel.worker"] }]),
      ),
    ),
  );
}

it("tells how a worker does whenever metrics are collected, until it is stopped", async () => {
  const worker: { state: WorkerState } = {
    state: {
      name: "w",
      concurrency: 4,
      rows: 5,
      callsInFlight: 3,
      chunks: 2,
      workers: 6,
      heardAtMs: Date.now() - 60_000,
      isStopping: false,
    },
  };
  const stop = await meterWorker(worker);
  const told = await collected();
  expect(told).toMatchObject({
    "autolabel.worker.rows": { value: 5, worker: "w" },
    "autolabel.worker.calls": { value: 3 },
    "autolabel.worker.chunks": { value: 2 },
    "autolabel.workers": { value: 6 },
  });
  expect(told["autolabel.worker.silence"]?.value).toBeGreaterThanOrEqual(60);
  worker.state.rows = 9;
  expect((await collected())["autolabel.worker.rows"]?.value).toBe(9);
  stop();
  worker.state.rows = 10;
  expect((await collected())["autolabel.worker.rows"]?.value).toBe(9);
});
