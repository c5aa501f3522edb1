import type { Call, Metering } from "@autolabel/budget-core";
import { asRecord } from "../calls/openai-usage.ts";
import { unbounded } from "../calls/unbounded.ts";
import { type ReadBody, readBody } from "./openai-body.ts";
import type { Endpoint, Target } from "./openai-doors.ts";

/** Reads a file that lies at OpenAI; free of charge. */
export type ReadFile = (fileId: string) => Promise<string>;

/** The member of a batch's metadata that names its hold, so that any process can settle it. */
const holdKey = "autolabel_reservation";

/** The endpoints whose lines can be bounded. */
const batched: ReadonlySet<unknown> = new Set(["/v1/chat/completions", "/v1/responses", "/v1/embeddings"]);

/** What a batch is billed for is decided when it is in one of these states. */
const ended: ReadonlySet<unknown> = new Set(["completed", "expired", "cancelled", "failed"]);

/**
 * Reads the request for a batch as a call, with the lines of its input file.
 *
 * @throws UnboundedRequestError when the file cannot be read, or a line is no request for text.
 */
export async function readBatch(text: unknown, target: Target, readFile: ReadFile): Promise<ReadBody> {
  const body = asRecord(typeof text === "string" ? JSON.parse(text) : undefined) ?? {};
  const { endpoint, input_file_id } = body;
  if (!batched.has(endpoint) || typeof input_file_id !== "string") {
    throw unbounded(
      `batches of "${String(endpoint)}" are not metered`,
      "Batch chat completions, responses or embeddings.",
    );
  }
  const file = await readFile(input_file_id).catch((error: unknown) => {
    throw unbounded(`its input file ${input_file_id} cannot be read (${String(error)})`, "Upload it again.");
  });
  const calls = file
    .split("\n")
    .flatMap((line, index) => (line.trim() === "" ? [] : [readLine(line, index, endpoint, target)]));
  const modelId = calls[0]?.modelId;
  if (modelId === undefined) throw unbounded("its input file has no lines", "Upload one request per line.");
  const call: Call = { surface: "batch", modelId, request: { endpoint, calls } };
  return { endpoint: "/batches", body, call, isStream: false, wantsUsage: true };
}

function readLine(line: string, index: number, endpoint: unknown, target: Target): Call {
  const fail = (why: string) => unbounded(`line ${index + 1} of its input file ${why}`, "Correct the file.");
  const { url, body } = asRecord(parse(line)) ?? {};
  const request = asRecord(body);
  if (url !== endpoint || !request) throw fail(`is no request for ${String(endpoint)}`);
  const { service_tier: tier = "default", ...rest } = request;
  if (tier !== null && tier !== "default" && tier !== "auto")
    throw fail(`asks for the service tier ${JSON.stringify(tier)}`);
  // The tier of a batch serves it, whatever a project's default is.
  const path = String(endpoint).slice("/v1".length) as Endpoint;
  return readBody(path, JSON.stringify(rest), { ...target, isOpenAi: false, deployment: undefined }).call;
}

/** The request for a batch as it is sent: with the name of its hold. */
export function writeBatch({ body }: ReadBody, reservationId: string): string {
  return JSON.stringify({ ...body, metadata: { ...asRecord(body.metadata), [holdKey]: reservationId } });
}

/**
 * Settles the hold of a batch that has ended, by the answers in its output file. Does nothing for any other: one that
 * runs, that was settled before, or that another budget holds.
 */
export async function settleBatch(answer: Response, metering: Metering, readFile: ReadFile): Promise<void> {
  const batch = asRecord(parse(await answer.text())) ?? {};
  const reservationId = asRecord(batch.metadata)?.[holdKey];
  if (!ended.has(batch.status) || typeof reservationId !== "string") return;
  // The answer is the caller's whatever becomes of this: the next one that tells of the batch tries again.
  await settleHold(batch, reservationId, metering, readFile).catch((error: unknown) => {
    metering.tracker.emit("fault", { error, reservationId });
  });
}

async function settleHold(
  batch: Record<string, unknown>,
  reservationId: string,
  { tracker, costs, onReceipt }: Metering,
  readFile: ReadFile,
): Promise<void> {
  const held = (await tracker.unresolved()).find(({ id }) => id === reservationId);
  if (!held) return;
  if (batch.status === "failed") {
    return await tracker.resolve(reservationId, { writeOff: "the batch failed its validation" });
  }
  const at = typeof batch.created_at === "number" ? { at: new Date(batch.created_at * 1000) } : {};
  const call: Call = { surface: "batch", modelId: held.modelId ?? String(batch.model), request: {}, ...at };
  const body = { answers: await answersOf(batch, readFile) };
  const outcome = { call, quote: { boundPicoUsd: held.amountPicoUsd }, result: { body } };
  const receipt = costs.receipt(outcome);
  await onReceipt?.({ reservationId, receipt, outcome });
  await tracker.resolve(reservationId, receipt);
}

/** The answers that are billed: those of the requests that were completed. Undefined when not all of them can be seen. */
async function answersOf(batch: Record<string, unknown>, readFile: ReadFile): Promise<unknown[] | undefined> {
  const files = [batch.output_file_id, batch.error_file_id].filter((id) => typeof id === "string");
  const lines = (await Promise.all(files.map(readFile))).flatMap((text) =>
    text.split("\n").filter((line) => line.trim()),
  );
  const responses = lines.map((line) => asRecord(asRecord(parse(line))?.response) ?? {});
  const bodies = responses.map(({ body }) => asRecord(body) ?? {});
  const completed = responses.filter(({ status_code }) => status_code === 200).length;
  if (completed !== asRecord(batch.request_counts)?.completed) return undefined;
  // An error that counts tokens was billed for them.
  return bodies.filter((body, index) => responses[index]?.status_code === 200 || asRecord(body.usage) !== undefined);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
