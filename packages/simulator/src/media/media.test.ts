import { describe, expect, it } from "vitest";
import type { Simulator } from "../server.ts";
import { post, simulate } from "../test-client.ts";

/** Sends a form. */
async function postForm(simulator: Simulator, path: string, members: Record<string, string | Blob>) {
  const form = new FormData();
  for (const [name, value] of Object.entries(members)) form.append(name, value);
  return await fetch(`${simulator.url}${path}`, { method: "POST", body: form });
}

async function read(simulator: Simulator, path: string) {
  return (await (await fetch(`${simulator.url}${path}`)).json()) as Record<string, unknown>;
}

const sound = new Blob([Buffer.alloc(40_000, 1)]);
const prompt = "A cat";

describe("pictures", () => {
  it("are billed by the published tokens of their size and quality", async () => {
    const simulator = await simulate();
    const body = { model: "gpt-image-1", prompt, quality: "high", size: "1024x1536", n: 2 };
    const answer = await post(simulator, body, { path: "/v1/images/generations" });
    expect(await answer.json()).toMatchObject({
      size: "1024x1536",
      data: [{}, {}],
      usage: { input_tokens: 8, output_tokens: 12_480, total_tokens: 12_488 },
    });
    // 8 x $5 and 12,480 x $40 per million.
    expect(simulator.invoice.totalPicoUsd).toBe(499_240_000_000n);
  });

  it("are streamed with partial ones, which are billed too, and end with their usage", async () => {
    const simulator = await simulate();
    const body = { model: "gpt-image-1", prompt, quality: "low", size: "1024x1024", stream: true, partial_images: 3 };
    const text = await (await post(simulator, body, { path: "/v1/images/generations" })).text();
    const frames = text
      .trim()
      .split("\n\n")
      .map((frame) => JSON.parse(frame.slice("data: ".length)) as object);
    expect(frames).toHaveLength(4);
    expect(frames.at(-1)).toMatchObject({ type: "image_generation.completed", usage: { output_tokens: 572 } });
  });

  it("of other pictures are billed for those as well", async () => {
    const simulator = await simulate();
    const members = { model: "gpt-image-1", prompt, "image[]": sound, mask: sound };
    const { usage } = (await (await postForm(simulator, "/v1/images/edits", members)).json()) as {
      usage: { input_tokens_details: { image_tokens: number } };
    };
    expect(usage.input_tokens_details.image_tokens).toBeGreaterThan(2 * 65);
  });

  it.each([
    [{ model: "gpt-image-1" }, 400],
    [{ model: "gpt-image-1", prompt, n: 11 }, 400],
    [{ model: "gpt-image-1", prompt, size: "1x1" }, 400],
    [{ model: "gpt-4o-mini", prompt }, 404],
  ])("are refused for nothing: %j", async (body, status) => {
    const simulator = await simulate();
    expect((await post(simulator, body, { path: "/v1/images/generations" })).status).toBe(status);
    expect([simulator.requests, simulator.invoice.count]).toEqual([1, 0]);
  });
});

describe("speech", () => {
  it("is sound, billed by the character", async () => {
    const simulator = await simulate();
    const answer = await post(simulator, { model: "tts-1", input: "Grüße 👋" }, { path: "/v1/audio/speech" });
    expect(answer.headers.get("content-type")).toBe("audio/mpeg");
    expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(0);
    expect(simulator.invoice.totalPicoUsd).toBe(7n * 15_000_000n);
  });

  it("has no events in its older models", async () => {
    const simulator = await simulate();
    const body = { model: "tts-1", input: "Hello", stream_format: "sse" };
    expect((await post(simulator, body, { path: "/v1/audio/speech" })).status).toBe(400);
    expect(simulator.invoice.count).toBe(0);
  });
});

