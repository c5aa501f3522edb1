import { mkdirSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { join } from "node:path";
import { Settings } from "../config/settings.ts";
import { serveUi, type UiServer } from "../ui/serve-ui.ts";

const cli = join(import.meta.dirname, "../cli.ts");

/** What a server answered. */
export interface Answered {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The body as JSON. */
  json: unknown;
}

/** What is sent. */
export interface Asked {
  method?: string;
  headers?: Record<string, string>;
  /** Sent as JSON, and then as the page of the server would. */
  body?: unknown;
}

/** A server of the page, and a client that says to the letter what it is told to. */
export class UiClient {
  readonly server: UiServer;
  readonly port: number;
  readonly token: string;
  readonly origin: string;

  private constructor(server: UiServer) {
    this.server = server;
    const { port, searchParams, origin } = new URL(server.url);
    this.port = Number(port);
    this.token = searchParams.get("token") ?? "";
    this.origin = origin;
  }

  /**
   * Serves a store with a page of two files.
   *
   * @param env of the processes that the server starts.
   * @param store default: the folder of runs in `folder`.
   */
  static async start(
    folder: string,
    env: Record<string, string> = {},
    { author = "tester", store = join(folder, ".autolabel") } = {},
  ): Promise<UiClient> {
    const page = join(folder, "page");
    mkdirSync(join(page, "assets"), { recursive: true });
    writeFileSync(join(page, "index.html"), "<!doctype html><title>page</title>");
    writeFileSync(join(page, "assets/app-1.js"), "export {};");
    const settings = new Settings({ store }, { env: {} });
    const program = [process.execPath, "--conditions=@autolabel/source", cli];
    return new UiClient(await serveUi({ settings, port: 0, author, page, commandLine: { program, env } }));
  }

  /** Sends a request with nothing but what is given; no path is made simpler. */
  raw(path: string, { method = "GET", headers = {}, body }: Asked = {}): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port: this.port, path, method, headers, agent: false }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("error", reject);
        response.on("end", () => {
          const status = response.statusCode ?? 0;
          resolve({ status, headers: response.headers, text, json: jsonOf(text) });
        });
      });
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** The cookie that the page has. */
  get cookie(): string {
    return `autolabel-${this.port}=${this.token}`;
  }

  /** Asks as the page does. */
  async ask(path: string, asked: Asked = {}): Promise<Answered> {
    const own = asked.body === undefined ? {} : { "content-type": "application/json", origin: this.origin };
    const method = asked.method ?? (asked.body === undefined ? "GET" : "POST");
    return await this.raw(path, { ...asked, method, headers: { cookie: this.cookie, ...own, ...asked.headers } });
  }

  /** The JSON of an answer. @throws Error when the server refused. */
  async get<T>(path: string, body?: unknown): Promise<T> {
    const { status, json, text } = await this.ask(path, body === undefined ? {} : { body });
    if (status !== 200) throw new Error(`${status}: ${text}`);
    return json as T;
  }

  /** Server-sent events as they come, until the reader has seen enough. */
  async *events<T>(path: string): AsyncGenerator<T> {
    const stop = new AbortController();
    const response = await fetch(`${this.origin}${path}`, { headers: { cookie: this.cookie }, signal: stop.signal });
    let text = "";
    try {
      for await (const chunk of (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
        text += chunk;
        const parts = text.split("\n\n");
        text = parts.pop() ?? "";
        for (const part of parts) {
          const data = part.split("\n").filter((line) => line.startsWith("data: "));
          yield JSON.parse(data.map((line) => line.slice("data: ".length)).join("\n")) as T;
        }
      }
    } finally {
      stop.abort();
    }
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
