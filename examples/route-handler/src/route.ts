import { findBudgetExceeded, LedgerError } from "@autolabel/budget-core";
import { createBudgetedOpenRouter } from "@autolabel/provider-openrouter";
import { streamText } from "ai";
import { budgetOf } from "./budgets.ts";

const { OPENROUTER_BASE_URL } = process.env;

/** `app/api/chat/route.ts` of a Next.js app; any server that speaks `Request` and `Response` will do. */
export async function POST(request: Request): Promise<Response> {
  const user = request.headers.get("x-user"); // yours comes from a session
  if (!user) return refusal(401, { code: "unauthenticated", message: "Who asks? Send the header x-user" });
  const { prompt } = (await request.json()) as { prompt: string };

  const tracker = budgetOf(user);
  const openrouter = createBudgetedOpenRouter({
    tracker,
    ...(OPENROUTER_BASE_URL ? { baseURL: OPENROUTER_BASE_URL } : {}),
  });
  const { fullStream } = streamText({
    model: openrouter("openai/gpt-4o-mini"),
    prompt,
    maxOutputTokens: 300,
    abortSignal: request.signal, // who leaves ends the call
    onError: () => {}, // told below, with a status
  });
  try {
    const text = textOf(fullStream);
    // A refusal comes before the first word, while there is still a status to be sent.
    const first = await text.next();
    return new Response(ReadableStream.from(continued(first, text)).pipeThrough(new TextEncoderStream()), {
      headers: { "content-type": "text/plain; charset=utf-8" },
    });
  } catch (error) {
    return refusalOf(error);
  }
}

async function* textOf(stream: AsyncIterable<{ type: string; text?: string; error?: unknown }>) {
  for await (const part of stream) {
    if (part.type === "error") throw part.error;
    if (part.type === "text-delta") yield part.text ?? "";
  }
}

async function* continued(first: IteratorResult<string>, rest: AsyncGenerator<string>) {
  if (!first.done) yield first.value;
  yield* rest;
}

/** 402 where a budget is spent: asking again helps only after `resetsAt`. 503 where the ledger cannot say: nothing was sent. */
function refusalOf(error: unknown): Response {
  const exceeded = findBudgetExceeded(error);
  if (exceeded) {
    const { code, message, scope, budget, totalCost, resetsAt } = exceeded;
    return refusal(402, { code, message, scope, budget, spent: totalCost, resetsAt });
  }
  if (!LedgerError.isInstance(error)) throw error;
  return refusal(503, { code: error.code, message: "Budgets cannot be checked right now, so nothing was sent" });
}

function refusal(status: number, error: { code: string; message: string; [detail: string]: unknown }): Response {
  return Response.json({ error }, { status });
}
