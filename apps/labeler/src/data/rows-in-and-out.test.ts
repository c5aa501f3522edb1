import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { usd } from "@autolabel/budget-core";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LabeledRow, LabelValue } from "../store/row.ts";
import { SqliteRunStore } from "../store/sqlite-run-store.ts";
import type { ColumnType } from "./column-type.ts";
import { type DataFormat, dataFormats } from "./data-format.ts";
import { parquetColumnTypes } from "./read-parquet.ts";
import { type DataRow, readRows } from "./read-rows.ts";
import { withText } from "./text-source.ts";
import { writeRows } from "./write-rows.ts";

let folder: string;
const at = (name: string) => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "data-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function labeled(input: DataRow, position: number, label: LabelValue | null = "good"): LabeledRow {
  const labelOf = { label, confidence: 0.75, status: "labeled", source: "m", taskVersion: "v" } as const;
  const rest = { duplicateOf: null, review: null, cost: usd("0.00012"), attempts: 1, explanation: null, error: null };
  return { position, rowId: String(position), input, text: "", ...labelOf, ...rest };
}

async function write(file: string, inputs: readonly DataRow[], types?: Map<string, ColumnType>, label?: LabelValue) {
  const rows = async function* () {
    for (const [position, input] of inputs.entries()) yield labeled(input, position, label);
  };
  const inputColumns = [...new Set(inputs.flatMap((input) => Object.keys(input)))];
  await writeRows(at(file), { rows, inputColumns, columnTypes: types });
}

const read = (file: string, options = {}) => Array.fromAsync(readRows(at(file), options));

/** The rows of a file as a run hands them back: through the store, and its JSON. */
async function throughRun(file: string, name: string): Promise<DataRow[]> {
  const store = new SqliteRunStore(at(`${name}.sqlite`));
  try {
    const [first = "text"] = Object.keys((await read(file))[0] ?? {});
    const rows = withText(readRows(at(file)), { column: first });
    await store.addRows(rows, { order: { kind: "file" }, dedupe: false });
    const pending = await store.pending(0);
    const back = await Array.fromAsync(store.rows());
    // What is sent to the model is the same text.
    expect(pending.map(({ text }) => text)).toEqual(back.map(({ input }) => String(input[first])));
    return back.map(({ input }) => input as DataRow);
  } finally {
    await store.close();
  }
}

const awkward = [
  "",
  " ",
  "a,b",
  'say "no"',
  '"',
  "two\nlines",
  "two\r\nlines",
  "a\rb",
  "tab\there",
  "nul\0nul",
  "👩‍🚒🇩🇪",
];
const value = fc.oneof(
  fc.constantFrom(...awkward, "\uFEFFmark", "=1+1", "e\u0301", "a\u2028b", "\\", "'"),
  fc.string({ unit: "binary" }),
);
// A lone half of a pair is no character: no encoding of text files can hold it.
const whole = value.filter((text) => !/\p{Surrogate}/u.test(text));
// Where an object had the key `\`, Node 24 takes `"\n"` and other escaped keys for it: JSON.parse('{"\\":0}'), then
// JSON.parse('{"\n":0}'), gives `\` again. No file has a column named by a backslash alone; here one process reads many.
const header = fc.uniqueArray(
  whole.filter((name) => name !== "\\" && !/[\r\0\uFEFF]/.test(name)),
  { minLength: 1, maxLength: 4 },
);
const table = header.chain((columns) => {
  const row = fc
    .tuple(...columns.map(() => whole))
    .map((values) => Object.fromEntries(columns.map((name, i) => [name, values[i]])));
  return fc.tuple(fc.constant(columns), fc.array(row, { minLength: 1, maxLength: 8 }));
});

