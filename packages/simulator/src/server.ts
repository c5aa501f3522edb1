import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Fault } from "./faults.ts";
import { httpExchange, sendJson } from "./http-exchange.ts";
import type { Invoice } from "./invoice.ts";
import { serve } from "./routes.ts";
import { SimulatedAccount } from "./simulated-account.ts";
import type { SimulatorOptions } from "./simulator-options.ts";

/** A running simulator. */
export interface Simulator {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** The base URL for OpenRouter clients: set `OPENROUTER_BASE_URL` to it. */
  readonly openRouterUrl: string;
  /** The base URL for OpenAI clients: set `OPENAI_BASE_URL` to it. */
  readonly openAiUrl: string;
  /** The base URL of a company's OpenAI-compatible gateway: any model, free unless `models` prices it. */
  readonly gatewayUrl: string;
  /** What was billed so far; a live view. */
  readonly invoice: Invoice;
  /** Requests of billable endpoints received so far, the failed ones included. */
  readonly requests: number;
  /** Billable requests being served now. */
  readonly inFlight: number;
  /** The most billable requests that were ever served at once. */
  readonly maxInFlight: number;
  /** Replaces the faults and starts their counts at zero. */
  setFaults(faults: readonly Fault[]): void;
  /** Changes what is sold at which prices: the built-in table with these models. Answers in the making keep their price. */
  setModels(models: NonNullable<SimulatorOptions["models"]>): void;
  /** Lets answers go on that a `stall` holds up; until the next `setFaults` or `reset` none stalls any more. */
  resume(): void;
  /** Starts over: invoice, credit, counters, prompt cache, limits and fault counts. */
  reset(): void;
  /** Drops all connections and stops; answers in the making are billed as aborted. */
  close(): Promise<void>;
}

/**
 * Starts a simulator and resolves when it listens.
 *
 * @throws RangeError When a price of `models` is no decimal text.
 * @throws Error When the port is taken (`code` `EADDRINUSE`).
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const account = new SimulatedAccount(options);
  const serving = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const exchange = httpExchange(request, response);
    const served = serve(account, exchange)
      .catch((error: unknown) => {
        // A fault of the simulator, or of a scripted answer: told to the client, because a test reads it there.
        if (response.headersSent) response.destroy();
        else
          sendJson(exchange, { status: 500, body: { error: { code: 500, message: `Simulator: ${String(error)}` } } });
      })
      .finally(() => serving.delete(served));
    serving.add(served);
  });
  const host = options.host ?? "127.0.0.1";
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return {
    url,
    openRouterUrl: `${url}/api/v1`,
    openAiUrl: `${url}/v1`,
    gatewayUrl: `${url}/gateway/v1`,
    invoice: account.invoice,
    get requests() {
      return account.requests;
    },
    get inFlight() {
      return account.inFlight;
    },
    get maxInFlight() {
      return account.maxInFlight;
    },
    setModels: (models) => account.setModels(models),
    setFaults: (faults) => account.setFaults(faults),
    resume: () => account.resume(),
    reset: () => account.reset(),
    async close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeAllConnections();
      await closed;
      await Promise.all(serving);
    },
  };
}
