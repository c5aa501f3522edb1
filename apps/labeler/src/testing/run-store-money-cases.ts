import type { Ledger, Posting } from "@autolabel/budget-core";
import { verifyLedger } from "@autolabel/budget-core/audit";
import { expect } from "vitest";
import type { RunStore } from "../store/run-store.ts";
import { addTexts, type Case, labeled } from "./run-store-bench.ts";

const scope = { scope: "run", window: "all" };

function postingOf(reservationId: string, costPicoUsd: bigint, told: Partial<Posting> = {}): Posting {
  const outcome: Posting["outcome"] = {
    call: { surface: "generate", modelId: "asked", request: {} },
    quote: { boundPicoUsd: 100n, priceBook: "book" },
    result: { finishReason: { unified: "stop", raw: "end" } },
  };
  return { reservationId, receipt: { costPicoUsd, modelId: "served" }, outcome, ...told };
}

/** A call that was sent. */
async function dispatch(ledger: Ledger, id: string): Promise<void> {
  await ledger.reserve({
    id,
    accounts: [{ ...scope, limitPicoUsd: null }],
    amountPicoUsd: 100n,
    leaseMs: 600_000,
  });
  await ledger.markDispatched(id);
}

/** Answer and charge, as the engine posts them. */
function post(store: RunStore, ledger: Ledger, { id, position, cost = 7n, answer = "said" }: Call): Promise<unknown> {
  const posting = postingOf(id, cost);
  const recorded = store.recordAttempt(position, { posting, answer, taskVersion: "v", callId: `call ${id}` });
  return Promise.all([recorded, ledger.settle(id, posting.receipt)]);
}

interface Call {
  id: string;
  position: number;
  cost?: bigint;
  answer?: string;
}

/** What a run store keeps of calls and their charges. */
export const moneyCases: Record<string, Case> = {
  "keeps every charged attempt with its row, and what it was found to be": async (store) => {
    await addTexts(store, "a", "b");
    const huge = 9_000_000_000_000_000_001n;
    const record = (position: number, posting: Posting, answer?: string) =>
      store.recordAttempt(position, { posting, answer, taskVersion: "v", callId: answer });
    const { outcome } = postingOf("", 0n);
    const failed = {
      receipt: { costPicoUsd: 5n, kind: "bound" as const },
      outcome: { ...outcome, error: new Error("!") },
    };
    await record(1, postingOf("r1", 5n, failed));
    await record(1, postingOf("r2", huge), "first\u0000");
    await record(0, postingOf("r3", 0n), "");
    const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const common = { position: 1, isSuperseded: false, at };
    const ofFirst = { costPicoUsd: 5n, kind: "bound", modelId: null, isAnswered: false, callId: null };
    const others = { kind: "reported", modelId: "served", isAnswered: true };
    expect(await Array.fromAsync(store.attempts())).toEqual([
      { ...common, ...ofFirst, reservationId: "r1" },
      { ...common, ...others, reservationId: "r2", costPicoUsd: huge, callId: "first\u0000" },
      { ...common, ...others, reservationId: "r3", position: 0, costPicoUsd: 0n, callId: "" },
    ]);
    expect(await store.attemptCost("r1")).toEqual({ costPicoUsd: 5n, modelId: undefined, kind: "bound" });
    expect(await store.attemptCost("r2")).toEqual({ costPicoUsd: huge, modelId: "served", kind: "reported" });
    expect(await store.attemptCost("unknown")).toBeUndefined();
    const answer = { text: "first\u0000", finishReason: "stop", modelId: "served" };
    expect((await store.pending(0)).map(({ answers }) => answers)).toEqual([[{ ...answer, text: "" }], [answer]]);
    expect((await store.row(1)).attempts).toBe(2);
    expect((await store.row(1)).cost.picoUsd).toBe(huge + 5n);
    expect(await store.standing()).toMatchObject({ rest: { rows: 2, characters: 2 } });
    const sample = [...(await store.standing()).sample].sort((a, b) => a.attempts - b.attempts);
    expect(sample).toEqual([
      { characters: 1, attempts: 1, firstPicoUsd: 0n, costPicoUsd: 0n },
      { characters: 1, attempts: 2, firstPicoUsd: 5n, costPicoUsd: huge + 5n },
    ]);
  },

  "answers no question by an answer that was found wanting": async (store) => {
    await addTexts(store, "a");
    await store.recordAttempt(0, { posting: postingOf("r1", 5n), answer: "bad", taskVersion: "v" });
    await store.reopen(["unpaid"]);
    expect(await store.pending(0)).toMatchObject([{ answers: [] }]);
    expect(await Array.fromAsync(store.attempts())).toMatchObject([{ isSuperseded: true, isAnswered: true }]);
    expect((await store.row(0)).cost.picoUsd).toBe(5n);
  },

  "records an answer while nobody posts its charge, so that a ledger elsewhere can be told of it": async (store) => {
    await addTexts(store, "a");
    const ledger = store.openLedger();
    await store.recordAttempt(0, { posting: postingOf("r1", 5n), answer: "said", taskVersion: "v" });
    expect(await store.attemptCost("r1")).toMatchObject({ costPicoUsd: 5n });
    await ledger.close();
  },

  "keeps answer and charge together, and reads the answer after a kill instead of buying it again": async (
    store,
    bench,
  ) => {
    await addTexts(store, "a", "b", "c");
    const ledger = store.openLedger();
    for (const id of ["r0", "r1", "r2"]) await dispatch(ledger, id);
    await post(store, ledger, { id: "r0", position: 0 });
    await post(store, ledger, { id: "r1", position: 1, answer: "paid, not read" });
    await store.finishRow(0, labeled);
    const after = await bench.afterKill();
    expect(await after.pending(0)).toMatchObject([
      { position: 1, answers: [{ text: "paid, not read" }] },
      { position: 2, answers: [] },
    ]);
    const books = after.openLedger();
    expect(await books.recover({ abandonedScope: "run" })).toMatchObject([{ id: "r2" }]);
    expect(await books.read([scope])).toMatchObject([{ spentPicoUsd: 14n, heldPicoUsd: 0n, unresolvedPicoUsd: 100n }]);
    expect(verifyLedger(await books.inspect())).toEqual([]);
    await books.close();
  },

  "has both answer and charge or neither, wherever a kill falls": async (store, bench) => {
    const count = 300;
    await addTexts(store, ...Array.from({ length: count }, (_, row) => `text ${row}`));
    const ledger = store.openLedger();
    await Promise.all(Array.from({ length: count }, (_, row) => dispatch(ledger, `r${row}`)));
    let told = 0;
    const posting = Array.from({ length: count }, async (_, row) => {
      await new Promise((resolve) => setTimeout(resolve, row / 10));
      await post(store, ledger, { id: `r${row}`, position: row, cost: 1n });
      told++;
    });
    const ended = Promise.allSettled(posting);
    while (told < count / 3) await new Promise((resolve) => setImmediate(resolve));
    const atKill = told;
    const after = await bench.afterKill();
    await ended;
    const books = after.openLedger();
    const open = (await books.inspect()).open.map(({ id }) => id);
    const recorded = (await Array.fromAsync(after.attempts())).map(({ reservationId }) => reservationId);
    expect(recorded.length).toBeGreaterThanOrEqual(atKill);
    expect([...open, ...recorded].sort()).toEqual(Array.from({ length: count }, (_, row) => `r${row}`).sort());
    expect(await books.read([scope])).toMatchObject([{ spentPicoUsd: BigInt(recorded.length) }]);
    expect(verifyLedger(await books.inspect())).toEqual([]);
    await books.close();
  },
};
