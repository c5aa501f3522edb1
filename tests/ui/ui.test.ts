import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { AnswerRequest } from "@autolabel/simulator";
import axe from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findChromium, isChromiumThere } from "./chromium.ts";
import { answerOf, labels, rowsOf, startUi, type UiBench } from "./ui-bench.ts";

/** What an attacker might put into data, and a model into its answer. */
const hostile = `<script>window.hacked = 1</script><img src="x" onerror="window.hacked = 2">`;
const supportRows = rowsOf(200).map((row, index) => (index === 3 ? { ...row, text: `${hostile} ${row.text}` } : row));
const manyRows = 1_000_000;
const widest = "a_label_without_a_blank_that_is_wider_than_a_narrow_screen_is";
const flagsFor = (names: readonly string[]) => [
  "--labels",
  names.join(","),
  "--confidence",
  "--model",
  "openrouter:openai/gpt-4o-mini",
];
const flags = flagsFor(labels);
const longText = `It is a long story. ${"My card did not come. ".repeat(300)}`;
const laterRows = rowsOf(60).map((row, index) => (index === 1 ? { ...row, text: longText } : row));

/** As the others, but it repeats what is hostile. */
function answer(request: AnswerRequest): string | undefined {
  const text = answerOf(request);
  if (text === undefined || !request.lastUserText.includes(hostile)) return text;
  return JSON.stringify({
    ...(JSON.parse(text) as object),
    ...(text.includes("explanation") && { explanation: hostile }),
  });
}

/** Other work on the machine may keep the browser waiting. */
const soon = <Value>(read: () => Value) => expect.poll(read, { timeout: 10_000 });

