import { BudgetError } from "@autolabel/budget-core";
import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { UsageError } from "../usage-error.ts";
import { guardAccess } from "./access.ts";
import { addActions } from "./actions.ts";
import type { RunPage } from "./api.ts";
import type { OpenRun } from "./open-runs.ts";
import type { PageFile } from "./page-files.ts";
import { readExportQuery, readPlace, readReportQuery, readReviewQuery, readRowQuery } from "./read-query.ts";
import { readReviewQueue } from "./read-review.ts";
import { readRowStory } from "./read-row-story.ts";
import { readRows } from "./read-rows.ts";
import { readRunPage } from "./read-run-page.ts";
import { runOf, type UiContext } from "./ui-context.ts";

/** The server's answers: to whom has the token, its page and its data; to everybody else, nothing. */
export function makeRoutes(ui: UiContext): Hono {
  const app = new Hono();
  app.use(guardAccess(ui));
  addLooks(app, ui);
  addActions(app, ui);
  app.all("/api/*", (context) => context.json({ error: "There is nothing at this address" }, 404));
  app.on(["GET", "HEAD"], "*", (context) => pageFile(context, ui.page));
  app.all("*", (context) => context.json({ error: "Only GET is answered here" }, 405));
  app.onError((error, context) => {
    if (error instanceof HTTPException) return context.json({ error: error.message }, error.status);
    const isUsage = error instanceof UsageError || BudgetError.isInstance(error);
    return context.json({ error: error.message }, isUsage ? 400 : 500);
  });
  return app;
}

/** All that only looks. */
function addLooks(app: Hono, ui: UiContext): void {
  app.get("/api/runs", async (context) => context.json({ author: ui.author, ...(await ui.runs.page()) }));
  app.get("/api/runs/:run", async (context) => context.json(await runPage(await runOf(context, ui), ui)));
  app.get("/api/runs/:run/events", async (context) => events(context, await runOf(context, ui), ui));
  app.get("/api/runs/:run/rows", async (context) => {
    const { file } = await runOf(context, ui);
    return context.json(readRows(file, readRowQuery(context.req.query())));
  });
  app.get("/api/runs/:run/rows/:position", async (context) => {
    const { file } = await runOf(context, ui);
    return context.json(readRowStory(file, readPlace(context.req.param("position"))));
  });
  app.get("/api/runs/:run/review", async (context) => {
    const { file } = await runOf(context, ui);
    return context.json(readReviewQueue(file, readReviewQuery(context.req.query())));
  });
  app.get("/api/runs/:run/report", async (context) => {
    const { id } = await runOf(context, ui);
    const { gold, reviews } = readReportQuery(context.req.query());
    const flags = [...(gold === undefined ? [] : ["--gold", gold]), ...(reviews ? ["--reviews"] : [])];
    const report = await ui.processes.output(["report", "--json", ...flags, "--", id]);
    return context.body(report, 200, { "content-type": "application/json" });
  });
  app.get("/api/runs/:run/export", async (context) => {
    const { id } = await runOf(context, ui);
    const { to, fileName } = readExportQuery(context.req.query(), id);
    const file = await ui.processes.output(["export", "--to", to, "-o", "-", "--", id]);
    return context.body(file, 200, {
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(fileName)}`,
    });
  });
}

async function runPage(run: OpenRun, { processes }: UiContext): Promise<RunPage> {
  const status = await run.status();
  return { ...readRunPage(run.file, status), problem: processes.problemOf(status.id, status.touchedAt) };
}

/** The run page now, and whenever somebody wrote to the run, until the browser goes. */
function events(context: Context, run: OpenRun, ui: UiContext): Response {
  if (context.req.method === "HEAD") return context.body(null, 200, { "content-type": "text/event-stream" });
  const send = async (stream: SSEStreamingApi) => {
    let wake = () => {};
    const stopListening = run.watch.listen(() => wake());
    stream.onAbort(() => wake());
    try {
      // Without the run the stream ends; asked again, the server says why.
      while (!stream.aborted && run.file.isThere) {
        const changed = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await stream.writeSSE({ event: "run", data: JSON.stringify(await runPage(run, ui)) });
        await changed;
      }
    } finally {
      stopListening();
    }
  };
  // The browser is told by its next request what is wrong.
  return streamSSE(context, send, async () => {});
}

function pageFile(context: Context, page: ReadonlyMap<string, PageFile>): Response {
  const { path } = context.req;
  // An address without an ending is a view of the page.
  const file = page.get(path) ?? (/\.[^/]*$/.test(path) ? undefined : page.get("/index.html"));
  if (!file) return context.json({ error: "There is nothing at this address" }, 404);
  if (file.isHashed) context.header("cache-control", "private, max-age=31536000, immutable");
  return context.body(file.body, 200, { "content-type": file.type });
}
