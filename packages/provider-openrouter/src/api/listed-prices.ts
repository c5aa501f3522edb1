import type { PriceBook, PriceEntry, Staleness } from "@autolabel/budget-core/prices";
import { asRecord, asText } from "./exact-json.ts";
import { type ListedRow, readPricing, toPriceRow, type Unit } from "./read-pricing.ts";

/** What of a request's `provider` object decides who may serve it. */
export type Routing = Readonly<Record<string, unknown>>;

/** A price of the catalog that is not used, and why. */
export interface RefusedPrice {
  modelId: string;
  reason: string;
}

interface Endpoint {
  /** Its place in the list. */
  index: number;
  tag: string | undefined;
  provider: string | undefined;
  rows: readonly ListedRow[];
}

/** The bodies that prices are read from. */
export interface Catalog {
  /** Body of `GET /models`. */
  models?: unknown;
  /** Bodies of `GET /models/:author/:slug/endpoints`, by model id. */
  endpoints: ReadonlyMap<string, unknown>;
  /** Day on which the oldest of them was checked, `YYYY-MM-DD`. */
  checked: string;
  staleness?: Staleness | undefined;
}

/**
 * Prices as OpenRouter listed them at one moment; nothing in it ever changes.
 *
 * Where the endpoints of a model are known, its price is the dearest that the call may be routed to. Else it is the one
 * of `/models`, which is that of the first endpoint.
 */
export class ListedPrices {
  /** What the catalog lists and we do not use: these prices stay unknown. */
  readonly refused: readonly RefusedPrice[];
  readonly #entries: readonly PriceEntry[];
  readonly #endpoints = new Map<string, readonly Endpoint[]>();
  readonly #catalog: Catalog;
  /** Books made so far, by the one that they stand on: that of all models, and those of models with known endpoints. */
  readonly #books = new WeakMap<PriceBook, { listed: PriceBook; routed: Map<string, PriceBook> }>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
    const refused: RefusedPrice[] = [];
    const entries = new Map<string, PriceEntry>();
    for (const model of dataOf(catalog.models)) {
      const id = asText(model.id) ?? "";
      const rows = readRows(model, id, refused);
      if (rows && entries.has(id)) refused.push({ modelId: id, reason: "it is listed twice; the first counts" });
      else if (rows) entries.set(id, this.#entry(id, rows, limitsOf(model)));
    }
    this.#entries = [...entries.values()];
    for (const [modelId, body] of catalog.endpoints) {
      const listed = asRecord(asRecord(body)?.data)?.endpoints;
      const endpoints = (Array.isArray(listed) ? listed : []).flatMap((item, index): Endpoint[] => {
        const endpoint = asRecord(item) ?? {};
        const rows = readRows(endpoint, modelId, refused);
        return rows ? [{ index, tag: asText(endpoint.tag), provider: asText(endpoint.provider_name), rows }] : [];
      });
      if (endpoints.length > 0) this.#endpoints.set(modelId, endpoints);
    }
    this.refused = refused;
  }

  /** How many models have a price of their own here. */
  get modelCount(): number {
    return this.#entries.length;
  }

  /** `base` with these prices, behind those that a user states; for one model, as it may be routed. */
  book(base: PriceBook, modelId: string, routing: Routing): PriceBook {
    const books = this.#books.get(base) ?? { listed: this.#listed(base), routed: new Map<string, PriceBook>() };
    this.#books.set(base, books);
    const allowed = this.#allowed(modelId, routing);
    if (!allowed) return books.listed;
    const key = `${modelId} ${allowed.map(({ index }) => index).join()}`;
    const book = books.routed.get(key) ?? books.listed.withLive([this.#entry(modelId, dearest(allowed), {})]);
    books.routed.set(key, book);
    return book;
  }

  /** Whether who serves the model decides on its price: then tokens x price is only a bound. */
  varies(modelId: string, routing: Routing): boolean {
    return new Set(this.#allowed(modelId, routing)?.map(({ rows }) => textOf(rows))).size > 1;
  }

  #listed(base: PriceBook): PriceBook {
    const { staleness } = this.#catalog;
    const book = this.#entries.length > 0 ? base.withLive(this.#entries) : base;
    return staleness ? book.withStaleness(staleness) : book;
  }

  #allowed(modelId: string, routing: Routing): readonly Endpoint[] | undefined {
    const endpoints = this.#endpoints.get(modelId);
    const allowed = endpoints?.filter((endpoint) => mayServe(endpoint, routing));
    // Where our reading of the wishes leaves nobody, everybody counts: OpenRouter's reading decides.
    return allowed && allowed.length > 0 ? allowed : endpoints;
  }

  #entry(id: string, rows: readonly ListedRow[], limits: Pick<PriceEntry, "maxInputTokens" | "maxOutputTokens">) {
    const { checked } = this.#catalog;
    const source = "https://openrouter.ai/api/v1/models";
    return { provider: "openrouter", id, rows: rows.map(toPriceRow), ...limits, source, checked };
  }
}

