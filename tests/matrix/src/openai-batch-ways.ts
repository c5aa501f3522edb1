import type { OpenAI } from "openai";
import { options } from "./openai-ways.ts";
import { type Asked, prompt, type Way } from "./way.ts";

const lineBodies = {
  "/v1/chat/completions": {
    model: "gpt-4o-mini",
    messages: [{ role: "user", content: prompt }],
    max_completion_tokens: 60,
  },
  "/v1/responses": { model: "gpt-4o-mini", input: prompt, max_output_tokens: 60 },
  "/v1/embeddings": { model: "text-embedding-3-small", input: ["one", "two"] },
};
type Endpoint = keyof typeof lineBodies;

/** How many requests a batch has. */
const lines = 4;

/** Submits a batch, and looks until it has ended; each look takes it a step on. */
async function run(openai: OpenAI, endpoint: Endpoint, asked: Asked, isCancelled = false): Promise<void> {
  const line = (_: unknown, index: number) =>
    JSON.stringify({ custom_id: `row-${index}`, method: "POST", url: endpoint, body: lineBodies[endpoint] });
  const file = new File([Array.from({ length: lines }, line).join("\n")], "in.jsonl");
  const { id: input_file_id } = await openai.files.create({ purpose: "batch", file });
  const { id } = await openai.batches.create({ input_file_id, endpoint, completion_window: "24h" }, options(asked));
  if (isCancelled) await openai.batches.cancel(id);
  for (let status = "validating"; ["validating", "in_progress", "cancelling"].includes(status); ) {
    ({ status } = await openai.batches.retrieve(id));
  }
}

/** Ways to have the official client run a batch: one request that counts, and one answer for each of its lines. */
export const openAiBatchWays: readonly Way<OpenAI>[] = [
  ...(Object.keys(lineBodies) as Endpoint[]).map(
    (endpoint): Way<OpenAI> => ({
      name: `batches.create of ${endpoint}, retrieved to its end`,
      kind: "batch",
      bills: lines,
      call: (openai, asked) => run(openai, endpoint, asked),
    }),
  ),
  {
    name: "batches.create, cancelled, retrieved to its end",
    kind: "batch",
    bills: lines / 2,
    call: (openai, asked) => run(openai, "/v1/chat/completions", asked, true),
  },
];
