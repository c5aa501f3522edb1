import { join } from "node:path";
import { usd } from "@autolabel/budget-core";
import type { Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { readBudget } from "../config/settings.ts";
import type { LabelValue } from "../store/row.ts";
import { type ReviewAction, stopAskedFact } from "../store/run-store.ts";
import { checkLabel } from "../tasks/check-label.ts";
import { UsageError } from "../usage-error.ts";
import type { ResumeInput, ReviewInput, UndoInput } from "./api.ts";
import type { OpenRun } from "./open-runs.ts";
import { checked } from "./read-query.ts";
import { readSummary } from "./read-rows.ts";
import { runOf, type UiContext } from "./ui-context.ts";

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
    const position = await run.write((store) => store.undoReview(input.author, input.position));
    if (position === undefined) throw new UsageError(`${input.author} has no review to take back`);
    return context.json(readSummary(run.file, position));
  });
  app.post("/api/runs/:run/pause", async (context) => {
    checked(z.object({}), await bodyOf(context));
    const run = await runOf(context, ui);
    const status = await run.status();
    if (!status.isWorking) throw new UsageError(`No process works on the run ${status.id}`);
    await run.write((store) => store.set({ [stopAskedFact]: new Date().toISOString() }));
    return context.json(status);
  });
  app.post("/api/runs/:run/resume", async (context) => {
    const { budgetUsd } = checked(resumeInput, await bodyOf(context)) as ResumeInput;
    const run = await runOf(context, ui);
    await resume(run, budgetUsd, ui);
    return context.json(await run.status());
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

async function review(run: OpenRun, input: ReviewInput): Promise<void> {
  const { position, action } = input;
  await run.write((store) => store.review({ position, action, label: labelOf(run, input), author: input.author }));
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

/** Goes on with a run as a person would, and waits until it does, or says why not. */
async function resume(run: OpenRun, budgetUsd: string | undefined, ui: UiContext): Promise<void> {
  const status = await run.status();
  if (status.isWorking) throw new UsageError(`A process works on the run ${run.id} already`);
  if (budgetUsd !== undefined) {
    const budget = readBudget(budgetUsd, "budgetUsd");
    const used = usd(status.spentUsd).picoUsd + usd(status.unresolvedUsd ?? "0").picoUsd;
    if (budget.picoUsd < used)
      throw new UsageError(
        `The budget must be at least what the run did cost already: it is the whole, not what is added`,
      );
  }
  const flags = budgetUsd === undefined ? [] : ["--budget", budgetUsd];
  const { logFolder } = ui.runs;
  if (logFolder === undefined) return await dealOut(run, flags, ui);
  await ui.processes.resume(run.id, flags, {
    log: join(logFolder, `${run.id}.log`),
    // The process may outlive the server.
    session: () => (run.file.isOpen ? run.file.facts().touchedAt : undefined),
    onEnd: () => run.watch.tell(),
  });
}

/** Workers go on with the run: the command deals its rows out to them, and ends. */
async function dealOut(run: OpenRun, flags: readonly string[], { processes }: UiContext): Promise<void> {
  const said = await processes.output(["resume", ...flags, "--", run.id]);
  await said.pipeTo(new WritableStream());
  await run.follow(0);
}