describe("transcripts", () => {
  it("tell seconds or tokens, as they are billed", async () => {
    const simulator = await simulate();
    const hear = async (model: string) =>
      await (await postForm(simulator, "/v1/audio/transcriptions", { model, file: sound })).json();
    expect(await hear("whisper-1")).toMatchObject({ usage: { type: "duration", seconds: 10 } });
    expect(simulator.invoice.totalPicoUsd).toBe(1_000_000_000n);
    expect(await hear("gpt-4o-transcribe")).toMatchObject({
      usage: { type: "tokens", input_token_details: { audio_tokens: 100 } },
    });
  });

  it("are refused for sound that is longer than the model's context", async () => {
    const simulator = await simulate();
    const file = new Blob([Buffer.alloc(7_000_000)]);
    const answer = await postForm(simulator, "/v1/audio/transcriptions", { model: "gpt-4o-transcribe", file });
    expect([answer.status, simulator.invoice.count]).toEqual([400, 0]);
  });
});

describe("files and batches", () => {
  const line = { custom_id: "a", method: "POST", url: "/v1/chat/completions" };
  const body = { model: "gpt-4o-mini", messages: [{ role: "user", content: "hello" }], max_tokens: 5 };

  async function submit(simulator: Simulator) {
    const file = new Blob([JSON.stringify({ ...line, body })]);
    const stored = (await (await postForm(simulator, "/v1/files", { purpose: "batch", file })).json()) as {
      id: string;
    };
    const request = { input_file_id: stored.id, endpoint: line.url, completion_window: "24h" };
    const answer = await post(simulator, request, { path: "/v1/batches" });
    return (await answer.json()) as { id: string };
  }

  it("are billed at half price, and only once they are done", async () => {
    const simulator = await simulate();
    const { id } = await submit(simulator);
    expect(await read(simulator, `/v1/batches/${id}`)).toMatchObject({ status: "in_progress", output_file_id: null });
    expect(simulator.invoice.count).toBe(0);
    const ended = await read(simulator, `/v1/batches/${id}`);
    expect(ended).toMatchObject({ status: "completed", request_counts: { total: 1, completed: 1, failed: 0 } });
    const output = await read(simulator, `/v1/files/${String(ended.output_file_id)}/content`);
    expect(output).toMatchObject({ custom_id: "a", response: { status_code: 200, body: { usage: {} } } });
    await post(simulator, body, { path: "/v1/chat/completions" });
    const [batched, single] = simulator.invoice.lines;
    expect(2n * (batched?.costPicoUsd ?? 0n)).toBe(single?.costPicoUsd);
    await read(simulator, `/v1/batches/${id}`);
    expect(simulator.invoice.count).toBe(2);
  });

  it("are unknown once they were deleted, and cannot be cancelled after their end", async () => {
    const simulator = await simulate({ batchLines: 0 });
    const { id } = await submit(simulator);
    await read(simulator, `/v1/batches/${id}`);
    expect(await read(simulator, `/v1/batches/${id}`)).toMatchObject({ status: "expired" });
    expect((await post(simulator, {}, { path: `/v1/batches/${id}/cancel` })).status).toBe(409);
    const stored = (await (await postForm(simulator, "/v1/files", { purpose: "x", file: sound })).json()) as {
      id: string;
    };
    await fetch(`${simulator.url}/v1/files/${stored.id}`, { method: "DELETE" });
    expect((await fetch(`${simulator.url}/v1/files/${stored.id}`)).status).toBe(404);
    expect(simulator.invoice.count).toBe(0);
  });
});

describe("service tiers", () => {
  it("are billed at their own prices, by the tier that serves", async () => {
    const simulator = await simulate({ servedTier: (asked) => (asked === "flex" ? "default" : asked) });
    for (const service_tier of ["default", "flex", "fast"]) {
      const body = { model: "gpt-4o-mini", messages: [{ role: "user", content: "hi" }], max_tokens: 5, service_tier };
      const answer = await post(simulator, body, { path: "/v1/chat/completions" });
      expect(await answer.json()).toMatchObject({ service_tier: service_tier === "fast" ? "priority" : "default" });
    }
    const [standard, flex, priority] = simulator.invoice.lines.map(({ costPicoUsd }) => Number(costPicoUsd));
    expect(flex).toBe(standard);
    expect(Number(priority) / Number(standard)).toBeCloseTo(5 / 3, 1);
  });
});
