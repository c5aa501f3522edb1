import { setTimeout as sleep } from "node:timers/promises";
import {
  type BudgetExceededError,
  findBudgetExceeded,
  formatUsd,
  LedgerError,
  type Posting,
  type UpstreamBudgetError,
} from "@autolabel/budget-core";
import type { Model } from "../llm-client.ts";
import { NoAccessError } from "../no-access-error.ts";
import type { Answer, PendingRow } from "../store/row.ts";
import type { RowResult } from "../store/run-store.ts";
import type { Task } from "../tasks/task.ts";
import { UsageError } from "../usage-error.ts";
import type { Pacer } from "./pacer.ts";
import { RateLimitedError } from "./rate-limited-error.ts";
import { RepairRefusedError } from "./repair-refused-error.ts";
import { askedDelayMs, decideRetry, isUnreachable } from "./retry-delay.ts";

/** What labeling one row needs. */
export interface LabelRowOptions {
  row: PendingRow;
  task: Task;
  /** Makes the metered model; what it sends goes through `fetch`. */
  model: (fetch: typeof globalThis.fetch) => Model;
  /** Whether a call was refused for the limit of this row alone. */
  isRowLimit: (error: BudgetExceededError) => boolean;
  /** The provider's own refusal for money behind an error. */
  upstreamBudgetError: (error: unknown) => UpstreamBudgetError | undefined;
  /** Told of every attempt that failed for another reason than money, those that are tried again too. */
  onFailure?: (error: unknown) => void;
  /** Told as soon as it is known that the row is asked again. */
  onAgain?: () => void;
  /** Whether an answer that is no label is asked for once more. */
  repair: boolean;
  maxAttempts: number;
  /** Lets calls go when the provider takes them. */
  pacer: Pacer;
  /** Lets them go when whoever makes calls for several runs has room. */
  inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /** Longest wait that the provider may ask for; beyond it the run pauses. */
  longestWaitMs: number;
  /** How long a call may take once it was sent. */
  timeoutMs: number;
  /** Ends waiting, for money or between attempts; a call that was sent is let finish, because it is paid for. */
  stop: AbortSignal;
}

/**
 * Labels one row. Every attempt is a call of its own: reserved, priced and recorded by itself. An answer that is no label
 * is asked for once more, with what is wrong with it; one that was cut off, with more room.
 *
 * @returns undefined when the run stopped first.
 * @throws BudgetExceededError, RepairRefusedError or UpstreamBudgetError when money ended, RateLimitedError when the provider asks for a long
 * wait, UsageError or Error when no row can work; the row
 * is untouched and can be bought later.
 */
export async function labelRow(options: LabelRowOptions): Promise<RowResult | undefined> {
  const { row, task } = options;
  if (row.text.trim() === "" && row.answers.length === 0) return failure(task, "the text is empty: nothing was asked");
  const answers = [...row.answers];
  for (;;) {
    const result = answers.length > 0 ? readAnswer(options, answers) : undefined;
    if (result && (result.status === "labeled" || answers.length > (options.repair ? 1 : 0))) return result;
    if (result?.status === "refused") return result;
    if (result) options.onAgain?.();
    const answer = await askUntilAnswered(options, answers.at(-1));
    if (answer === undefined || "status" in answer) return answer;
    answers.push(answer);
  }
}

