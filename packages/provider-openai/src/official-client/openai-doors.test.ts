import { BudgetError, CostTracker } from "@autolabel/budget-core";
import { OpenAI } from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { describe, expect, it } from "vitest";
import { meterOpenAI } from "./meter-openai.ts";
import { doorOf, targetOf } from "./openai-doors.ts";

/** Every request of the installed client that writes something and may pass unmetered, because it costs nothing. */
const free = [
  "POST /moderations",
  "POST /responses/input_tokens",
  "POST /responses/:id/cancel",
  "POST /chat/completions/:id",
  "POST /conversations",
  "POST /conversations/:id",
  "POST /conversations/:id/items",
  "POST /files",
  "POST /uploads",
  "POST /uploads/:id/parts",
  "POST /uploads/:id/complete",
  "POST /uploads/:id/cancel",
  "POST /batches/:id/cancel",
  "POST /fine_tuning/jobs/:id/cancel",
  "POST /fine_tuning/jobs/:id/pause",
];
const metered = [
  "POST /chat/completions",
  "POST /responses",
  "POST /embeddings",
  "POST /images/generations",
  "POST /images/edits",
  "POST /audio/speech",
  "POST /audio/transcriptions",
  "POST /audio/translations",
  "POST /batches",
];

type Method = (...args: unknown[]) => unknown;

/** All methods of all resources of a client, with their paths: `chat.completions.create`. */
function methodsOf(resource: object, path: readonly string[] = [], seen = new Set<object>()): [string, () => Method][] {
  if (seen.has(resource)) return [];
  seen.add(resource);
  const own = Object.entries(resource).flatMap(([name, value]: [string, unknown]) =>
    typeof value === "object" && value !== null && "_client" in value && !name.startsWith("_")
      ? methodsOf(value, [...path, name], seen)
      : [],
  );
  const names = path.length === 0 ? [] : Object.getOwnPropertyNames(Object.getPrototypeOf(resource));
  const methods = names
    .filter((name) => name !== "constructor")
    .map((name): [string, () => Method] => [
      [...path, name].join("."),
      () => {
        const method = (resource as Record<string, Method>)[name] as Method;
        return (...args) => method.apply(resource, args);
      },
    ]);
  return [...own, ...methods];
}

/** Parameters that answer every id, so that a path can be built whatever it is made of. */
function anyParameters(): object {
  const given: Record<string, unknown> = {
    model: "gpt-4o-mini",
    messages: [{ role: "user", content: "x" }],
    input: "x",
    prompt: "x",
    file: new File(["x"], "x.txt"),
    purpose: "assistants",
    tools: [],
    files: [],
  };
  return new Proxy(given, {
    get: (target, name) => (typeof name === "string" && name.endsWith("_id") ? "id0" : Reflect.get(target, name)),
  });
}

/** Calls a method in every way that a path may need, and gives the writing requests that left. */
async function requestsOf(make: (fetch: typeof globalThis.fetch) => OpenAI, name: string) {
  const left = new Set<string>();
  const errors: unknown[] = [];
  const client = make(async (url, init) => {
    const { path } = targetOf(new URL(url as string), "https://api.openai.com/v1");
    const method = init?.method ?? "GET";
    if (method !== "GET" && method !== "DELETE") left.add(`${method} ${path.replaceAll(/id0/g, ":id")}`);
    return Response.json({ error: { message: "stop" } }, { status: 400 });
  });
  const [, method] = methodsOf(client).find(([candidate]) => candidate === name) ?? [];
  for (const args of [[anyParameters()], ["id0", anyParameters()], ["id0", "id0", anyParameters()]]) {
    try {
      const returned = method?.()(...args);
      const { done } = returned as { done?: unknown };
      await (typeof done === "function" ? done.call(returned) : returned);
    } catch (error) {
      errors.push(error);
    }
  }
  return { left, errors };
}

const settings = { apiKey: "test", adminAPIKey: "test", maxRetries: 0 };
const bare = (fetch: typeof globalThis.fetch) => new OpenAI({ ...settings, fetch });
const underNoBudget = (fetch: typeof globalThis.fetch) =>
  meterOpenAI(bare(fetch), { tracker: new CostTracker({ budget: "0" }) });
const underAnyBudget = (fetch: typeof globalThis.fetch) => meterOpenAI(bare(fetch), { tracker: new CostTracker() });
const isRefusal = (error: unknown): boolean =>
  BudgetError.isInstance(error) || BudgetError.isInstance((error as { cause?: unknown }).cause);

