import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");

function run(script: string, cwd: string): unknown {
  const args = ["--conditions=@autolabel/source", "--input-type=module-typescript"];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd, input: script, encoding: "utf8" });
  const [last = ""] = stdout.trim().split("\n").slice(-1);
  if (last === "") throw new Error(`The script printed nothing\n${stderr}`);
  return JSON.parse(last);
}

it("the README's example does what its comment says", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block]) => block ?? "");
  const snippet = blocks.find((block) => block.includes("traceBudget("));
  const told = /with autolabel\.cost_usd (\S+), autolabel\.held_usd (\S+), autolabel\.scope "(\S+)"/.exec(
    snippet ?? "",
  );
  const seen = run(
    `import { context, trace as api } from "@opentelemetry/api";
    import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
    import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
    const exporter = new InMemorySpanExporter();
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    api.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
    ${snippet}
    console.log(JSON.stringify(exporter.getFinishedSpans()[0].attributes));`,
    root,
  );
  expect(seen).toMatchObject({
    "autolabel.cost_usd": Number(told?.[1]),
    "autolabel.held_usd": Number(told?.[2]),
    "autolabel.scope": told?.[3],
  });
});

it("where @opentelemetry/api is not installed the package works, and only this sub-path cannot be loaded", () => {
  const folder = mkdtempSync(join(tmpdir(), "no-opentelemetry-"));
  try {
    cpSync(join(root, "src"), join(folder, "src"), { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    const seen = run(
      `import { CostTracker } from "./src/index.ts";
      const tracker = new CostTracker({ budget: 1 });
      const hold = await tracker.reserve({ boundPicoUsd: 2_000_000_000n });
      await hold.markDispatched();
      await hold.settle({ costPicoUsd: 450_000_000n });
      const { totalCost } = await tracker.getStats();
      const { code, message } = await import("./src/opentelemetry/index.ts").catch((error) => error);
      console.log(JSON.stringify({ totalCost, code, message }));`,
      folder,
    );
    expect(seen).toMatchObject({ totalCost: 0.00045, code: "ERR_MODULE_NOT_FOUND" });
    expect(seen).toHaveProperty("message", expect.stringContaining("@opentelemetry/api"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
