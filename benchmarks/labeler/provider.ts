/*
 * A provider that costs as little time as possible, in a process of its own: it answers every chat completion with the
 * same label after so many milliseconds as its argument says, and prints its port.
 */
import { createServer } from "node:http";

const latencyMs = Number(process.argv[2] ?? 0);
const body = JSON.stringify({
  id: "gen-1",
  object: "chat.completion",
  created: 1,
  model: "openai/gpt-4o-mini",
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: '{"result":"refund"}' } }],
  usage: { prompt_tokens: 100, completion_tokens: 5, total_tokens: 105, cost: 0.000018 },
});
const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };

const server = createServer((request, response) => {
  const answer = () => response.writeHead(200, headers).end(body);
  request.resume().on("end", () => (latencyMs > 0 ? setTimeout(answer, latencyMs) : answer()));
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`${typeof address === "object" && address ? address.port : 0}\n`);
});
