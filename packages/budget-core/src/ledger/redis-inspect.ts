import type { AccountKey, JournalSums, LedgerReport, OpenReservation } from "./ledger.ts";
import { accountOf, fieldsOf, type HoldRow, namesIn, type ReportRow, reportOf, unresolvedOf } from "./redis-replies.ts";

/** Runs a step of the ledger: the reply without its first word. */
type Run = (step: "inspect" | "journal" | "opening", request: object) => Promise<unknown[]>;
type OpenRow = [...HoldRow, state: OpenReservation["state"], reservedAtMs: string];
type Entry = [position: string, flat: string[]];
type OpeningRow = [name: string, spent: string, callCount: string, boundCallCount: string];

/** How many entries of the journal are read at once, so that others are not kept waiting. */
const entriesAtOnce = 1000;

/**
 * The books of a Redis ledger, for {@link Ledger.inspect}. Balances and open reservations are those of one instant. The
 * journal up to this instant is read after it, bit by bit, and the opening sums last: what was trimmed meanwhile is in them.
 *
 * @returns undefined when all of the journal was trimmed meanwhile: then it must be tried again.
 */
export async function inspectRedis(
  run: Run,
  scopes?: readonly string[],
): Promise<Omit<LedgerReport, "schemaVersion"> | undefined> {
  const [atMs, reports, open, last] = (await run("inspect", {})) as [number, ReportRow[], OpenRow[], string];
  const entries = await readJournal(run, last);
  const [openingUntil, openings] = (await run("opening", {})) as [string, OpeningRow[]];
  if (isAfter(openingUntil, last)) return undefined;

  const sums = new Map<string, JournalSums>();
  for (const [name, ...opening] of openings) add(sums, name, opening);
  for (const [position, flat] of entries) {
    if (!isAfter(position, openingUntil)) continue;
    const entry = fieldsOf(flat);
    const amounts = ["amount_pico_usd", "call_count", "bound_call_count"].map((field) => entry.get(field) ?? "0");
    for (const name of namesIn(entry.get("accounts") as string)) add(sums, name, amounts);
  }
  const isAsked = ({ scope }: AccountKey) => !scopes || scopes.includes(scope);
  const balances = new Map(reports.map((row) => [row[0][0], row]));
  const names = new Set([...balances.keys(), ...sums.keys(), ...open.flatMap(([, text]) => namesIn(text))]);
  const accounts = [...names].filter((name) => isAsked(accountOf(name)));
  const oldestFirst = open.toSorted((one, other) => Number(one[4]) - Number(other[4]));
  return {
    atMs,
    accounts: accounts.map((name) => {
      const report = reportOf(balances.get(name) ?? [[name, "0", "0", "0", "0", "0"], []]);
      return { ...report, journal: sums.get(name) ?? nothing };
    }),
    open: oldestFirst.map(openOf).filter((hold) => hold.accounts.some(isAsked)),
  };

  function openOf([id, text, amount, modelId, number, state, reservedAtMs]: OpenRow): OpenReservation {
    return { ...unresolvedOf([id, text, amount, modelId, number]), state, ageMs: atMs - Number(reservedAtMs) };
  }
}

const nothing: JournalSums = { spentPicoUsd: 0n, callCount: 0, boundCallCount: 0 };

function add(sums: Map<string, JournalSums>, name: string, [amount = "0", calls, boundCalls]: readonly string[]): void {
  const { spentPicoUsd, callCount, boundCallCount } = sums.get(name) ?? nothing;
  sums.set(name, {
    spentPicoUsd: spentPicoUsd + BigInt(amount),
    callCount: callCount + Number(calls),
    boundCallCount: boundCallCount + Number(boundCalls),
  });
}

/** All entries up to this position. */
async function readJournal(run: Run, last: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  let after = "-";
  for (;;) {
    const [page] = (await run("journal", { after, last, atOnce: entriesAtOnce })) as [Entry[]];
    entries.push(...page);
    const end = page.at(-1);
    if (!end || page.length < entriesAtOnce) return entries;
    after = `(${end[0]}`;
  }
}

/** Whether a position in the journal, `<ms>-<number>`, is behind another. */
function isAfter(position: string, other: string): boolean {
  const [[ms = 0, number = 0], [otherMs = 0, otherNumber = 0]] = [position, other].map((text) => {
    return text.split("-").map(Number);
  }) as [number[], number[]];
  return ms === otherMs ? number > otherNumber : ms > otherMs;
}
