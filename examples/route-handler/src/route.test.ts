import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parsePicoUsd } from "@autolabel/budget-core";
import { verifyLedger } from "@autolabel/budget-core/audit";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { engineNamed, enginesHere } from "../../../tests/engines.ts";

const teamUsd = "0.0030";
const userUsd = "0.0020";
const servers = enginesHere().filter((name) => name !== "sqlite");

describe.each(servers)("two instances of the app, with their budgets on %s", (name) => {
  const engine = engineNamed(name);
  const ends: (() => unknown)[] = [];
  let simulator: Simulator;
  let ledgerUrl: string;
  let urls: string[];
  beforeEach(async () => {
    const store = await engine.start();
    ends.push(() => store.stop());
    simulator = await startSimulator({ latencyMs: 5 });
    ends.push(() => simulator.close());
    // The app's own ledger: the default schema or prefix.
    ledgerUrl = (await store.freshUrl()).replace(/#.*/, "#autolabel");
    urls = await Promise.all([startApp(), startApp()]);
  }, 60_000);
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  async function startApp(): Promise<string> {
    const app: ChildProcess = spawn(
      process.execPath,
      ["--conditions=@autolabel/source", join(import.meta.dirname, "main.ts")],
      {
        stdio: ["ignore", "pipe", "inherit"],
        env: {
          ...process.env,
          PORT: "0",
          LEDGER_URL: ledgerUrl.replace(/#.*/, ""),
          TEAM_USD_PER_DAY: teamUsd,
          USER_USD_PER_DAY: userUsd,
          OPENROUTER_BASE_URL: simulator.openRouterUrl,
          OPENROUTER_API_KEY: "test",
        },
      },
    );
    ends.push(async () => {
      app.kill();
      await once(app, "close");
    });
    const [line] = (await once(app.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    return String(line).replace("POST ", "").trim();
  }

  let asked = 0;
  const ask = (user: string) =>
    fetch(urls[asked % 2] ?? "", {
      method: "POST",
      headers: user ? { "x-user": user } : {},
      body: JSON.stringify({ prompt: `Question ${asked++}: tell me a long story about the sea.` }),
    });
  /** Asks until the budget is spent, eight at a time. @returns a refusal. */
  async function askUntilRefused(user: string): Promise<Response> {
    for (let round = 0; round < 60; round++) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => ask(user)));
      const texts = await Promise.all(answers.filter(({ ok }) => ok).map((answer) => answer.text()));
      for (const text of texts) expect(text).not.toBe("");
      const [first, ...others] = answers.filter(({ ok }) => !ok);
      if (first && others.length === 7) return first;
    }
    throw new Error(`${user} is never refused`);
  }
  const today = () => new Intl.DateTimeFormat("en-CA", { timeZone: "Europe/Berlin" }).format(Date.now());

  it("hold the cap of each user and of the team, and answer 402 with what a client needs to know", {
    timeout: 120_000,
  }, async () => {
    const answer = await ask("alice");
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/plain; charset=utf-8"]);
    expect(await answer.text()).not.toBe("");

    const refused = await askUntilRefused("alice");
    const aliceBill = simulator.invoice.totalPicoUsd;
    expect(aliceBill).toBeLessThanOrEqual(parsePicoUsd(userUsd));
    expect(aliceBill).toBeGreaterThan(0n);
    expect(refused.status).toBe(402);
    const { error } = (await refused.json()) as { error: { resetsAt: string; message: string } };
    expect(error).toMatchObject({ code: "budget_exceeded", scope: "team/alice", budget: Number(userUsd) });
    expect(error.message).toMatch(/^Budget exceeded: /);
    const inBerlin = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Berlin", timeStyle: "medium" });
    expect(inBerlin.format(new Date(error.resetsAt))).toBe("00:00:00");

    const teamRefused = await askUntilRefused("bob");
    expect(simulator.invoice.totalPicoUsd).toBeLessThanOrEqual(parsePicoUsd(teamUsd));
    expect(simulator.invoice.totalPicoUsd - aliceBill).toBeGreaterThan(0n);
    expect([teamRefused.status, await teamRefused.json()]).toMatchObject([402, { error: { scope: "team" } }]);

    const ledger = await engine.open(ledgerUrl);
    const report = await ledger.inspect();
    await ledger.close();
    expect(verifyLedger(report)).toEqual([]);
    const spent = new Map(report.accounts.map((account) => [account.scope, account.spentPicoUsd]));
    expect([spent.get("team"), spent.get("team/alice")]).toEqual([simulator.invoice.totalPicoUsd, aliceBill]);
  });

  it("count today's spend only", { timeout: 120_000 }, async () => {
    const ledger = await engine.open(ledgerUrl);
    const day = (window: string) => ["team", "team/alice"].map((scope) => ({ scope, window }));
    await ledger.post(day("2026-01-01"), { costPicoUsd: parsePicoUsd(teamUsd) });
    expect((await ask("alice")).status).toBe(200);
    await ledger.post(day(today()), { costPicoUsd: parsePicoUsd(userUsd) });
    expect((await ask("alice")).status).toBe(402);
    const windows = (await ledger.inspect({ scopes: ["team/alice"] })).accounts.map(({ window }) => window);
    expect(new Set(windows)).toEqual(new Set(["2026-01-01", today()]));
    await ledger.close();
  });

  it("send nothing for who does not say who they are", async () => {
    expect((await ask("")).status).toBe(401);
    expect(simulator.requests).toBe(0);
  });
});
