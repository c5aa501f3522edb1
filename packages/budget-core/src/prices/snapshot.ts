import { PriceBook, type Staleness } from "./price-book.ts";
import { snapshot } from "./snapshot.generated.ts";
import { snapshotLayer } from "./snapshot-layer.ts";

/** Date of the bundled prices, `YYYY-MM-DD`. They were right then, as far as their sources are. */
export const generatedAt: string = snapshot.generatedAt;

let bundled: PriceBook | undefined;

/**
 * The price book that comes with the package: first-party prices of OpenAI, Anthropic, Google, Mistral, DeepSeek, xAI and
 * Groq, and those of OpenRouter. Read when it is first asked for a price: whoever states own prices never pays for it.
 *
 * @param staleness what to do with prices that have grown old. Default: they are used at any age.
 */
export function bundledPriceBook(staleness?: Staleness): PriceBook {
  bundled ??= new PriceBook({ layers: [snapshotLayer(snapshot)] });
  return staleness ? bundled.withStaleness(staleness) : bundled;
}
