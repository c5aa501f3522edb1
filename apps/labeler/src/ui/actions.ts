import { join } from "node:path";
import { usd } from "@autolabel/budget-core";
import type { Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { readBudget } from "../config/settings.ts";
import { readStatus } from "../progress/read-status.ts";
import type { LabelValue } from "../store/row.ts";
import { RunFolder } from "../store/run-folder.ts";
import { type ReviewAction, stopAskedFact } from "../store/run-store.ts";
import { SqliteRunStore } from "../store/sqlite-run-store.ts";
import { checkLabel } from "../tasks/check-label.ts";
import { UsageError } from "../usage-error.ts";
import type { ResumeInput, ReviewInput, UndoInput } from "./api.ts";
import type { OpenRun } from "./open-runs.ts";
import { checked } from "./read-query.ts";
import { readSummary } from "./read-rows.ts";
import { runOf, storeFlags, type UiContext } from "./ui-context.ts";

const author = z.string().trim().min(1).max(100);
const reviewInput = z.object({
  position: z.int().min(0),
  action: z.enum(["accept", "correct", "skip"]),
  label: z.json().optional(),
  author,
});
const undoInput = z.object({ author, position: z.int().min(0).optional() });
const resumeInput = z.object({ budgetUsd: z.string().optional() });

const largestBody = 2 ** 20;

/** All that changes something: what people say of rows, and whether a process works on a run. */
export function addActions(app: Hono, ui: UiContext): void {
  app.use("/api/*", bodyLimit({ maxSize: largestBody }));
  app.post("/api/runs/:run/reviews", async (context) => {
    const input = checked(reviewInput, await bodyOf(context)) as ReviewInput;
    const run = await runOf(context, ui);
    await review(run, input);
    return context.json(readSummary(run.file, input.position));
  });
  app.post("/api/runs/:run/reviews/undo", async (context) => {
    const input = checked(undoInput, await bodyOf(context)) as UndoInput;
    const run = await runOf(context, ui);
    const position = await beside(run, (store) => store.undoReview(input.author, input.position));
    if (position === undefined) throw new UsageError(`${input.author} has no review to take back`);
    return context.json(readSummary(run.file, position));
  });
  app.post("/api/runs/:run/pause", async (context) => {
    checked(z.object({}), await bodyOf(context));
    const run = await runOf(context, ui);
    const status = await readStatus(new RunFolder(ui.settings.store), run.summary, ui.settings);
    if (!status.isWorking) throw new UsageError(`No process works on the run ${status.id}`);
    await beside(run, (store) => store.set({ [stopAskedFact]: new Date().toISOString() }));
    return context.json(status);
  });
  app.post("/api/runs/:run/resume", async (context) => {
    const { budgetUsd } = checked(resumeInput, await bodyOf(context)) as ResumeInput;
    const run = await runOf(context, ui);
    await resume(run, budgetUsd, ui);
    return context.json(await readStatus(new RunFolder(ui.settings.store), run.summary, ui.settings));
  });
}

/** A body that no form of another page could send. */
async function bodyOf({ req }: Context): Promise<unknown> {
  const type = req.header("content-type") ?? "";
  if (!/^application\/json\b/i.test(type)) throw new HTTPException(415, { message: "Send application/json" });
  try {
    return await req.json();
  } catch (cause) {
    throw new UsageError("The body is no JSON", { cause });
  }
}

/** One short write beside whoever works on the run. */
async function beside<T>({ summary }: OpenRun, write: (store: SqliteRunStore) => Promise<T>): Promise<T> {
  const store = new SqliteRunStore(summary.path, { beside: true });
  try {
    return await write(store);
  } finally {
    await store.close();
  }
}

async function review(run: OpenRun, input: ReviewInput): Promise<void> {
  const { position, action } = input;
  await beside(run, (store) => store.review({ position, action, label: labelOf(run, input), author: input.author }));
}

/** The label that counts after a review. @throws UsageError when there is none, or the task cannot have it. */
function labelOf({ file }: OpenRun, { position, action, label }: ReviewInput): LabelValue | null {
  if (action === ("skip" satisfies ReviewAction)) return null;
  const [row] = file.all<{ text: string; label: string | null }>(
    "SELECT text, label FROM rows WHERE position = ?",
    position,
  );
  if (!row) throw new UsageError(`The run has no row at place ${position}`);
  if (action === "correct") {
    if (label === undefined) throw new UsageError("label: say the label that is right");
    return checkLabel(file.config(), label, row.text);
  }
  if (row.label === null) throw new UsageError(`Row ${position} has no label to accept: correct it`);
  return JSON.parse(row.label) as LabelValue;
}

/** Starts a process that goes on with a run as a person would, and waits until it does, or says why not. */
async function resume(run: OpenRun, budgetUsd: string | undefined, ui: UiContext): Promise<void> {
  const { summary, file } = run;
  const status = await readStatus(new RunFolder(ui.settings.store), summary, ui.settings);
  if (status.isWorking) throw new UsageError(`A process works on the run ${summary.id} already`);
  if (budgetUsd !== undefined) {
    const budget = readBudget(budgetUsd, "budgetUsd");
    const used = usd(status.spentUsd).picoUsd + usd(status.unresolvedUsd ?? "0").picoUsd;
    if (budget.picoUsd < used)
      throw new UsageError(
        `The budget must be at least what the run did cost already: it is the whole, not what is added`,
      );
  }
  const flags = [...(budgetUsd === undefined ? [] : ["--budget", budgetUsd]), ...storeFlags(ui)];
  await ui.processes.resume(summary.id, flags, {
    log: join(ui.settings.store, `${summary.id}.log`),
    // The process may outlive the server.
    session: () => (file.isOpen ? file.facts().touchedAt : undefined),
    onEnd: () => run.watch.tell(),
  });
}
