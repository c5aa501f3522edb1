import { AsyncLocalStorage } from "node:async_hooks";
import { CostTracker, type Ledger } from "@autolabel/budget-core";
import { verifyLedger } from "@autolabel/budget-core/audit";
import type { Simulator } from "@autolabel/simulator";

const calls = new AsyncLocalStorage<{ reservationId: string }>();

/**
 * Makes a call that is billed under the id of its reservation, so that invoice and books can be compared call by call.
 *
 * @param make is given what to use for an API key: the id, once it has one.
 */
export function callBilledById<T>(make: (apiKey: () => string) => Promise<T>): Promise<T> {
  const call = { reservationId: "" };
  return calls.run(call, () => make(() => call.reservationId));
}

/** A ledger that tells calls the ids of their reservations, and says which step is taken. */
export function telling(ledger: Ledger, enter: (step: string) => void = () => {}): Ledger {
  return new Proxy(ledger, {
    get(target, name) {
      const member = Reflect.get(target, name, target) as unknown;
      if (typeof member !== "function") return member;
      return (...given: unknown[]) => {
        enter(name === "claim" ? "alert" : String(name));
        const call = calls.getStore();
        if ((name === "reserve" || name === "reserveDispatched") && call)
          call.reservationId = (given[0] as { id: string }).id;
        return member.apply(target, given) as unknown;
      };
    },
  });
}

/** What the books showed against the invoice. */
export interface BooksReport {
  billedPicoUsd: bigint;
  /** Calls that nobody knew the outcome of. */
  unresolved: number;
  /** What was wrong; empty for a ledger that lost nothing. */
  failures: string[];
}

/**
 * Recovers what was abandoned in the scope `project`, and holds the books against the invoice of a simulator that billed
 * each call under the id of its reservation ({@link callBilledById}): nothing that was billed is missing, nothing that was
 * sent is free; and once the invoice has resolved all calls, the two are equal.
 *
 * @param isSliced whether calls that are not known are listed in sums.
 */
export async function checkBooks(ledger: Ledger, simulator: Simulator, isSliced = false): Promise<BooksReport> {
  const failures: string[] = [];
  const tracker = new CostTracker({ name: "project", ledger });
  const unresolved = await tracker.recover({ abandoned: true });
  const ids = new Set(unresolved.map(({ id }) => id));
  const { lines, totalPicoUsd } = simulator.invoice;
  const stats = (await tracker.getStats()).exact;
  const spent = stats.spent.picoUsd;

  const known = lines.filter(({ apiKey }) => !ids.has(apiKey)).reduce((sum, line) => sum + line.costPicoUsd, 0n);
  if (isSliced ? spent > totalPicoUsd : known !== spent)
    failures.push(`${known} was billed for calls that are not unresolved, ${spent} is in the books`);
  if (totalPicoUsd > spent + stats.unresolved.picoUsd)
    failures.push(`lost spend: ${totalPicoUsd} billed, ${spent} in the books`);
  if (stats.held.picoUsd !== 0n) failures.push(`${stats.held.picoUsd} is held by nobody`);
  for (const difference of verifyLedger(await ledger.inspect()))
    failures.push(`${difference.field} ${difference.shown} != ${difference.expected}`);

  for (const { id } of unresolved) {
    const missing = { apiKey: id, costPicoUsd: totalPicoUsd - (await tracker.getStats()).exact.spent.picoUsd };
    const line = isSliced ? missing : lines.find(({ apiKey }) => apiKey === id);
    await tracker.resolve(id, line ? { costPicoUsd: line.costPicoUsd } : { writeOff: "not on the invoice" });
  }
  const after = (await tracker.getStats()).exact;
  if (after.spent.picoUsd !== totalPicoUsd)
    failures.push(`${after.spent.picoUsd} after evidence, ${totalPicoUsd} billed`);
  if (verifyLedger(await ledger.inspect()).length > 0) failures.push("the books do not add up after evidence");
  return { billedPicoUsd: totalPicoUsd, unresolved: unresolved.length, failures };
}

/** Requests of a dead process may still be on their way into the simulator, which bills them all the same. */
export async function allBilled(simulator: Simulator): Promise<void> {
  for (let quiet = 0; quiet < 20; quiet = simulator.inFlight === 0 ? quiet + 1 : 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
