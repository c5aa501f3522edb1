import type { PriceEntry, PriceRow } from "../../packages/budget-core/src/prices/price-row.ts";
import type { ProviderRule } from "./providers.ts";
import { type GenaiModel, llmDate, matches, type SecondOpinion } from "./sources.ts";

/** Sources that are further apart than this cannot both be nearly right. */
const mostApart = 2;

type Opinions = readonly (readonly [id: string, opinion: SecondOpinion])[];

/** An entry after the second source was asked, and what was found. */
export interface Compared {
  entry: PriceEntry;
  /** Ids that must not be used, since the sources are too far apart on them, and why. */
  disputes: ReadonlyMap<string, string>;
  /** Differences, for the report. */
  notes: readonly string[];
}

/** Adds limits, dated ids and rows that lift bounds from the second source; finds out whether it agrees. */
export function compare(rule: ProviderRule, model: GenaiModel, entry: PriceEntry, llm: Opinions): Compared {
  const own = llm.filter(([, opinion]) => opinion.provider === rule.llmId);
  const listed = new Set([entry.id, ...(entry.aliases ?? [])]);
  const named = own.filter(([id]) => listed.has(id));
  const dated = own.filter(
    ([id, opinion]) => !listed.has(id) && isDated(id) && matches(model.match, id) && isSame(entry, opinion),
  );
  const limiting = rule.llmId === undefined ? ofMaker(entry.id, llm) : [...named, ...dated];
  const opinions = limiting.map(([, opinion]) => opinion);
  const limits = (key: "maxOutput" | "context") => opinions.map((opinion) => opinion[key] ?? 0);
  const maxOutputTokens = Math.max(0, ...limits("maxOutput"));
  const maxInputTokens = Math.max(entry.maxInputTokens ?? 0, ...limits("context"));
  const better: PriceEntry = {
    ...entry,
    aliases: [...(entry.aliases ?? []), ...dated.map(([id]) => id)],
    ...(maxOutputTokens > 0 ? { maxOutputTokens } : {}),
    ...(maxInputTokens > 0 ? { maxInputTokens } : {}),
  };
  return judge(better, named);
}

const compared = ["input", "output", "cacheRead"] as const;

function judge(entry: PriceEntry, opinions: Opinions): Compared {
  const row = rowOf(entry, llmDate);
  const notes: string[] = [];
  const disputes = new Map<string, string>();
  const highest: Partial<Record<(typeof compared)[number], number>> = {};
  for (const [id, opinion] of row ? opinions : []) {
    const differences = differencesOf(row as PriceRow, opinion);
    const text = differences.map(({ unit, own, other }) => `${unit} ${own} or ${other}`).join(", ");
    if (differences.length > 0) notes.push(`${id}: ${text}`);
    if (differences.some(({ own, other }) => Math.max(other / own, own / other) > mostApart)) {
      disputes.set(id, `the sources disagree on its price (${text})`);
      continue;
    }
    for (const { unit, own, other } of differences) highest[unit] = Math.max(highest[unit] ?? own, other);
  }
  const isHigher = compared.some((unit) => (highest[unit] ?? 0) > Number(row?.[unit]));
  if (!row || !isHigher) return { entry, disputes, notes };
  const lifted: PriceRow = {
    boundOnly: true,
    input: String(highest.input ?? row.input),
    output: String(highest.output ?? row.output),
    ...(highest.cacheRead === undefined ? {} : { cacheRead: String(highest.cacheRead) }),
  };
  return { entry: { ...entry, rows: [...entry.rows, lifted] }, disputes, notes };
}

/** Zero and null mean that the other source does not know. */
function differencesOf(row: PriceRow, opinion: SecondOpinion) {
  return compared.flatMap((unit) => {
    const own = Number(row[unit] ?? Number.NaN);
    const other = opinion[unit];
    return other && own > 0 && other !== own ? [{ unit, own, other }] : [];
  });
}

/** What a router calls the makers that the second source knows. */
const makers: Readonly<Record<string, string | undefined>> = {
  openai: "openai",
  anthropic: "anthropic",
  google: "gemini",
  mistralai: "mistral",
  deepseek: "deepseek",
  "x-ai": "xai",
};

/** A routed model has its maker's limits; its price is the router's own. */
function ofMaker(routedId: string, llm: Opinions): Opinions {
  const [maker = "", model = ""] = routedId.split("/");
  const names = new Set([model, model.replaceAll(".", "-")]);
  return llm.filter(([id, { provider }]) => provider === makers[maker] && names.has(id));
}

/** A dated id of a listed model: a price by any other likeness is a guess. */
function isDated(id: string): boolean {
  return /-(\d{8}|\d{4}-\d{2}-\d{2})$/.test(id);
}

function isSame(entry: PriceEntry, { input, output }: SecondOpinion): boolean {
  const row = rowOf(entry, llmDate);
  return row !== undefined && Number(row.input) === input && Number(row.output) === output;
}

function rowOf({ rows }: PriceEntry, day: string): PriceRow | undefined {
  return rows.findLast(
    (row) =>
      row.above === undefined &&
      row.serviceTier === undefined &&
      row.utc === undefined &&
      (row.from === undefined || row.from <= day) &&
      (row.to === undefined || day < row.to),
  );
}
