import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UnboundedRequestError } from "../errors/unbounded-request-error.ts";
import { boundInput, inputTokenBound } from "./input-bound.ts";
import { shapeOf } from "./request-shape.ts";
import { utf8Bytes } from "./utf8-bytes.ts";

const user = (...content: unknown[]) => ({ prompt: [{ role: "user", content }] });
const text = (value: string) => user({ type: "text", text: value });

describe("inputTokenBound", () => {
  it("counts the bytes of the request, and a pad", () => {
    const request = text("Label this: great!");
    expect(inputTokenBound(request)).toBe(JSON.stringify(request).length + 64);
    expect(inputTokenBound(text("é"))).toBe(inputTokenBound(text("e")) + 1);
  });

  it("counts what Unicode normalisation makes of a text, where that is longer", () => {
    const ligature = "\uFDFA"; // 3 bytes, which NFKC turns into 33
    expect(inputTokenBound(text(ligature))).toBe(inputTokenBound(text("")) + 33);
    expect(inputTokenBound(text("a\u0301"))).toBe(inputTokenBound(text("a")) + 2);
  });

  it("never lies below the bytes of the text, for any Unicode", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (value) => {
        const wellFormed = Buffer.from(value).toString();
        const bytes = Math.max(Buffer.byteLength(wellFormed), Buffer.byteLength(wellFormed.normalize("NFKC")));
        expect(inputTokenBound(text(wellFormed))).toBeGreaterThanOrEqual(bytes);
        expect(utf8Bytes(value)).toBe(Buffer.byteLength(value));
      }),
      { numRuns: 2000, seed: 1_234_567 },
    );
  });

  it("counts texts that are longer than its buffer", () => {
    for (const value of ["a".repeat(200_000), "敏".repeat(70_000), "😀".repeat(70_000), "é".repeat(65_537)]) {
      expect(utf8Bytes(value)).toBe(Buffer.byteLength(value));
    }
  });

  it("allows for the text that a provider adds unseen", () => {
    const tools = [{ type: "function", name: "f", inputSchema: {} }];
    const bytes = JSON.stringify({ ...text("hi"), tools }).length;
    const bound = (provider: string, modelId: string) =>
      inputTokenBound({ ...text("hi"), tools }, { provider, modelId });
    expect(bound("openai", "gpt-4o") - bytes).toBe(64);
    expect(bound("anthropic", "claude-opus-4-1") - bytes).toBe(700);
    expect(bound("openrouter", "anthropic/claude-opus-4.1") - bytes).toBe(700);
    expect(bound("openrouter", "mistralai/mistral-small") - bytes).toBe(64);
    expect(bound("corporate", "own") - bytes).toBe(1024);
    expect(inputTokenBound({ ...text("hi"), tools: [] }, { provider: "anthropic" })).toBe(
      inputTokenBound({ ...text("hi"), tools: [] }),
    );
  });

  it.each([
    ["openai", "gpt-4o-mini", 72_254],
    ["openai", "gpt-4o", 5_669],
    ["openai", "gpt-5-mini", 5_669],
    ["anthropic", "claude-sonnet-4-5", 7_200],
    ["google", "gemini-2.5-flash", 3_360],
    ["openrouter", "meta-llama/llama-4-scout", 9_606],
  ])("bounds an image of %s %s at the documented most, and half more", (provider, modelId, tokens) => {
    const image = { type: "image_url", image_url: { url: `data:image/png;base64,${"A".repeat(1_000_000)}` } };
    const options = { provider, modelId };
    const one = inputTokenBound(user({ type: "text", text: "what?" }, image), options);
    const two = inputTokenBound(user({ type: "text", text: "what?" }, image, image), options);
    expect(two - one - JSON.stringify({ type: "image_url" }).length - 1).toBe(tokens);
  });

  it.each([
    { type: "image", source: {} },
    { type: "input_image", image_url: "https://x/y.png" },
    { type: "file", mediaType: "image/png", data: new Uint8Array(1000) },
    { type: "media", mediaType: "image/*", data: "AAAA" },
    { type: "file-data", mimeType: "image/jpeg", data: "AAAA" },
  ])("knows the image in %o", (part) => {
    expect(shapeOf(user(part)).images).toBe(1);
    expect(inputTokenBound(user(part), { provider: "anthropic", modelId: "claude" })).toBeLessThan(8000);
  });

  it.each([
    ["a file", user({ type: "file", mediaType: "application/pdf", data: "AAAA" })],
    ["a file without a type", user({ type: "file", file_id: "f" })],
    ["a text file elsewhere", user({ type: "file", mediaType: "text/plain", data: "https://x/y.txt" })],
    ["a document", user({ type: "document", source: { type: "base64" } })],
    ["audio", user({ type: "input_audio", input_audio: {} })],
    ["an earlier response", { ...text("hi"), previous_response_id: "r" }],
    ["an earlier response, by the SDK", { ...text("hi"), providerOptions: { openai: { previousResponseId: "r" } } }],
    ["a stored prompt", { prompt: { id: "p" } }],
    ["an image of an unknown model", user({ type: "image" })],
  ])("refuses %s, or counts the model's longest input once", (_what, request) => {
    const options = { provider: "deepseek", modelId: "deepseek-v4-pro" };
    expect(() => inputTokenBound(request, options)).toThrow(UnboundedRequestError);
    expect(() => inputTokenBound(request, { ...options, hiddenInput: "model-limit" })).toThrow(UnboundedRequestError);
    expect(inputTokenBound(request, { ...options, hiddenInput: "model-limit", maxInputTokens: 100_000 })).toBe(110_000);
  });

  it.each([
    ["a tool", { tools: [{ type: "provider", id: "openai.web_search" }] }, "openai.web_search"],
    ["a tool without a name", { tools: [{ type: "provider-defined" }] }, "provider-defined"],
    ["a search of the API", { tools: [{ type: "web_search_20250305" }] }, "web_search_20250305"],
    ["search options", { web_search_options: {} }, "web_search_options"],
    ["plugins", { providerOptions: { openrouter: { plugins: [{ id: "web" }] } } }, "plugins"],
  ])("refuses %s that the provider runs, at any length", (_what, request, name) => {
    const options = { hiddenInput: "model-limit", maxInputTokens: 1000 } as const;
    expect(() => inputTokenBound(request, options)).toThrow(`the provider runs "${name}" itself`);
  });

  it.each([
    { plugins: [] },
    { tools: [{ type: "function" }, { type: "custom" }, { name: "untyped" }, null] },
    { providerOptions: { openai: null } },
    { prompt: "plain", previous_response_id: null, conversation: false },
    user({ type: "file", mediaType: "text/plain", data: "aGk=" }),
    user({ type: "document", source: { type: "text", data: "hi" } }),
    user({ type: "text", text: "a file of type image" }, new Uint8Array(3)),
  ])("lets %o pass", (request) => {
    expect(inputTokenBound(request)).toBeGreaterThan(64);
  });

  it("refuses what cannot be sent as JSON", () => {
    const round: Record<string, unknown> = {};
    round.self = round;
    expect(() => inputTokenBound(round)).toThrow(/cannot be written as JSON/);
    expect(() => inputTokenBound({ n: 1n })).toThrow(/cannot be written as JSON/);
    const odd = {
      toJSON() {
        throw "odd";
      },
    };
    expect(() => inputTokenBound({ odd })).toThrow(/\(odd\)/);
  });

  it("tightens with a tokenizer, whose count is never trusted to lie above the bytes", () => {
    const request = text("word ".repeat(100));
    const bytes = JSON.stringify(request).length;
    expect(inputTokenBound(request, { countTokens: () => 100 })).toBe(110 + 64);
    expect(inputTokenBound(request, { countTokens: () => 1e6 })).toBe(bytes + 64);
    expect(inputTokenBound(request, { countTokens: () => Number.NaN })).toBe(bytes + 64);
    expect(inputTokenBound(request, { countTokens: () => -1 })).toBe(bytes + 64);
  });

  it("calls no tokenizer for texts that it would take seconds for", () => {
    const countTokens = (): number => {
      throw new Error("called");
    };
    for (const value of ["a".repeat(5000), " ".repeat(5000), "ab ".repeat(100_000)]) {
      expect(inputTokenBound(text(value), { countTokens })).toBeGreaterThan(5000);
    }
  });
});