describe("every door of the installed openai client", () => {
  const names = methodsOf(bare(fetch)).map(([name]) => name);

  it("is found", () => {
    expect(names.length).toBeGreaterThan(200);
    expect(names).toEqual(
      expect.arrayContaining([
        "chat.completions.runTools",
        "images.generate",
        "batches.create",
        "beta.threads.runs.create",
      ]),
    );
  });

  it("is metered, refused before it is sent, or known to cost nothing", async () => {
    const doors = new Set<string>();
    const unmetered: string[] = [];
    for (const name of names) {
      const { left } = await requestsOf(bare, name);
      if (left.size === 0) continue;
      for (const door of left) doors.add(door);
      const isFree = (door: string) => free.includes(door) || door.startsWith("POST /organization/");
      // Under an unlimited budget only metered and free ones leave, under a spent one only free ones.
      const rich = await requestsOf(underAnyBudget, name);
      const poor = await requestsOf(underNoBudget, name);
      const isOpen = [...rich.left].some((door) => !isFree(door) && !metered.includes(door));
      const isSold = [...poor.left].some((door) => !isFree(door));
      const isSilent = poor.left.size === 0 && !poor.errors.some(isRefusal);
      if (isOpen || isSold || isSilent) unmetered.push(name);
    }
    expect(doors.size).toBeGreaterThan(60);
    expect([...doors]).toEqual(expect.arrayContaining([...metered, "POST /images/variations", "POST /videos"]));
    expect(unmetered).toEqual([]);
  });

  it.each(["/completions", "/responses/compact", "/something/new"])(
    "is refused by its path, however well its body could be bounded: %s",
    async (path) => {
      let sent = 0;
      const client = underAnyBudget(async () => {
        sent += 1;
        return Response.json({});
      });
      await expect(client.post(path, { body: { model: "gpt-4o-mini", input: "x" } })).rejects.toThrow("not metered");
      expect(sent).toBe(0);
    },
  );

  it("lets reading pass under a spent budget", async () => {
    let asked = "";
    const client = underNoBudget(async (url) => {
      asked = url as string;
      return Response.json({ object: "list", data: [] });
    });
    await client.models.list();
    expect(asked).toBe("https://api.openai.com/v1/models");
  });

  it("is closed to WebSockets, which are not metered", () => {
    const client = underNoBudget(fetch);
    expect(() => new OpenAIRealtimeWS({ model: "gpt-realtime" }, client)).toThrow("not metered");
  });

  it("is closed to what is sent around the hooks of the client", async () => {
    const sent: unknown[] = [];
    const client = underNoBudget(async (url) => {
      sent.push(url);
      return Response.json({});
    });
    const url = "https://api.openai.com/v1/chat/completions";
    const controller = new AbortController();
    await expect(client.fetchWithTimeout(url, { method: "post" }, 1000, controller)).rejects.toThrow("without a hold");
    await expect(client.post(url, { body: { model: "gpt-4o-mini", messages: [] } })).rejects.toSatisfy(isRefusal);
    expect(sent).toEqual([]);
  });

  it("is not opened for clients that send past their fetch", () => {
    const bedrock = Object.assign(bare(fetch), { _provider: {} });
    expect(() => meterOpenAI(bedrock, { tracker: new CostTracker() })).toThrow(TypeError);
    expect(() => meterOpenAI(underNoBudget(fetch), { tracker: new CostTracker() })).toThrow("metered already");
  });
});

describe("doorOf", () => {
  it.each([
    ["post", "/chat/completions", "metered"],
    ["POST", "/chat/completions/id", "free"],
    ["GET", "/videos/id/content", "free"],
    ["DELETE", "/files/id", "free"],
    ["POST", "/images/generations", "metered"],
    ["POST", "/images/variations", "closed"],
    ["GET", "/batches/id", "batch status"],
    ["GET", "/batches", "free"],
    ["POST", "/responses/compact", "closed"],
    ["PATCH", "/chat/completions", "closed"],
    ["POST", "/something/new", "closed"],
  ])("%s %s is %s", (method, path, kind) => {
    expect(doorOf(method, path).kind).toBe(kind);
  });
});

describe("targetOf", () => {
  it.each([
    ["https://api.openai.com/v1/responses", "https://api.openai.com/v1", "/responses", undefined, true],
    ["https://eu.api.openai.com/v1/responses", "https://eu.api.openai.com/v1", "/responses", undefined, true],
    ["https://openai.com.example.org/v1/responses", "https://openai.com.example.org/v1", "/responses", undefined],
    ["https://api.openai.com/v1/responses/", "https://api.openai.com/v1/", "/responses", undefined, true],
    [
      "https://x.azure.com/openai/deployments/my%20d/embeddings?api-version=1",
      "https://x.azure.com/openai",
      "/embeddings",
      "my d",
    ],
    [
      "https://x.azure.com/openai/deployments/d/embeddings",
      "https://x.azure.com/openai/deployments/d",
      "/embeddings",
      "d",
    ],
  ])("%s below %s", (url, baseURL, path, deployment, isOpenAi = false) => {
    expect(targetOf(new URL(url), baseURL)).toEqual({ path, deployment, isOpenAi });
  });
});
