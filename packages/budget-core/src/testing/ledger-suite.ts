import type { Account, JournalSums, Ledger } from "../ledger/ledger.ts";
import { verifyLedger } from "../ledger/verify-ledger.ts";
import { account, admit, equal, expectBalance, inWords, leaseMs, refuses, throws } from "./ledger-checks.ts";
import { partCases } from "./part-cases.ts";

/** The part of a test runner that the suite needs; `test` of vitest and of node:test both fit. */
export type TestFunction = (name: string, body: () => Promise<void>) => unknown;

/**
 * The contract of a ledger as tests. Every ledger of this project passes it on its real engine, and a custom one must.
 *
 * @param test the runner's test function.
 * @param makeLedger a ledger with no balances yet; called once a test.
 */
export function ledgerSuite(test: TestFunction, makeLedger: () => Ledger | Promise<Ledger>): void {
  for (const [name, body] of Object.entries(cases)) {
    test(name, async () => {
      const ledger = await makeLedger();
      try {
        await body(ledger);
        equal(inWords(verifyLedger(await ledger.inspect())), "", "differences between balances and journal");
      } finally {
        await ledger.close();
      }
    });
  }
}

const cases: Record<string, (ledger: Ledger) => Promise<void>> = {
  ...partCases,

  "an account never used is empty": async (ledger) => {
    await expectBalance(ledger, account("a"), { spent: 0n, held: 0n, unresolved: 0n, calls: 0 });
  },

  "a hold takes money at once; settling posts the cost and frees the rest": async (ledger) => {
    await admit(ledger, "r1", [account("a")], 60n);
    await expectBalance(ledger, account("a"), { held: 60n });
    await ledger.markDispatched("r1");
    await ledger.settle("r1", { costPicoUsd: 25n, modelId: "m" });
    const balance = await expectBalance(ledger, account("a"), { spent: 25n, held: 0n, calls: 1 });
    equal(balance.byModel.m?.spentPicoUsd, 25n, "spend by model");
  },

  "a hold that does not fit changes nothing and names the account that lacks room": async (ledger) => {
    await admit(ledger, "r1", [account("a")], 60n);
    const outcome = await ledger.reserve({ id: "r2", accounts: [account("a")], amountPicoUsd: 41n, leaseMs });
    if (outcome.admitted) throw new Error("a hold was admitted that does not fit");
    equal(outcome.lacking[0]?.heldPicoUsd, 60n, "held in the refusal");
    equal(outcome.lacking[0]?.limitPicoUsd, 100n, "limit in the refusal");
    await expectBalance(ledger, account("a"), { held: 60n });
    await admit(ledger, "r3", [account("a")], 40n);
  },

  "a call must fit every account, or holds in none": async (ledger) => {
    await admit(ledger, "r1", [account("run", 50n), account("all")], 40n);
    const outcome = await ledger.reserve({
      id: "r2",
      accounts: [account("run", 50n), account("all")],
      amountPicoUsd: 20n,
      leaseMs,
    });
    equal(outcome.admitted, false, "admission");
    await expectBalance(ledger, account("all"), { held: 40n });
    equal(outcome.admitted || outcome.lacking.map(({ scope }) => scope).join(), "run", "accounts that lack room");
    await admit(ledger, "r3", [account("other", 50n), account("all")], 50n);
    const full = await ledger.reserve({
      id: "r4",
      accounts: [account("fresh", null), account("other", 60n), account("all")],
      amountPicoUsd: 10n + 1n,
      leaseMs,
    });
    equal(full.admitted || full.lacking.map(({ scope }) => scope).join(), "other,all", "accounts that lack room");
    await expectBalance(ledger, account("fresh"), { held: 0n });
  },

  "amounts are exact past what a float can hold, in every account and model": async (ledger) => {
    const large = 2n ** 60n;
    await admit(ledger, "r1", [account("a", null), account("b", large + 1n)], large + 1n);
    await ledger.markDispatched("r1");
    await ledger.settle("r1", { costPicoUsd: large, modelId: "m" });
    await ledger.post([account("a"), account("b")], { costPicoUsd: 1n, modelId: "m" });
    for (const scope of ["a", "b"]) {
      const balance = await expectBalance(ledger, account(scope), { spent: large + 1n, held: 0n, calls: 2 });
      equal(balance.byModel.m?.spentPicoUsd, large + 1n, "spend by model");
    }
  },

  "a call counts in the window of its hold, and at its bound while it is unresolved": async (ledger) => {
    const [old, next] = ["w0", "w1"].map((window) => ({ scope: "a", window, limitPicoUsd: 100n })) as [
      Account,
      Account,
    ];
    await admit(ledger, "r1", [old], 60n);
    await admit(ledger, "r2", [next], 100n);
    await ledger.markDispatched("r1");
    await ledger.release("r2");
    await ledger.recover({ abandonedScope: "a" });
    const outcome = await ledger.reserve({ id: "r3", accounts: [old], amountPicoUsd: 41n, leaseMs });
    equal(outcome.admitted || outcome.lacking[0]?.unresolvedPicoUsd, 60n, "unresolved in the refusal");
    await ledger.settle("r1", { costPicoUsd: 60n, kind: "bound" });
    const balance = await expectBalance(ledger, old, { spent: 60n, unresolved: 0n });
    equal(balance.boundCallCount, 1, "calls at their bound");
    equal(balance.byModel.unknown?.callCount, 1, "calls of no known model");
    await expectBalance(ledger, next, { spent: 0n, held: 0n, calls: 0 });
  },

  "concurrent holds never exceed the limit": async (ledger) => {
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        ledger.reserve({ id: `r${index}`, accounts: [account("a")], amountPicoUsd: 9n, leaseMs }),
      ),
    );
    equal(outcomes.filter(({ admitted }) => admitted).length, 11, "admitted holds");
    await expectBalance(ledger, account("a"), { held: 99n });
  },

  "no limit admits anything, a free call fits a spent budget": async (ledger) => {
    await admit(ledger, "r1", [account("a", null)], 10n ** 15n);
    await admit(ledger, "r2", [account("b", 0n)], 0n);
    equal(
      (await ledger.reserve({ id: "r3", accounts: [account("b", 0n)], amountPicoUsd: 1n, leaseMs })).admitted,
      false,
      "admission",
    );
  },

  "a cost above hold and limit is posted in full, and nothing is admitted after it": async (ledger) => {
    await admit(ledger, "r1", [account("a")], 60n);
    await ledger.markDispatched("r1");
    await ledger.settle("r1", { costPicoUsd: 150n });
    await expectBalance(ledger, account("a"), { spent: 150n, held: 0n });
    equal(
      (await ledger.reserve({ id: "r2", accounts: [account("a")], amountPicoUsd: 1n, leaseMs })).admitted,
      false,
      "admission",
    );
  },

  "release frees a hold before dispatch, and after it only with evidence": async (ledger) => {
    await admit(ledger, "r1", [account("a")], 60n);
    await ledger.release("r1");
    await ledger.release("r1");
    await admit(ledger, "r2", [account("a")], 60n);
    await ledger.markDispatched("r2");
    await refuses(ledger.release("r2"));
    await expectBalance(ledger, account("a"), { held: 60n });
    await ledger.release("r2", "HTTP 429");
    await expectBalance(ledger, account("a"), { held: 0n, spent: 0n, calls: 0 });
  },

  "a repeated step changes nothing": async (ledger) => {
    await admit(ledger, "r1", [account("a")], 60n);
    await admit(ledger, "r1", [account("a")], 60n);
    await refuses(ledger.reserve({ id: "r1", accounts: [account("a")], amountPicoUsd: 61n, leaseMs }));
    await ledger.markDispatched("r1");
    await ledger.markDispatched("r1");
    await ledger.settle("r1", { costPicoUsd: 25n });
    await ledger.settle("r1", { costPicoUsd: 25n });
    await expectBalance(ledger, account("a"), { spent: 25n, held: 0n, calls: 1 });
  },

  "steps that the state does not allow are refused and change nothing": async (ledger) => {
    await admit(ledger, "r1", [account("a")], 60n);
    await refuses(ledger.settle("r1", { costPicoUsd: 1n }));
    await refuses(ledger.resolve("r1", { writeOff: "no" }));
    await ledger.release("r1");
    await refuses(ledger.markDispatched("r1"));
    await refuses(ledger.settle("r1", { costPicoUsd: 1n }));
    await refuses(ledger.extend("r1", 1));
    await refuses(ledger.reserve({ id: "r1", accounts: [account("a")], amountPicoUsd: 1n, leaseMs }));
    await refuses(ledger.settle("never", { costPicoUsd: 1n }));
    await expectBalance(ledger, account("a"), { spent: 0n, held: 0n });
  },

  "amounts that are no integers >= 0 never enter": async (ledger) => {
    await admit(ledger, "r1", [account("a")], 60n);
    await ledger.markDispatched("r1");
    for (const bad of [-1n, Number.NaN, 1.5, undefined] as bigint[]) {
      await throws(ledger.settle("r1", { costPicoUsd: bad }));
      await throws(ledger.post([account("a")], { costPicoUsd: bad }));
      await throws(ledger.reserve({ id: "r2", accounts: [account("a")], amountPicoUsd: bad, leaseMs }));
    }
    await throws(ledger.settle("r1", { costPicoUsd: 1n, usage: { inputTokens: Number.NaN, outputTokens: 0 } }));
    await expectBalance(ledger, account("a"), { spent: 0n, held: 60n });
  },

  "recovery frees what was never sent and keeps what was, until evidence comes": async (ledger) => {
    for (const id of ["sent", "unsent", "lost"]) await admit(ledger, id, [account("a")], 20n);
    await ledger.markDispatched("sent");
    await ledger.markDispatched("lost");
    await admit(ledger, "other", [account("b")], 20n);
    const unresolved = await ledger.recover({ abandonedScope: "a" });
    await expectBalance(ledger, account("b"), { held: 20n });
    equal(unresolved.map(({ id }) => id).join(), "sent,lost", "unresolved ids");
    equal(unresolved[0]?.amountPicoUsd, 20n, "unresolved amount");
    await expectBalance(ledger, account("a"), { held: 0n, unresolved: 40n, spent: 0n });
    await refuses(ledger.markDispatched("unsent"));
    await refuses(ledger.release("sent", "HTTP 429"));
    await ledger.resolve("sent", { costPicoUsd: 7n });
    await ledger.resolve("lost", { writeOff: "the provider's log does not list it" });
    await ledger.resolve("lost", { writeOff: "again" });
    await expectBalance(ledger, account("a"), { unresolved: 0n, spent: 7n, calls: 1 });
    equal((await ledger.recover()).length, 0, "unresolved left");
  },

  "recovery leaves live leases alone; a late settlement of an unresolved call counts": async (ledger) => {
    await admit(ledger, "live", [account("a")], 20n);
    await ledger.markDispatched("live");
    equal((await ledger.recover()).length, 0, "unresolved");
    await ledger.extend("live", 0);
    equal((await ledger.recover()).length, 1, "unresolved after the lease");
    await ledger.settle("live", { costPicoUsd: 5n });
    await expectBalance(ledger, account("a"), { held: 0n, unresolved: 0n, spent: 5n });
  },

  "a claim is given once, per account and window": async (ledger) => {
    const claims = await Promise.all([1, 2, 3].map(() => ledger.claim(account("a"), "alert 0.5")));
    equal(claims.filter(Boolean).length, 1, "claims given");
    await ledger.reset([account("a")]);
    equal(await ledger.claim(account("a"), "alert 0.5"), false, "claim after reset");
    equal(await ledger.claim({ scope: "a", window: "other" }, "alert 0.5"), true, "claim in another window");
    equal(await ledger.claim(account("b"), "alert 0.5"), true, "claim in another account");
  },

  "the books can be looked at: balances, journal, open reservations; all of them or those of a scope": async (
    ledger,
  ) => {
    const start = (await ledger.inspect()).atMs;
    for (const id of ["held", "sent", "lost", "paid"]) {
      await admit(ledger, id, [account("a"), account("b", null)], 10n);
      if (id !== "held") await ledger.markDispatched(id);
    }
    await ledger.extend("lost", 0);
    await ledger.recover();
    await ledger.settle("paid", { costPicoUsd: 7n, kind: "bound" });
    await ledger.post([account("b")], { costPicoUsd: 3n });
    await ledger.reset([account("a")]);
    await ledger.post([account("a")], { costPicoUsd: 5n });
    await ledger.post([account("c")], { costPicoUsd: 1n });

    const { accounts, open, atMs } = await ledger.inspect({ scopes: ["a", "b"] });
    equal(atMs >= start && (await ledger.now()) >= atMs, true, "the store's clock goes forward");
    const text = (scope: string, { spentPicoUsd, callCount, boundCallCount }: JournalSums) =>
      `${scope} ${spentPicoUsd} ${callCount} ${boundCallCount}`;
    const sums = accounts.map(({ scope, journal }) => text(scope, journal));
    equal(sums.sort().join(), "a 5 1 0,b 10 2 1", "sums of the journal");
    equal(
      accounts
        .map((each) => text(each.scope, each))
        .sort()
        .join(),
      sums.join(),
      "balances",
    );
    equal(open.map(({ id, state }) => `${id} ${state}`).join(), "held held,sent dispatched,lost unresolved", "open");
    equal(open[0]?.accounts.map(({ scope }) => scope).join(), "a,b", "accounts of an open reservation");
    equal(open[0]?.amountPicoUsd, 10n, "amount of an open reservation");
    equal(
      open.every(({ ageMs }) => ageMs >= 0 && ageMs <= atMs - start),
      true,
      "ages of open reservations",
    );
    equal((await ledger.inspect({ scopes: ["c"] })).open.length, 0, "open reservations of another scope");
    equal((await ledger.inspect()).accounts.length, 3, "accounts in all");
  },

  "posting counts without a hold; reset zeroes spend but not calls in flight": async (ledger) => {
    await admit(ledger, "r1", [account("a")], 20n);
    const [after] = await ledger.post([account("a")], { costPicoUsd: 200n, kind: "bound" });
    equal(after?.spentPicoUsd, 200n, "spent after posting");
    equal(after?.boundCallCount, 1, "calls at their bound");
    await ledger.reset([account("a")]);
    const balance = await expectBalance(ledger, account("a"), { spent: 0n, held: 20n, calls: 0 });
    equal(Object.keys(balance.byModel).length, 0, "models after reset");
  },
};