/** Asks until there is an answer, in as many attempts as are allowed. @returns the row's end where there will be none. */
async function askUntilAnswered(
  options: LabelRowOptions,
  before: Answer | undefined,
): Promise<Answer | RowResult | undefined> {
  const { task, stop } = options;
  for (let [attempt, refusals] = [1, 0]; !stop.aborted; attempt++) {
    try {
      return await ask(options, before);
    } catch (error) {
      if (error === stop.reason) return undefined;
      const refusal = findBudgetExceeded(error);
      if (refusal && options.isRowLimit(refusal)) return failure(task, overRowLimit(refusal));
      if (refusal && before) throw new RepairRefusedError(refusal);
      const final = refusal ?? options.upstreamBudgetError(error) ?? configurationError(error) ?? ledgerError(error);
      if (final) throw final;
      options.onFailure?.(error);
      const askedMs = askedDelayMs(error, Date.now());
      if (askedMs !== undefined && askedMs > options.longestWaitMs) throw new RateLimitedError(askedMs, error);
      // Being told to wait is no attempt of the row's; but a row that is always told so must not hold up the rest.
      if (askedMs !== undefined && ++refusals < refusalsPerAttempt * options.maxAttempts) {
        options.pacer.pause(askedMs);
        attempt--;
        continue;
      }
      const decision = decideRetry(error, attempt, Math.random());
      if (!decision.retry || attempt >= options.maxAttempts) return failed(task, error, attempt);
      options.onAgain?.();
      await sleep(decision.delayMs, undefined, { signal: stop }).catch(() => undefined);
    }
  }
  return undefined;
}

/** How many times a row may be told to wait for each attempt that it has. */
const refusalsPerAttempt = 4;

/** The model's words out of what a posting carries, for the record. */
export function answerOf({ outcome }: Posting): string | undefined {
  const parts = outcome.result?.content;
  return Array.isArray(parts) ? textOf(parts as Parts) : undefined;
}

type Parts = readonly { type?: unknown; text?: unknown }[];

function textOf(parts: Parts): string {
  return parts
    .filter(({ type }) => type === "text")
    .map(({ text }) => String(text))
    .join("");
}

/** One call, when it may go. */
async function ask(options: LabelRowOptions, before: Answer | undefined): Promise<Answer> {
  const { task, row, pacer, inTurn, stop } = options;
  const messages = messagesFor(task, row, before);
  const maxOutputTokens = before?.finishReason === "length" ? roomier(task.maxOutputTokens) : task.maxOutputTokens;
  await pacer.enter(tokensOf(task, messages) + maxOutputTokens, stop);
  try {
    return await inTurn(async () => {
      stop.throwIfAborted();
      return await call(options, messages, maxOutputTokens);
    });
  } finally {
    pacer.leave();
  }
}

/** Of the model itself: `generateText` of the AI SDK, which does nothing more here, takes as long as all the rest. */
async function call(options: LabelRowOptions, messages: readonly Message[], maxOutputTokens: number): Promise<Answer> {
  const { task, timeoutMs, pacer, stop } = options;
  const [waiting, sent] = [new AbortController(), new AbortController()];
  const giveUp = () => waiting.abort(stop.reason);
  stop.addEventListener("abort", giveUp, { once: true });
  let timer: ReturnType<typeof setTimeout> | undefined;
  // The call is on its way: from here on a stop lets it finish, and the time it may take runs.
  const send: typeof globalThis.fetch = async (url, init) => {
    stop.removeEventListener("abort", giveUp);
    // Not AbortSignal.timeout, which would keep each call in memory until its time is over.
    timer = setTimeout(() => sent.abort(timedOut(timeoutMs)), timeoutMs);
    const response = await globalThis.fetch(url, { ...init, signal: sent.signal });
    pacer.observe(response);
    return response;
  };
  try {
    const model = options.model(send);
    const { content, finishReason, response } = await model.doGenerate({
      prompt: [
        { role: "system", content: task.instructions },
        ...messages.map(({ role, text }) => ({ role, content: [{ type: "text" as const, text }] })),
      ],
      responseFormat: { type: "json", schema: task.schema },
      temperature: 0,
      maxOutputTokens,
      abortSignal: waiting.signal,
    });
    return {
      text: textOf(content),
      finishReason: finishReason.unified,
      modelId: response?.modelId ?? model.modelId,
    };
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", giveUp);
  }
}

function timedOut(timeoutMs: number): DOMException {
  return new DOMException(`The call took longer than ${timeoutMs} ms`, "TimeoutError");
}

interface Message {
  role: "user" | "assistant";
  text: string;
}

