import { decimalText } from "./pico-usd.ts";

/** How a billed request ended: delivered whole, left by the client, cut off by the server, or delivered broken. */
export type InvoiceOutcome = "completed" | "aborted" | "cut" | "error";

/** One billed request. */
export interface InvoiceLine {
  /** The generation id, the same as in the response (`gen-…`, or `chatcmpl-…` on the OpenAI wire). */
  readonly id: string;
  /** ISO time of billing. */
  readonly at: string;
  readonly model: string;
  /** Who served it. */
  readonly provider: string;
  /** All input tokens, the cached and cache-written ones included. */
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly cacheWriteTokens: number;
  /** All output tokens, reasoning included. */
  readonly completionTokens: number;
  readonly reasoningTokens: number;
  /** The true charge, also where the response reports another or none. */
  readonly costPicoUsd: bigint;
  /** The key of the request, empty when it had none. */
  readonly apiKey: string;
  /** SHA-256 in hex of the JSON of the messages: two lines with the same hash are one prompt bought twice. */
  readonly promptHash: string;
  readonly streamed: boolean;
  readonly outcome: InvoiceOutcome;
  /** The first 200 characters of the answer. */
  readonly answer: string;
}

/** What was billed so far; a live view. */
export interface Invoice {
  readonly lines: readonly InvoiceLine[];
  readonly totalPicoUsd: bigint;
  readonly count: number;
}

/** The invoice that the simulator itself writes to. */
export class InvoiceBook implements Invoice {
  readonly #lines: InvoiceLine[] = [];
  readonly #byId = new Map<string, InvoiceLine>();
  #total = 0n;

  get lines(): readonly InvoiceLine[] {
    return this.#lines;
  }

  get totalPicoUsd(): bigint {
    return this.#total;
  }

  get count(): number {
    return this.#lines.length;
  }

  /** Adds a line and its cost. */
  add(line: InvoiceLine): void {
    this.#lines.push(line);
    this.#byId.set(line.id, line);
    this.#total += line.costPicoUsd;
  }

  /** The line of a generation, or undefined when it was never billed. */
  find(id: string): InvoiceLine | undefined {
    return this.#byId.get(id);
  }

  /** Forgets everything. */
  clear(): void {
    this.#lines.length = 0;
    this.#byId.clear();
    this.#total = 0n;
  }
}

/** The invoice as JSON: every amount as decimal USD and as pico-USD, both texts. Keys are shortened to their end. */
export function invoiceJson(invoice: Invoice): unknown {
  return {
    count: invoice.count,
    totalUsd: decimalText(invoice.totalPicoUsd),
    totalPicoUsd: invoice.totalPicoUsd.toString(),
    lines: invoice.lines.map((line) => ({
      ...line,
      apiKey: line.apiKey.length > 8 ? `…${line.apiKey.slice(-4)}` : line.apiKey,
      costUsd: decimalText(line.costPicoUsd),
      costPicoUsd: line.costPicoUsd.toString(),
    })),
  };
}
