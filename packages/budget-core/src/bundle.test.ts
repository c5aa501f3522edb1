import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");

/** Bundles as an app does that imports these names of the core. */
async function bundle(names: string) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: `export ${names} from "./src/index.ts";`, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "iife",
    globalName: "budget",
    platform: "browser",
    target: "es2023",
    conditions: ["@autolabel/source"],
  });
  const [file] = outputFiles;
  return { code: file?.text ?? "", inputs: Object.keys(metafile.inputs) };
}

const gzipBytes = (code: string) => gzipSync(code, { level: 9 }).length;
describe("the core as it reaches a browser or an edge function", () => {
  it.each([
    [
      "what the README imports",
      "{ CostTracker, budgetMiddleware, BudgetExceededError, isBudgetExceeded, usd }",
      12_000,
    ],
    ["all of it", "*", 13_400],
  ])("takes %s, no prices among it, in few bytes", async (_what, names, mostBytes) => {
    const { code, inputs } = await bundle(names);
    expect(gzipBytes(code)).toBeLessThanOrEqual(mostBytes);
    expect(inputs.filter((path) => path.includes("snapshot"))).toEqual([]);
    expect(inputs.filter((path) => path.includes("node_modules"))).toEqual([]);
    expect(/(\bfrom|\bimport\(|\brequire\()\s*["']/.test(code)).toBe(false);
  });

  it("runs where only the web's own globals are: holds, settles, refuses, starts anew by the day", async () => {
    const { TextEncoder, crypto, AbortController, ReadableStream } = globalThis;
    const timers = { setTimeout, clearTimeout, setInterval, clearInterval };
    const context = createContext({ TextEncoder, crypto, AbortController, ReadableStream, ...timers });
    const story = `(async () => {
      const tracker = new budget.CostTracker({ budget: "0.00001", per: "day", timeZone: "Asia/Tokyo" });
      const hold = await tracker.reserve({ boundPicoUsd: 9_000_000n });
      const waiting = tracker.reserve({ boundPicoUsd: 8_000_000n });
      await hold.markDispatched();
      await hold.settle({ costPicoUsd: 2_000_000n, modelId: "m" });
      await (await waiting).release();
      const refusal = await tracker.reserve({ boundPicoUsd: 9_000_000n }).catch((error) => error);
      const { totalCost, held } = await tracker.getStats();
      return JSON.stringify({ totalCost, held, code: refusal.code });
    })()`;
    const { code } = await bundle("*");
    const outcome: unknown = await runInContext(`${code}; ${story}`, context);
    expect(JSON.parse(String(outcome))).toEqual({ totalCost: 0.000002, held: 0, code: "budget_exceeded" });
  });

  it("brings no other package along", () => {
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, object | undefined>;
    expect(Object.keys(manifest.dependencies ?? {})).toEqual([]);
    expect(Object.keys(manifest.optionalDependencies ?? {})).toEqual([]);
    const optional = Object.keys(manifest.peerDependenciesMeta ?? {});
    expect(Object.keys(manifest.peerDependencies ?? {})).toEqual(optional);
  });
});
