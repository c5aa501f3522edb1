import { parseArgs } from "node:util";

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    workers: { type: "string", default: "1,2,4" },
    seconds: { type: "string", default: "20" },
    concurrency: { type: "string", default: "16" },
    latency: { type: "string", default: "200" },
    rows: { type: "string", default: "200000" },
    jobs: { type: "string", default: "5000" },
    rounds: { type: "string", default: "3" },
  },
});

/** What may be said on the command line. */
export const options = {
  workers: values.workers.split(",").map(Number),
  seconds: Number(values.seconds),
  concurrency: Number(values.concurrency),
  latencyMs: Number(values.latency),
  rows: Number(values.rows),
  jobs: Number(values.jobs),
  rounds: Number(values.rounds),
};

/** The one in the middle. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