describe("values, from a file through a run to a file", () => {
  it.each(["csv", "tsv", "jsonl", "json", "parquet", "csv.gz", "jsonl.gz"])(
    "survive byte for byte as .%s",
    async (ending) => {
      let round = 0;
      await fc.assert(
        fc.asyncProperty(table, async ([columns, rows]) => {
          const file = `${round++}.${ending}`;
          await write(file, rows);
          const back = await throughRun(file, `run-${round}`);
          expect(back.map((row) => Object.keys(row).slice(0, columns.length))).toEqual(rows.map(() => columns));
          expect(back.map((row) => columns.map((name) => row[name]))).toEqual(
            rows.map((row) => columns.map((name) => row[name])),
          );
        }),
        { numRuns: 40 },
      );
    },
  );

  it.each([
    [
      "CRLF after the header, LF after rows",
      "text,b\r\none,1\ntwo,2\r\n",
      [
        { text: "one", b: "1" },
        { text: "two", b: "2" },
      ],
    ],
    [
      "rows that are short, empty lines, no last line end",
      'text,b\none\n\n"",2',
      [
        { text: "one", b: "" },
        { text: "", b: "2" },
      ],
    ],
    ["empty fields beyond the header", "text\none,,\n", [{ text: "one" }]],
    [
      "a column that every object has",
      "text,__proto__\none,p\n",
      [
        Object.fromEntries([
          ["text", "one"],
          ["__proto__", "p"],
        ]),
      ],
    ],
  ])("%s", async (_name, content, expected) => {
    writeFileSync(at("data.csv"), content);
    expect(await read("data.csv")).toEqual(expected);
  });

  it("columns whose names look like paths, or have no name", async () => {
    const row = { "": "0", text: "one", "a.b": "1", "c[0]": "2", a: '{"b":9}' };
    for (const ending of ["csv", "jsonl", "parquet"]) {
      await write(`out.${ending}`, [row]);
      expect(await read(`out.${ending}`)).toMatchObject([row]);
    }
  });

  it("a field of ten million characters", async () => {
    const text = "long\n".repeat(2_000_000);
    await write("data.csv", [{ text }]);
    expect((await read("data.csv"))[0]?.text === text).toBe(true);
  });

  it("numbers, booleans and nested values of JSON, integers beyond 2^53 with all their digits", async () => {
    const line =
      '{"text":"a\u2028b","id":12345678901234567890,"on":false,"tags":["x",9007199254740993],"none":null,"f":1.5}';
    writeFileSync(at("data.jsonl"), `${line}\n`);
    const [row] = await throughRun("data.jsonl", "run");
    expect(row).toMatchObject({ id: 12345678901234567890n, tags: ["x", 9007199254740993n] });
    await write("out.jsonl", [row ?? {}]);
    expect(readFileSync(at("out.jsonl"), "utf8")).toContain(line.slice(0, -1));
    await write("out.csv", [row ?? {}]);
    expect(await read("out.csv")).toMatchObject([
      { id: "12345678901234567890", on: "false", tags: '["x",9007199254740993]', none: "", f: "1.5" },
    ]);
    await write("out.parquet", [row ?? {}]);
    expect(await read("out.parquet")).toMatchObject([row]);
  });

  it("the label is text where it is text, and JSON in formats that have no lists", async () => {
    const spans = [{ start: 0, end: 3, text: "Ada", label: "person" }];
    for (const [label, text] of [
      ["good", "good"],
      [["a", "b"], '["a","b"]'],
      [spans, JSON.stringify(spans)],
    ] as const) {
      for (const format of dataFormats) await write(`out.${format}`, [{ text: "Ada" }], undefined, label);
      const [csv, tsv, parquet] = await Promise.all(["csv", "tsv", "parquet"].map((ending) => read(`out.${ending}`)));
      for (const rows of [csv, tsv, parquet]) expect(rows?.[0]?.label).toBe(text);
      expect((await read("out.jsonl"))[0]?.label).toEqual(label);
      expect((await read("out.json"))[0]?.label).toEqual(label);
    }
  });

  it("packs what ends in .gz", async () => {
    await write("out.csv", [{ text: "a" }]);
    await write("out.csv.gz", [{ text: "a" }]);
    expect(gunzipSync(readFileSync(at("out.csv.gz"))).equals(readFileSync(at("out.csv")))).toBe(true);
  });
});

