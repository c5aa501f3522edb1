import { UsageError } from "../usage-error.ts";
import { parseExact } from "./exact-json.ts";
import type { DataRow } from "./read-rows.ts";

/** Rows of JSON Lines: an object a line. @throws UsageError that names the line. */
export async function* readJsonLines(text: AsyncIterable<string>, name: string): AsyncGenerator<DataRow> {
  let number = 0;
  for await (const line of linesOf(text)) {
    number++;
    if (line.trim() !== "") yield asRow(line, `${name}, line ${number}`);
  }
}

/** Rows of a JSON array of objects, one at a time. @throws UsageError that names the item. */
export async function* readJsonArray(text: AsyncIterable<string>, name: string): AsyncGenerator<DataRow> {
  let number = 0;
  for await (const item of itemsOf(text, name)) yield asRow(item, `${name}, item ${++number}`);
}

/** Only a line feed ends a line here: JSON may hold the other characters that elsewhere do, such as U+2028. */
async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const part of text) {
    const lines = part.split("\n");
    lines[0] = rest + (lines[0] ?? "");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  yield rest;
}

/** The texts between the commas of one array, found by brackets and quotes alone; what they hold is not looked at. */
async function* itemsOf(text: AsyncIterable<string>, name: string): AsyncGenerator<string> {
  let state = "before" as "before" | "inside" | "after";
  let depth = 0;
  let isQuoted = false;
  let isEscaped = false;
  let item = "";
  let count = 0;
  for await (const part of text) {
    let from = 0;
    for (let index = 0; index < part.length; index++) {
      const character = part[index] as string;
      if (state !== "inside") {
        if (/\s/.test(character)) continue;
        if (state === "after" || character !== "[") throw notAnArray(name);
        state = "inside";
        from = index + 1;
      } else if (isQuoted) {
        if (isEscaped) isEscaped = false;
        else if (character === "\\") isEscaped = true;
        else if (character === '"') isQuoted = false;
      } else if (character === '"') isQuoted = true;
      else if (character === "{" || character === "[") depth++;
      else if (depth > 0) {
        if (character === "}" || character === "]") depth--;
      } else if (character === "," || character === "]") {
        item += part.slice(from, index);
        from = index + 1;
        if (character === "]") state = "after";
        if (character === "," || count > 0 || item.trim() !== "") yield item;
        count++;
        item = "";
      }
    }
    if (state === "inside") item += part.slice(from);
  }
  if (state !== "after") throw state === "before" ? notAnArray(name) : new UsageError(`${name} ends within its array`);
}

function notAnArray(name: string): UsageError {
  return new UsageError(`${name} must hold one array of objects; if it holds an object a line, name it .jsonl`);
}

function asRow(text: string, where: string): DataRow {
  let value: unknown;
  try {
    value = parseExact(text);
  } catch (cause) {
    throw new UsageError(`${where} is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as DataRow;
  throw new UsageError(`${where} must be an object with a field per column`);
}
