import { cellsOf } from "./cells.ts";
import { closedDoors } from "./closed-doors.ts";
import { type Provider, providers } from "./door.ts";
import { doors } from "./doors.ts";
import { type Attempt, attemptsOf, canEnd, type Ending } from "./ending.ts";
import { endings } from "./endings.ts";
import type { Kind } from "./way.ts";

const headings: Readonly<Record<Kind, string>> = {
  answer: "Answers",
  stream: "Streams",
  embedding: "Embeddings",
  media: "Pictures, sound and transcripts whose answer tells what it used",
  speech: "Speech that is billed by the character",
  "untold media": "Sound and transcripts whose answer tells nothing but itself",
  batch: "Batches",
};

const intro = `# What is recorded, however a call ends

<!-- Written by \`npx pnpm matrix:page\` from the tables of tests/matrix; a test checks that it is up to date. -->

Every way to make a call, ended in every way it can end, over real HTTP against the simulator, whose invoice is the truth.
Each sign is one request:

- \`=\` recorded is what was billed, to the pico-USD
- \`≥\` the amount cannot be known: all that was held counts as spent, and is flagged (\`boundCallCount\`)
- \`0\` refused: nothing was billed and nothing is recorded
- \`–\` no request is sent; an empty field: this cannot happen there

Less than what was billed is never recorded.`;

const untold = "the answer tells neither its cost nor what it used";

const outro = `## Budgets

Each cell runs on an ample budget. Calls of one request run on a budget for exactly one call as well: it is enough, the bill
stays within it, and the next call is refused if the first one cost anything, and sent if it did not. Each door runs once on
a budget that is a pico-USD too small: nothing is sent and the caller gets the \`BudgetExceededError\`. Through a free gateway
calls pass on a budget of 0, and are counted.`;

/** The page for readers: which cell is exact, which one is held at its bound, and why. */
export function renderPage(): string {
  const tables = (Object.keys(headings) as Kind[]).map(renderTable);
  return `${[intro, ...tables, outro, renderDoors()].join("\n\n")}\n`;
}

function renderTable(kind: Kind): string {
  const columns = providers.filter((provider) =>
    doors.some((door) => door.provider === provider && door.kind === kind),
  );
  const rows = [...new Set(endings.map(({ row }) => row))].flatMap((row) => renderRow(row, kind, columns) ?? []);
  const head = ["a call that is …", ...columns, "why `≥` or `?`"];
  return [`## ${headings[kind]}`, "", line(head), line(head.map(() => "---")), ...rows].join("\n");
}

function renderRow(row: string, kind: Kind, columns: readonly Provider[]): string | undefined {
  const ways = endings.filter((ending) => ending.row === row && ending.kinds.includes(kind));
  const [first] = ways;
  if (!first) return undefined;
  const signs = columns.map((provider) => unique(ways.map((ending) => signsOf(ending, provider, kind))));
  if (signs.every((sign) => sign === "")) return undefined;
  const pieces = ways.flatMap(({ piece }) => (piece === undefined ? [] : [piece]));
  const name = pieces.length === 0 ? row : `${row}, after ${pieces[0]} … ${pieces.at(-1)} pieces of text`;
  const isHeld = signs.some((sign) => /[≥?]/.test(sign));
  return line([name, ...signs, isHeld ? (first.why ?? untold) : ""]);
}

/** The signs of a cell; endings that share a row must share them. */
function unique(signs: readonly string[]): string {
  const [sign = "", ...others] = new Set(signs);
  if (others.length > 0) throw new Error(`One row shows both "${sign}" and "${others.join('", "')}": name two rows`);
  return sign;
}

function signsOf(ending: Ending, provider: Provider, kind: Kind): string {
  const isPossible = doors.some((door) => door.provider === provider && door.kind === kind && canEnd(ending, door));
  if (!isPossible) return "";
  const signs = attemptsOf(ending, { provider, kind }).map(({ recorded }) => signOf[recorded]);
  return signs.join(" ") || "–";
}

const signOf: Readonly<Record<Attempt["recorded"], string>> = { exact: "=", bound: "≥", nothing: "0", unresolved: "?" };

function renderDoors(): string {
  const cells = cellsOf(...providers);
  const closed = closedDoors.map(({ name }) => `\`${name}\``).join(" · ");
  return `## Doors

${doors.length} doors, ${cells.length} cells.

${providers.flatMap(renderDoorsOf).join("\n")}
- **closed**, refused before anything is sent: ${closed}`;
}

/** A line for every client or model of a provider, with the ways to use it. */
function renderDoorsOf(provider: Provider): string[] {
  const ways = new Map<string, string[]>();
  for (const { name } of doors.filter((door) => door.provider === provider)) {
    const [client = "", way = ""] = name.split(": ");
    ways.set(client, [...(ways.get(client) ?? []), `\`${way}\``]);
  }
  return [...ways].map(([client, names]) => `- **${provider}**, ${client}: ${names.join(" · ")}`);
}

function line(fields: readonly string[]): string {
  return `| ${fields.join(" | ")} |`;
}
