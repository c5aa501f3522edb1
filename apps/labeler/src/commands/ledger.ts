import { type LedgerReport, type Receipt, ReservationStateError } from "@autolabel/budget-core";
import { verifyLedger } from "@autolabel/budget-core/audit";
import { readBudget } from "../config/settings.ts";
import { type OpenedLedger, openLedger } from "../ledger/open-ledger.ts";
import { reportJson, reportText, verdictJson, verdictText } from "../ledger/show-ledger.ts";
import { styleFor } from "../progress/layout.ts";
import { lockRun } from "../store/run-lock.ts";
import { UsageError } from "../usage-error.ts";
import type { CommandIo } from "./command-io.ts";
import { settingsOf } from "./config-flags.ts";

/** Flags of `autolabel ledger inspect` and `verify`. */
export interface LedgerOptions {
  json?: boolean;
  store?: string;
}

/** Flags of `autolabel ledger resolve`. */
export interface ResolveOptions extends LedgerOptions {
  ledger?: string;
  cost?: string;
  writeOff?: string;
  all?: boolean;
}

/** `autolabel ledger inspect [LEDGER]`: balances and open reservations. @returns the exit code. */
export async function inspectLedger(
  target: string | undefined,
  options: LedgerOptions,
  io: CommandIo,
): Promise<number> {
  return await withLedger(target, options, async ({ ledger, name }) => {
    const report = await ledger.inspect();
    const text = () => reportText(name, report, styleFor(io.stdout)) + hint(report, io);
    io.stdout.write(options.json ? jsonLine(reportJson(name, report)) : text());
    return 0;
  });
}

/** `autolabel ledger verify [LEDGER]`: whether the books add up. @returns 0 when they do, 1 when they do not. */
export async function verifyBooks(target: string | undefined, options: LedgerOptions, io: CommandIo): Promise<number> {
  return await withLedger(target, options, async ({ ledger, name }) => {
    const report = await ledger.inspect();
    const differences = verifyLedger(report);
    io.stdout.write(
      options.json
        ? jsonLine(verdictJson(name, report, differences))
        : verdictText(report, differences, styleFor(io.stdout)),
    );
    return differences.length === 0 ? 0 : 1;
  });
}

/**
 * `autolabel ledger resolve ID`: ends calls whose outcome is unknown by what a person found out about them, such as in
 * the provider's log. @returns the exit code.
 */
export async function resolveCalls(id: string | undefined, options: ResolveOptions, io: CommandIo): Promise<number> {
  const evidence = evidenceOf(id, options);
  return await withLedger(options.ledger, options, async (opened) => {
    const { ledger } = opened;
    const unlock = opened.run && lockRun(opened.run.path);
    try {
      const unresolved = await ledger.recover(opened.run ? { abandonedScope: opened.run.scope } : {});
      const ids = id === undefined ? unresolved.map((call) => call.id) : [id];
      if (id !== undefined) await assertOver(opened, id);
      for (const each of ids) await resolveOne(opened, each, evidence);
      const left = (await ledger.recover()).length;
      const said = `Resolved ${ids.length} ${ids.length === 1 ? "call" : "calls"}; ${left} unresolved left.\n`;
      io.stdout.write(options.json ? jsonLine({ ledger: opened.name, resolved: ids, unresolvedLeft: left }) : said);
      return 0;
    } finally {
      unlock?.close();
    }
  });
}

function hint({ open }: LedgerReport, { command }: CommandIo): string {
  if (!open.some(({ state }) => state === "unresolved")) return "";
  return `\nEnd one by what the provider's log says: ${command} ledger resolve ID --cost 0.0012, or --write-off "reason"\n`;
}

type Evidence = Receipt | { writeOff: string };

function evidenceOf(id: string | undefined, { cost, writeOff, all }: ResolveOptions): Evidence {
  if ((id === undefined) === !all) throw new UsageError("Name one reservation, or all unresolved ones with --all");
  if ((cost === undefined) === (writeOff === undefined)) {
    throw new UsageError(
      'Say what became of it: --cost 0.0012 in USD, or --write-off "reason" when nothing was charged',
    );
  }
  if (writeOff?.trim() === "") throw new UsageError("--write-off needs the reason in words: it is kept with the call");
  if (writeOff !== undefined) return { writeOff };
  if (all) throw new UsageError("--all goes with --write-off: each call has a cost of its own");
  return { costPicoUsd: readBudget(cost ?? "", "--cost").picoUsd };
}

/** @throws UsageError for a call that may still be in flight. */
async function assertOver({ ledger }: OpenedLedger, id: string): Promise<void> {
  const open = (await ledger.inspect()).open.find((each) => each.id === id);
  if (!open || open.state === "unresolved") return;
  throw new UsageError(
    `Reservation ${id} is ${open.state}: a process may still be at it. Try again when its lease has run out`,
  );
}

async function resolveOne({ ledger, name }: OpenedLedger, id: string, evidence: Evidence): Promise<void> {
  try {
    await ledger.resolve(id, evidence);
  } catch (error) {
    if (!ReservationStateError.isInstance(error)) throw error;
    const known =
      error.state === "unknown" ? `${name} has no reservation ${id}` : `Reservation ${id} is ${error.state} already`;
    throw new UsageError(`${known}: see autolabel ledger inspect`, { cause: error });
  }
}

async function withLedger(
  target: string | undefined,
  options: LedgerOptions,
  use: (opened: OpenedLedger) => Promise<number>,
): Promise<number> {
  const opened = await openLedger(target, settingsOf(options.store ? { store: options.store } : {}));
  try {
    return await use(opened);
  } finally {
    await opened.close();
  }
}

function jsonLine(value: Record<string, unknown>): string {
  return `${JSON.stringify(value)}\n`;
}
