import { PriceBook, type PriceEntry } from "./price-book.ts";

/** One line of the table: id, first day, USD per 1M tokens in and out, cached input, longest answer, other ids. */
type Line = [
  id: string,
  from: string,
  input: string,
  output: string,
  cacheRead: string | undefined,
  maxOutputTokens: number,
  aliases?: readonly string[],
];

/** OpenAI list prices, checked against @pydantic/genai-prices 0.1.8 (data of 2026-09-23). */
const openai: readonly Line[] = [
  ["gpt-4o", "2024-08-06", "2.50", "10.00", "1.25", 16_384, ["gpt-4o-2024-08-06", "gpt-4o-2024-11-20"]],
  ["gpt-4o-2024-05-13", "2024-05-13", "5.00", "15.00", undefined, 4_096],
  ["gpt-4o-mini", "2024-07-18", "0.15", "0.60", "0.075", 16_384, ["gpt-4o-mini-2024-07-18"]],
  ["gpt-4.1", "2025-04-14", "2.00", "8.00", "0.50", 32_768, ["gpt-4.1-2025-04-14"]],
  ["gpt-4.1-mini", "2025-04-14", "0.40", "1.60", "0.10", 32_768, ["gpt-4.1-mini-2025-04-14"]],
  ["gpt-4.1-nano", "2025-04-14", "0.10", "0.40", "0.025", 32_768, ["gpt-4.1-nano-2025-04-14"]],
  ["gpt-4-turbo", "2024-04-09", "10.00", "30.00", undefined, 4_096, ["gpt-4-turbo-2024-04-09"]],
  ["gpt-4", "2023-06-13", "30.00", "60.00", undefined, 8_192, ["gpt-4-0613"]],
  ["gpt-4-32k", "2023-06-13", "60.00", "120.00", undefined, 32_768],
  ["gpt-3.5-turbo", "2024-01-25", "0.50", "1.50", undefined, 4_096, ["gpt-3.5-turbo-0125"]],
  ["gpt-3.5-turbo-16k", "2024-01-25", "0.50", "1.50", undefined, 4_096],
];

/** OpenRouter prices of 2026-08-01. Its prices move within weeks: what a call did cost is taken from `usage.cost`. */
const openrouter: readonly Line[] = [
  ["openai/gpt-4o", "2024-08-06", "2.50", "10.00", "1.25", 16_384],
  ["openai/gpt-4o-mini", "2024-07-18", "0.15", "0.60", "0.075", 16_384],
  ["openai/gpt-4.1", "2025-04-14", "2.00", "8.00", "0.50", 32_768],
  ["openai/gpt-4.1-mini", "2025-04-14", "0.40", "1.60", "0.10", 32_768],
  ["openai/gpt-4.1-nano", "2025-04-14", "0.10", "0.40", "0.025", 32_768],
  ["openai/gpt-3.5-turbo", "2024-01-25", "0.50", "1.50", undefined, 4_096],
];

let book: PriceBook | undefined;

/** The price book that comes with the package. Built at the first use: whoever states own prices never pays for it. */
export function bundledPriceBook(): PriceBook {
  book ??= new PriceBook([
    ...openai.map((line) => entryOf("openai", line, "https://platform.openai.com/docs/pricing", "2026-09-23")),
    ...openrouter.map((line) => entryOf("openrouter", line, "https://openrouter.ai/api/v1/models", "2026-08-01")),
  ]);
  return book;
}

function entryOf(provider: string, line: Line, source: string, checked: string): PriceEntry {
  const [id, from, input, output, cacheRead, maxOutputTokens, aliases = []] = line;
  const row = { from, input, output, ...(cacheRead === undefined ? {} : { cacheRead }) };
  return { provider, id, aliases, rows: [row], maxOutputTokens, source, checked };
}
