import type { Ledger } from "@autolabel/budget-core";

const amountPicoUsd = 3_000_000n;
const receipt = { costPicoUsd: 1_000_000n, modelId: "openai/gpt-4o-mini" };
let ids = 0;

/** A call as a ledger sees it: held, marked as sent, and settled once the provider has answered. */
export async function oneCall(ledger: Ledger, scope: string, answer?: () => Promise<unknown>): Promise<void> {
  const id = `call ${ids++}`;
  const account = { scope, window: "all", limitPicoUsd: 10n ** 18n };
  await ledger.reserve({ id, accounts: [account], amountPicoUsd, leaseMs: 600_000 });
  await ledger.markDispatched(id);
  await answer?.();
  await ledger.settle(id, receipt);
}