describe("cache marks", () => {
  it.each([
    [{}, "none"],
    [
      user({
        type: "text",
        text: "cache_control",
        providerOptions: { anthropic: { cacheControl: { type: "ephemeral" } } },
      }),
      "5m",
    ],
    [user({ type: "text", text: "", cache_control: { type: "ephemeral", ttl: "5m" } }), "5m"],
    [user({ type: "text", text: "", cache_control: { type: "ephemeral", ttl: "1h" } }, { cache_control: {} }), "1h"],
    [user({ type: "text", text: "", cache_control: null }), "none"],
    [text("cache_control"), "none"],
  ])("are read from where they stand, not from the text: %o", (request, expected) => {
    expect(shapeOf(request).cacheWrites).toBe(expected);
  });
});

describe("text that only looks like a picture or a file", () => {
  const long = "x".repeat(50_000);
  const toolResult = (output: unknown) => ({
    prompt: [{ role: "tool", content: [{ type: "tool-result", toolCallId: "1", toolName: "t", output }] }],
  });
  it.each([
    [
      "a tool's input",
      { prompt: [{ role: "assistant", content: [{ type: "tool-call", input: { type: "image", body: long } }] }] },
    ],
    ["a tool's JSON result", toolResult({ type: "json", value: { type: "image", caption: long } })],
    [
      "a tool's content result",
      toolResult({ type: "content", value: [{ type: "media", mediaType: "image/png", data: long }] }),
    ],
    ["a schema", { prompt: [], tools: [{ type: "function", inputSchema: { default: { type: "image", x: long } } }] }],
    [
      "a setting",
      { prompt: [], providerOptions: { openrouter: { response_format: { examples: [{ type: "image", x: long }] } } } },
    ],
    ["a field beside the picture", { prompt: [{ role: "user", content: [{ type: "image", data: "A", note: long }] }] }],
  ])("counts by its bytes: %s", (_where, request) => {
    expect(inputTokenBound(request, { provider: "openai", modelId: "gpt-4o" })).toBeGreaterThan(50_000);
  });

  it("what a tool returned counts as picture and as text, and a file of it is refused", () => {
    const options = { provider: "openai", modelId: "gpt-4o" };
    const picture = { type: "image-data", data: long };
    const responses = { input: [{ type: "function_call_output", output: [picture, "text", null] }, null, "text"] };
    expect(boundInput(responses, options)).toMatchObject({ images: 1 });
    expect(inputTokenBound(responses, options)).toBeGreaterThan(50_000);
    const file = toolResult({ type: "content", value: [{ type: "file-id", fileId: "f" }, { note: "no type" }] });
    expect(() => inputTokenBound(file, options)).toThrow(UnboundedRequestError);
    const odd = { prompt: [{ role: "user", content: ["text", null, { text: "no type" }] }], messages: "none" };
    expect(inputTokenBound(odd, options)).toBeGreaterThan(0);
  });

  it("is not refused for it either", () => {
    const request = {
      prompt: [{ role: "assistant", content: [{ type: "tool-call", input: { type: "file", id: 1 } }] }],
    };
    expect(inputTokenBound(request)).toBeGreaterThan(0);
  });

  it("a cache mark on a picture counts as one", () => {
    const image = {
      type: "image",
      data: "A",
      providerOptions: { openrouter: { cacheControl: { type: "ephemeral", ttl: "1h" } } },
    };
    const request = { prompt: [{ role: "user", content: [image] }] };
    expect(boundInput(request, { provider: "anthropic", modelId: "claude-haiku-4.5" })).toMatchObject({
      cacheWrites: "1h",
      images: 1,
    });
  });
});
