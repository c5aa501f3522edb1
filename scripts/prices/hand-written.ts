import type { PriceEntry } from "../../packages/budget-core/src/prices/price-row.ts";

/** Models that no package lists in units that we count, each with the page of its price. */
export const handWritten: readonly PriceEntry[] = [speaker("tts-1", "0.000015"), speaker("tts-1-hd", "0.00003")];

/** OpenAI's older speech models are sold by the character: $15 and $30 for 1M of them. */
function speaker(id: string, character: string): PriceEntry {
  return {
    provider: "openai",
    id,
    aliases: [],
    rows: [{ input: "0", output: "0", character }],
    source: `https://developers.openai.com/api/docs/models/${id}`,
    checked: "2026-11-23",
  };
}
