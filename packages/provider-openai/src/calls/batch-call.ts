import type { Call, CallResult, Quote, Receipt } from "@autolabel/budget-core";
import { asRecord } from "./openai-usage.ts";
import { unbounded } from "./unbounded.ts";

/** The upper bound of a batch: the sum of its lines, whose calls are in `request.calls`. */
export function quoteBatch({ request }: Call, quoteLine: (line: Call) => Quote): Quote {
  const { calls } = request;
  if (!Array.isArray(calls)) throw unbounded("the lines of its input file are not known", "Use meterOpenAI's client.");
  let boundPicoUsd = 0n;
  let priceBook: string | undefined;
  for (const line of calls as readonly Call[]) {
    const quote = quoteLine(line);
    boundPicoUsd += quote.boundPicoUsd;
    priceBook = quote.priceBook;
  }
  return { boundPicoUsd, ...(priceBook === undefined ? {} : { priceBook }) };
}

/**
 * What a batch did cost: the sum of the answers in `body.answers`, each at the price of its own tokens. Undefined when
 * one of them does not tell.
 */
export function batchReceipt(
  call: Call,
  { body }: CallResult,
  receiptOfAnswer: (answer: Record<string, unknown>) => Receipt | undefined,
): Receipt | undefined {
  const answers = asRecord(body)?.answers;
  if (!Array.isArray(answers)) return undefined;
  const receipts = answers.map((answer) => receiptOfAnswer(asRecord(answer) ?? {}));
  if (!receipts.every((receipt) => receipt !== undefined)) return undefined;
  return {
    costPicoUsd: receipts.reduce((sum, { costPicoUsd }) => sum + costPicoUsd, 0n),
    kind: receipts.some(({ kind }) => kind === "bound") ? "bound" : "computed",
    modelId: receipts[0]?.modelId ?? call.modelId,
  };
}
