import { describe, expect, it } from "vitest";
import { boundReceipt, type CostExtractor } from "../costs.ts";
import type { Receipt } from "../receipt.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";
import { settled } from "./lookups.ts";
import { openCall, type Posting } from "./meter-call.ts";

const bound = 1000n;
const call = { surface: "generate", modelId: "m", request: {} } as const;

async function open(lookup: CostExtractor["lookup"], onReceipt?: (posting: Posting) => void) {
  const tracker = new CostTracker({ budget: "1" });
  const faults: unknown[] = [];
  tracker.on("fault", ({ error }) => faults.push(error));
  const costs: CostExtractor = {
    provider: "test",
    quote: () => ({ boundPicoUsd: bound }),
    receipt: (outcome) => {
      const { most } = (outcome.result?.usage ?? {}) as { most?: bigint };
      if (most !== undefined) return { costPicoUsd: most, kind: "bound" };
      return outcome.result?.usage ? { costPicoUsd: 5n } : boundReceipt(outcome);
    },
    ...(lookup ? { lookup } : {}),
  };
  const metering = { tracker, costs, ...(onReceipt ? { onReceipt } : {}) };
  const balance = async () => {
    const { exact, callCount, boundCallCount } = await tracker.getStats();
    return { spent: exact.spent.picoUsd, held: exact.held.picoUsd, callCount, boundCallCount };
  };
  return { tracker, faults, balance, opened: await openCall(metering, call) };
}

function later() {
  let answer: (receipt: Receipt | undefined) => void = () => {};
  const promise = new Promise<Receipt | undefined>((resolve) => {
    answer = resolve;
  });
  return { promise, answer };
}

describe("the look-up of a cost", () => {
  it("runs in the background: the caller goes on, the bound stays held, then the true cost counts", async () => {
    const { promise, answer } = later();
    const { tracker, balance, opened } = await open(() => promise);
    await opened.cut();
    expect(await balance()).toEqual({ spent: 0n, held: bound, callCount: 0, boundCallCount: 0 });
    answer({ costPicoUsd: 7n });
    await settled(tracker);
    expect(await balance()).toEqual({ spent: 7n, held: 0n, callCount: 1, boundCallCount: 0 });
  });

  it("is left out where the call told its cost, was refused, or there is nothing to ask", async () => {
    let asks = 0;
    const ask = () => {
      asks += 1;
      return undefined;
    };
    const told = await open(ask);
    await told.opened.succeed({ usage: {} });
    const refused = await open(ask);
    await refused.opened.fail({ statusCode: 429 });
    expect(asks).toBe(0);
    const cut = await open(ask);
    await cut.opened.cut();
    expect(asks).toBe(1);
    expect([await told.balance(), await refused.balance(), await cut.balance()]).toMatchObject([
      { spent: 5n, held: 0n },
      { spent: 0n, held: 0n },
      { spent: bound, held: 0n, boundCallCount: 1 },
    ]);
  });

  it.each<[string, () => Promise<Receipt | undefined>]>([
    ["finds nothing", async () => undefined],
    ["fails", () => Promise.reject(new Error("down"))],
    ["answers with no amount", async () => ({ costPicoUsd: -1n })],
  ])("leaves the bound when it %s", async (_name, lookup) => {
    const { tracker, balance, opened } = await open(lookup);
    await opened.cut();
    await settled(tracker);
    expect(await balance()).toEqual({ spent: bound, held: 0n, callCount: 1, boundCallCount: 1 });
  });

  it("leaves a lower bound that the usage gave where there was one", async () => {
    const { tracker, balance, opened } = await open(async () => undefined);
    await opened.succeed({ usage: { most: 9n } });
    await settled(tracker);
    expect(await balance()).toMatchObject({ spent: 9n, boundCallCount: 1 });
  });

  it("leaves the bound at once when it throws", async () => {
    const { balance, opened, faults } = await open(() => {
      throw new Error("my mistake");
    });
    await opened.cut();
    expect(await balance()).toMatchObject({ spent: bound, held: 0n });
    expect(faults).toEqual([]);
  });

  it("does not hold up an answer that is stored with its receipt", async () => {
    const { promise } = later();
    const posted: unknown[] = [];
    const { balance, opened } = await open(
      () => promise,
      ({ receipt }) => posted.push(receipt.kind),
    );
    await opened.succeed({ content: [] });
    expect(posted).toEqual(["bound"]);
    expect(await balance()).toMatchObject({ spent: bound, held: 0n });
  });

  it("tells a failure of the books as a fault, and the hold stays", async () => {
    const { tracker, faults, balance, opened } = await open(
      async () => ({ costPicoUsd: 1n }),
      () => {
        throw new Error("disk full");
      },
    );
    await opened.cut();
    await settled(tracker);
    expect(faults).toMatchObject([{ message: "disk full" }]);
    expect(await balance()).toMatchObject({ spent: 0n, held: bound });
  });

  it("is over at once for a budget without any", async () => {
    await expect(settled(new CostTracker())).resolves.toBeUndefined();
  });
});
