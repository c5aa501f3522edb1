import { parseArgs } from "node:util";
import { Redis } from "ioredis";
import { isBudgetExceeded } from "../errors/is-budget-exceeded.ts";
import { RedisLedger } from "../ledger/redis.ts";
import { usd } from "../money.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";

/** One of the processes that share a budget, in tests: makes calls until they are done or the budget is. */
const { values } = parseArgs({
  options: {
    redis: { type: "string", default: "" },
    provider: { type: "string", default: "" },
    budget: { type: "string", default: "0" },
    calls: { type: "string", default: "0" },
  },
});

const client = new Redis(values.redis);
const tracker = new CostTracker({ budget: values.budget, name: "shared", ledger: new RedisLedger(client) });
/** More than a call can cost: some 20 tokens in and 16 out. */
const boundPicoUsd = 30_000_000n;
let left = Number(values.calls);
let settled = 0;
let denied = 0;

async function call(): Promise<void> {
  const hold = await tracker.reserve({ boundPicoUsd });
  await hold.markDispatched();
  const response = await fetch(`${values.provider}/chat/completions`, {
    method: "POST",
    body: JSON.stringify({
      model: "openai/gpt-4o-mini",
      max_tokens: 16,
      messages: [{ role: "user", content: `Tell me about number ${left}` }],
    }),
  });
  const { usage } = (await response.json()) as { usage: { cost: number } };
  await hold.settle({ costPicoUsd: usd(usage.cost).picoUsd });
}

async function work(): Promise<void> {
  while (left-- > 0) {
    try {
      await call();
      settled++;
    } catch (error) {
      if (!isBudgetExceeded(error)) throw error;
      denied++;
    }
  }
}

await Promise.all(Array.from({ length: 16 }, work));
console.log(JSON.stringify({ settled, denied }));
client.disconnect();
