import type { CostTracker } from "../tracker/cost-tracker.ts";

interface Storage<T> {
  run<R>(value: T, fn: () => R): R;
  getStore(): T | undefined;
}

/** Node's AsyncLocalStorage without an import, so that the package also loads where there is none. */
function makeStorage(): Storage<readonly CostTracker[]> | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  const hooks = process?.getBuiltinModule?.("node:async_hooks") as
    | { AsyncLocalStorage: new () => Storage<readonly CostTracker[]> }
    | undefined;
  return hooks && new hooks.AsyncLocalStorage();
}

const storage = makeStorage();

/**
 * Adds a budget to every metered call inside `fn`, however deep: per user, per request, per job. Calls must then fit
 * this budget too, in the same atomic step; it must share the ledger of the budgets that meter them. Nested budgets add up.
 *
 * @throws Error on a runtime without AsyncLocalStorage (Node, Deno, Bun and Workers with node compatibility have it).
 */
export function runWithBudget<R>(tracker: CostTracker, fn: () => R): R {
  if (!storage)
    throw new Error("runWithBudget needs AsyncLocalStorage; pass a child tracker to the middleware instead");
  return storage.run([...ambientBudgets(), tracker], fn);
}

/** The budgets of the {@link runWithBudget} calls around this point, outermost first. */
export function ambientBudgets(): readonly CostTracker[] {
  return storage?.getStore() ?? [];
}
