import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isJsonObject } from "./json.ts";
import { countTokens, truncateToTokens } from "./tokens.ts";
import { readChatRequest } from "./wire/read-chat-request.ts";

const json = fc.jsonValue({ maxDepth: 4, stringUnit: "binary" });
const anyText = fc.string({ unit: "binary" });
const message = fc.record({
  role: fc.constantFrom("user", "assistant", "system", ""),
  content: fc.oneof(
    anyText,
    fc.array(fc.oneof(fc.record({ type: fc.constant("text"), text: anyText }), json)),
    fc.constant(null),
  ),
  tool_calls: json,
});

describe("tokens", () => {
  it.each([
    ["", 0],
    ["word", 1],
    ["words", 2],
    ["card_arrival", 4],
    ["Hi, you!", 4],
    ["日本語です。", 3],
    ["👍👍", 2],
  ])("counts %j as %i", (text, count) => {
    expect(countTokens(text)).toBe(count);
  });

  it("are never more than the bytes of the request, whatever is sent", () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1 }), json, json, (messages, tools, format) => {
        const body: unknown = { model: "m", messages, tools, response_format: format };
        const bytes = Buffer.byteLength(JSON.stringify(body));
        const parsed: unknown = JSON.parse(JSON.stringify(body));
        expect(isJsonObject(parsed) && readChatRequest(parsed).promptTokens).toBeLessThanOrEqual(bytes);
      }),
      { numRuns: 300 },
    );
  });

  it("are cut to a prefix that has just as many as allowed", () => {
    fc.assert(
      fc.property(anyText, fc.nat(20), (text, limit) => {
        const cut = truncateToTokens(text, limit);
        expect(text.startsWith(cut.text)).toBe(true);
        expect(countTokens(cut.text)).toBe(cut.tokens);
        expect(cut.tokens).toBe(Math.min(limit, countTokens(text)));
        expect(cut.truncated).toBe(countTokens(text) > limit);
      }),
    );
  });
});
