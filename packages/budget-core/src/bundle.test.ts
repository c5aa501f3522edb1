import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const kilobyte = 1000;
let code: string;
let inputs: string[];

beforeAll(async () => {
  const bundle = await build({
    entryPoints: [join(root, "src/index.ts")],
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
  code = bundle.outputFiles[0]?.text ?? "";
  inputs = Object.keys(bundle.metafile.inputs);
});

describe("the core as it reaches a browser or an edge function", () => {
  it("is small, without the price table, and imports nothing of Node", () => {
    expect(gzipSync(code).length).toBeLessThanOrEqual(12 * kilobyte);
    expect(inputs.filter((path) => path.includes("snapshot"))).toEqual([]);
    expect(inputs.filter((path) => path.includes("node_modules"))).toEqual([]);
    expect(code).not.toMatch(/["']node:/);
  });

  it("runs where only the web's own globals are: holds, settles, refuses, starts anew by the day", async () => {
    const { TextEncoder, crypto, AbortController, ReadableStream, setTimeout, clearTimeout, Intl } = globalThis;
    const web = { TextEncoder, crypto, AbortController, ReadableStream, setTimeout, clearTimeout, Intl };
    const context = createContext({ ...web });
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
