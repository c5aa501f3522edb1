import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AutoLabeler } from "../auto-labeler.ts";

const answer = JSON.stringify({
  id: "gen-1",
  model: "openai/gpt-4o-mini",
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: '{"result":"refund"}' } }],
  usage: { prompt_tokens: 100, completion_tokens: 5, total_tokens: 105, cost: 0.00002 },
});

let store: string;
let server: Server;
/** Gives every answer when it says so. */
let serve: (give: () => void) => void;
beforeEach(async () => {
  store = mkdtempSync(join(tmpdir(), "slow-"));
  server = createServer((request, response) => {
    const give = () => response.writeHead(200, { "content-type": "application/json" }).end(answer);
    request.resume().on("end", () => serve(give));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(store, { recursive: true, force: true });
});

async function start(rows: number, concurrency: number) {
  const { port } = server.address() as AddressInfo;
  const settings = { openrouterApiKey: "none", openrouterBaseUrl: `http://127.0.0.1:${port}`, store };
  const config = { model: "openrouter:openai/gpt-4o-mini", labels: ["refund", "delivery"], budget: 1, concurrency };
  const texts = Array.from({ length: rows }, (_, index) => ({ text: `text ${index}` }));
  return await new AutoLabeler("slow", settings, config).start({ rows: texts, column: "text" });
}

describe("a run", () => {
  it("lets a slow call hold up nobody: its answer comes after those of all other rows", async () => {
    let asked = 0;
    let answered = 0;
    let giveFirst = () => {};
    serve = (give) => {
      asked++;
      if (asked === 1) giveFirst = give;
      else {
        give();
        answered++;
      }
      // Were rows taken in waves, this moment would never come.
      if (answered === 59) giveFirst();
    };
    const run = await start(60, 4);
    expect(await run.finish()).toEqual({ kind: "completed" });
    expect(run.counts).toMatchObject({ rows: 60, labeled: 60 });
    await run.close();
  });

  it("goes on while its rows are read slowly, and gives each of them once", async () => {
    serve = (give) => give();
    const run = await start(60, 8);
    const seen: number[] = [];
    for await (const row of run) {
      // Nothing is read before all is done.
      await run.finish();
      expect(row.label).toBe("refund");
      seen.push(row.position);
    }
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, index) => index));
    await run.close();
  });
});
