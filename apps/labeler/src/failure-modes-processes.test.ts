import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { picoToDecimal } from "@autolabel/budget-core";
import { describe, expect, it } from "vitest";
import { rowsOf, useBench } from "./failure-modes-bench.ts";

const bench = useBench();

/** Waits until the provider has served so much. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(2);
}

describe("processes", () => {
  it("F01: a run that was killed remembers what it spent: killed and resumed it keeps to one budget", async () => {
    await bench.simulate({ latencyMs: 5 });
    const { invoice } = bench.simulator;
    const budget = (await bench.costPerRow()) * 60n;
    const first = bench.start(bench.data(rowsOf(200), "--budget", picoToDecimal(budget), "-j", "4"));
    await until(() => invoice.totalPicoUsd * 10n >= budget * 8n);
    first.kill("SIGKILL");
    await first.done;
    for (let again = 0; again < 2; again++) expect((await bench.run(["resume"])).code).toBe(3);
    expect(invoice.totalPicoUsd).toBeLessThanOrEqual(budget);
    const { spent, held, unresolved } = bench.books();
    expect(spent + unresolved).toBeGreaterThanOrEqual(invoice.totalPicoUsd);
    expect([spent + unresolved <= budget, held]).toEqual([true, 0n]);
  });

  it("F02: 256 callers in 8 processes reach for the last dollar: it is never passed, and it is spent", async () => {
    await bench.simulate({ latencyMs: { median: 10, p99: 60 } });
    const { invoice } = bench.simulator;
    const cost = await bench.costPerRow();
    // A hold is several times what a call costs: the first 256 ask for far more than there is.
    const budget = cost * 256n;
    const env = { LLM_BUDGET: picoToDecimal(budget) };
    const ended = await Promise.all(
      Array.from({ length: 8 }, (_, number) => {
        const args = bench.dataNamed(`data${number}`, rowsOf(64, `My refund to ${number}, number`), "-j", "32");
        return bench.run(args, env);
      }),
    );
    // Who starts first may find money for all of its rows.
    for (const { code } of ended) expect([0, 3]).toContain(code);
    expect(ended.filter(({ code }) => code === 3).length).toBeGreaterThan(0);
    expect(invoice.totalPicoUsd).toBeLessThanOrEqual(budget);
    expect(invoice.totalPicoUsd * 100n).toBeGreaterThanOrEqual(budget * 95n);
    expect(bench.books("llm-budget.ledger")).toEqual({ spent: invoice.totalPicoUsd, held: 0n, unresolved: 0n });
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "F07: %s takes no new row, keeps what is in flight, and writes every row; a resume buys the rest",
    async (signal) => {
      await bench.simulate({ latencyMs: 400 });
      const { invoice } = bench.simulator;
      const child = bench.start(bench.data(rowsOf(40), "--budget", "1", "-j", "8"));
      await until(() => invoice.count >= 16 && bench.simulator.inFlight === 8);
      const sent = bench.simulator.requests;
      child.kill(signal);
      const { code, stdout } = await child.done;
      expect([code, stdout.includes("autolabel resume data-1")]).toEqual([130, true]);
      // Those in flight took their time; nothing was sent after them.
      expect([bench.simulator.requests, invoice.count]).toEqual([sent, sent]);
      expect(invoice.lines.every(({ outcome }) => outcome === "completed")).toBe(true);
      expect(bench.output().filter(({ label_status }) => label_status === "labeled")).toHaveLength(sent);
      expect(bench.output()).toHaveLength(40);
      expect(bench.books()).toEqual({ spent: invoice.totalPicoUsd, held: 0n, unresolved: 0n });
      expect((await bench.run(["resume"])).code).toBe(0);
      expect([invoice.count, bench.boughtTwice()]).toEqual([40, 0]);
    },
  );

  it.each(["SIGINT", "SIGTERM"] as const)(
    "F07: a second %s ends at once, whatever is in flight: what arrived is kept, the rest counts at its bound",
    async (signal) => {
      // Never answered: only leaving ends it.
      await bench.simulate({
        faults: [{ kind: "timeout", at: Array.from({ length: 100 }, (_, index) => 17 + index) }],
      });
      const { invoice } = bench.simulator;
      const child = bench.start(bench.data(rowsOf(40), "--budget", "1", "-j", "8"));
      await until(() => invoice.count === 16 && bench.simulator.inFlight === 8);
      child.kill(signal);
      await until(() => child.said().includes("Stopping"));
      child.kill(signal);
      const { code, stderr } = await child.done;
      expect([code, stderr]).toEqual([130, expect.stringContaining("Stopped at once")]);
      await until(() => bench.simulator.inFlight === 0);
      bench.simulator.setFaults([]);
      expect((await bench.run(["resume"])).code).toBe(0);
      expect([invoice.count, bench.boughtTwice()]).toEqual([40, 0]);
      const { spent, held, unresolved } = bench.books();
      expect([spent, held]).toEqual([invoice.totalPicoUsd, 0n]);
      expect(unresolved).toBeGreaterThan(0n);
    },
  );

  it("F20: rows that are many times the memory it may use come in, are labeled and go out", async () => {
    await bench.simulate();
    const budget = (await bench.costPerRow()) * 100n;
    const args = bench.data([], "--budget", picoToDecimal(budget), "-j", "64");
    const file = createWriteStream(join(bench.folder, "data.csv"));
    file.write("text,ballast\n");
    for (let row = 0; row < 20_000; row++) {
      const hasRoom = file.write(`My refund number ${row},${"x".repeat(4000)}\n`);
      if (!hasRoom) await once(file, "drain");
    }
    file.end();
    await once(file, "close");
    const { code, stderr } = await bench.run(args, { NODE_OPTIONS: "--max-old-space-size=48" });
    expect([code, stderr]).toEqual([3, expect.not.stringContaining("heap")]);
    expect(bench.simulator.invoice.count).toBeGreaterThan(80);
  });
});
