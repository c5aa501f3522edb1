import { measureAccounts } from "./accounts.ts";
import { measureIntake } from "./intake.ts";
import { measureQueues } from "./queues.ts";
import { measureScaling } from "./scaling.ts";
import { measureTrips } from "./trips.ts";

// pnpm bench:workers [scaling|intake|queues|accounts|trips] [--workers 1,2,4] [--seconds 20] [--concurrency 16] [--latency 200]
//   [--rows 200000] [--jobs 5000] [--rounds 3]

const parts: Record<string, () => Promise<void>> = {
  scaling: measureScaling,
  intake: measureIntake,
  queues: measureQueues,
  accounts: measureAccounts,
  trips: measureTrips,
};
const asked = process.argv[2];
for (const [name, measure] of Object.entries(parts))
  if (asked === undefined || asked.startsWith("--") || asked === name) await measure();
