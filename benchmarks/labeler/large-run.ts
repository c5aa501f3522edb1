/*
 * How fast `autolabel ui` shows a run of many rows: its pages in Chromium, and the server's answers over HTTP.
 *
 *   pnpm bench:ui [ROWS]      (default 1,000,000)
 *
 * The run is made in a temporary folder: nine of ten rows were bought, one of a hundred has no label. Each page is opened
 * by a server and a browser that were just started, each question asked once right after the server started, and once
 * more; CPU time of the server is told beside, as others may use the machine.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { Settings } from "../../apps/labeler/src/index.ts";
import { SqliteRunStore } from "../../apps/labeler/src/store/sqlite-run-store.ts";
import { serveUi, type UiServer } from "../../apps/labeler/src/ui/serve-ui.ts";
import { findChromium } from "../../tests/ui/chromium.ts";

const count = Number(process.argv[2] ?? 1_000_000);
const folder = mkdtempSync(join(tmpdir(), "large-run-"));
const words = "please tell me why the card that I ordered last week has not arrived and what it costs to send it".split(
  " ",
);
const labels = Array.from({ length: 77 }, (_, index) => `label_${index}`);

function* rows() {
  for (let index = 0; index < count; index++) {
    const text = Array.from({ length: 30 }, (_, word) => words[(index * 7 + word * 3) % words.length]).join(" ");
    yield { rowId: `r${index}`, text: `${index} ${text}`, input: { text, gold: labels[index % labels.length] } };
  }
}

async function makeRun(): Promise<void> {
  const store = new SqliteRunStore(join(folder, "large-1.sqlite"));
  await store.addRows(rows(), { order: { kind: "file" }, dedupe: false });
  const config = JSON.stringify({ model: "openrouter:openai/gpt-4o-mini", labels, budget: "1000", confidence: true });
  const touchedAt = new Date().toISOString();
  await store.set({ id: "large-1", identity: "x", config, columns: '["text","gold"]', touchedAt });
  const { database } = store.commit;
  database.exec(`BEGIN;
    INSERT INTO attempts (position, reservation_id, answer, finish_reason, model_id, cost_pico_usd, kind, at, task_version,
        usage, price_book, call_id)
      SELECT position, 'reservation-' || position, '{"result":"label","confidence":0.9}', 'stop', 'gpt-4o-mini-2024-07-18',
        15000000 + position * 7919 % 4000000, 'reported', strftime('%FT%fZ', 1.8e9 + position / 50.0, 'unixepoch'), 'v',
        '{"inputTokens":120,"outputTokens":12}', 'book', 'gen-' || position
      FROM rows WHERE position % 10 < 9;
    UPDATE rows SET status = 'labeled', label = json_quote('label_' || (position * 31 % 77)), task_version = 'v', source = 'm',
      confidence = position * 7919 % 1000 / 1000.0 WHERE position % 10 < 9 AND position % 100 > 0;
    UPDATE rows SET status = 'invalid_label', error = 'no label of the set: "' || position || '"', task_version = 'v'
      WHERE position % 100 = 0;
    COMMIT`);
  await store.close();
}

const questions = [
  "/api/runs",
  "/api/runs/large-1",
  "/api/runs/large-1/rows?count=100",
  `/api/runs/large-1/rows?count=100&from=${Math.floor(count * 0.9)}`,
  "/api/runs/large-1/rows?status=invalid_label",
  "/api/runs/large-1/rows?label=label_5",
  "/api/runs/large-1/rows?search=order",
  "/api/runs/large-1/rows?sort=cost&descending=true",
  "/api/runs/large-1/rows?sort=confidence",
  "/api/runs/large-1/rows/5",
  "/api/runs/large-1/review",
  "/api/runs/large-1/review?gold=gold",
];

/** Pages, and what is seen of them when they are there; then places of the table that are scrolled to. */
const pages = [
  { hash: "#/runs/large-1", seen: ".recharts-surface" },
  { hash: "#/runs/large-1/data", seen: "tbody td.label:text('label_')", scrollTo: [0.5, 1] },
  { hash: "#/runs/large-1/data?sort=confidence", seen: "tbody td.label:text('label_')" },
  { hash: "#/runs/large-1/review?gold=gold", seen: ".card" },
];

function serve(): Promise<UiServer> {
  const settings = new Settings({ store: folder }, { env: {} });
  return serveUi({ settings, port: 0, author: "nobody", commandLine: { program: [] } });
}

async function open({ hash, seen, scrollTo = [] }: (typeof pages)[number]): Promise<void> {
  const server = await serve();
  const browser = await chromium.launch({ executablePath: findChromium(), args: ["--no-sandbox"] });
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const began = performance.now();
  await page.goto(`${server.url}${hash}`);
  await page.locator(seen).first().waitFor();
  const told = [`${(performance.now() - began).toFixed(0)} ms`];
  for (const share of scrollTo) {
    const before = performance.now();
    await page
      .locator(".grid-box")
      .evaluate((box, part) => box.scrollTo(0, (box.scrollHeight - box.clientHeight) * part), share);
    const near = Math.round((count - 1) * share);
    await page.locator(`[data-row="${near}"]`).waitFor({ state: "attached" });
    await page.locator("tbody .bone").first().waitFor({ state: "detached" });
    told.push(`to row ${near + 1} ${(performance.now() - before).toFixed(0)} ms`);
  }
  console.log(hash.padEnd(60), told.join(", "));
  await browser.close();
  await server.close();
}

async function ask(url: string, token: string): Promise<{ wallMs: number; cpuMs: number }> {
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: performance.now() - began, cpuMs: (user + system) / 1000 };
}

try {
  await makeRun();
  console.log(`${count} rows, load ${loadavg()[0]?.toFixed(1)}; from the address to what is seen`);
  for (const page of pages) await open(page);
  const server = await serve();
  const { origin, searchParams } = new URL(server.url);
  console.log(`load ${loadavg()[0]?.toFixed(1)}; first answer and second, ms (CPU)`);
  for (const path of questions) {
    const times = [];
    for (let round = 0; round < 2; round++) times.push(await ask(`${origin}${path}`, searchParams.get("token") ?? ""));
    const told = times.map(({ wallMs, cpuMs }) => `${wallMs.toFixed(0)} (${cpuMs.toFixed(0)})`.padStart(14));
    console.log(path.padEnd(60), ...told);
  }
  await server.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