function readRows(
  listed: Record<string, unknown>,
  modelId: string,
  refused: RefusedPrice[],
): readonly ListedRow[] | undefined {
  const rows = readPricing(listed.pricing, modelId);
  if (typeof rows !== "string") return rows;
  refused.push({ modelId, reason: rows });
  return undefined;
}

function dataOf(body: unknown): Record<string, unknown>[] {
  const data = asRecord(body)?.data;
  return Array.isArray(data) ? data.map((item: unknown) => asRecord(item) ?? {}) : [];
}

function limitsOf(model: Record<string, unknown>): Pick<PriceEntry, "maxInputTokens" | "maxOutputTokens"> {
  const maxOutputTokens = readLimit(asRecord(model.top_provider)?.max_completion_tokens);
  const maxInputTokens = readLimit(model.context_length);
  return { ...(maxOutputTokens ? { maxOutputTokens } : {}), ...(maxInputTokens ? { maxInputTokens } : {}) };
}

function readLimit(value: unknown): number | undefined {
  const limit = Number(value ?? Number.NaN);
  return Number.isSafeInteger(limit) && limit > 0 ? limit : undefined;
}

/** Whether a call with these wishes may be routed to an endpoint. In doubt it may: the bound must hold for it too. */
function mayServe(endpoint: Endpoint, routing: Routing): boolean {
  const { order, allow_fallbacks } = routing;
  const [only, ignore] = [slugsOf(routing.only), slugsOf(routing.ignore)];
  if (endpoint.tag === undefined) return true;
  if (only.length > 0 && !isNamed(endpoint, only)) return false;
  if (isIgnored(endpoint.tag.toLowerCase(), ignore)) return false;
  return allow_fallbacks !== false || slugsOf(order).length === 0 || isNamed(endpoint, slugsOf(order));
}

/** A slug names all endpoints of a provider, or with a variant (`deepinfra/fp4`) one of them. */
function isIgnored(tag: string, slugs: readonly string[]): boolean {
  return slugs.some((slug) => tag === slug || tag.startsWith(`${slug}/`));
}

/** As above, and by the provider's name as people write it (`Google Vertex`), which lets more through than it keeps out. */
function isNamed({ tag = "", provider = "" }: Endpoint, slugs: readonly string[]): boolean {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "");
  return isIgnored(tag.toLowerCase(), slugs) || slugs.some((slug) => plain(provider).startsWith(plain(slug)));
}

function slugsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.flatMap((slug) => asText(slug)?.toLowerCase() ?? []) : [];
}

/** What a unit is billed as where an endpoint has no price of its own for it. */
const billedAs: Partial<Record<Unit, Unit>> = {
  cacheRead: "input",
  cacheWrite: "input",
  cacheWrite1h: "input",
  reasoning: "output",
  imageInput: "input",
};

/** Rows that are nowhere below those of any endpoint: the dearest of each unit, under each condition that anyone has. */
function dearest(endpoints: readonly Endpoint[]): readonly ListedRow[] {
  const [first] = endpoints;
  if (first && endpoints.every(({ rows }) => textOf(rows) === textOf(first.rows))) return first.rows;
  const plain = envelope(endpoints.flatMap(({ rows }) => rows.slice(0, 1)));
  const conditional = endpoints.flatMap(({ rows }) => rows.slice(1));
  return [plain, ...conditional.map((row) => ({ ...row, units: envelope([plain, row]).units }))];
}

function envelope(rows: readonly ListedRow[]): ListedRow {
  const units = new Map<Unit, bigint>();
  for (const unit of new Set(rows.flatMap((row) => [...row.units.keys()]))) {
    const prices = rows.map((row) => row.units.get(unit) ?? row.units.get(billedAs[unit] ?? unit) ?? 0n);
    units.set(
      unit,
      prices.reduce((most, price) => (price > most ? price : most)),
    );
  }
  return { units };
}

/** Equal for equal prices. */
function textOf(rows: readonly ListedRow[]): string {
  return JSON.stringify(
    rows.map(({ units, ...condition }) => ({
      ...condition,
      units: [...units].map(([unit, price]) => `${unit} ${price}`),
    })),
  );
}
