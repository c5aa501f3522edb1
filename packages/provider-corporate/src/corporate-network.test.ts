import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttpServer, request as forward, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CostTracker } from "@autolabel/budget-core";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { generateText, streamText } from "ai";
import { Agent, type Dispatcher, ProxyAgent, fetch as undiciFetch } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCorporate } from "./corporate-client.ts";

const prices = { house: { input: "0.30", output: "0.90", maxOutputTokens: 4096 } };
const models = { house: { promptUsdPerMillion: "0.30", completionUsdPerMillion: "0.90" } };
const folder = mkdtempSync(join(tmpdir(), "autolabel-certificates-"));
const file = (name: string) => readFileSync(join(folder, name));
const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });

let simulator: Simulator;
let gateway: Server;
let proxy: Server;
const connected: string[] = [];

/** A certificate that is signed by our own authority. */
function issue(name: string): void {
  const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1"];
  openssl(
    "req",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.csr`,
    ...subject,
  );
  openssl(
    "x509",
    "-req",
    "-in",
    `${name}.csr`,
    "-CA",
    "ca.pem",
    "-CAkey",
    "ca.key",
    "-copy_extensions",
    "copy",
    "-out",
    `${name}.pem`,
  );
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  openssl(
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-subj",
    "/CN=ca",
  );
  issue("gateway");
  issue("client");
  simulator = await startSimulator({ models, latencyMs: 1 });
  // Ends TLS in front of the simulator, and lets nobody in without a certificate of ours.
  const tls = { key: file("gateway.key"), cert: file("gateway.pem"), ca: file("ca.pem"), requestCert: true };
  gateway = createHttpsServer({ ...tls, rejectUnauthorized: true }, (request, response) => {
    const { method, headers, url } = request;
    const onward = forward(new URL(url ?? "/", simulator.url), { method: method ?? "GET", headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  proxy = createHttpServer().on("connect", (request, socket, head) => {
    connected.push(request.url ?? "");
    const [host, port] = (request.url ?? "").split(":");
    const upstream = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
  });
});

afterAll(async () => {
  for (const server of [gateway, proxy]) {
    server.closeAllConnections();
    server.close();
  }
  await simulator.close();
  rmSync(folder, { recursive: true });
});

/** What a user writes for client certificates or a proxy: a `fetch` with a dispatcher of undici's. */
function through(dispatcher: Dispatcher): typeof fetch {
  const send = undiciFetch as unknown as typeof fetch;
  return (url, init) => {
    const options: object = { ...init, dispatcher };
    return send(url, options);
  };
}

async function ask(dispatcher: Dispatcher, baseURL: string) {
  simulator.reset();
  const tracker = new CostTracker({ budget: "1" });
  const corporate = createCorporate({ tracker, baseURL, prices, fetch: through(dispatcher) });
  const limits = { model: corporate("house"), prompt: "Hello", maxOutputTokens: 20, maxRetries: 0 };
  await generateText(limits);
  await streamText(limits).consumeStream();
  return tracker;
}

describe("a gateway behind", () => {
  const certificates = () => ({ ca: file("ca.pem"), cert: file("client.pem"), key: file("client.key") });

  it("client certificates is budgeted like any other", async () => {
    const agent = new Agent({ connect: certificates() });
    const baseURL = `https://127.0.0.1:${await listen(gateway)}/gateway/v1`;
    const { exact, callCount } = await (await ask(agent, baseURL)).getStats();
    expect(callCount).toBe(2);
    expect(simulator.invoice.totalPicoUsd).toBeGreaterThan(0n);
    expect(exact.spent.picoUsd).toBe(simulator.invoice.totalPicoUsd);

    const bare = new Agent({ connect: { ca: file("ca.pem") } });
    await expect(ask(bare, baseURL)).rejects.toThrow("Cannot connect");
    expect(simulator.requests).toBe(0);
    await Promise.all([agent.close(), bare.destroy()]);
  });

  it("a CONNECT proxy is budgeted like any other", async () => {
    const port = await listen(proxy);
    const agent = new ProxyAgent({ uri: `http://127.0.0.1:${port}`, requestTls: certificates(), proxyTunnel: true });
    const baseURL = `https://127.0.0.1:${(gateway.address() as AddressInfo).port}/gateway/v1`;
    const { exact } = await (await ask(agent, baseURL)).getStats();
    expect(connected.length).toBeGreaterThan(0);
    expect(exact.spent.picoUsd).toBe(simulator.invoice.totalPicoUsd);
    await agent.destroy();
  });
});