describe.skipIf(!isChromiumThere())("the page", () => {
  let bench: UiBench;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  /** What the browser asked for, and what it complained of. */
  let asked: string[];
  let complaints: string[];

  beforeAll(async () => {
    [bench, browser] = await Promise.all([
      startUi({ answer, latencyMs: 5, faults: [{ kind: "invalid-label", promptIncludes: "(ticket 1009)" }] }),
      chromium.launch({ executablePath: findChromium(), args: ["--no-sandbox"] }),
    ]);
    context = await browser.newContext({ reducedMotion: "reduce", viewport: { width: 1280, height: 800 } });
    await Promise.all([
      bench.run(
        ["label", bench.data("support.jsonl", supportRows), ...flags, "--chain-of-thought", "--budget", "0.05"],
        4,
      ),
      bench.run(["label", bench.data("large.jsonl", rowsOf(1000)), ...flags, "--budget", "0.0005"], 3),
      bench.run(
        ["label", bench.data("later.jsonl", laterRows), ...flagsFor([...labels, widest]), "--budget", "0.0005"],
        3,
      ),
    ]);
    // Rows that wait, as the command would take them in.
    const file = new DatabaseSync(join(bench.folder, ".autolabel/large-1.sqlite"));
    file.exec(`WITH RECURSIVE more (n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM more WHERE n + 1 < ${manyRows})
      INSERT INTO rows (position, turn, row_id, text, input)
      SELECT n, n, n, 'Where is my refund? (ticket ' || (1000 + n) || ')', '{}' FROM more`);
    file.close();
  });
  afterAll(async () => {
    await browser?.close();
    await bench?.close();
  });
  beforeEach(async () => {
    [asked, complaints] = [[], []];
    page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on("request", (request) => asked.push(request.url()));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    // The first address lets the browser in; then any other does.
    await page.goto(bench.url);
  });
  afterEach(async () => {
    const { origin } = new URL(bench.url);
    const foreign = asked.filter((address) => !address.startsWith(`${origin}/`));
    expect.soft(foreign).toEqual([]);
    expect.soft(complaints).toEqual([]);
    expect.soft(await page.evaluate("window.hacked")).toBeUndefined();
    await page.close();
  });

  const goTo = (hash: string) => page.goto(new URL(`/${hash}`, bench.url).href);
  const views = [
    { hash: "#/", ready: "a:text('support-1')" },
    { hash: "#/runs/support-1", ready: ".recharts-surface" },
    { hash: "#/runs/support-1/data?row=3", ready: ".panel .call" },
    { hash: "#/runs/support-1/review?gold=category", ready: ".card" },
    { hash: "#/runs/support-1/result?gold=category", ready: ".recharts-surface" },
  ];

  it("lists the runs with what they spent, and leads to each", async () => {
    const row = page.getByRole("row", { name: /support-1/ });
    await row.getByText("done").waitFor();
    expect(await row.textContent()).toMatch(/199 of 200.*\$0\.0\d{3} of \$0\.0500/);
    await page.getByRole("link", { name: "large-1" }).click();
    await page.getByText("999,9").first().waitFor();
    expect(await page.title()).toBe("large-1: Money · Autolabel");
  });

  it("begins with the run that the command names, and forgets the token", async () => {
    const url = await bench.serve("support-1");
    await page.goto(url);
    await page.getByRole("heading", { name: "spent of $0.0500" }).waitFor();
    expect(page.url()).toBe(`${new URL(url).origin}/#/runs/support-1`);
    asked = [];
  });

  it("shows where the money of a run went, and leads from an error to its rows", async () => {
    await goTo("#/runs/support-1");
    await page.getByRole("img", { name: /\$0\.0\d{3} spent of \$0\.0500/ }).waitFor();
    await page.getByRole("application", { name: "Money left, by rows" }).waitFor();
    const table = page.getByRole("table").filter({ hasText: "openai/gpt-4o-mini" });
    expect(await table.textContent()).toContain("$0.0");
    expect(await page.getByRole("region", { name: "Labels" }).first().textContent()).toContain("card_arrival");
    const wrong = page.getByRole("region", { name: "Rows without a label" });
    expect(await wrong.textContent()).toMatch(/invalid answer.*1\$0\.000\d+/);
    await wrong.getByRole("link", { name: "invalid answer" }).click();
    await page.getByText("1 row", { exact: true }).waitFor();
    await goTo("#/runs/large-1");
    await page.getByText(/with a chance of 80 % between/).waitFor();
    const alerts = page.getByRole("region", { name: "Alerts" });
    expect(await alerts.textContent()).toContain("50 % of the budget passed");
  });

  it("follows a run while it goes on, pauses it, and lets it go on with more money", async () => {
    const started = bench.start([
      "label",
      bench.data("live.jsonl", rowsOf(400)),
      ...flags,
      "-j",
      "2",
      "--budget",
      "0.05",
    ]);
    // The page is open before the run is there.
    await goTo("#/runs/live-1");
    const labeled = page.getByRole("link", { name: /labeled$/ });
    const count = async () => Number((await labeled.textContent())?.match(/\d+/)?.[0] ?? 0);
    const first = await count();
    await soon(count).toBeGreaterThan(first + 10);
    await page.getByRole("button", { name: "Pause …" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
    await page.locator(".top .state", { hasText: "interrupted" }).waitFor();
    complaints = complaints.filter((line) => !line.includes("404"));
    if (started.exitCode === null) await new Promise((resolve) => started.once("exit", resolve));

    const spent = bench.simulator.invoice.totalPicoUsd;
    await page.getByRole("button", { name: "Raise budget …" }).click();
    await page.getByLabel("New budget in USD").fill("1");
    await page.getByRole("button", { name: "Raise and resume" }).click();
    await page.locator(".top .state", { hasText: "done" }).waitFor({ timeout: 20_000 });
    expect(await count()).toBe(399);
    expect(bench.simulator.invoice.totalPicoUsd).toBeGreaterThan(spent);
    await page.getByText("spent of $1.0000").waitFor();
  });

  it("shows rows, an open row and rows to review as they come", async () => {
    await goTo("#/runs/later-1/review?below=1");
    const nothing = page.getByRole("heading", { name: "Nothing waits for you" });
    await page.locator(".card").waitFor();
    while (!(await nothing.isVisible())) await page.keyboard.press("s");
    const other = await context.newPage();
    await other.goto(new URL("/#/runs/later-1/data?row=59", bench.url).href);
    const panel = other.getByRole("complementary", { name: "Row 60" });
    await panel.getByText("not paid for yet").waitFor();
    await other.locator("tbody tr", { hasText: "(ticket 1019)" }).getByText("not paid for yet").waitFor();
    await bench.run(["resume", "later-1", "--budget", "1"], 0, 4);
    await panel.getByText("reported by the provider").waitFor();
    await soon(() => other.locator("tbody .unpaid").count()).toBe(0);
    await other.close();
    await page.locator(".card").waitFor();
  });

  it("keeps a long text from hiding what is known of the row", async () => {
    await goTo("#/runs/later-1/data?row=1");
    const calls = page.getByRole("complementary").getByRole("heading", { name: "Calls" });
    await calls.waitFor();
    expect((await calls.boundingBox())?.y).toBeLessThan(800);
  });

  it("finds rows by text, label and state, sorts them, and tells the story of one", async () => {
    await goTo("#/runs/support-1/data");
    await page.getByText("200 rows", { exact: true }).waitFor();
    await page.getByLabel("Search").fill("ticket 1042");
    await page.getByText("1 row", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Row 43" }).click();
    const panel = page.getByRole("complementary", { name: "Row 43" });
    await panel.getByText("reported by the provider").waitFor();
    const { lines } = bench.simulator.invoice;
    const told = (await panel.textContent()) ?? "";
    expect(lines.some(({ id }) => told.includes(id))).toBe(true);
    await page.keyboard.press("Escape");
    await panel.waitFor({ state: "detached" });

    await page.getByLabel("Search").fill("");
    await page.getByText("200 rows", { exact: true }).waitFor();
    await page.getByRole("combobox", { name: "Label" }).selectOption("lost_card");
    const shown = async () => new Set(await page.locator("tbody td.label").allTextContents());
    await soon(shown).toEqual(new Set(["lost_card"]));
    await page.getByRole("button", { name: "Confidence" }).click();
    await page.locator("th[aria-sort=ascending]", { hasText: "Confidence" }).waitFor();
    const sureness = async () => (await page.locator("tbody tr td:nth-child(4)").allTextContents()).map(Number);
    await soon(async () => {
      const told = await sureness();
      return told.length > 10 && told.every((value, place) => value > 0 && value >= (told[place - 1] ?? 0));
    }).toBe(true);
    await page.getByLabel("Search").fill("nothing is like this");
    await page.getByRole("heading", { name: "No row is like that" }).waitFor();
    await page.getByRole("button", { name: "Show all rows" }).click();
    await page.getByText("200 rows", { exact: true }).waitFor();
    await goTo("#/runs/support-1/data?label=nobody_said");
    await page.getByRole("heading", { name: "No row is like that" }).waitFor();
    expect(await page.getByRole("combobox", { name: "Label" }).inputValue()).toBe("nobody_said");
  });

  it("walks the rows by the keyboard", async () => {
    await goTo("#/runs/support-1/data");
    await page.getByRole("button", { name: "Row 1", exact: true }).focus();
    await page.keyboard.press("ArrowDown");
    await soon(focused).toBe("Row 2");
    await page.keyboard.press("End");
    await soon(focused).toBe("Row 200");
    await page.getByText("(ticket 1199)").waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "Row 200" }).getByText("What is sent").waitFor();
    await page.keyboard.press("Escape");
    await soon(focused).toBe("Row 200");
  });

  const focused = () => page.evaluate("document.activeElement?.getAttribute('aria-label')");

  it("scrolls through a million rows to the last", async () => {
    await goTo("#/runs/large-1/data");
    await page.getByText("1,000,000 rows", { exact: true }).waitFor();
    expect(await page.locator("tbody tr").count()).toBeLessThan(80);
    await page.locator(".grid-box").evaluate((box) => box.scrollTo(0, box.scrollHeight / 2));
    await page
      .getByText(/\(ticket 5010\d\d\)/)
      .first()
      .waitFor();
    await page.locator(".grid-box").evaluate((box) => box.scrollTo(0, box.scrollHeight));
    await page.getByRole("button", { name: "Row 1,000,000" }).waitFor();
    await page.getByText("(ticket 1000999)").waitFor();
    const last = page.locator("tbody tr", { hasText: "(ticket 1000999)" });
    const [row, box] = [await last.boundingBox(), await page.locator(".grid-box").boundingBox()];
    expect((row?.y ?? 0) + (row?.height ?? 0)).toBeLessThanOrEqual((box?.y ?? 0) + (box?.height ?? 0) + 1);
  });

  it("shows hostile data as text, whole", async () => {
    await goTo("#/runs/support-1/data?row=3");
    const panel = page.getByRole("complementary");
    await panel.getByRole("heading", { name: "Why, in the model’s words" }).waitFor();
    expect((await panel.textContent())?.split(hostile).length).toBeGreaterThan(3);
    await goTo("#/runs/support-1/data?search=window.hacked");
    await page.getByRole("cell", { name: hostile }).waitFor();
    await goTo("#/runs/support-1/review?below=1");
    await page.locator(".card").waitFor();
    expect(await page.locator("main script, main img[src]").count()).toBe(0);
  });

  it("gives nothing to a page of another server in the same browser", async () => {
    const { origin } = new URL(bench.url);
    await page.goto(bench.simulator.url);
    const got = await page.evaluate(async (address) => {
      const events = new EventSource(`${address}/events`, { withCredentials: true });
      const heard = new Promise((resolve) => {
        events.addEventListener("run", () => resolve("a run"));
        events.addEventListener("error", () => resolve("nothing"));
      });
      const ask = (path: string, init: RequestInit) =>
        fetch(address + path, { credentials: "include", ...init }).then(
          ({ status, type }) => `${type} ${status}`,
          () => "nothing",
        );
      const json = { "content-type": "application/json" };
      return [
        await heard,
        await ask("", {}),
        await ask("", { mode: "no-cors" }),
        await ask("/pause", { method: "POST", body: "{}", mode: "no-cors" }),
        await ask("/pause", { method: "POST", body: "{}", headers: json }),
      ];
    }, `${origin}/api/runs/support-1`);
    expect(new Set(got)).toEqual(new Set(["nothing"]));
    const followed = page.waitForNavigation();
    await page.evaluate(`location.assign(${JSON.stringify(bench.url)})`);
    expect((await followed)?.status()).toBe(403);
    [asked, complaints] = [[], []];
  });

  it("has nothing that axe complains of, in light and dark", async () => {
    for (const { hash, ready } of views) {
      await goTo(hash);
      await page.locator(ready).first().waitFor();
      await clean(hash);
    }
    await goTo("#/runs/large-1");
    await page.getByRole("button", { name: "Raise budget …" }).click();
    await clean("a dialog");
    await goTo("#/runs/nothing-1");
    await page.getByRole("alert").getByText("nothing-1").waitFor();
    await clean("no such run");
    await page.route("**/api/runs", (route) => route.fulfill({ json: { author: "alex", runs: [], pools: [] } }));
    await goTo("#/");
    await page.getByText("No run yet").waitFor();
    await clean("an empty store");
    complaints = complaints.filter((line) => !line.includes("404"));
  });

  /** Colors are all that differs in the dark. */
  async function clean(what: string): Promise<void> {
    await page.evaluate(axe.source);
    await page.emulateMedia({ colorScheme: "light" });
    expect.soft(await violations("axe.run(document)"), what).toEqual([]);
    await page.emulateMedia({ colorScheme: "dark" });
    expect.soft(await violations('axe.run(document, { runOnly: ["color-contrast"] })'), `${what}, dark`).toEqual([]);
  }

  async function violations(check: string): Promise<string[]> {
    const found = await page.evaluate<axe.AxeResults>(check);
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  }

  it("fits on a screen of 380 pixels", async () => {
    await page.setViewportSize({ width: 380, height: 780 });
    for (const { hash, ready } of views) {
      await goTo(hash);
      await page.locator(ready).first().waitFor();
      expect.soft(await page.evaluate("document.documentElement.scrollWidth"), hash).toBe(380);
    }
    await goTo("#/runs/later-1/review?below=1");
    const widths = page.locator(".labels").evaluate((list) => [list.scrollWidth, list.clientWidth]);
    await page.getByRole("button", { name: widest }).waitFor();
    const [needed = 0, given] = await widths;
    expect(needed).toBe(given);
  });

  it("reviews in nobody's name", async () => {
    let answer = () => {};
    const isAnswered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route("**/api/runs", async (route) => {
      await isAnswered;
      await route.continue();
    });
    const said = page.waitForRequest("**/reviews");
    await goTo("#/runs/support-1/review?below=1");
    await page.getByLabel("True labels in").getByRole("option", { name: "category" }).waitFor({ state: "attached" });
    // Whose word it would be is not known yet.
    for (let turn = 0; turn < 20; turn++) await page.keyboard.press("s", { delay: 20 });
    answer();
    await page.locator(".card").waitFor();
    await page.keyboard.press("s");
    expect((await said).postDataJSON()).toMatchObject({ action: "skip", author: "alex" });
    await page.getByRole("status").getByText("skipped").waitFor();
    const undone = page.waitForResponse("**/reviews/undo");
    await page.keyboard.press("u");
    expect((await undone).status()).toBe(200);
  });

  it("takes a review of 50 rows by the keyboard, whose labels win in the export", async () => {
    await goTo("#/runs/support-1/review?gold=category&below=1");
    const wanted = new Map<string, string>();
    const skipped: string[] = [];
    const head = page.getByRole("heading", { level: 1 });
    for (let turn = 0; turn < 50; turn++) {
      const card = page.locator(".card");
      const text = (await card.locator(".full-text").textContent()) ?? "";
      const truth = supportRows.find((row) => row.text === text)?.category ?? "";
      const said = await card.locator("dd").first().textContent();
      if (turn === 10) {
        // A slip of the finger, taken back.
        await page.keyboard.press("s");
        await soon(() => head.textContent()).toContain("11");
        await page.keyboard.press("u");
        await card.getByText(text.slice(-20)).waitFor();
      }
      if (turn === 20) {
        await page.keyboard.press("j");
        await page.keyboard.press("k");
      }
      if (turn % 25 === 24) {
        skipped.push(text);
        await page.keyboard.press("s");
      } else {
        wanted.set(text, truth);
        await page.keyboard.press(said === truth ? "a" : String(labels.indexOf(truth) + 1));
      }
      await soon(() => head.textContent()).toMatch(new RegExp(`^${turn + 1}of`));
    }
    await page.keyboard.press("?");
    await page.getByRole("dialog").getByText("accept the label").waitFor();
    await page.keyboard.press("Escape");

    const queue = new URL("/api/runs/support-1/review", bench.url).href;
    await soon(async () => (await (await context.request.get(queue)).json()).reviewed).toBe(50);
    const exported = await bench.run(["export", "support-1", "--to", "jsonl", "-o", "-"]);
    const rows = exported
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string>);
    const byPeople = rows.filter(({ label_source }) => label_source === "human:alex");
    expect(new Map(byPeople.map(({ text = "", label = "" }) => [text, label]))).toEqual(wanted);
    await goTo("#/runs/support-1/data?search=ticket");
    await page.getByText("reviewed").first().waitFor();
    expect([wanted.size, skipped.length]).toEqual([48, 2]);
  });

  it("brings a row back into the queue when the server refuses what was said of it", async () => {
    // A browser may let the first requests after this pass, so it comes before the page.
    await page.route("**/reviews", (route) => route.fulfill({ status: 500, json: { error: "The disk is full" } }));
    await goTo("#/runs/support-1/review?below=1");
    const text = (await page.locator(".card .full-text").textContent()) ?? "";
    await page.keyboard.press("s");
    await page.getByRole("alert").getByText("The disk is full").waitFor();
    await page.locator(".card .full-text", { hasText: text.slice(-14) }).waitFor();
    complaints = complaints.filter((line) => !line.includes("500"));
  });

  it("tells how right the labels are, and gives the files", async () => {
    await goTo("#/runs/support-1/result");
    await page.getByText("Choose the column that holds true labels").waitFor();
    await page.getByLabel("True labels in").selectOption("category");
    await page.getByRole("heading", { name: "Accuracy" }).waitFor();
    expect(await page.locator(".big").textContent()).toMatch(/^\d\d\.\d %95 % interval \d\d\.\d–\d\d\.\d %$/);
    await page.getByRole("heading", { name: "Confusion" }).waitFor();
    await page.locator(".chart.square svg").waitFor();
    for (const [name, file] of [
      ["Report", /"quality"/],
      ["CSV", /^text,category,/],
      ["Parquet", /^PAR1/],
    ] as const) {
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("link", { name, exact: true }).click(),
      ]);
      const path = join(bench.folder, `downloaded-${name}`);
      await download.saveAs(path);
      expect.soft(readFileSync(path, "latin1"), name).toMatch(file);
    }
  });

  it("says what is wrong when a run is not there or the server is gone, and tries again", async () => {
    await goTo("#/runs/nothing-1");
    await page.getByRole("alert").getByText("nothing-1").waitFor();
    await page.route("**/api/runs", (route) => route.abort());
    await goTo("#/");
    await page.getByRole("alert").getByText("Does autolabel ui still run?").waitFor();
    await page.unroute("**/api/runs");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("link", { name: "support-1" }).waitFor();
    complaints = complaints.filter((line) => !/404|ERR_FAILED/.test(line));
  });
});
