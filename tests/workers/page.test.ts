import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { usd } from "@autolabel/budget-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { inUsd, labelArgs } from "../../apps/labeler/src/testing/run-cli.ts";
import { UiClient } from "../../apps/labeler/src/testing/ui-client.ts";
import type { ReviewQueue, RowStory, RowSummary, RowWindow, RunPage, RunsPage } from "../../apps/labeler/src/ui/api.ts";
import { WorkerBench } from "./worker-bench.ts";

let bench: WorkerBench;
let ui: UiClient;
const mirrors = () => readdirSync(tmpdir()).filter((name) => name.startsWith("autolabel-ui-"));
beforeAll(async () => {
  bench = await WorkerBench.start();
});
afterAll(() => bench.postgres.stop());
beforeEach(async () => {
  await bench.open();
  ui = await UiClient.start(
    bench.cli.folder,
    { OPENROUTER_API_KEY: "test", OPENROUTER_BASE_URL: bench.simulator.openRouterUrl },
    { store: bench.url },
  );
});
afterEach(async () => {
  await ui.server.close();
  await bench.close();
});

const pico = (amount: string) => usd(amount).picoUsd;
const sumOf = (costs: readonly { costUsd: string }[]) => costs.reduce((sum, { costUsd }) => sum + pico(costUsd), 0n);

it("shows a run of a database as one of a folder, and takes down what people say", async () => {
  bench.cli.writeData("data.csv", 40);
  await bench.run([...labelArgs("data.csv"), "--budget", "1", "--pool", "team", "--pool-budget", "2"]);
  const queued = await ui.get<RunPage>("/api/runs/data-1");
  expect(queued.status).toMatchObject({ lastOutcome: "queued", isWorking: true, rowsByStatus: { unpaid: 40 } });
  bench.worker("-j", "8");
  await bench.ended("data-1");

  const { runs, pools } = await ui.get<RunsPage>("/api/runs");
  const billed = bench.simulator.invoice.totalPicoUsd;
  expect(runs).toMatchObject([{ id: "data-1", labeled: 40, isWorking: false, lastOutcome: "completed" }]);
  expect(pools).toMatchObject([{ name: "team", budgetUsd: "2", runs: ["data-1"] }]);
  expect(pico(pools[0]?.spentUsd ?? "0")).toBe(billed);
  const page = await ui.get<RunPage>("/api/runs/data-1");
  expect(page.status).toEqual(runs[0]);
  expect(pico(page.status.spentUsd)).toBe(billed);
  expect(page.burnDown.at(-1)).toMatchObject({ rows: 40 });
  expect(sumOf(page.costByModel)).toBe(billed);
  expect(sumOf(page.costByLabel)).toBe(billed);
  expect((await ui.get<RowWindow>("/api/runs/data-1/rows?search=(data.csv%2013)")).rows).toHaveLength(1);
  const story = await ui.get<RowStory>("/api/runs/data-1/rows/13");
  const line = bench.simulator.invoice.lines.find(({ id }) => id === story.calls[0]?.callId);
  expect(line?.costPicoUsd).toBe(pico(story.costUsd));

  // What people say counts everywhere.
  const { rows } = await ui.get<RowWindow>("/api/runs/data-1/rows?count=40");
  const other = rows[0]?.label === "lost_card" ? "card_arrival" : "lost_card";
  const say = (position: number, label: string) =>
    ui.get<RowSummary>("/api/runs/data-1/reviews", { position, action: "correct", label, author: "Ada" });
  expect(await say(0, other)).toMatchObject({ label: other, review: { author: "Ada", label: other } });
  await say(1, other);
  const none = await ui.ask("/api/runs/data-1/reviews", {
    body: { position: 2, action: "correct", label: "no such label", author: "Ada" },
  });
  expect(none.status).toBe(400);
  expect(await ui.get<RowSummary>("/api/runs/data-1/reviews/undo", { author: "Ada", position: 1 })).toMatchObject({
    position: 1,
    review: null,
  });
  const queue = await ui.get<ReviewQueue>("/api/runs/data-1/review");
  expect(queue.rows.map(({ position }) => position)).not.toContain(0);
  const { text } = await ui.ask("/api/runs/data-1/export?to=jsonl");
  const exported = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { label: string });
  expect(exported[0]?.label).toBe(other);
  expect(exported[1]?.label).toBe(rows[1]?.label);
});

it("is told of what goes on, and says when to pause and to go on", async () => {
  bench.cli.writeData("data.csv", 400);
  const mean = await bench.cli.meanCost();
  await bench.run([...labelArgs("data.csv"), "--budget", inUsd(200n * mean)]);
  bench.worker("-j", "2");
  let seen = 0;
  for await (const { status } of ui.events<RunPage>("/api/runs/data-1/events")) {
    seen = Math.max(seen, status.labeled);
    if (status.labeled > 20) break;
  }
  await ui.get("/api/runs/data-1/pause", {});
  expect(await bench.ended("data-1")).toMatchObject({ lastOutcome: "interrupted" });
  const paused = await ui.get<RunPage>("/api/runs/data-1");
  expect(paused.status.labeled).toBeGreaterThanOrEqual(seen);
  expect(paused.status.labeled).toBe(bench.simulator.invoice.lines.length);

  const tooLow = await ui.ask("/api/runs/data-1/resume", { body: { budgetUsd: "0.0000001" } });
  expect(tooLow).toMatchObject({ status: 400, json: { error: expect.stringContaining("at least") } });
  bench.worker("-j", "16");
  await ui.get("/api/runs/data-1/resume", { budgetUsd: "1" });
  expect((await ui.get<RunPage>("/api/runs/data-1")).status.isWorking).toBe(true);
  const again = await ui.ask("/api/runs/data-1/resume", { body: {} });
  expect(again).toMatchObject({ status: 400, json: { error: expect.stringContaining("already") } });
  expect(await bench.ended("data-1")).toMatchObject({ lastOutcome: "completed", labeled: 400 });
  expect(bench.simulator.invoice.lines).toHaveLength(400);
});

it("copies a run once for all that is asked at a time, and leaves nothing behind on this machine", async () => {
  const before = mirrors();
  bench.cli.writeData("data.csv", 5);
  await bench.run([...labelArgs("data.csv"), "--budget", "1"]);
  await Promise.all(["", "/rows", "/rows/0", "/review"].map((what) => ui.get(`/api/runs/data-1${what}`)));
  const [made = ""] = mirrors().filter((name) => !before.includes(name));
  expect(readdirSync(join(tmpdir(), made))).toHaveLength(1);
  await ui.server.close();
  expect(mirrors()).not.toContain(made);
  ui = await UiClient.start(bench.cli.folder, {}, { store: bench.url });
});
