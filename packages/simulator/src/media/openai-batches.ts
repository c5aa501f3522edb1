import { randomUUID } from "node:crypto";
import { admit } from "../admit.ts";
import { asObject, asText, type JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";
import type { SimulatedAccount } from "../simulated-account.ts";
import { atHalfPrice } from "../simulated-model.ts";
import { openAiChat } from "../wire/openai-chat.ts";
import { openAiEmbeddings } from "../wire/openai-embeddings.ts";
import { openAiResponses } from "../wire/openai-responses.ts";
import type { Wire } from "../wire/wire.ts";

const WIRES: readonly Wire[] = [openAiChat, openAiResponses, openAiEmbeddings];
const DAY_SECONDS = 86_400;

type Status = "validating" | "in_progress" | "completed" | "expired" | "cancelling" | "cancelled" | "failed";

interface Line {
  readonly customId: string;
  readonly body: JsonObject;
}

interface Batch {
  readonly id: string;
  readonly request: JsonObject;
  readonly apiKey: string;
  readonly createdSeconds: number;
  readonly lines: readonly Line[];
  readonly errors: readonly object[];
  status: Status;
  counts: { total: number; completed: number; failed: number };
  outputFileId?: string;
  errorFileId?: string;
  model?: string;
}

/**
 * The batches of an account. Each look at one takes it a step on: validating, in progress, ended. Its requests are billed
 * at half price when they are completed; of a batch that is cancelled or expires, those that were completed by then.
 */
export class BatchStore {
  readonly #account: SimulatedAccount;
  readonly #batches = new Map<string, Batch>();

  constructor(account: SimulatedAccount) {
    this.#account = account;
  }

  /** @throws Refusal 400 or 404 for a request that makes no sense. */
  create(request: JsonObject, apiKey: string): object {
    const { bytes, purpose } = this.#account.files.get(asText(request.input_file_id) ?? "");
    if (purpose !== "batch") throw new Refusal(400, "Invalid file purpose: expected 'batch'.");
    if (request.completion_window !== "24h") throw new Refusal(400, "Invalid 'completion_window'.");
    const { lines, errors } = readLines(Buffer.from(bytes).toString("utf8"), request.endpoint);
    const id = `batch_${randomUUID().replaceAll("-", "")}`;
    const counts = { total: lines.length, completed: 0, failed: 0 };
    const createdSeconds = Math.floor(this.#account.now() / 1000);
    const batch: Batch = { id, request, apiKey, createdSeconds, lines, errors, status: "validating", counts };
    this.#batches.set(id, batch);
    return batchBody(batch);
  }

  /** Tells of a batch after taking it a step on. @throws Refusal 404 for an unknown id. */
  look(id: string): object {
    const batch = this.#find(id);
    const { length } = batch.lines;
    const most = Math.min(length, this.#account.options.batchLines ?? length);
    if (batch.status === "validating") batch.status = batch.errors.length > 0 ? "failed" : "in_progress";
    else if (batch.status === "in_progress") this.#end(batch, most, most < length ? "expired" : "completed");
    else if (batch.status === "cancelling") this.#end(batch, Math.min(most, Math.floor(length / 2)), "cancelled");
    return batchBody(batch);
  }

  /** All batches as they are; this look takes none a step on. */
  list(): object {
    return { object: "list", data: [...this.#batches.values()].map(batchBody), has_more: false };
  }

  /** @throws Refusal 409 for a batch that has ended. */
  cancel(id: string): object {
    const batch = this.#find(id);
    if (batch.status !== "validating" && batch.status !== "in_progress") {
      throw new Refusal(409, `Cannot cancel a batch with status '${batch.status}'.`);
    }
    batch.status = "cancelling";
    return batchBody(batch);
  }

  clear(): void {
    this.#batches.clear();
  }

  #find(id: string): Batch {
    const batch = this.#batches.get(id);
    if (!batch) throw new Refusal(404, `No batch found with id '${id}'.`);
    return batch;
  }

  #end(batch: Batch, count: number, status: Status): void {
    const wire = wireOf(batch.request.endpoint);
    const done = batch.lines.slice(0, count).map((line) => this.#run(batch, line, wire));
    const left = batch.lines.slice(count).map(({ customId }) => ({
      id: `batch_req_${randomUUID()}`,
      custom_id: customId,
      response: null,
      error: { code: `batch_${status}`, message: "This request was not executed before the batch ended." },
    }));
    const good = done.filter(({ response }) => response.status_code === 200);
    const bad = [...done.filter(({ response }) => response.status_code !== 200), ...left];
    batch.status = status;
    batch.counts = { total: batch.lines.length, completed: good.length, failed: bad.length };
    if (good.length > 0) batch.outputFileId = this.#store(good);
    if (bad.length > 0) batch.errorFileId = this.#store(bad);
  }

  #run(batch: Batch, { customId, body }: Line, wire: Wire) {
    const answer = (status_code: number, answered: unknown) => ({
      id: `batch_req_${randomUUID()}`,
      custom_id: customId,
      response: { status_code, request_id: `req_${randomUUID()}`, body: answered },
      error: null,
    });
    const account = this.#account;
    try {
      const request = wire.readRequest(body);
      const model = atHalfPrice(admit(account, wire, request));
      batch.model = model.id;
      const admitted = { request, model, apiKey: batch.apiKey, attempt: 0, fault: undefined };
      const generation = account.generate(admitted, wire.newId(account.now()));
      return answer(200, wire.reply(generation, account.bill(generation, "completed")));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return answer(error.status, wire.refusalBody(error));
    }
  }

  #store(lines: readonly object[]): string {
    const text = lines.map((line) => JSON.stringify(line)).join("\n");
    const createdSeconds = Math.floor(this.#account.now() / 1000);
    const file = { bytes: Buffer.from(`${text}\n`), filename: "batch_output.jsonl", purpose: "batch_output" };
    return this.#account.files.add({ ...file, createdSeconds }).id;
  }
}

/** @throws Refusal 400 for an endpoint that is not served in batches. */
function wireOf(endpoint: unknown): Wire {
  const wire = WIRES.find(({ path }) => path === endpoint);
  if (!wire) throw new Refusal(400, `Invalid 'endpoint': ${String(endpoint)}`);
  return wire;
}

function readLines(text: string, endpoint: unknown): { lines: Line[]; errors: object[] } {
  wireOf(endpoint);
  const lines: Line[] = [];
  const errors: object[] = [];
  const seen = new Set<string>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const { custom_id, url, body } = asObject(safeParse(line));
    const customId = asText(custom_id) ?? "";
    const isGood = url === endpoint && customId !== "" && !seen.has(customId);
    if (!isGood) errors.push({ code: "invalid_request", line: index + 1, message: "Invalid line.", param: null });
    seen.add(customId);
    lines.push({ customId, body: asObject(body) });
  }
  if (lines.length === 0) errors.push({ code: "empty_file", line: null, message: "The file is empty.", param: null });
  return { lines, errors };
}

function safeParse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function batchBody(batch: Batch): object {
  const { id, request, createdSeconds, status, counts, outputFileId, errorFileId, errors, model } = batch;
  return {
    id,
    object: "batch",
    endpoint: request.endpoint,
    ...(model === undefined ? {} : { model }),
    errors: status === "failed" ? { object: "list", data: errors } : null,
    input_file_id: request.input_file_id,
    completion_window: "24h",
    status,
    output_file_id: outputFileId ?? null,
    error_file_id: errorFileId ?? null,
    created_at: createdSeconds,
    expires_at: createdSeconds + DAY_SECONDS,
    request_counts: counts,
    metadata: request.metadata ?? null,
  };
}
