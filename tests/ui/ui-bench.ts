import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AnswerRequest, type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";

const cli = join(import.meta.dirname, "../../apps/labeler/src/cli.ts");
const labeler = join(import.meta.dirname, "../../apps/labeler");

/** What customers of a bank ask, by what they ask about. */
const questions: Readonly<Record<string, readonly string[]>> = {
  card_arrival: [
    "When will my new card arrive?",
    "My card has not come yet",
    "How long does the post take for a card?",
  ],
  exchange_rate: ["What exchange rate do I get?", "Is the rate the same at night?", "Which rate counts for euros?"],
  lost_card: ["I lost my card on the bus", "My wallet is gone, and my card with it", "How do I block a stolen card?"],
  pin_blocked: ["My PIN is blocked", "I typed a wrong PIN three times", "How do I unblock the PIN?"],
  refund: ["Where is my refund?", "The shop sent my money back, but I do not see it", "I want my money back"],
  top_up: ["How do I top up?", "My top up was refused", "Can I top up by bank transfer?"],
};
export const labels = Object.keys(questions);

/** Rows with what is true of them; every one is another text. */
export function rowsOf(count: number): { text: string; category: string }[] {
  return Array.from({ length: count }, (_, index) => {
    const category = labels[(index * 7 + Math.floor(index / 11)) % labels.length] ?? "";
    const said = questions[category] ?? [];
    const text = `${said[Math.floor(index / labels.length) % said.length]} (ticket ${1000 + index})`;
    return { text, category };
  });
}

/** A model that is right most of the time, and sure more often than it should be. */
export function answerOf({ lastUserText, labels: choices, schema }: AnswerRequest): string | undefined {
  const names = choices ?? labels;
  const ticket = Number(/ticket (\d+)/.exec(lastUserText)?.[1] ?? 0);
  const truth = names.find((name) => (questions[name] ?? []).some((text) => lastUserText.includes(text)));
  const chance = ((ticket * 2654435761) % 1000) / 1000;
  const isRight = chance > 0.13;
  const place = names.indexOf(truth ?? "");
  const said = isRight ? truth : names[(place + 1 + (ticket % 2)) % names.length];
  const sureness = isRight ? 0.62 + 0.37 * (((ticket * 40503) % 997) / 997) : 0.35 + 0.5 * chance * 7;
  const fields: Readonly<Record<string, unknown>> = {
    explanation: `The customer writes about ${said?.replace("_", " ")}, not about anything else on the list.`,
    result: said,
    confidence: Math.round(100 * Math.min(0.99, sureness)) / 100,
  };
  const wanted = Object.keys((schema?.properties ?? {}) as object);
  return JSON.stringify(Object.fromEntries(wanted.map((name) => [name, fields[name]])));
}

/** A folder with runs, a simulator that answers them, and `autolabel ui` over them. */
export interface UiBench {
  readonly folder: string;
  readonly simulator: Simulator;
  /** The address that `autolabel ui` printed. */
  readonly url: string;
  /** Runs a command to its end. @throws Error unless it ends with one of these codes. */
  run(args: readonly string[], ...codes: number[]): Promise<string>;
  /** Starts a command and gives the process, which ends with the bench. */
  start(args: readonly string[]): ChildProcess;
  /** Starts `autolabel ui` once more, and gives the address that it prints. */
  serve(...args: readonly string[]): Promise<string>;
  /** Writes rows as a data file and gives its name. */
  data(name: string, rows: readonly object[]): string;
  close(): Promise<void>;
}

/** Builds the page and starts its server over an empty folder. */
export async function startUi(options: SimulatorOptions = {}): Promise<UiBench> {
  const [simulator] = await Promise.all([startSimulator({ answer: answerOf, ...options }), buildPage()]);
  const folder = mkdtempSync(join(tmpdir(), "autolabel-ui-"));
  const children = new Set<ChildProcess>();
  const start = (args: readonly string[]) => {
    const child = spawn(process.execPath, ["--conditions=@autolabel/source", cli, ...args], {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        NO_COLOR: "1",
        OPENROUTER_API_KEY: "test",
        OPENROUTER_BASE_URL: simulator.openRouterUrl,
      },
    });
    children.add(child);
    child.on("close", () => children.delete(child));
    return child;
  };
  const serve = (...args: readonly string[]) => firstLine(start(["ui", "--author", "alex", ...args]));
  const url = await serve();
  return {
    folder,
    simulator,
    url,
    start,
    serve,
    run: (args, ...codes) => ended(start(args), args, codes.length === 0 ? [0] : codes),
    data(name, rows) {
      writeFileSync(join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
      return name;
    },
    async close() {
      for (const child of children) child.kill("SIGKILL");
      await simulator.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** As `pnpm build` does; a test's own environment would make a build for development. */
async function buildPage(): Promise<void> {
  const env = { PATH: process.env.PATH, NODE_ENV: "production" };
  const vite = join(labeler, "node_modules/.bin/vite");
  await ended(
    spawn(vite, ["build", "page", "--logLevel", "warn"], { cwd: labeler, env }),
    ["(build of the page)"],
    [0],
  );
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let [told, wrong] = ["", ""];
    child.stdout?.on("data", (chunk) => {
      told += chunk;
      if (told.includes("\n")) resolve(told.slice(0, told.indexOf("\n")));
    });
    child.stderr?.on("data", (chunk) => (wrong += chunk));
    child.once("close", (code) => reject(new Error(`autolabel ui ended with ${code}: ${wrong}`)));
  });
}

function ended(child: ChildProcess, args: readonly string[], codes: readonly number[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let [told, wrong] = ["", ""];
    child.stdout?.on("data", (chunk) => (told += chunk));
    child.stderr?.on("data", (chunk) => (wrong += chunk));
    child.once("close", (code) => {
      if (codes.includes(code ?? -1)) resolve(told);
      else reject(new Error(`autolabel ${args.join(" ")} ended with ${code}: ${wrong}`));
    });
  });
}
