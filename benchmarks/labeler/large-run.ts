/*
 * How fast the server behind `autolabel ui` answers for a run of many rows, over HTTP:
 *
 *   node --conditions=@autolabel/source benchmarks/labeler/large-run.ts [ROWS]      (default 1,000,000)
 *
 * The run is made in a temporary folder: nine of ten rows were bought, one of a hundred has no label. Each question is
 * asked once right after the server started, and once more; CPU time is told beside, as others may use the machine.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { Settings } from "../../apps/labeler/src/index.ts";
import { SqliteRunStore } from "../../apps/labeler/src/store/sqlite-run-store.ts";
import { serveUi } from "../../apps/labeler/src/ui/serve-ui.ts";

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
  const page = join(folder, "page");
  mkdirSync(page);
  writeFileSync(join(page, "index.html"), "");
  const settings = new Settings({ store: folder }, { env: {} });
  const server = await serveUi({ settings, port: 0, author: "nobody", commandLine: { program: [] }, page });
  const { origin, searchParams } = new URL(server.url);
  console.log(`${count} rows, load ${loadavg()[0]?.toFixed(1)}; first answer and second, ms (CPU)`);
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
