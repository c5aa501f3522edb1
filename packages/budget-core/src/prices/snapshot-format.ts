import { ceilDiv, parsePicoUsd, picoToDecimal } from "../money.ts";
import type { Fee, PriceEntry, PriceRow, ServiceTier, TokenRate } from "./price-row.ts";

/*
 * The snapshot is text, one model per line, so that its diff can be reviewed and a line is read only when its model is
 * asked for:
 *
 *   @provider source checked [batch=<units at half price in batch>]
 *   id alias alias|out=16384 in=128000|i2.5 o10 r1.25|!priority i4.25 o17 r2.125
 *   ?id reason why it is left out
 */

/** One letter per unit, in the order in which rows are written. */
export const unitLetters: Readonly<Record<string, TokenRate | Fee>> = {
  i: "input",
  o: "output",
  r: "cacheRead",
  w: "cacheWrite",
  h: "cacheWrite1h",
  t: "reasoning",
  a: "audioInput",
  A: "audioOutput",
  b: "audioCacheRead",
  m: "imageInput",
  M: "imageOutput",
  n: "imageCacheRead",
  q: "request",
  s: "webSearch",
  f: "fileSearch",
  d: "audioSecond",
  c: "character",
};

/** What all models of a provider have in common. */
export interface SnapshotHeader {
  provider: string;
  source: string;
  checked: string;
  /** Letters of the units that cost half in the batch tier; empty where the provider has none. */
  batchUnits: string;
}

/** Reads the line that starts a provider. */
export function readHeader(line: string): SnapshotHeader {
  const [provider = "", source = "", checked = "", batch = ""] = line.slice(1).split(" ");
  return { provider, source, checked, batchUnits: batch.replace("batch=", "") };
}

/** Reads all models of a snapshot, without the ones that are left out. */
export function readEntries(text: string, options: { batch: boolean }): PriceEntry[] {
  const entries: PriceEntry[] = [];
  let header = readHeader("@");
  for (const line of text.split("\n")) {
    if (line.startsWith("@")) header = readHeader(line);
    else if (line !== "" && !line.startsWith("?")) {
      entries.push(readEntry(line, options.batch ? header : { ...header, batchUnits: "" }));
    }
  }
  return entries;
}

/** Reads a model's line. */
export function readEntry(line: string, header: SnapshotHeader): PriceEntry {
  const [names = "", facts = "", ...rows] = line.split("|");
  const [id = "", ...aliases] = names.split(" ");
  const out = /\bout=(\d+)/.exec(facts)?.[1];
  const longest = /\bin=(\d+)/.exec(facts)?.[1];
  const standard = rows.map(readRow);
  return {
    provider: header.provider,
    id,
    aliases,
    rows: [...standard, ...batchRows(standard, header.batchUnits)],
    ...(out === undefined ? {} : { maxOutputTokens: Number(out) }),
    ...(longest === undefined ? {} : { maxInputTokens: Number(longest) }),
    ...(/\bcache=asked/.test(facts) ? { cachesOnRequest: true } : {}),
    source: header.source,
    checked: header.checked,
  };
}

function readRow(text: string): PriceRow {
  const row: Record<string, unknown> = {};
  for (const token of text.split(" ")) {
    const [mark = "", value] = [token[0], token.slice(1)];
    const unit = unitLetters[mark];
    if (unit) row[unit] = value;
    else if (mark === "@") row.from = value;
    else if (mark === "<") row.to = value;
    else if (mark === ">") row.above = Number(value);
    else if (mark === "~") row.utc = value.split("-");
    else if (mark === "!") row.serviceTier = value as ServiceTier;
    // "?", and with it whatever a newer writer may mark: it raises the bound and prices nothing.
    else row.boundOnly = true;
  }
  return row as unknown as PriceRow;
}

/** The 50 % rule: a batch row for each standard one. */
function batchRows(rows: readonly PriceRow[], units: string): PriceRow[] {
  if (units === "") return [];
  return rows
    .filter((row) => row.serviceTier === undefined)
    .map((row) => {
      const half = (unit: TokenRate | Fee) =>
        row[unit] === undefined ? {} : { [unit]: picoToDecimal(ceilDiv(parsePicoUsd(row[unit]), 2n)) };
      const halves = Array.from(units, (letter) => half(unitLetters[letter] as TokenRate));
      return Object.assign({ ...row, serviceTier: "batch" as const }, ...halves) as PriceRow;
    });
}
