import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { AutoLabeler } from "../auto-labeler.ts";
import type { CommandIo } from "../commands/command-io.ts";
import { type ExportOptions, exportRun } from "../commands/export.ts";
import type { LabelingConfigInput } from "../config/labeling-config.ts";
import { Settings } from "../config/settings.ts";
import { parquetColumnTypes } from "../data/read-parquet.ts";
import { type DataRow, readRows } from "../data/read-rows.ts";
import { exportLayouts } from "./export-layout.ts";
import { offsetUnits } from "./offsets.ts";

let folder: string;
let simulator: Simulator;
const at = (name: string) => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "export-"));
});
afterEach(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A run whose model answers each text as told; a text without an answer stays without a label. */
async function label(config: Partial<LabelingConfigInput>, rows: readonly DataRow[], answers: Record<string, unknown>) {
  simulator = await startSimulator({
    answer: ({ lastUserText }) => JSON.stringify({ result: answers[lastUserText] ?? "?", confidence: 0.75 }),
  });
  const settings = new Settings(
    { openrouterApiKey: "test", openrouterBaseUrl: simulator.openRouterUrl, store: at("store") },
    { env: {} },
  );
  const model = "openrouter:openai/gpt-4o-mini";
  const labeler = new AutoLabeler("run", settings, { model, budget: 1, repair: false, confidence: true, ...config });
  await labeler.label(rows, "text");
  return labeler;
}

async function exportTo(to: ExportOptions["to"], output: string, more: Partial<ExportOptions> = {}) {
  const said = { stdout: "", stderr: "" };
  const io = Object.fromEntries(
    (["stdout", "stderr"] as const).map((name) => [name, { write: (text: string) => (said[name] += text) }]),
  ) as unknown as CommandIo;
  const before = simulator.requests;
  expect(await exportRun(undefined, { to, output: at(output), store: at("store"), ...more }, io)).toBe(0);
  expect(simulator.requests).toBe(before);
  return said;
}

const json = (name: string) => JSON.parse(readFileSync(at(name), "utf8")) as Record<string, unknown>[];
const lines = (name: string) => Array.fromAsync(readRows(at(name)));

const emotional = "😀 Ada wrote to Ada in São Paulo 👩‍🚒";
const mentions = [
  { text: "Ada", label: "person" },
  { text: "Ada", label: "person" },
  { text: "São Paulo", label: "place" },
];
const entities = { task: "entities", labels: ["person", "place"] } as const;
const cut = {
  utf16: (text: string, start: number, end: number) => text.slice(start, end),
  codepoint: (text: string, start: number, end: number) => Array.from(text).slice(start, end).join(""),
  byte: (text: string, start: number, end: number) => Buffer.from(text).subarray(start, end).toString(),
};
type Span = { start: number; end: number; text: string; label: string };

describe("places of mentions", () => {
  it.each(offsetUnits)("are right in text with emoji and repeated words, counted as %s", async (offsets) => {
    await label(entities, [{ text: emotional }], { [emotional]: mentions });
    await exportTo("jsonl", "out.jsonl", { offsets });
    const [row] = await lines("out.jsonl");
    const spans = row?.label as Span[];
    expect(spans.map(({ start, end }) => cut[offsets](emotional, start, end))).toEqual(
      mentions.map(({ text }) => text),
    );
    expect(new Set(spans.map(({ start }) => start)).size).toBe(3);
  });

  it("are UTF-16 units in data formats and code points for other tools", async () => {
    await label(entities, [{ text: emotional }], { [emotional]: mentions });
    await exportTo("jsonl", "out.jsonl");
    const [kept] = await lines("out.jsonl");
    expect(kept?.label).toContainEqual({ start: 3, end: 6, text: "Ada", label: "person" });
    await exportTo("spacy", "out.spacy.jsonl");
    const [example] = (await lines("out.spacy.jsonl")) as unknown as {
      text: string;
      entities: [number, number, string][];
    }[];
    expect(example?.entities.map(([start, end]) => cut.codepoint(example.text, start, end))).toEqual([
      "Ada",
      "Ada",
      "São Paulo",
    ]);
    await exportTo("label-studio", "ls.json");
    const [task] = json("ls.json") as unknown as { predictions: { result: { value: Span }[] }[] }[];
    expect(task?.predictions[0]?.result.map(({ value }) => cut.codepoint(emotional, value.start, value.end))).toEqual([
      "Ada",
      "Ada",
      "São Paulo",
    ]);
    await exportTo("argilla", "argilla.json");
    const [record] = json("argilla.json") as unknown as { suggestions: { label: { value: Span[] } } }[];
    expect(record?.suggestions.label.value[0]).toEqual({ start: 2, end: 5, label: "person" });
  });
});

describe("a classification", () => {
  const rows = [
    { id: "a1", text: "late", n: 1 },
    { id: "a1", text: "money back", n: 2 },
    { id: "a3", text: "hello", n: 3 },
  ];
  const classify = () =>
    label({ labels: ["delivery", 'refund <"&'] }, rows, { late: "delivery", "money back": 'refund <"&' });

  it("for Label Studio: tasks with predictions, and the configuration that they fit", async () => {
    await classify();
    const { stdout } = await exportTo("label-studio", "ls.json");
    expect(stdout).toMatch(
      /^Exported 3 rows, 1 of them without a label, to .*ls\.json\nIts labeling configuration is in .*ls\.xml\n$/,
    );
    const tasks = json("ls.json");
    expect(tasks[0]).toEqual({
      data: { id: "a1", text: "late", n: 1, row_id: "a1" },
      predictions: [
        {
          model_version: "openai/gpt-4o-mini",
          score: 0.75,
          result: [
            { id: "0-0", from_name: "label", to_name: "text", type: "choices", value: { choices: ["delivery"] } },
          ],
        },
      ],
    });
    expect(tasks[2]).toMatchObject({ data: { text: "hello" }, predictions: [] });
    const config = readFileSync(at("ls.xml"), "utf8");
    expect(config).toContain('<Text name="text" value="$text"/>');
    expect(config).toContain('<Choices name="label" toName="text" choice="single">\n    <Choice value="delivery"/>');
    expect(config).toContain('<Choice value="refund &lt;&quot;&amp;"/>');
  });

  it("for Argilla: records with suggestions, no two of one id", async () => {
    await classify();
    await exportTo("argilla", "argilla.json");
    const records = json("argilla.json");
    expect(records[0]).toEqual({
      id: "a1",
      fields: { text: "late" },
      metadata: { id: "a1", text: "late", n: 1, label_status: "labeled" },
      suggestions: { label: { value: "delivery", score: 0.75, agent: "openai/gpt-4o-mini" } },
      responses: {},
      vectors: {},
    });
    expect(records.map(({ id }) => id)).toEqual(["a1", "a1-1", "a3"]);
    expect(records[2]?.suggestions).toEqual({});
  });

  it("for spaCy: a value for every label; a row without one is left out, because it would say that none applies", async () => {
    await classify();
    await exportTo("spacy", "out.spacy.jsonl");
    expect(await lines("out.spacy.jsonl")).toEqual([
      { text: "late", cats: { delivery: 1, 'refund <"&': 0 } },
      { text: "money back", cats: { delivery: 0, 'refund <"&': 1 } },
    ]);
    await exportTo("spacy", "all.jsonl", { only: "all" });
    expect((await lines("all.jsonl"))[2]).toEqual({ text: "hello" });
  });

  it("as a data format: all rows, or only those with a label, in their order", async () => {
    await classify();
    for (const format of ["csv", "tsv", "jsonl", "json", "parquet"] as const) {
      await exportTo(format, `all.${format}`);
      const all = await lines(`all.${format}`);
      expect(all.map(({ text, label: given }) => [text, given || null])).toEqual([
        ["late", "delivery"],
        ["money back", 'refund <"&'],
        ["hello", null],
      ]);
      const { stdout } = await exportTo(format, `some.${format}`, { only: "labeled" });
      expect(stdout).toContain("Exported 2 rows, to");
      expect((await lines(`some.${format}`)).map(({ text }) => text)).toEqual(["late", "money back"]);
    }
  });

  it("for Hugging Face: a card whose features fit the columns of the data", async () => {
    await classify();
    await exportTo("hf", "hf");
    const [, front = "", body] = readFileSync(at("hf/README.md"), "utf8").split(/^---$/m);
    const card = parse(front) as {
      configs: [{ data_files: [{ split: string; path: string }] }];
      dataset_info: { features: { name: string; dtype: unknown }[] };
    };
    const [{ split, path }] = card.configs[0].data_files;
    expect([split, path]).toEqual(["train", "data/train-00000-of-00001.parquet"]);
    const types = await parquetColumnTypes(at(`hf/${path}`));
    expect(card.dataset_info.features.map(({ name }) => name)).toEqual([...types.keys()]);
    const features = Object.fromEntries(card.dataset_info.features.map(({ name, dtype }) => [name, dtype]));
    expect(features).toMatchObject({
      id: "string",
      n: "int64",
      label_confidence: "float64",
      label_attempts: "int32",
      label: { class_label: { names: { 0: "delivery", 1: 'refund <"&' } } },
    });
    expect(body).toContain("3 rows. Labeled by `openrouter:openai/gpt-4o-mini`");
    expect((await lines(`hf/${path}`)).map(({ label: given }) => given)).toEqual(["delivery", 'refund <"&', null]);
  });

  it("keeps what stands in the way, unless it may be overwritten; a folder is replaced whole", async () => {
    await classify();
    writeFileSync(at("out.csv"), "precious");
    await expect(exportTo("csv", "out.csv")).rejects.toThrow(/exists: name another file/);
    expect(readFileSync(at("out.csv"), "utf8")).toBe("precious");
    await exportTo("csv", "out.csv", { force: true });
    await exportTo("hf", "hf");
    writeFileSync(at("hf/stale.txt"), "");
    await expect(exportTo("hf", "hf")).rejects.toThrow(/exists: name another folder/);
    await exportTo("hf", "hf", { force: true });
    expect(existsSync(at("hf/stale.txt"))).toBe(false);
    expect(existsSync(at("hf/README.md"))).toBe(true);
  });
});

describe("other tasks", () => {
  it("multilabel: lists where tools have them, none where none applies", async () => {
    await label({ task: "multilabel", labels: ["a", "b"] }, [{ text: "one" }, { text: "two" }], {
      one: ["b", "a"],
      two: [],
    });
    await exportTo("label-studio", "ls.json");
    expect(
      json("ls.json").map(({ predictions }) =>
        (predictions as { result: { value: object }[] }[])[0]?.result.map(({ value }) => value),
      ),
    ).toEqual([[{ choices: ["a", "b"] }], []]);
    await exportTo("argilla", "argilla.json");
    expect(json("argilla.json").map(({ suggestions }) => suggestions)).toMatchObject([
      { label: { value: ["a", "b"], score: [0.75, 0.75] } },
      { label: { value: [], score: null } },
    ]);
    await exportTo("spacy", "spacy.jsonl");
    expect((await lines("spacy.jsonl")).map(({ cats }) => cats)).toEqual([
      { a: 1, b: 1 },
      { a: 0, b: 0 },
    ]);
    await exportTo("hf", "hf");
    expect(readFileSync(at("hf/README.md"), "utf8")).toContain("- name: label\n      list: string\n");
    expect((await lines("hf/data/train-00000-of-00001.parquet")).map(({ label: given }) => given)).toEqual([
      ["a", "b"],
      [],
    ]);
  });

  it("entities that overlap: all in a span group of spaCy, the longest as entities; all of them elsewhere", async () => {
    const text = "University of São Paulo";
    await label(entities, [{ text }], {
      [text]: [
        { text, label: "person" },
        { text: "São Paulo", label: "place" },
      ],
    });
    await exportTo("spacy", "spacy.jsonl");
    expect(await lines("spacy.jsonl")).toEqual([
      {
        text,
        entities: [[0, 23, "person"]],
        spans: {
          sc: [
            [0, 23, "person", ""],
            [14, 23, "place", ""],
          ],
        },
      },
    ]);
    await exportTo("hf", "hf");
    expect((await lines("hf/data/train-00000-of-00001.parquet"))[0]?.label).toEqual([
      { start: 0, end: 23, text, label: "person" },
      { start: 14, end: 23, text: "São Paulo", label: "place" },
    ]);
  });

  it("extraction and question answering: a text for each field; refused where a tool has no form", async () => {
    const schema = { type: "object", properties: { city: { type: "string" }, nights: { type: "integer" } } } as const;
    await label({ task: "extraction", schema }, [{ text: "two in Rome" }], {
      "two in Rome": { city: "Rome", nights: 2 },
    });
    await exportTo("label-studio", "ls.json");
    expect(json("ls.json")[0]).toMatchObject({
      predictions: [
        {
          result: [
            { from_name: "city", value: { text: ["Rome"] } },
            { from_name: "nights", value: { text: ["2"] } },
          ],
        },
      ],
    });
    expect(readFileSync(at("ls.xml"), "utf8")).toContain('<TextArea name="nights" toName="text"/>');
    await exportTo("argilla", "argilla.json");
    expect(json("argilla.json")[0]?.suggestions).toMatchObject({ city: { value: "Rome" }, nights: { value: "2" } });
    await exportTo("csv", "out.csv");
    expect((await lines("out.csv"))[0]?.label).toBe('{"city":"Rome","nights":2}');
    await expect(exportTo("spacy", "spacy.jsonl")).rejects.toThrow(/no form for a task of the kind extraction/);
    expect(existsSync(at("spacy.jsonl"))).toBe(false);
  });

  it("a run that is worked on is exported as it stands", async () => {
    const labeler = await label({ labels: ["a", "b"] }, [{ text: "one" }], { one: "a" });
    const run = await labeler.start({ rows: [{ text: "two" }, { text: "three" }], column: "text" });
    try {
      expect((await exportTo("jsonl", "out.jsonl")).stdout).toContain("Exported 2 rows, 2 of them without a label");
      expect((await lines("out.jsonl")).map(({ text, label_status: status }) => [text, status])).toEqual([
        ["two", "unpaid"],
        ["three", "unpaid"],
      ]);
    } finally {
      await run.close();
    }
  });

  it("every layout is one that can be written", async () => {
    await label({ labels: ["a", "b"] }, [{ text: "one" }], { one: "a" });
    for (const layout of exportLayouts) await exportTo(layout, `some-${layout}`);
  });
});
