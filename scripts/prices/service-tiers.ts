import type { PriceRow, ServiceTier } from "../../packages/budget-core/src/prices/price-row.ts";

/** A hand-written price of a service tier: no package supplies them in a usable form. */
export interface TierRow {
  provider: string;
  id: string;
  tier: ServiceTier;
  row: Pick<PriceRow, "input" | "output" | "cacheRead" | "above">;
  source: string;
  checked: string;
}

const priorityPage = "https://openai.com/api-priority-processing/";
const pricePage = "https://developers.openai.com/api/docs/pricing";

type Line = [id: string, input: string, cacheRead: string | undefined, output: string, above?: number];

/** Priority, in USD per 1M tokens. Long requests are not served at priority, so there are no long rows. */
const priority: readonly Line[] = [
  ["gpt-5.5", "12.5", "1.25", "75"],
  ["gpt-5.4", "5", "0.5", "30"],
  ["gpt-5.4-mini", "1.5", "0.15", "9"],
  ["gpt-5.2", "3.5", "0.35", "28"],
  ["gpt-5.1", "2.5", "0.25", "20"],
  ["gpt-5", "2.5", "0.25", "20"],
  ["gpt-5-mini", "0.45", "0.045", "3.6"],
  ["gpt-4.1", "3.5", "0.875", "14"],
  ["gpt-4.1-mini", "0.7", "0.175", "2.8"],
  ["gpt-4.1-nano", "0.2", "0.05", "0.8"],
  ["gpt-4o", "4.25", "2.125", "17"],
  ["gpt-4o-2024-05-13", "8.75", undefined, "26.25"],
  ["gpt-4o-mini", "0.25", "0.125", "1"],
  ["o3", "3.5", "0.875", "14"],
  ["o4-mini", "2", "0.5", "8"],
];

/** Flex: half the standard price, for the models that offer it. */
const flex: readonly Line[] = [
  ["gpt-5.5", "2.5", "0.25", "15"],
  ["gpt-5.5", "5", "0.5", "22.5", 272_000],
  ["gpt-5.4", "1.25", "0.125", "7.5"],
  ["gpt-5.4", "2.5", "0.25", "11.25", 272_000],
  ["gpt-5.4-mini", "0.375", "0.0375", "2.25"],
  ["gpt-5.4-nano", "0.1", "0.01", "0.625"],
  ["gpt-5.2", "0.875", "0.0875", "7"],
  ["gpt-5.1", "0.625", "0.0625", "5"],
  ["gpt-5", "0.625", "0.0625", "5"],
  ["gpt-5-mini", "0.125", "0.0125", "1"],
  ["gpt-5-nano", "0.025", "0.0025", "0.2"],
  ["o3", "1", "0.25", "4"],
  ["o4-mini", "0.55", "0.138", "2.2"],
];

/** All hand-written service-tier rows. */
export const tierRows: readonly TierRow[] = [
  ...priority.map((line) => tierRow("priority", line, priorityPage)),
  ...flex.map((line) => tierRow("flex", line, pricePage)),
];

function tierRow(tier: ServiceTier, line: Line, source: string): TierRow {
  const [id, input, cacheRead, output, above] = line;
  const row = {
    input,
    output,
    ...(cacheRead === undefined ? {} : { cacheRead }),
    ...(above === undefined ? {} : { above }),
  };
  return { provider: "openai", id, tier, row, source, checked: "2026-11-23" };
}