/** About how many tokens a call sends. */
function tokensOf(task: Task, messages: readonly Message[]): number {
  const characters = messages.reduce((sum, { text }) => sum + text.length, task.instructions.length);
  return Math.ceil(characters / 4);
}

/** The output cap of a repair of an answer that was cut off. A model that reasons can spend a whole cap before its first word: the same cap again would end alike. */
export function roomier(maxOutputTokens: number): number {
  return Math.max(4 * maxOutputTokens, 1000);
}

function messagesFor(task: Task, row: PendingRow, before: Answer | undefined): Message[] {
  const asked: Message = { role: "user", text: task.prompt(row.text) };
  if (!before || before.finishReason === "length" || before.text === "") return [asked];
  const reading = task.read(before.text, row.text);
  const problem = "problem" in reading ? reading.problem : "not what was asked for";
  return [
    asked,
    { role: "assistant", text: before.text },
    { role: "user", text: `That cannot be used: ${problem}. Answer again, in the form that was asked for.` },
  ];
}

function readAnswer({ task, row }: LabelRowOptions, answers: readonly Answer[]): RowResult {
  const { version: taskVersion } = task;
  const { text, finishReason, modelId: source } = answers.at(-1) as Answer;
  const reading = task.read(text, row.text);
  if ("label" in reading) return { status: "labeled", source, taskVersion, ...reading };
  const said = JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
  if (finishReason === "content-filter")
    return {
      status: "refused",
      source,
      taskVersion,
      error: `the provider's content filter refused the answer: ${said}`,
    };
  if (finishReason === "length") {
    const cap = answers.at(-2)?.finishReason === "length" ? roomier(task.maxOutputTokens) : task.maxOutputTokens;
    const error = `the answer was cut off at ${cap} tokens (maxOutputTokens allows more): ${said}`;
    return { status: "truncated", source, taskVersion, error };
  }
  return { status: "invalid_label", source, taskVersion, error: `${reading.problem}: ${said}` };
}

/** What would fail for every row alike: a key or a model that the provider does not know. It ends the run. */
function configurationError(error: unknown): UsageError | undefined {
  const { statusCode, message } = (error ?? {}) as { statusCode?: unknown; message?: unknown };
  const said = `(HTTP ${String(statusCode)}: ${String(message)})`;
  if (statusCode === 401)
    return new NoAccessError(
      `The provider does not accept the key ${said}: check the key in the environment or in .env`,
    );
  if (statusCode === 404 || (statusCode === 400 && /model id/i.test(String(message)))) {
    return new UsageError(`The provider does not serve this model ${said}: check --model`);
  }
  return undefined;
}

/** A fault of the books is none of the row's, which was not asked or is paid for: it stays as it is. */
function ledgerError(error: unknown): LedgerError | undefined {
  for (let each = error; each !== undefined && each !== null; each = (each as { cause?: unknown }).cause)
    if (LedgerError.isInstance(each)) return each;
  return undefined;
}

/** One row's failure, or the run's where no row could do better. */
function failed(task: Task, error: unknown, attempts: number): RowResult {
  if (!isUnreachable(error)) return failure(task, describe(error, attempts));
  throw new Error(`The provider cannot be reached: ${describe(error, attempts)}`, { cause: error });
}

function failure({ version: taskVersion }: Task, error: string): RowResult {
  return { status: "error", error, taskVersion };
}

function overRowLimit({ totalCost, required, budget }: BudgetExceededError): string {
  const [spent, next, limit] = [totalCost, required, budget].map((amount) => formatUsd(amount));
  return `not asked: the row did cost ${spent}, the call could cost ${next} more, and a row may cost ${limit} (maxRowCost)`;
}

function describe(error: unknown, attempts: number): string {
  const { statusCode, message } = (error ?? {}) as { statusCode?: unknown; message?: unknown };
  const what = typeof message === "string" && message !== "" ? message : String(error);
  const status = typeof statusCode === "number" ? `HTTP ${statusCode}: ` : "";
  return `${status}${what}${attempts > 1 ? ` (${attempts} attempts)` : ""}`;
}
