import type { Ledger } from "../ledger/ledger.ts";
import { account, admit, equal, expectBalance, leaseMs, refuses, throws } from "./ledger-checks.ts";

/** The contract of {@link Ledger.split} as tests. */
export const partCases: Record<string, (ledger: Ledger) => Promise<void>> = {
  "a part is split off without a change of balance, settles on its own, and shrinks the whole": async (ledger) => {
    const accounts = [account("a"), account("b", null)];
    await admit(ledger, "whole", accounts, 90n);
    await refuses(ledger.split("whole", { id: "early", amountPicoUsd: 1n }));
    await ledger.markDispatched("whole");
    await ledger.split("whole", { id: "part", amountPicoUsd: 30n, modelId: "m" });
    await ledger.split("whole", { id: "part", amountPicoUsd: 30n });
    await refuses(ledger.split("whole", { id: "part", amountPicoUsd: 20n }));
    await refuses(ledger.split("whole", { id: "more", amountPicoUsd: 61n }));
    await throws(ledger.split("whole", { id: "none", amountPicoUsd: -1n }));
    await refuses(ledger.split("nobody", { id: "more", amountPicoUsd: 1n }));
    for (const { scope } of accounts) await expectBalance(ledger, account(scope), { held: 90n, spent: 0n, calls: 0 });
    const [after] = await ledger.settle("part", { costPicoUsd: 7n });
    equal(after?.heldPicoUsd, 60n, "held after the part");
    const balance = await expectBalance(ledger, account("b"), { held: 60n, spent: 7n, calls: 1 });
    equal(balance.byModel.m?.spentPicoUsd, 7n, "spend by model of the part");
    await ledger.split("whole", { id: "part", amountPicoUsd: 30n });
    await ledger.split("whole", { id: "unsent", amountPicoUsd: 60n });
    await ledger.release("unsent", "never sent");
    await expectBalance(ledger, account("a"), { held: 0n, spent: 7n });
    equal(
      (await ledger.inspect()).open.map(({ id, amountPicoUsd }) => `${id} ${amountPicoUsd}`).join(),
      "whole 0",
      "open",
    );
    await ledger.release("whole", "never sent");
    await refuses(ledger.split("whole", { id: "late", amountPicoUsd: 0n }));
  },

  "a part and its settlement may be asked for at once, any number of them": async (ledger) => {
    await admit(ledger, "whole", [account("a", null)], 1000n);
    await ledger.markDispatched("whole");
    const ids = Array.from({ length: 100 }, (_, index) => `part ${index}`);
    // An odd number of steps, so that a round number of them ends between a part and its settlement.
    await Promise.all([
      ledger.extend("whole", leaseMs),
      ...ids.flatMap((id) => [
        ledger.split("whole", { id, amountPicoUsd: 10n }),
        ledger.settle(id, { costPicoUsd: 3n }),
      ]),
    ]);
    await expectBalance(ledger, account("a"), { held: 0n, spent: 300n, calls: 100 });
  },

  "a part has the lease of the whole, and what is unresolved can be split too": async (ledger) => {
    const large = 2n ** 60n + 1n;
    await admit(ledger, "whole", [account("a", null)], large);
    await ledger.markDispatched("whole");
    await ledger.extend("whole", 0);
    await ledger.split("whole", { id: "first", amountPicoUsd: 1n });
    const lost = (await ledger.recover()).map(({ id, amountPicoUsd }) => `${id} ${amountPicoUsd}`);
    equal(lost.join(), `whole ${large - 1n},first 1`, "unresolved");
    await ledger.split("whole", { id: "second", amountPicoUsd: large - 2n, modelId: "m" });
    await expectBalance(ledger, account("a"), { held: 0n, unresolved: large });
    await ledger.settle("second", { costPicoUsd: large - 3n });
    await ledger.resolve("whole", { writeOff: "never sent" });
    equal((await ledger.recover()).map(({ id }) => id).join(), "first", "unresolved left");
    const balance = await expectBalance(ledger, account("a"), { unresolved: 1n, spent: large - 3n, calls: 1 });
    equal(balance.byModel.m?.spentPicoUsd, large - 3n, "spend by model of the part");
  },
};
