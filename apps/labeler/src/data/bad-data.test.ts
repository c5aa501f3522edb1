import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UsageError } from "../usage-error.ts";
import { stringifyExact } from "./exact-json.ts";
import { readJsonArray, readJsonLines } from "./read-json.ts";
import { readRows } from "./read-rows.ts";
import { withText } from "./text-source.ts";
import { partialPath, writeFile, writeToStream } from "./write-file.ts";
import { assertWritable } from "./write-rows.ts";

let folder: string;
const at = (name: string) => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "data-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function readOf(content: string | Buffer, options = {}, file = "data.csv") {
  writeFileSync(at(file), content);
  return await Array.fromAsync(readRows(at(file), options));
}

const bytes = (...all: (number | string)[]) =>
  Buffer.concat(all.map((part) => (typeof part === "number" ? Buffer.from([part]) : Buffer.from(part))));
const utf16be = (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le").swap16();

describe("encodings", () => {
  const text = "Grüße, “€” 😀";
  const content = `text\n"${text}"\n`;
  it.each([
    ["UTF-8", Buffer.from(content), {}],
    ["UTF-8 with its mark", bytes(0xef, 0xbb, 0xbf, content), {}],
    ["UTF-16 little endian with its mark", Buffer.from(`\uFEFF${content}`, "utf16le"), {}],
    ["UTF-16 big endian with its mark", utf16be(content), {}],
    ["UTF-16 without a mark, named", Buffer.from(content, "utf16le"), { encoding: "utf-16le" }],
    ["gzip under another name", gzipSync(content), {}],
    ["gzip of UTF-16", gzipSync(utf16be(content)), {}],
  ])("%s", async (_name, file, options) => {
    expect(await readOf(file, options)).toEqual([{ text }]);
    const jsonl = file.equals(Buffer.from(content)) ? `{"text":${JSON.stringify(text)}}` : undefined;
    if (jsonl !== undefined) expect(await readOf(bytes(0xef, 0xbb, 0xbf, jsonl), {}, "data.jsonl")).toEqual([{ text }]);
  });

  it("Windows-1252 by its name, and the error that names it without", async () => {
    const file = bytes("text\nGr", 0xfc, 0xdf, "e ", 0x93, 0x80, 0x94, "\n");
    expect(await readOf(file, { encoding: "windows-1252" })).toEqual([{ text: "Grüße “€”" }]);
    await expect(readOf(file)).rejects.toThrow(/data\.csv is not UTF-8 text: .*--encoding windows-1252/);
  });
});

describe("data that cannot be read is refused in one line that names the fix", () => {
  it.each<[string, string | Buffer, RegExp, string?, object?]>([
    ["more fields than columns", "text,b\n1,2\nno, quotes,3\n", /data\.csv, line 3: 3 fields, but the header names 2/],
    ["a column twice", "a,a\n1,2\n", /two columns are named "a"/],
    ["UTF-16 without a mark", Buffer.from("text\none\n", "utf16le"), /looks like UTF-16.*--encoding utf-16le/],
    ["lines of an old Mac", "text,b\ra,1\rb,2\r", /CR alone/],
    ["an encoding that is none", "text\na\n", /No encoding is named "klingon"/, "data.csv", { encoding: "klingon" }],
    ["gzip that was cut off", gzipSync("text\n".repeat(9000)).subarray(0, 40), /damaged gzip/, "data.csv.gz"],
    ["a line that is no JSON", '{"a":1}\n{"a":\n', /data\.jsonl, line 2 is not JSON/, "data.jsonl"],
    ["a line that is no object", "[1]\n", /line 1 must be an object/, "data.jsonl"],
    ["an array that ends early", '[{"a":1},', /ends within its array/, "data.json"],
    ["a comma too many", '[{"a":1},]', /item 2 is not JSON/, "data.json"],
    ["something after the array", '[{"a":1}] x', /one array of objects/, "data.json"],
    ["an object a line in .json", '{"a":1}\n', /name it \.jsonl/, "data.json"],
    ["an empty .json", " ", /one array of objects/, "data.json"],
    ["an ending that tells nothing", "text\n", /data\.xlsx: the format is told.*--format csv/, "data.xlsx"],
    ["packed Parquet", "", /--format csv/, "data.parquet.gz"],
  ])("%s", async (_name, content, message, file, options) => {
    const reading = readOf(content, options, file);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toBeInstanceOf(UsageError);
    expect((await reading.catch((error: Error) => error.message)) as string).not.toContain("\n");
  });

  it.each([
    ["a;b\n1;2\n", "--delimiter ';'"],
    ["a\tb\n1\t2\n", "--delimiter tab"],
  ])("a delimiter that was not named: %j", async (content, hint) => {
    writeFileSync(at("data.csv"), content);
    const rows = Array.fromAsync(withText(readRows(at("data.csv")), { column: "a" }));
    await expect(rows).rejects.toThrow(hint);
    const delimiter = hint.replace(/.* /, "").replaceAll("'", "");
    expect(await readOf(content, { delimiter })).toEqual([{ a: "1", b: "2" }]);
  });

  it("an ending stands before --format, which serves the names that tell nothing", async () => {
    expect(await readOf("text\na\n", { format: "csv" }, "data.txt")).toEqual([{ text: "a" }]);
    expect(await readOf("text\na\n", { format: "jsonl" }, "data.csv")).toEqual([{ text: "a" }]);
  });
});

describe("JSON is read wherever its parts are cut", () => {
  async function* cut(text: string, size: number) {
    for (let index = 0; index < text.length; index += size) yield text.slice(index, index + size);
  }
  const row = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 2 }));

  it("arrays and lines", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 5 }),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        async (rows, size, pretty) => {
          const expected = rows.map((each) => JSON.stringify(each));
          const back = async (read: AsyncIterable<object>) => (await Array.fromAsync(read)).map(stringifyExact);
          const array = JSON.stringify(rows, null, pretty ? 2 : 0);
          expect(await back(readJsonArray(cut(` ${array}\n`, size), "x"))).toEqual(expected);
          const lines = rows.map((each) => JSON.stringify(each)).join(pretty ? "\r\n" : "\n");
          expect(await back(readJsonLines(cut(lines, size), "x"))).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("writing", () => {
  async function* parts(count: number) {
    for (let part = 0; part < count; part++) yield "x".repeat(1000);
  }
  const plain = { isPacked: false };

  it("a source that fails leaves the old file and nothing beside it", async () => {
    writeFileSync(at("out.csv"), "old");
    const broken = async function* () {
      yield* parts(100);
      throw new Error("store lost");
    };
    for (const isPacked of [false, true]) {
      await expect(writeFile(at("out.csv"), broken(), { isPacked })).rejects.toThrow("store lost");
    }
    expect(readFileSync(at("out.csv"), "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["out.csv"]);
    await writeFile(at("out.csv"), parts(2), plain);
    expect(readFileSync(at("out.csv"), "utf8")).toHaveLength(2000);
  });

  it("clears away what a killed process had written of the same file, and nothing else", async () => {
    const { pid: dead } = spawnSync(process.execPath, ["--version"]);
    for (const name of [`out.csv.partial-${dead}`, `out.csv.partial-${process.ppid}`, `other.csv.partial-${dead}`])
      writeFileSync(at(name), "part");
    writeFileSync(at("out.csv.partial-mine"), "not ours");
    await writeFile(at("out.csv"), parts(2), plain);
    const left = ["out.csv", `out.csv.partial-${process.ppid}`, "out.csv.partial-mine", `other.csv.partial-${dead}`];
    expect(readdirSync(folder).sort()).toEqual(left.sort());
  });

  it.skipIf(!existsSync("/dev/full"))("a full disk leaves the old file, and says so", async () => {
    writeFileSync(at("out.csv"), "old");
    symlinkSync("/dev/full", partialPath(at("out.csv")));
    await expect(writeFile(at("out.csv"), parts(2000), plain)).rejects.toThrow(
      /out\.csv could not be written, the disk is full: free some space/,
    );
    expect(lstatSync(at("out.csv")).isFile()).toBe(true);
    expect(readFileSync(at("out.csv"), "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["out.csv"]);
  });

  it("goes no faster than a slow reader, and ends when it reads no further", async () => {
    let made = 0;
    const source = async function* () {
      for (; made < 10_000; made++) yield "x".repeat(1000);
    };
    let taken = 0;
    let ahead = 0;
    const slow = new Writable({
      highWaterMark: 1000,
      write: (_chunk, _encoding, done) => {
        ahead = Math.max(ahead, made - ++taken);
        if (taken < 300) setImmediate(done);
        else done(Object.assign(new Error("closed"), { code: "EPIPE" }));
      },
    });
    await writeToStream(slow, source());
    expect(taken).toBe(300);
    expect(ahead).toBeLessThan(50);
  });

  it("refuses what could not be written before anything is spent", () => {
    expect(() => assertWritable(at("out.xlsx"))).toThrow(/ending must be one of .*\.parquet.*--format/);
    expect(() => assertWritable("-")).toThrow(/say --format csv/);
    expect(() => assertWritable(folder, { format: "csv" })).toThrow(/is a folder/);
    writeFileSync(at("out.csv"), "old");
    expect(() => assertWritable(at("out.csv"))).toThrow(/exists/);
    assertWritable(at("out.csv"), { force: true });
    assertWritable(at("out.jsonl.gz"));
    expect(readdirSync(folder)).toEqual(["out.csv"]);
  });
});
