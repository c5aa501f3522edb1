import { describe, expect, it } from "vitest";
import type { AnswerRequest } from "./answers.ts";
import { scoreLabels } from "./label-matching.ts";
import { answerSchema, findLabels } from "./schema-answer.ts";
import { chat, simulate, userBody } from "./test-client.ts";

const LABELS = ["card_arrival", "lost_or_stolen_card", "exchangeRate", "top_up_failed"];

function choiceOf(labels: readonly string[]) {
  return {
    response_format: {
      type: "json_schema",
      json_schema: {
        name: "response",
        strict: true,
        schema: {
          type: "object",
          properties: { result: { type: "string", enum: labels } },
          required: ["result"],
          additionalProperties: false,
        },
      },
    },
  };
}

describe("label answers", () => {
  it.each([
    ["When will my new card arrive?", "card_arrival"],
    ["My card was stolen", "lost_or_stolen_card"],
    ["what are the rates for exchanging money", "exchangeRate"],
    ["Topping up fails all the time", "top_up_failed"],
  ])("%j is labeled %s", async (text, label) => {
    const simulator = await simulate({ errorRate: 0 });
    const prompt = `Choose one of ${LABELS.join(", ")}.\n\n${text}`;
    const reply = await chat(simulator, userBody(prompt, choiceOf(LABELS)));
    expect(JSON.parse(reply.choices[0]?.message.content ?? "")).toEqual({ result: label });
  });

  it("are the same for the same seed and messages, and differ between seeds", async () => {
    const [one, same, other] = await Promise.all([simulate(), simulate(), simulate({ seed: "other" })]);
    const ask = (simulator: typeof one) =>
      Promise.all(
        Array.from({ length: 30 }, async (_, row) => {
          const reply = await chat(simulator, userBody(`row ${row}`, choiceOf(LABELS)));
          return reply.choices[0]?.message.content;
        }),
      );
    const answers = await ask(one);
    expect(await ask(same)).toEqual(answers);
    expect(await ask(other)).not.toEqual(answers);
  });

  it("are wrong as often as errorRate says", async () => {
    const simulator = await simulate({ errorRate: 0.2 });
    const replies = await Promise.all(
      Array.from({ length: 400 }, (_, row) => chat(simulator, userBody(`card arrival ${row}`, choiceOf(LABELS)))),
    );
    const wrong = replies.filter((reply) => !reply.choices[0]?.message.content.includes("card_arrival")).length;
    expect(wrong).toBeGreaterThan(50);
    expect(wrong).toBeLessThan(110);
  });

  it("can be scripted, and the script is told what it needs", async () => {
    const asked: AnswerRequest[] = [];
    const simulator = await simulate({
      answer: (request) => {
        asked.push(request);
        return request.attempt === 0 ? '{"result":"top_up_failed"}' : undefined;
      },
      errorRate: 0,
    });
    const body = userBody("my card arrival", choiceOf(LABELS));
    expect((await chat(simulator, body)).choices[0]?.message.content).toBe('{"result":"top_up_failed"}');
    expect((await chat(simulator, body)).choices[0]?.message.content).toBe('{"result":"card_arrival"}');
    expect(asked[0]).toMatchObject({ model: "openai/gpt-4o-mini", lastUserText: "my card arrival", labels: LABELS });
    expect(asked.map(({ attempt }) => attempt)).toEqual([0, 1]);
  });

  it("score a word of the last paragraph above one of the instructions", () => {
    const [arrival, rate] = scoreLabels(["card_arrival", "exchange_rate"], "About exchange rates.\n\ncard arrival");
    expect(arrival).toBeGreaterThan(rate ?? 0);
  });
});

describe("other answers", () => {
  it("fit a nested schema", () => {
    const schema = {
      type: "object",
      properties: {
        name: { type: "string", minLength: 50 },
        score: { type: "number", minimum: 0, maximum: 1 },
        stars: { type: "integer", minimum: 1, maximum: 5 },
        sure: { type: "boolean" },
        tags: { type: "array", minItems: 2, items: { $ref: "#/$defs/tag" } },
        note: { anyOf: [{ type: "null" }, { type: "string" }] },
        kind: { const: "fixed" },
      },
      $defs: { tag: { enum: ["a", "b"] } },
    };
    const answer = answerSchema(schema, { pick: (values) => values[1], text: () => "text", fraction: () => 0.4 });
    expect(answer).toEqual({
      name: "text".padEnd(50, "x"),
      score: 0.45,
      stars: 2,
      sure: true,
      tags: ["b", "b"],
      note: null,
      kind: "fixed",
    });
    expect(findLabels(schema)).toEqual(["a", "b"]);
  });

  it("end on a schema that contains itself", () => {
    const node = { type: "object", properties: { child: { $ref: "#" } } };
    const answer = answerSchema(node, { pick: ([first]) => first, text: () => "", fraction: () => 0 });
    expect(JSON.stringify(answer).length).toBeLessThan(200);
  });

  it("call a tool once per user message", async () => {
    const simulator = await simulate();
    const tool = { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } };
    const tools = { tools: [{ type: "function", function: tool }] };
    const first = await chat(simulator, userBody("Weather?", tools));
    expect(first.choices[0]?.finish_reason).toBe("tool_calls");
    expect(JSON.parse(first.choices[0]?.message.tool_calls?.[0]?.function.arguments ?? "")).toHaveProperty("city");
    const messages = [
      { role: "user", content: "Weather?" },
      { role: "tool", content: "sun", tool_call_id: "x" },
    ];
    const second = await chat(simulator, { ...userBody(""), messages, ...tools });
    expect(second.choices[0]?.finish_reason).toBe("stop");
    expect(second.choices[0]?.message.content).not.toBe("");
  });
});
