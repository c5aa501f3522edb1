import type { Staleness } from "@autolabel/budget-core/prices";
import { OpenRouterApiError } from "../openrouter-errors.ts";
import { asRecord } from "./exact-json.ts";
import { ListedPrices, type RefusedPrice } from "./listed-prices.ts";
import { getFromOpenRouter, type OpenRouterApiOptions } from "./openrouter-api.ts";

const hourMs = 3_600_000;
/** How long after a failure nobody tries again by himself. */
const retryMs = 30_000;

/** Options of {@link liveOpenRouterPrices}. */
export interface LivePricesOptions extends OpenRouterApiOptions {
  /** Age in ms past which prices are fetched again, in the background of a call. Default one hour. */
  maxAgeMs?: number;
  /** What to do with prices, live or shipped, that were not checked for days. Default: they are used at any age. */
  staleness?: Staleness;
  /** Told of every attempt to fetch. The last prices stay when one failed. */
  onRefresh?: (refresh: PriceRefresh) => void;
  /** Clock in ms. Default `Date.now`. */
  now?: () => number;
}

/** One attempt to fetch prices. */
export interface PriceRefresh {
  /** What was asked: `/models`, or `/models/:author/:slug/endpoints`. */
  path: string;
  status: "changed" | "unchanged" | "failed";
  /** Why it failed. */
  error?: unknown;
  /** All listed prices that are not used at this moment, and why. */
  refused: readonly RefusedPrice[];
}

/** Prices of OpenRouter's catalog, kept fresh. One can serve any number of clients. */
export interface LiveOpenRouterPrices {
  /**
   * Fetches all prices, and what each endpoint of the named models asks; who asks at the same time shares one request.
   * Never rejects: a failure keeps the last prices, and `onRefresh` is told.
   *
   * @returns whether all prices are fresh now.
   */
  refresh(modelIds?: readonly string[]): Promise<boolean>;
  /** Starts a refresh in the background where prices are older than `maxAgeMs`, or were never fetched. */
  revalidate(modelIds?: readonly string[]): void;
  /** The prices of this moment. A refresh replaces them whole. */
  readonly current: ListedPrices;
}

interface Page {
  body?: unknown;
  etag?: string | undefined;
  checkedAtMs: number;
  triedAtMs: number;
  pending?: Promise<boolean> | undefined;
}

/**
 * Live prices for `createBudgetedOpenRouter` and `openRouterCosts`. Until the first answer, and where OpenRouter lists no
 * usable price, the bundled ones count; prices that you state stand before both.
 *
 * @example
 * const livePrices = liveOpenRouterPrices();
 * await livePrices.refresh(["openai/gpt-4o-mini"]); // optional: or the first calls use the bundled prices
 */
export function liveOpenRouterPrices(options: LivePricesOptions = {}): LiveOpenRouterPrices {
  return new LivePrices(options);
}

class LivePrices implements LiveOpenRouterPrices {
  readonly #options: LivePricesOptions;
  readonly #now: () => number;
  readonly #pages = new Map<string, Page>();
  #current: ListedPrices | undefined;

  constructor(options: LivePricesOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  get current(): ListedPrices {
    this.#current ??= this.#read();
    return this.#current;
  }

  async refresh(modelIds: readonly string[] = []): Promise<boolean> {
    const paths = new Set([modelsPath, ...this.#pages.keys(), ...modelIds.map(endpointsPath)]);
    const fresh = await Promise.all([...paths].map((path) => this.#fetch(path)));
    return fresh.every(Boolean);
  }

  revalidate(modelIds: readonly string[] = []): void {
    const { maxAgeMs = hourMs } = this.#options;
    for (const path of [modelsPath, ...modelIds.map(endpointsPath)]) {
      const page = this.#pages.get(path);
      const isDue = !page || (this.#now() - page.checkedAtMs > maxAgeMs && this.#now() - page.triedAtMs > retryMs);
      if (isDue) void this.#fetch(path);
    }
  }

  #fetch(path: string): Promise<boolean> {
    const page: Page = this.#pages.get(path) ?? { checkedAtMs: Number.NEGATIVE_INFINITY, triedAtMs: 0 };
    this.#pages.set(path, page);
    page.triedAtMs = this.#now();
    page.pending ??= this.#update(path, page).finally(() => {
      page.pending = undefined;
    });
    return page.pending;
  }

  async #update(path: string, page: Page): Promise<boolean> {
    try {
      const answer = await getFromOpenRouter(path, this.#options, page.etag);
      if (!answer.isUnchanged) {
        assertCatalog(path, answer.body);
        Object.assign(page, { body: answer.body, etag: answer.etag });
      }
      page.checkedAtMs = this.#now();
      this.#current = undefined;
      this.#tell({ path, status: answer.isUnchanged ? "unchanged" : "changed" });
      return true;
    } catch (error) {
      this.#tell({ path, status: "failed", error });
      return false;
    }
  }

  #tell(refresh: Omit<PriceRefresh, "refused">): void {
    try {
      this.#options.onRefresh?.({ ...refresh, refused: this.current.refused });
    } catch (error) {
      // A listener's mistake must not reach a call.
      console.error("A listener of OpenRouter's live prices failed:", error);
    }
  }

  #read(): ListedPrices {
    const endpoints = new Map<string, unknown>();
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const [path, { body, checkedAtMs }] of this.#pages) {
      if (body === undefined) continue;
      oldestMs = Math.min(oldestMs, checkedAtMs);
      if (path !== modelsPath) endpoints.set(modelIdOf(path), body);
    }
    const checked = new Date(Number.isFinite(oldestMs) ? oldestMs : this.#now()).toISOString().slice(0, 10);
    const { staleness } = this.#options;
    return new ListedPrices({ models: this.#pages.get(modelsPath)?.body, endpoints, checked, staleness });
  }
}

const modelsPath = "/models";

function endpointsPath(modelId: string): string {
  return `${modelsPath}/${modelId.split("/").map(encodeURIComponent).join("/")}/endpoints`;
}

function modelIdOf(path: string): string {
  return path
    .slice(modelsPath.length + 1, -"/endpoints".length)
    .split("/")
    .map(decodeURIComponent)
    .join("/");
}

/** @throws OpenRouterApiError for a page without a single usable price: an outage must not wipe out what is known. */
function assertCatalog(path: string, body: unknown): void {
  const isModels = path === modelsPath;
  const listed = isModels
    ? new ListedPrices({ models: body, endpoints: new Map(), checked: "" }).modelCount > 0
    : Array.isArray(asRecord(asRecord(body)?.data)?.endpoints);
  if (!listed) throw new OpenRouterApiError({ path, statusCode: 200 });
}
