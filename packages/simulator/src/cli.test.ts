import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseCliArguments } from "./cli-arguments.ts";

const CLI = fileURLToPath(new URL("./cli.ts", import.meta.url));

function start(...args: string[]) {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const output = { out: "", err: "" };
  child.stdout.on("data", (bytes: Buffer) => {
    output.out += bytes.toString();
  });
  child.stderr.on("data", (bytes: Buffer) => {
    output.err += bytes.toString();
  });
  return { child, output };
}

describe("the command line", () => {
  it("reads its options", () => {
    const args = "--port 0 --latency 10 --seed 9 --fail-rate 0.02 --credit 1.50 --quiet".split(" ");
    expect(parseCliArguments(args)).toMatchObject({
      kind: "run",
      quiet: true,
      options: { port: 0, seed: "9", latencyMs: { median: 10 }, creditPicoUsd: 1_500_000_000_000n },
    });
  });

  it.each([
    [["--prot", "1"], "Unknown option '--prot' (see --help)"],
    [["--port", "x"], '--port must be a number from 0 to 65535, not "x" (see --help)'],
    [["--fail-rate", "2"], '--fail-rate must be a number from 0 to 1, not "2" (see --help)'],
    [["--credit", "lots"], '--credit must be an amount of USD such as 1.50, not "lots" (see --help)'],
  ])("answers %j with one line", (args, message) => {
    expect(parseCliArguments(args)).toEqual({ kind: "error", message });
  });

  it("ends with code 2 on a bad option", async () => {
    const { child, output } = start("--nope");
    expect(await once(child, "close")).toEqual([2, null]);
    expect(output.err.trim().split("\n")).toHaveLength(1);
  });

  it("says how to use it, serves, and shows the invoice when stopped", async () => {
    const { child, output } = start("--port", "0", "--latency", "0");
    while (!output.out.includes("Ctrl-C")) await once(child.stdout, "data");
    const url = /OPENROUTER_BASE_URL=(\S+)/.exec(output.out)?.[1];
    const body = { model: "openai/gpt-4o-mini", max_tokens: 1, messages: [{ role: "user", content: "hello" }] };
    expect((await fetch(`${url}/chat/completions`, { method: "POST", body: JSON.stringify(body) })).status).toBe(200);
    child.kill("SIGTERM");
    await once(child, "close");
    expect(child.exitCode).toBe(0);
    expect(output.out).toContain("Invoice: $0.00000135 for 1 billed of 1 requests");
  });
});