describe("Parquet", () => {
  // Written by pyarrow 26 (zstd, two row groups), an implementation of its own.
  const fixture = join(import.meta.dirname, "fixtures", "pyarrow-26.parquet");

  it("reads another writer's types as what JSON can hold, without loss", async () => {
    const rows = await Array.fromAsync(readRows(fixture));
    expect(rows).toHaveLength(3);
    expect(rows[1]).toEqual({
      text: 'My card 1 😀 has\r\nnot "arrived", ok\uFEFF',
      i32: 1,
      big: 2n ** 62n + 1n,
      f: 1,
      f32: 0.5,
      b: false,
      d: "2024-01-02",
      us: "2024-01-01T01:02:03.000001Z",
      nsutc: "2023-11-14T22:13:20.12345679Z",
      ms: "1916-02-18T01:46:39.878Z",
      dec: "-123.45",
      lst: [1, 2n ** 60n + 1n],
      st: { a: 1, b: ["x"] },
      nul: null,
      bin: "//4A",
      u64: 2n ** 63n + 1n,
    });
  });

  it("writes the types back that it read, and the same values", async () => {
    const rows = await Array.fromAsync(readRows(fixture));
    const types = await parquetColumnTypes(fixture);
    await write("out.parquet", rows, types);
    const written = await parquetColumnTypes(at("out.parquet"));
    expect([...types].filter(([column, type]) => written.get(column) !== type)).toEqual([]);
    expect(types.get("nsutc")).toBe("timestamp[ns, tz=UTC]");
    expect(
      (await read("out.parquet")).map((row) =>
        Object.fromEntries(Object.keys(rows[0] ?? {}).map((name) => [name, row[name]])),
      ),
    ).toEqual(rows);
  });

  it("finds types in the values of other formats", async () => {
    await write("out.parquet", [
      { text: "a", n: 1, long: 2n ** 60n, x: 1, yes: true, mixed: 1, empty: null },
      { text: "b", n: null, long: 2, x: 1.5, yes: null, mixed: "one" },
    ]);
    expect(Object.fromEntries(await parquetColumnTypes(at("out.parquet")))).toMatchObject({
      text: "string",
      n: "int64",
      long: "int64",
      x: "double",
      yes: "boolean",
      mixed: "json",
      empty: "string",
      label: "string",
      label_confidence: "double",
      label_attempts: "int32",
    });
    expect((await read("out.parquet")).map(({ mixed, x, long }) => [mixed, x, long])).toEqual([
      [1, 1, 2n ** 60n],
      ["one", 1.5, 2],
    ]);
  });

  it("a file of another kind is refused by name", async () => {
    writeFileSync(at("data.parquet"), "text\none\n");
    await expect(read("data.parquet")).rejects.toThrow(/data\.parquet is no Parquet file/);
  });
});

describe("memory", () => {
  const count = 100_000;
  const filler = "x".repeat(600);
  const rowAt = (index: number) => ({ text: `${index} ${filler} 😀`, n: index });

  it.each<DataFormat>([...dataFormats])("does not grow with 100,000 rows as .%s", async (format) => {
    const { setFlagsFromString } = await import("node:v8");
    setFlagsFromString("--expose-gc");
    const collect = (await import("node:vm")).runInNewContext("gc") as () => void;
    const growth: number[] = [];
    collect();
    const before = process.memoryUsage();
    const sample = (index: number) => {
      if (index % 20_000 !== 19_999) return;
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      growth.push((heapUsed + arrayBuffers - before.heapUsed - before.arrayBuffers) / 2 ** 20);
    };
    const rows = async function* () {
      for (let index = 0; index < count; index++) {
        sample(index);
        yield labeled(rowAt(index), index);
      }
    };
    await writeRows(at(`out.${format}`), { rows, inputColumns: ["text", "n"] });
    let index = 0;
    for await (const row of readRows(at(`out.${format}`))) {
      if (row.text !== rowAt(index).text || String(row.n) !== String(index)) throw new Error(`row ${index} differs`);
      sample(index++);
    }
    expect(index).toBe(count);
    // The rows together are more than 60 MB of text; a row group is about 6, and one that is read about 20.
    expect(Math.max(...growth)).toBeLessThan(50);
  });
});
