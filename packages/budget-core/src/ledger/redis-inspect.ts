import type { JournalSums, LedgerReport, OpenReservation } from "./ledger.ts";
import {
  beginningOf,
  fieldsOf,
  type HoldRow,
  namesIn,
  type ReportRow,
  reportOf,
  unresolvedOf,
} from "./redis-replies.ts";

type Step = "inspect" | "holds" | "journal" | "opening";
/** Runs a step of the ledger. */
type Run = (step: Step, request: object) => Promise<[outcome: string, ...details: unknown[]]>;
type OpenRow = [...HoldRow, state: string, reservedAtMs: string];
type Entry = [position: string, flat: string[]];
type OpeningRow = [name: string, spent: string, callCount: string, boundCallCount: string];

/** How many entries, reservations or accounts one script reads, so that others are not kept waiting. */
const atOnce = 500;

/**
 * The books of a Redis ledger, for {@link Ledger.inspect}, as of the instant of its first script: it reads the balances, and
 * which reservations are open. What never changes is read after it, bit by bit: the amounts of these reservations, and the
 * journal up to this instant. The opening sums come last: what was trimmed meanwhile is in them. Only whether an open
 * reservation was held or dispatched is told by a look at it a moment later.
 *
 * @returns undefined when what it needs was trimmed meanwhile: then it must be tried again.
 */
export async function inspectRedis(
  run: Run,
  scopes?: readonly string[],
): Promise<Omit<LedgerReport, "schemaVersion"> | undefined> {
  const beginnings = scopes?.map(beginningOf);
  const isAsked = (name: string) => !beginnings || beginnings.some((beginning) => name.startsWith(beginning));
  const [, atMs, reports, openIds, unresolvedIds, last] = (await run("inspect", { scopes: beginnings })) as [
    string,
    number,
    ReportRow[],
    string[],
    string[],
    string,
  ];
  const rows = await readHolds(run, [...openIds, ...unresolvedIds]);
  if (!rows) return undefined;
  const balances = new Map(reports.map((row) => [row[0][0], row]));
  const entries = (await readJournal(run, last)).map(([position, flat]) => ({ position, entry: fieldsOf(flat) }));
  const posted = entries.flatMap(({ entry }) => namesIn(entry.get("accounts") as string));
  const names = [...new Set([...balances.keys(), ...posted, ...rows.flatMap(([, text]) => namesIn(text))])];
  const accounts = names.filter(isAsked);
  const openings = await readOpenings(run, accounts);
  if ([...openings.values()].some(({ until }) => isAfter(until, last))) return undefined;

  for (const { position, entry } of entries) {
    const amounts = ["amount_pico_usd", "call_count", "bound_call_count"].map((field) => entry.get(field) ?? "0");
    for (const name of namesIn(entry.get("accounts") as string)) {
      const opening = openings.get(name);
      if (opening && isAfter(position, opening.until)) opening.sums = sumOf(opening.sums, amounts);
    }
  }
  const isUnresolved = new Set(unresolvedIds);
  const oldestFirst = rows.toSorted((one, other) => Number(one[4]) - Number(other[4]));
  return {
    atMs,
    accounts: accounts.map((name) => {
      const report = reportOf(balances.get(name) ?? [[name, "0", "0", "0", "0", "0"], []]);
      return { ...report, journal: (openings.get(name) as Opening).sums };
    }),
    open: oldestFirst.filter(([, text]) => namesIn(text).some(isAsked)).map(openOf),
  };

  function openOf([id, text, amount, modelId, number, stateNow, reservedAtMs]: OpenRow): OpenReservation {
    const state = isUnresolved.has(id) ? "unresolved" : stateBefore(stateNow);
    return { ...unresolvedOf([id, text, amount, modelId, number]), state, ageMs: atMs - Number(reservedAtMs) };
  }
}

/** What a reservation was a moment ago, when it was open and not unresolved. */
function stateBefore(stateNow: string): "held" | "dispatched" {
  return ["held", "expired", "released"].includes(stateNow) ? "held" : "dispatched";
}

/** Undefined when one of them ended meanwhile and was forgotten. */
async function readHolds(run: Run, ids: readonly string[]): Promise<OpenRow[] | undefined> {
  const rows: OpenRow[] = [];
  for (const page of pagesOf(ids)) {
    const [outcome, found] = (await run("holds", { ids: page })) as [string, OpenRow[]];
    if (outcome === "forgotten") return undefined;
    rows.push(...found);
  }
  return rows;
}

/** What the entries add up to that the journal does not have any more, up to a position. */
interface Opening {
  sums: JournalSums;
  until: string;
}

const nothing: JournalSums = { spentPicoUsd: 0n, callCount: 0, boundCallCount: 0 };

function sumOf(sums: JournalSums, [amount = "0", calls, boundCalls]: readonly string[]): JournalSums {
  return {
    spentPicoUsd: sums.spentPicoUsd + BigInt(amount),
    callCount: sums.callCount + Number(calls),
    boundCallCount: sums.boundCallCount + Number(boundCalls),
  };
}

async function readOpenings(run: Run, names: readonly string[]): Promise<Map<string, Opening>> {
  const openings = new Map<string, Opening>();
  for (const page of pagesOf(names)) {
    const [, until, rows] = (await run("opening", { accounts: page })) as [string, string, OpeningRow[]];
    for (const [name, ...amounts] of rows) openings.set(name, { sums: sumOf(nothing, amounts), until });
  }
  return openings;
}

/** All entries up to this position. */
async function readJournal(run: Run, last: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  let after = "-";
  for (;;) {
    const [, page] = (await run("journal", { after, last, atOnce })) as [string, Entry[]];
    entries.push(...page);
    const end = page.at(-1);
    if (!end || page.length < atOnce) return entries;
    after = `(${end[0]}`;
  }
}

function* pagesOf<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < list.length; from += atOnce) yield list.slice(from, from + atOnce);
}

/** Whether a position in the journal, `<ms>-<number>`, is behind another. */
function isAfter(position: string, other: string): boolean {
  const [[ms = 0, number = 0], [otherMs = 0, otherNumber = 0]] = [position, other].map((text) => {
    return text.split("-").map(Number);
  }) as [number[], number[]];
  return ms === otherMs ? number > otherNumber : ms > otherMs;
}
