import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { usd } from "@autolabel/budget-core";
import { type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunStatus } from "../progress/run-status.ts";
import { SqliteRunStore } from "../store/sqlite-run-store.ts";
import { CliFolder, inUsd, labelArgs } from "../testing/run-cli.ts";
import { UiClient } from "../testing/ui-client.ts";
import type { ReviewQueue, RowStory, RowSummary, RowWindow, RunPage, RunsPage } from "./api.ts";

let folder: string;
let cli: CliFolder | undefined;
let opened: UiClient[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ui-"));
});
afterEach(async () => {
  for (const { server } of opened) await server.close();
  opened = [];
  await cli?.simulator.close();
  cli = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function simulated(options: SimulatorOptions = {}): Promise<CliFolder> {
  cli = new CliFolder(folder, await startSimulator({ latencyMs: 2, ...options }));
  return cli;
}

async function serve({ simulator }: CliFolder, env: Record<string, string> = {}): Promise<UiClient> {
  const keys = { OPENROUTER_API_KEY: "test", OPENROUTER_BASE_URL: simulator.openRouterUrl };
  const ui = await UiClient.start(folder, { ...keys, ...env });
  opened.push(ui);
  return ui;
}

/** Rows 3, 13 and 23 get no label at all. */
const invalid = [{ kind: "invalid-label", promptIncludes: "3)", body: "no such label" }] as const;

/** A run of 30 rows that is finished, with a column of true labels. */
async function finishedRun(options: SimulatorOptions = {}, ...more: string[]): Promise<CliFolder> {
  const cli = await simulated({ faults: invalid, ...options });
  const lines = Array.from({ length: 30 }, (_, index) => `I lost my card (data ${index}),lost_card`);
  writeFileSync(join(folder, "data.csv"), `text,gold\n${lines.join("\n")}\n`);
  const { stderr, code } = await cli.run(labelArgs("data.csv", "--budget", "1", "--confidence", ...more));
  if (code !== 0 && code !== 4) throw new Error(stderr);
  return cli;
}

const pico = (decimal: string | null) => usd(decimal ?? "0").picoUsd;
const sumOf = (amounts: { costUsd: string }[]) => amounts.reduce((sum, { costUsd }) => sum + pico(costUsd), 0n);

describe("a finished run", () => {
  it("is told in money as the provider billed it, whichever way it is added up", async () => {
    const cli = await finishedRun();
    const ui = await serve(cli);
    const { runs, author } = await ui.get<RunsPage>("/api/runs");
    expect(runs).toMatchObject([{ id: "data-1", rows: 30, labeled: 27, isWorking: false }]);
    expect(author).toBe("tester");
    const page = await ui.get<RunPage>("/api/runs/data-1");
    const billed = cli.simulator.invoice.totalPicoUsd;
    expect(page.status).toEqual(runs[0]);
    expect(pico(page.status.spentUsd)).toBe(billed);
    expect(pico(page.freeUsd)).toBe(10n ** 12n - billed);
    expect(page.burnDown.at(-1)).toMatchObject({ rows: cli.simulator.invoice.count });
    expect(pico(page.burnDown.at(-1)?.spentUsd ?? "0")).toBe(billed);
    expect(sumOf(page.costByModel)).toBe(billed);
    expect(sumOf(page.costByLabel) + sumOf(page.errors)).toBe(billed);
    expect(page.labels.reduce((sum, { rows }) => sum + rows, 0)).toBe(27);
    expect(page.errors).toMatchObject([{ status: "invalid_label", rows: 3, message: "no label of the set: …" }]);
    expect(page.forecast).toBeNull();
    expect(page.problem).toBeNull();
  });

  it("shows its rows: windows, filters, search and orders, and the whole story of one", async () => {
    const cli = await finishedRun();
    const ui = await serve(cli);
    const rows = (query: string) => ui.get<RowWindow>(`/api/runs/data-1/rows?${query}`);
    const places = ({ rows: found }: RowWindow) => found.map(({ position }) => position);
    const all = await rows("count=500");
    expect([all.total, places(all)]).toEqual([30, Array.from({ length: 30 }, (_, index) => index)]);
    expect(places(await rows("from=28&count=5"))).toEqual([28, 29]);
    expect(places(await rows("from=1&count=2&descending=true"))).toEqual([28, 27]);
    expect(places(await rows("from=30"))).toEqual([]);
    const wrong = await rows("status=invalid_label");
    expect([wrong.total, places(wrong)]).toEqual([3, [3, 13, 23]]);
    expect((await rows("status=labeled")).total).toBe(27);
    expect(await rows("status=unpaid")).toEqual({ total: 0, rows: [] });
    const label = all.rows[0]?.label as string;
    expect(places(await rows(`label=${label}`))).toEqual(
      all.rows.filter((row) => row.label === label).map(({ position }) => position),
    );
    expect(places(await rows("search=LOST%20MY"))).toHaveLength(30);
    expect(places(await rows("search=(data%2013)"))).toEqual([13]);
    // What stands for anything in a pattern stands for itself.
    expect((await rows("search=%25")).total).toBe(0);
    expect((await rows("search=_")).total).toBe(27);
    const byCost = (await rows("sort=cost&descending=true")).rows.map(({ costUsd }) => pico(costUsd));
    expect(byCost).toEqual([...byCost].sort((a, b) => Number(b - a)));
    const byConfidence = (await rows("sort=confidence")).rows.map(({ confidence }) => confidence ?? 2);
    expect(byConfidence).toEqual([...byConfidence].sort((a, b) => a - b));
    for (const bad of ["count=501", "from=-1", "status=gone", "sort=text", "count=x", "search="])
      expect((await ui.ask(`/api/runs/data-1/rows?${bad}`)).status).toBe(400);

    const story = await ui.get<RowStory>("/api/runs/data-1/rows/13");
    expect(story).toMatchObject({ rowId: "13", status: "invalid_label", label: null, input: { gold: "lost_card" } });
    expect(story.calls.map(({ answer }) => answer)).toEqual(
      ["no such label", "no such label"].map(() => expect.stringContaining("no such label")),
    );
    expect(sumOf(story.calls)).toBe(pico(story.costUsd));
    const lines = cli.simulator.invoice.lines.filter(({ id }) => story.calls.some(({ callId }) => callId === id));
    expect(lines.reduce((sum, { costPicoUsd }) => sum + costPicoUsd, 0n)).toBe(pico(story.costUsd));
    expect(story.prompt?.map(({ role }) => role)).toEqual(["system", "user"]);
    expect(story.prompt?.[1]?.content).toBe("I lost my card (data 13)");
    expect((await ui.ask("/api/runs/data-1/rows/30")).status).toBe(400);
    expect((await ui.ask("/api/runs/data-1/rows/x")).status).toBe(400);
  });

  it("is reported and exported as the commands do", async () => {
    const cli = await finishedRun();
    const ui = await serve(cli);
    const report = await ui.get<{ quality: { goldRows: number } }>("/api/runs/data-1/report?gold=gold");
    expect(report).toEqual(await cli.json(["report", "data-1", "--gold", "gold"]));
    expect(report.quality.goldRows).toBe(30);
    expect(await ui.ask("/api/runs/data-1/report?gold=none")).toMatchObject({
      status: 400,
      json: { error: expect.stringContaining('no column "none"') },
    });
    for (const to of ["csv", "jsonl", "spacy", "label-studio"]) {
      const file = await ui.ask(`/api/runs/data-1/export?to=${to}`);
      expect(file.text).toBe((await cli.run(["export", "data-1", "--to", to, "-o", "-"])).stdout);
      expect(file.headers["content-disposition"]).toMatch(/^attachment; filename\*=UTF-8''data-1\./);
    }
    expect((await ui.ask("/api/runs/data-1/export?to=hf")).status).toBe(400);
    expect((await ui.ask("/api/runs/data-1/export?to=exe")).status).toBe(400);
  });

  it("hands out text of the data as data, never as a page", async () => {
    const cli = await simulated();
    const attack = `<script>alert(1)</script><img src=x onerror="alert(2)">`;
    writeFileSync(join(folder, "data.jsonl"), `${JSON.stringify({ text: attack, [attack]: attack })}\n`);
    await cli.run(labelArgs("data.jsonl", "--budget", "1"));
    const ui = await serve(cli);
    for (const path of ["rows", "rows/0", `rows?search=${encodeURIComponent(attack)}`, "review"]) {
      const { status, headers } = await ui.ask(`/api/runs/data-1/${path}`);
      expect([status, headers["content-type"], headers["x-content-type-options"]]).toEqual([
        200,
        "application/json",
        "nosniff",
      ]);
    }
    const { rows } = await ui.get<RowWindow>(`/api/runs/data-1/rows?search=${encodeURIComponent(attack)}`);
    expect(rows).toMatchObject([{ text: attack }]);
    const refused = await ui.ask(`/api/runs/${encodeURIComponent(attack)}`);
    expect([refused.status, refused.headers["content-type"]]).toEqual([404, "application/json"]);
  });
});

it("a run that its budget stopped tells which shares of it were passed, and what the rest will cost", async () => {
  const cli = await simulated();
  const mean = await cli.meanCost();
  cli.writeData("data.csv", 60);
  const before = cli.simulator.invoice.totalPicoUsd;
  expect((await cli.run(labelArgs("data.csv", "--budget", inUsd(mean * 20n)))).code).toBe(3);
  const billed = cli.simulator.invoice.totalPicoUsd - before;
  const { alerts, forecast, status, freeUsd } = await (await serve(cli)).get<RunPage>("/api/runs/data-1");
  const passed = [0.5, 0.75, 0.9, 1].filter((share) => Number(billed) >= share * Number(mean * 20n));
  expect(alerts.map(({ share }) => share)).toEqual(passed);
  expect(passed).toContain(0.75);
  const times = alerts.map(({ at }) => at);
  expect(times).toEqual([...times].sort());
  const [p10, p50, p90] = [forecast?.p10Usd, forecast?.p50Usd, forecast?.p90Usd].map((cost) =>
    Number(pico(cost ?? null)),
  );
  expect([p10, p50, p90]).toEqual([p10, p50, p90].sort((a = 0, b = 0) => a - b));
  // All 60 rows, by what the provider billed for the first ones.
  const whole = (Number(billed) * 60) / status.labeled;
  expect(Math.abs((p50 ?? 0) / whole - 1)).toBeLessThan(0.1);
  const affordable = (Number(pico(freeUsd)) * status.labeled) / Number(billed);
  expect(Math.abs((forecast?.rowsAffordable ?? 99) - affordable)).toBeLessThan(2);
});

describe("reviews", () => {
  const review = (ui: UiClient, body: object) =>
    ui.ask("/api/runs/data-1/reviews", { body: { author: "Ada", ...body } });

  it("queue what has no label, then what disagrees, then what the model is not sure of", async () => {
    const cli = await finishedRun();
    const ui = await serve(cli);
    const queue = await ui.get<ReviewQueue>("/api/runs/data-1/review?below=1&gold=gold&count=200");
    expect(queue.choices?.map(({ name }) => name)).toEqual(["card_arrival", "exchange_rate", "lost_card"]);
    expect([queue.reviewed, queue.waiting]).toEqual([0, queue.rows.length]);
    const rows = await ui.get<RowWindow>("/api/runs/data-1/rows?count=500");
    const expected = {
      invalid: [3, 13, 23],
      disagrees: rows.rows
        .filter(({ label }) => label !== null && label !== "lost_card")
        .map(({ position }) => position),
      doubtful: rows.rows
        .filter(({ label, confidence }) => label === "lost_card" && (confidence ?? 1) < 1)
        .sort((a, b) => (a.confidence ?? 0) - (b.confidence ?? 0) || a.position - b.position)
        .map(({ position }) => position),
    };
    expect(queue.rows.map(({ why, position }) => [why, position])).toEqual(
      Object.entries(expected).flatMap(([why, places]) => places.map((position) => [why, position])),
    );
    expect(queue.rows.every(({ gold }) => gold === "lost_card")).toBe(true);
    expect((await ui.get<ReviewQueue>("/api/runs/data-1/review?below=0")).waiting).toBe(3);
    expect((await ui.ask("/api/runs/data-1/review?gold=none")).status).toBe(400);
    expect((await ui.ask("/api/runs/data-1/review?below=2")).status).toBe(400);
  });

  it("win in everything that is handed out, and are taken back", async () => {
    const cli = await finishedRun();
    const ui = await serve(cli);
    const before = (await cli.run(["export", "--to", "jsonl", "-o", "-"])).stdout;
    const first = await review(ui, { position: 3, action: "correct", label: "Lost card" });
    expect(first.json).toMatchObject({
      label: "lost_card",
      modelLabel: null,
      status: "labeled",
      review: { author: "Ada", action: "correct" },
    });
    expect((await review(ui, { position: 0, action: "accept" })).status).toBe(200);
    const { modelLabel } = await ui.get<RowStory>("/api/runs/data-1/rows/1");
    const label = modelLabel === "exchange_rate" ? "card_arrival" : "exchange_rate";
    expect((await review(ui, { position: 1, action: "correct", label })).json).toMatchObject({ label, modelLabel });
    expect((await review(ui, { position: 2, action: "skip" })).json).toMatchObject({
      review: { action: "skip", label: null },
    });

    const rows = (await cli.run(["export", "--to", "jsonl", "-o", "-"])).stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows[3]).toMatchObject({
      label: "lost_card",
      label_status: "labeled",
      label_source: "human:Ada",
      label_error: null,
      label_confidence: null,
    });
    expect(rows[0]).toMatchObject({ label_source: "human:Ada", label_confidence: expect.any(Number) });
    expect(rows[1]).toMatchObject({ label, label_source: "human:Ada", label_confidence: null });
    expect(rows[2]?.label_source).not.toContain("human");
    const page = await ui.get<RunPage>("/api/runs/data-1");
    expect(page.status).toMatchObject({ labeled: 28, rowsByStatus: { labeled: 28, invalid_label: 2 } });
    expect(page.labels.reduce((sum, each) => sum + each.rows, 0)).toBe(28);
    expect(page.errors).toMatchObject([{ rows: 2 }]);
    expect(
      (await ui.get<RowWindow>(`/api/runs/data-1/rows?label=${label}`)).rows.map(({ position }) => position),
    ).toContain(1);
    expect(
      (await ui.get<RowWindow>(`/api/runs/data-1/rows?search=${label}`)).rows.map(({ position }) => position),
    ).toContain(1);
    expect((await ui.get<RowWindow>("/api/runs/data-1/rows?status=labeled")).total).toBe(28);
    expect((await ui.get<RowWindow>("/api/runs/data-1/rows?status=invalid_label")).total).toBe(2);
    expect(await ui.get<ReviewQueue>("/api/runs/data-1/review?below=0")).toMatchObject({ reviewed: 4, waiting: 2 });

    // What a person labeled is not bought again, and stands in the run's own file.
    const calls = cli.simulator.invoice.count;
    expect((await cli.run(["retry", "data-1", "--only", "invalid"])).code).toBe(4);
    expect(cli.simulator.invoice.count).toBe(calls + 4);
    expect(cli.output("data.labeled.csv")[3]).toMatchObject({ label: "lost_card", label_source: "human:Ada" });

    const undo = () => ui.ask("/api/runs/data-1/reviews/undo", { body: { author: "Ada" } });
    const undone = [await undo(), await undo(), await undo(), await undo()];
    expect(undone.map(({ json }) => (json as RowSummary).position)).toEqual([2, 1, 0, 3]);
    expect(await undo()).toMatchObject({ status: 400, json: { error: "Ada has no review to take back" } });
    expect((await ui.get<RowStory>("/api/runs/data-1/rows/3")).reviews).toEqual([]);
    const after = (await cli.run(["export", "--to", "jsonl", "-o", "-"])).stdout.split("\n");
    // The rows without a label were bought once more since.
    for (const place of [0, 1, 2]) expect(after[place]).toBe(before.split("\n")[place]);
  });

  it("of a row are taken back alone where that is asked for: an author may have two tabs", async () => {
    const ui = await serve(await finishedRun());
    for (const position of [0, 1, 2]) await review(ui, { position, action: "skip" });
    const undo = (position: number) => ui.ask("/api/runs/data-1/reviews/undo", { body: { author: "Ada", position } });
    expect((await undo(1)).json).toMatchObject({ position: 1, review: null });
    expect((await undo(1)).status).toBe(400);
    const { rows } = await ui.get<RowWindow>("/api/runs/data-1/rows?count=3");
    expect(rows.map(({ review: said }) => said?.action)).toEqual(["skip", undefined, "skip"]);
  });

  it("are refused where the task cannot have them", async () => {
    const cli = await finishedRun();
    const ui = await serve(cli);
    const bad: object[] = [
      { position: 0, action: "correct", label: "love" },
      { position: 0, action: "correct" },
      { position: 3, action: "accept" },
      { position: 99, action: "skip" },
      { position: 0, action: "delete" },
      { position: 0, action: "accept", author: "  " },
      { position: "0", action: "accept" },
    ];
    for (const body of bad) expect([(await review(ui, body)).status, body]).toEqual([400, body]);
    expect((await ui.get<ReviewQueue>("/api/runs/data-1/review")).reviewed).toBe(0);
    expect(
      (await ui.ask("/api/runs/none/reviews", { body: { position: 0, action: "skip", author: "Ada" } })).status,
    ).toBe(404);
  });

  it("judge the model on the rows that they are of, and say that these are no sample", async () => {
    const cli = await finishedRun();
    const ui = await serve(cli);
    expect((await ui.ask("/api/runs/data-1/report?reviews=1")).json).toEqual({
      error: expect.stringContaining("Nobody gave a row"),
    });
    const { rows } = await ui.get<RowWindow>("/api/runs/data-1/rows?count=10");
    const other = rows[0]?.label === "lost_card" ? "card_arrival" : "lost_card";
    await review(ui, { position: 0, action: "correct", label: other });
    await review(ui, { position: 1, action: "accept" });
    await review(ui, { position: 2, action: "accept" });
    await review(ui, { position: 3, action: "correct", label: "lost_card" });
    const report = await ui.get<Record<string, unknown>>("/api/runs/data-1/report?reviews=1");
    expect(report.quality).toMatchObject({
      gold: "reviews",
      isReviewed: true,
      goldRows: 4,
      ofAll: { count: 2, total: 4 },
    });
    const { stdout } = await cli.run(["report", "data-1", "--reviews"]);
    expect(stdout.replace(/\s+/g, " ")).toContain("on 4 rows that were picked for review");
    expect((await cli.run(["report", "data-1", "--reviews", "--gold", "gold"])).code).toBe(2);
  });

  it("of one row are of all rows of its text", async () => {
    const cli = await simulated();
    writeFileSync(join(folder, "data.csv"), "text\nI lost my card\nI lost my card\nexchange rate\n");
    await cli.run(labelArgs("data.csv", "--budget", "1"));
    const ui = await serve(cli);
    await review(ui, { position: 1, action: "correct", label: "card_arrival" });
    const { rows } = await ui.get<RowWindow>("/api/runs/data-1/rows");
    expect(rows.map(({ review: given }) => given?.author)).toEqual(["Ada", "Ada", undefined]);
    const { stdout } = await cli.run(["export", "--to", "csv", "-o", "-"]);
    expect(stdout.match(/human:Ada/g)).toHaveLength(2);
    expect((await ui.get<RunPage>("/api/runs/data-1")).labels).toContainEqual({ name: "card_arrival", rows: 2 });
  });
});

describe("a run that goes on", () => {
  /** Starts a run of so many rows in a process of its own. */
  function start(cli: CliFolder, rows: number, ...more: string[]) {
    cli.writeData("data.csv", rows);
    return cli.start(labelArgs("data.csv", "--budget", "1", ...more));
  }

  async function untilLabeled(ui: UiClient, rows: number): Promise<void> {
    for (;;) {
      const { runs } = await ui.get<RunsPage>("/api/runs");
      if ((runs[0]?.labeled ?? 0) >= rows) return;
      await sleep(20);
    }
  }

  it("is told live, up to its end, beside two people who review it", async () => {
    const cli = await simulated({ latencyMs: 100 });
    const child = start(cli, 120, "-j", "4");
    const [ui, other] = [await serve(cli), await serve(cli)];
    await untilLabeled(ui, 10);
    const reviews: Promise<unknown>[] = [];
    const seen: RunStatus[] = [];
    for await (const { status } of ui.events<RunPage>("/api/runs/data-1/events")) {
      seen.push(status);
      if (reviews.length === 0) {
        for (const position of [0, 1, 2, 3, 4]) {
          for (const [author, client] of [
            ["Ada", ui],
            ["Bob", other],
          ] as const)
            reviews.push(
              client.get("/api/runs/data-1/reviews", { position, action: "correct", label: "lost_card", author }),
            );
        }
      }
      if (!status.isWorking) break;
    }
    await Promise.all(reviews);
    expect((await child.done).code).toBe(0);
    const labeled = seen.map((status) => status.labeled);
    expect(labeled).toEqual([...labeled].sort((a, b) => a - b));
    expect(new Set(labeled).size).toBeGreaterThan(2);
    expect(seen[0]?.isWorking).toBe(true);
    expect(seen.at(-1)).toMatchObject({ labeled: 120, isWorking: false, lastOutcome: "completed" });
    expect(pico(seen.at(-1)?.spentUsd ?? "0")).toBe(cli.simulator.invoice.totalPicoUsd);
    const queue = await other.get<ReviewQueue>("/api/runs/data-1/review");
    expect(queue.reviewed).toBe(5);
    expect((await ui.get<RowStory>("/api/runs/data-1/rows/0")).reviews).toHaveLength(2);
    expect(cli.output("data.labeled.csv").length).toBe(120);
  });

  it("pauses after its calls, goes on with a higher budget, and buys nothing twice", async () => {
    const cli = await simulated({ latencyMs: 100 });
    const child = start(cli, 60, "-j", "2");
    const ui = await serve(cli);
    await untilLabeled(ui, 4);
    const resume = (body: object) => ui.ask("/api/runs/data-1/resume", { body });
    expect((await resume({})).json).toEqual({ error: expect.stringContaining("works on the run data-1 already") });
    expect((await ui.ask("/api/runs/data-1/pause", { body: {} })).status).toBe(200);
    expect((await child.done).code).toBe(130);
    const { status } = await ui.get<RunPage>("/api/runs/data-1");
    expect(status).toMatchObject({ isWorking: false, lastOutcome: "interrupted", heldUsd: "0", unresolvedUsd: "0" });
    expect(status.labeled).toBe(cli.simulator.invoice.count);
    expect(status.labeled).toBeLessThan(60);
    expect((await ui.ask("/api/runs/data-1/pause", { body: {} })).status).toBe(400);

    for (const budgetUsd of ["0.00000001", "-1", "much"]) expect((await resume({ budgetUsd })).status).toBe(400);
    expect((await resume({ budgetUsd: "2" })).json).toMatchObject({ budgetUsd: "2" });
    await untilLabeled(ui, 60);
    for await (const page of ui.events<RunPage>("/api/runs/data-1/events")) if (!page.status.isWorking) break;
    expect(cli.boughtTwice()).toBe(0);
    expect(await ui.get<RunPage>("/api/runs/data-1")).toMatchObject({
      problem: null,
      status: { lastOutcome: "completed", labeled: 60, budgetUsd: "2" },
    });
  });

  it("tells why a process could not go on, at once or later", async () => {
    const cli = await simulated();
    const mean = await cli.meanCost();
    cli.writeData("data.csv", 30);
    expect((await cli.run(labelArgs("data.csv", "--budget", inUsd(mean * 10n)))).code).toBe(3);
    const noKey = await serve(cli, { OPENROUTER_API_KEY: "" });
    const resume = (ui: UiClient) => ui.ask("/api/runs/data-1/resume", { body: { budgetUsd: "1" } });
    expect(await resume(noKey)).toMatchObject({
      status: 400,
      json: { error: expect.stringContaining("set OPENROUTER_API_KEY") },
    });
    const other = await startSimulator({ faults: [{ kind: "401" }] });
    const ui = await serve(cli, { OPENROUTER_BASE_URL: other.openRouterUrl });
    const calls = cli.simulator.invoice.count;
    const answered = await resume(ui);
    for await (const { problem, status } of ui.events<RunPage>("/api/runs/data-1/events")) {
      if (problem === null && answered.status === 200) continue;
      expect(problem ?? answered.text).toContain("does not accept the key");
      expect(status).toMatchObject({ isWorking: false, lastOutcome: "failed" });
      break;
    }
    await other.close();
    expect(cli.simulator.invoice.count).toBe(calls);
    // Somebody who went on elsewhere has mended it.
    expect((await cli.run(["resume", "data-1", "--budget", inUsd(mean * 12n)])).code).toBe(3);
    expect(await ui.get<RunPage>("/api/runs/data-1")).toMatchObject({
      problem: null,
      status: { lastOutcome: "budget" },
    });

    // Started by the library, which writes no file.
    const file = new DatabaseSync(join(folder, ".autolabel/data-1.sqlite"));
    file.exec("DELETE FROM run WHERE key = 'output'");
    file.close();
    const late = await resume(ui);
    for await (const { problem, status } of ui.events<RunPage>("/api/runs/data-1/events")) {
      if (problem === null && late.status === 200) continue;
      expect(problem ?? late.text).toContain("has no output file yet");
      expect(status.isWorking).toBe(false);
      break;
    }
  });
});

describe("a run that is taken away while it is looked at", () => {
  const path = () => join(folder, ".autolabel/data-1.sqlite");

  it("ends its events, is not there any more, and the server goes on", async () => {
    const ui = await serve(await finishedRun());
    const seen: RunPage[] = [];
    for await (const page of ui.events<RunPage>("/api/runs/data-1/events")) {
      seen.push(page);
      for (const suffix of ["", "-wal", "-shm", ".lock"]) rmSync(`${path()}${suffix}`, { force: true });
      // Whoever asks meanwhile makes the server let the file go.
      expect((await ui.ask("/api/runs/data-1")).status).toBe(404);
    }
    expect(seen).toHaveLength(1);
    expect((await ui.ask("/api/runs/data-1/events")).status).toBe(404);
    expect(await ui.get<RunsPage>("/api/runs")).toMatchObject({ runs: [] });
  });

  it("ends its events when nobody asks for it, too", async () => {
    const ui = await serve(await finishedRun());
    let seen = 0;
    for await (const _page of ui.events<RunPage>("/api/runs/data-1/events")) {
      seen++;
      for (const suffix of ["", "-wal", "-shm", ".lock"]) rmSync(`${path()}${suffix}`, { force: true });
    }
    expect(seen).toBe(1);
  });

  it("is the one that took its name", async () => {
    const cli = await finishedRun();
    const ui = await serve(cli);
    expect((await ui.get<RowWindow>("/api/runs/data-1/rows")).total).toBe(30);
    for (const suffix of ["", "-wal", "-shm", ".lock"]) rmSync(`${path()}${suffix}`, { force: true });
    cli.writeData("data.csv", 5);
    expect((await cli.run(labelArgs("data.csv", "--budget", "1", "-o", "other.csv"))).code).toBe(4);
    expect((await ui.get<RowWindow>("/api/runs/data-1/rows")).total).toBe(5);
  });
});

describe("a run whose labels are more than names", () => {
  /** Answers as a model would that was asked for these results, in the order of the rows. */
  const answering = (results: readonly unknown[]): SimulatorOptions => ({
    answer: ({ lastUserText }) => JSON.stringify({ result: results[Number(/#(\d)/.exec(lastUserText)?.[1])] }),
  });
  const texts = (...texts: string[]) => texts.map((text) => `${JSON.stringify({ text })}\n`).join("");

  it("lists, finds and counts mentions by their kind, and takes those that a person names", async () => {
    const ada = { text: "Ada", label: "person" };
    const cli = await simulated(answering([[ada, { text: "Paris", label: "city" }], [], "nothing"]));
    const args = ["--task", "entities", "--labels", "person,city", "--model", "openrouter:openai/gpt-4o-mini"];
    writeFileSync(join(folder, "data.jsonl"), texts("Ada went to Paris, Paris! #0", "Nobody #1", "Paris was here #2"));
    expect((await cli.run(["label", "data.jsonl", ...args, "--budget", "1"])).code).toBe(4);
    const ui = await serve(cli);
    const { labels } = await ui.get<RunPage>("/api/runs/data-1");
    expect(new Set(labels.map(({ name }) => name))).toEqual(new Set(["person", "city", "(none)"]));
    expect(labels.map(({ rows }) => rows)).toEqual([1, 1, 1]);
    const places = async (label: string) =>
      (await ui.get<RowWindow>(`/api/runs/data-1/rows?label=${label}`)).rows.map(({ position }) => position);
    expect([await places("city"), await places("(none)"), await places("town")]).toEqual([[0], [1], []]);

    const say = async (position: number, label: unknown) =>
      ui.ask("/api/runs/data-1/reviews", { body: { author: "Ada", action: "correct", position, label } });
    const second = { start: 19, end: 24, text: "Paris", label: "city" };
    // One that has its place, and one that is looked for.
    expect((await say(0, [second, ada])).json).toMatchObject({ label: [{ ...ada, start: 0, end: 3 }, second] });
    expect((await say(2, [{ text: "Paris", label: "city" }])).json).toMatchObject({
      label: [{ start: 0, end: 5, label: "city" }],
    });
    expect((await say(1, [])).status).toBe(200);
    for (const wrong of [
      [{ text: "Rome", label: "city" }],
      [second, { text: "Ada", label: "town" }],
      [7],
      [{ start: 1 }],
    ])
      expect([(await say(0, wrong)).status, wrong]).toEqual([400, wrong]);
    expect(await places("city")).toEqual([0, 2]);
  });

  it("finds the rows of a record, and takes one for a row that had none", async () => {
    const schema = {
      type: "object",
      properties: { who: { type: "string" }, age: { type: "number" } },
      required: ["who", "age"],
    };
    const cli = await simulated(answering([{ who: "Ada", age: 36 }, "nothing"]));
    writeFileSync(join(folder, "schema.json"), JSON.stringify(schema));
    writeFileSync(join(folder, "data.jsonl"), texts("Ada is 36 #0", "Bob is 40 #1"));
    const args = ["--task", "extraction", "--schema", "schema.json", "--model", "openrouter:openai/gpt-4o-mini"];
    expect((await cli.run(["label", "data.jsonl", ...args, "--budget", "1"])).code).toBe(4);
    const ui = await serve(cli);
    const { labels } = await ui.get<RunPage>("/api/runs/data-1");
    expect(labels).toEqual([{ name: '{"who":"Ada","age":36}', rows: 1 }]);
    const found = await ui.get<RowWindow>(`/api/runs/data-1/rows?label=${encodeURIComponent(labels[0]?.name ?? "")}`);
    expect(found.rows.map(({ position }) => position)).toEqual([0]);
    const queue = await ui.get<ReviewQueue>("/api/runs/data-1/review");
    expect(queue).toMatchObject({ task: "extraction", choices: null, fields: ["who", "age"], rows: [{ position: 1 }] });
    const say = (label: unknown) =>
      ui.ask("/api/runs/data-1/reviews", { body: { author: "Ada", action: "correct", position: 1, label } });
    expect((await say({ who: "Bob", age: "40" })).json).toEqual({ error: expect.stringContaining("age") });
    expect((await say({ who: "Bob", age: 40 })).json).toMatchObject({ label: { who: "Bob", age: 40 } });
  });
});

describe("all runs", () => {
  it("are shown with texts that are cut at a whole character", async () => {
    const cli = await simulated();
    writeFileSync(join(folder, "data.csv"), `text\n${"x".repeat(299)}😀 and more\n${"y".repeat(298)}😀 and more\n`);
    await cli.run(labelArgs("data.csv", "--budget", "1"));
    const { rows } = await (await serve(cli)).get<RowWindow>("/api/runs/data-1/rows");
    expect(rows.map(({ text }) => text)).toEqual(["x".repeat(299), `${"y".repeat(298)}😀`]);
  });

  it("are told with the pools that they share", async () => {
    const cli = await simulated();
    for (const name of ["a", "b"]) {
      cli.writeData(`${name}.csv`, 6, name);
      const { code, stderr } = await cli.run([
        ...labelArgs(`${name}.csv`),
        "--pool",
        "team",
        "--pool-budget",
        "3",
        "--budget",
        "1",
      ]);
      if (code !== 0) throw new Error(stderr);
    }
    const ui = await serve(cli);
    const { runs, pools } = await ui.get<RunsPage>("/api/runs");
    expect(runs.map(({ id }) => id)).toEqual(["b-1", "a-1"]);
    expect(pools).toEqual([{ name: "team", budgetUsd: "3", spentUsd: expect.any(String), runs: ["b-1", "a-1"] }]);
    expect(pico(pools[0]?.spentUsd ?? null)).toBe(cli.simulator.invoice.totalPicoUsd);
  });

  it("of 100,000 rows are looked at by window", async () => {
    const cli = await simulated();
    const store = new SqliteRunStore(join(folder, ".autolabel/large-1.sqlite"));
    const rows = Array.from({ length: 100_000 }, (_, index) => ({
      rowId: `r${index}`,
      text: `text ${index}`,
      input: {},
    }));
    await store.addRows(rows, { order: { kind: "file" }, dedupe: false });
    const config = JSON.stringify({ model: "openrouter:openai/gpt-4o-mini", labels: ["a", "b"] });
    await store.set({ id: "large-1", identity: "x", config, columns: "[]", touchedAt: "2026-01-01T00:00:00.000Z" });
    store.commit.database.exec(
      `UPDATE rows SET status = 'labeled', label = iif(position % 4, '"a"', '"b"'), confidence = (position % 1000) / 1000.0
       WHERE position < 90000`,
    );
    await store.close();
    const ui = await serve(cli);
    const page = await ui.get<RunPage>("/api/runs/large-1");
    expect(page.status.rowsByStatus).toMatchObject({ labeled: 90_000, unpaid: 10_000 });
    expect(page.labels).toEqual([
      { name: "a", rows: 67_500 },
      { name: "b", rows: 22_500 },
    ]);
    const window = await ui.get<RowWindow>("/api/runs/large-1/rows?from=99990&count=50");
    expect([window.total, window.rows.at(-1)?.rowId]).toEqual([100_000, "r99999"]);
    const sorted = await ui.get<RowWindow>("/api/runs/large-1/rows?sort=confidence&from=89999&count=2");
    expect(sorted.rows.map(({ position, confidence }) => [position, confidence])).toEqual([
      [89_999, 0.999],
      [90_000, null],
    ]);
    expect((await ui.get<RowWindow>("/api/runs/large-1/rows?label=b&from=22499")).rows).toMatchObject([
      { position: 89_996 },
    ]);
    expect((await ui.get<ReviewQueue>("/api/runs/large-1/review?below=0.5")).waiting).toBe(45_000);
  });
});

it("is a command, which needs a run that is there", async () => {
  const cli = await simulated();
  expect(await cli.run(["ui", "none"])).toMatchObject({ code: 2, stderr: expect.stringContaining("No run in") });
});
