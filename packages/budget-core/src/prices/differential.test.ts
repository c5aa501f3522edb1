import fc from "fast-check";
import { expect, it } from "vitest";
import { providers } from "../../../../scripts/prices/providers.ts";
import { calcPrice, exactIds, type GenaiModel, readSources } from "../../../../scripts/prices/sources.ts";
import { UnpricedModelError } from "../errors/unpriced-model-error.ts";
import type { Usage } from "../usage.ts";
import { priceUsage } from "./price-usage.ts";
import { bundledPriceBook } from "./snapshot.ts";

const seed = 7_302_126;

/** Why we bill otherwise than genai-prices does, each with the evidence. An unused explanation fails the test too. */
const explanations: { why: string; covers: (call: Compared) => boolean }[] = [
  {
    why: "OpenAI's long-context price starts above 272,000 tokens (models page); genai-prices starts it at 272,000",
    covers: ({ provider, usage }) => provider === "openai" && usage.inputTokens === 272_000,
  },
  {
    why: "gpt-3.5-turbo-16k is kept at the price of the model that replaced it; the source has the price of 2023",
    covers: ({ provider, id }) => provider === "openai" && /^gpt-35?(\.5)?-turbo-16k/.test(id),
  },
  {
    why: "OpenRouter sells cached gpt-4o input at half price; the source leaves it out",
    covers: ({ provider, id, usage }) =>
      provider === "openrouter" && id.startsWith("openai/gpt-4o") && (usage.cacheReadTokens ?? 0) > 0,
  },
  {
    why: "cache writes of Gemini cost the input price and storage; the source lists the storage alone",
    covers: ({ provider, id, usage }) =>
      provider === "openrouter" && id.includes("gemini") && (usage.cacheWriteTokens ?? 0) > 0,
  },
];

interface Compared {
  provider: string;
  id: string;
  usage: Usage;
}

const usages = fc.record({
  fresh: fc.oneof(fc.nat(5_000), fc.nat(400_000), fc.constant(272_000)),
  read: fc.oneof(fc.constant(0), fc.nat(100_000)),
  write: fc.oneof(fc.constant(0), fc.nat(100_000)),
  hour: fc.oneof(fc.constant(0), fc.nat(50_000)),
  audio: fc.oneof(fc.constant(0), fc.nat(50_000)),
  output: fc.nat(100_000),
});

it(`bills what genai-prices does, or says why not (seed ${seed})`, async () => {
  const { genai } = await readSources();
  const book = bundledPriceBook();
  const drawn = fc.sample(usages, { numRuns: 500, seed });
  const used = new Set<string>();
  let compared = 0;
  for (const { provider, genaiId } of providers) {
    const source = genai.find(({ id }) => id === genaiId);
    for (const model of source?.models ?? []) {
      for (const id of exactIds(model.match)) {
        for (const timestamp of [
          new Date("2026-11-23T12:00:00Z"),
          new Date("2026-11-23T02:00:00Z"),
          new Date("2027-01-02"),
        ]) {
          const price = lookUp(() => book.find(provider, id, timestamp));
          if (!price) continue;
          const parts = drawn[compared % drawn.length] as (typeof drawn)[number];
          const usage = usageOf(parts, model);
          const theirs = calcPrice(theirUsage(usage), id, { providerId: genaiId, timestamp });
          const ours = priceUsage(price, usage);
          compared += 1;
          const difference = Math.abs(Number(ours) / 1e12 - (theirs?.total_price ?? Number.NaN));
          if (difference <= 1e-9 * (theirs?.total_price ?? 0) + 2e-12) continue;
          const call = { provider, id, usage };
          const explained = explanations.find(({ covers }) => covers(call));
          if (explained) used.add(explained.why);
          else expect({ ...call, ours: Number(ours) / 1e12 }).toEqual({ ...call, ours: theirs?.total_price });
        }
      }
    }
  }
  expect(compared).toBeGreaterThan(2_000);
  expect([...used].sort()).toEqual(explanations.map(({ why }) => why).sort());
});

/** A usage in the units that the source prices for the model. */
function usageOf(
  parts: { fresh: number; read: number; write: number; hour: number; audio: number; output: number },
  model: GenaiModel,
): Usage {
  const text = JSON.stringify(model.prices);
  const has = (unit: string) => text.includes(`"${unit}"`);
  const read = parts.read;
  const write = has("cache_write_mtok") ? parts.write : 0;
  const hour = has("cache_write_1h_mtok") ? parts.hour : 0;
  const audio = has("input_audio_mtok") ? parts.audio : 0;
  const seconds = has("input_audio_hours") ? { audioSeconds: parts.fresh } : {};
  return {
    inputTokens: parts.fresh + read + write + hour + audio,
    outputTokens: has("output_mtok") ? parts.output : 0,
    cacheReadTokens: read,
    cacheWriteTokens: write,
    cacheWrite1hTokens: hour,
    audioInputTokens: audio,
    ...seconds,
  };
}

/** Its cache writes are a total of which the hour-long ones are a part. */
function theirUsage(usage: Usage): Record<string, number> {
  const { cacheReadTokens = 0, cacheWriteTokens = 0, cacheWrite1hTokens = 0, audioInputTokens = 0 } = usage;
  const { audioSeconds } = usage;
  return {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    ...(cacheReadTokens ? { cache_read_tokens: cacheReadTokens } : {}),
    ...(cacheWriteTokens + cacheWrite1hTokens ? { cache_write_tokens: cacheWriteTokens + cacheWrite1hTokens } : {}),
    ...(cacheWrite1hTokens ? { cache_write_1h_tokens: cacheWrite1hTokens } : {}),
    ...(audioSeconds ? { audio_seconds: audioSeconds, input_audio_seconds: audioSeconds } : {}),
    ...(audioInputTokens ? { input_audio_tokens: audioInputTokens, cache_audio_read_tokens: 0 } : {}),
  };
}

function lookUp<Result>(find: () => Result): Result | undefined {
  try {
    return find();
  } catch (error) {
    if (UnpricedModelError.isInstance(error)) return undefined;
    throw error;
  }
}
