/**
 * Checks what would be published: packs every public package, lints the tarballs, and installs them with plain npm into
 * an empty project in which the README's first snippet runs against the simulator, and counts what that bills.
 */
import { spawn, spawnSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const workspace = mkdtempSync(join(tmpdir(), "autolabel-packages-"));

interface Packed {
  name: string;
  folder: string;
  tarball: string;
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed in ${cwd}\n${stdout}${stderr}`);
  return stdout;
}

/** Packs a workspace folder; undefined for a private one. */
function pack(manifestPath: string): Packed | undefined {
  const folder = dirname(join(root, manifestPath));
  const manifest = JSON.parse(readFileSync(join(root, manifestPath), "utf8")) as { name: string; private?: boolean };
  if (manifest.private) return undefined;
  const target = join(workspace, "tarballs", basename(folder));
  mkdirSync(target, { recursive: true });
  run("pnpm", ["pack", "--pack-destination", target], folder);
  const [tarball] = globSync("*.tgz", { cwd: target });
  if (!tarball) throw new Error(`pnpm pack wrote no tarball for ${manifest.name}`);
  return { name: manifest.name, folder, tarball: join(target, tarball) };
}

function lint({ name, tarball }: Packed): void {
  run("publint", ["run", tarball, "--strict"], root);
  run("attw", [tarball, "--profile", "esm-only"], root);
  console.log(`✓ ${name}: publint and attw find nothing`);
}

/** The first TypeScript block of a package's README. */
function snippetOf(packed: Packed): string {
  const block = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(packed.folder, "README.md"), "utf8"));
  if (!block?.[1]) throw new Error(`${packed.name}: its README has no \`\`\`ts block`);
  return block[1];
}

/** Sends what a snippet sends to its provider to the simulator instead; the snippet itself is run as it stands. */
const redirect = `const send = globalThis.fetch;
const paths = { "https://openrouter.ai/api/v1": "/api/v1", "https://api.openai.com/v1": "/v1" };
globalThis.fetch = (url, init) => {
  const base = Object.keys(paths).find((known) => String(url).startsWith(known));
  return send(base ? String(url).replace(base, process.env.SIMULATOR_URL + paths[base]) : url, init);
};
`;

/** What else stands in the project that a snippet runs in. */
interface Setting {
  title: string;
  /** Packages that were there before. */
  present: readonly string[];
  snippet: string;
}

/** What the README of the OpenRouter package says of ai 6: npm must take it there, and its costs go around that model. */
const beside6: Setting = {
  title: "a call of ai 6",
  present: ["ai@6.0.326", "@openrouter/ai-sdk-provider@2.10.0"],
  snippet: `import { budgetMiddleware, CostTracker, openRouterCosts } from "@autolabel/provider-openrouter";
import { createOpenRouter } from "@openrouter/ai-sdk-provider";
import { generateText, wrapLanguageModel } from "ai";
const tracker = new CostTracker({ budget: "0.05" });
const middleware = budgetMiddleware({ tracker, costs: openRouterCosts() });
const model = wrapLanguageModel({ model: createOpenRouter()("openai/gpt-4o-mini"), middleware });
console.log((await generateText({ model, prompt: "Name a colour.", maxOutputTokens: 50 })).text);
console.log(await tracker.getStats());
`,
};

async function runSnippet(provider: Packed, packages: readonly Packed[], setting: Setting): Promise<void> {
  const { title, present, snippet } = setting;
  const project = mkdtempSync(join(workspace, `${basename(provider.folder)}-`));
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const wanted = ["budget-core", "simulator"].map((name) => packages.find(({ folder }) => basename(folder) === name));
  const tarballs = [provider, ...wanted].map((packed) => packed?.tarball ?? "");
  const install = ["install", "--no-audit", "--no-fund", "--loglevel=error"];
  if (present.length > 0) run("npm", [...install, ...present], project);
  run("npm", [...install, ...tarballs], project);
  writeFileSync(join(project, "redirect.mjs"), redirect);
  writeFileSync(join(project, "snippet.mjs"), snippet);
  writeFileSync(
    join(project, "with-simulator.mjs"),
    `import { spawnSync } from "node:child_process";
import { Worker, isMainThread, parentPort } from "node:worker_threads";
import { startSimulator } from "@autolabel/simulator";
if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  worker.once("message", (url) => {
    const keys = { OPENROUTER_API_KEY: "test", OPENAI_API_KEY: "test", CORPORATE_API_KEY: "test" };
    const env = { ...process.env, ...keys, CORPORATE_BASE_URL: url + "/gateway/v1", SIMULATOR_URL: url };
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "./redirect.mjs", "snippet.mjs"], { env, encoding: "utf8" });
    process.stdout.write(stdout);
    process.stderr.write(stderr);
    worker.once("message", (billed) => {
      console.log(billed);
      process.exit(status ?? 1);
    });
    worker.postMessage("bill");
  });
} else {
  // What the README of the corporate provider says of its contract.
  const models = { "house-model": { promptUsdPerMillion: "0.10", completionUsdPerMillion: "0.30" } };
  const simulator = await startSimulator({ models });
  parentPort.once("message", () => {
    const { count, totalPicoUsd } = simulator.invoice;
    parentPort.postMessage("billed: " + Number(totalPicoUsd) / 1e12 + " USD for " + count + " call");
  });
  parentPort.postMessage(simulator.url);
}
`,
  );
  const printed = await new Promise<string>((resolve, reject) => {
    const child = spawn(process.execPath, ["with-simulator.mjs"], { cwd: project });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += String(chunk)));
    child.on("close", (code) =>
      code === 0 ? resolve(text) : reject(new Error(`${provider.name}: ${title} failed:\n${text}`)),
    );
  });
  // A snippet that was refused ends without an error, too.
  const [, counted] = /totalCost: ([\d.e-]+)/.exec(printed) ?? [];
  const [, billed] = /billed: ([\d.e-]+) USD for 1 call/.exec(printed) ?? [];
  if (Number(billed) !== Number(counted) || !/callCount: 1\b/.test(printed)) {
    throw new Error(`${provider.name}: ${title} made no call, or counted it wrong:\n${printed}`);
  }
  console.log(`✓ ${provider.name}: installed by npm, ${title} printed\n${printed.replace(/^/gm, "    ")}`);
}

try {
  const packages = globSync("{packages,apps}/*/package.json", { cwd: root })
    .map(pack)
    .filter((packed) => packed !== undefined);
  for (const packed of packages) lint(packed);
  for (const packed of packages) {
    if (!basename(packed.folder).startsWith("provider-")) continue;
    const setting = { title: "its README's snippet", present: [], snippet: snippetOf(packed) };
    await runSnippet(packed, packages, setting);
    if (basename(packed.folder) === "provider-openrouter") await runSnippet(packed, packages, beside6);
  }
} finally {
  rmSync(workspace, { recursive: true, force: true });
}
