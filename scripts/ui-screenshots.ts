/*
 * Takes the pictures of docs/ui: node --conditions=@autolabel/source scripts/ui-screenshots.ts [FOLDER]
 *
 * Every page in light and dark, and some on a narrow screen, of runs that are made for it.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { findChromium } from "../tests/ui/chromium.ts";
import { labels, rowsOf, startUi } from "../tests/ui/ui-bench.ts";

const folder = process.argv[2] ?? join(import.meta.dirname, "../docs/ui");
mkdirSync(folder, { recursive: true });

const bench = await startUi({ latencyMs: 25, faults: [{ kind: "invalid-label", rate: 0.05 }] });
const browser = await chromium.launch({ executablePath: findChromium(), args: ["--no-sandbox"] });
try {
  const common = ["--labels", labels.join(","), "--confidence", "--model", "openrouter:openai/gpt-4o-mini", "-j", "4"];
  const label = (name: string, rows: number, ...flags: string[]) => [
    "label",
    bench.data(`${name}.jsonl`, rowsOf(rows)),
    ...common,
    ...flags,
  ];
  await bench.run(label("support-may", 240, "--budget", "0.05"), 0, 4);
  await bench.run(label("support-june", 600, "--pool", "support", "--pool-budget", "0.10", "--budget", "0.02"), 3);
  await bench.run(label("complaints", 400, "--budget", "0.012", "--chain-of-thought"), 3);
  bench.start(label("support-july", 4000, "--pool", "support", "--pool-budget", "0.10", "--budget", "0.06"));
  await pictures({
    light: { width: 1100, height: 720 },
    dark: { width: 1100, height: 720 },
    narrow: { width: 380, height: 780 },
  });
} finally {
  await browser.close();
  await bench.close();
}

async function pictures(screens: Readonly<Record<string, { width: number; height: number }>>): Promise<void> {
  for (const [name, viewport] of Object.entries(screens)) {
    const context = await browser.newContext({
      viewport,
      colorScheme: name === "light" ? "light" : "dark",
      reducedMotion: "reduce",
    });
    const page = await context.newPage();
    page.on("console", (message) => message.type() === "error" && console.error(name, message.text()));
    page.on("pageerror", (error) => console.error(name, error.message));
    await page.goto(bench.url);
    await views(page, name);
    await context.close();
  }
}

async function views(page: Page, screen: string): Promise<void> {
  const shoot = async (name: string, hash: string, ready: string) => {
    await page.goto(new URL(hash, new URL("/", bench.url)).href);
    await page.locator(ready).first().waitFor();
    // Charts measure their place before they draw.
    await page.waitForTimeout(400);
    await page.screenshot({ path: join(folder, `${name}-${screen}.png`) });
  };
  await shoot("runs", "#/", 'a:text("support-july-1")');
  await shoot("run", "#/runs/support-july-1", ".recharts-surface");
  await shoot("stopped", "#/runs/complaints-1", ".recharts-surface");
  await shoot("data", "#/runs/support-may-1/data", "td.text");
  await shoot("row", "#/runs/complaints-1/data?row=5", ".panel .call");
  await shoot("review", "#/runs/complaints-1/review?gold=category", ".card");
  await shoot("result", "#/runs/support-may-1/result?gold=category", ".big");
}
