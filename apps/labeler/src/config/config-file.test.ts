import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { configFileJsonSchema } from "./file-schema.ts";
import { findConfigFile, readConfigFile } from "./read-config-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "config-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe("the configuration file", () => {
  it("says in YAML what flags say, with files beside it", async () => {
    write("seed.csv", "message,label\nIt never came,delivery\n");
    const path = write(
      "autolabel.yaml",
      `task_name: support
dataset: { path: data.csv, text_column: message, id_column: ticket, label_column: intent }
model: { provider: openrouter, name: my/model, params: { max_tokens: 40, temperature: 0 }, price: { input: 0.1, output: "0.4" } }
prompt:
  task_guidelines: "Choose one of {labels}."
  labels: { delivery: it did not come, refund: money back }
  few_shot_examples: seed.csv
  few_shot_selection: semantic_similarity
  few_shot_num: 3
budget: 2.50
limits: { max_concurrent_requests: 8, max_requests_per_minute: 500 }
order: { stratified: country }
output: out.csv
`,
    );
    expect(findConfigFile(folder)).toBe(path);
    const file = await readConfigFile(path);
    expect(file).toMatchObject({
      name: "support",
      data: join(folder, "data.csv"),
      output: join(folder, "out.csv"),
      goldColumn: "intent",
      source: { column: "message", idColumn: "ticket" },
    });
    expect(file.config).toEqual({
      model: "openrouter:my/model",
      labels: { delivery: "it did not come", refund: "money back" },
      budget: 2.5,
      guidelines: "Choose one of the labels above.",
      examples: [{ text: "It never came", label: "delivery" }],
      exampleSelection: "similar",
      exampleCount: 3,
      order: { kind: "stratified", seed: 1, column: "country" },
      concurrency: 8,
      requestsPerMinute: 500,
      maxOutputTokens: 40,
      prices: { "my/model": { input: 0.1, output: "0.4" } },
    });
  });

  it("takes refuel-autolabel's JSON as it is", async () => {
    const path = write(
      "config.json",
      JSON.stringify({
        task_name: "MovieSentimentReview",
        task_type: "classification",
        dataset: { label_column: "label", delimiter: "," },
        model: { provider: "openai", name: "gpt-4o-mini" },
        prompt: {
          task_guidelines: "You are an expert at analyzing the sentiment of movie reviews.",
          labels: ["positive", "negative"],
          few_shot_examples: [{ text: "I got a fairly uninspired video.", label: "negative" }],
          few_shot_selection: "fixed",
          few_shot_num: 1,
          example_template: "Input: {text}\nOutput: {label}",
        },
      }),
    );
    const { config, source, goldColumn } = await readConfigFile(path);
    expect(source).toEqual({ delimiter: ",", template: "Input: {text}" });
    expect(goldColumn).toBe("label");
    expect(config).toMatchObject({ model: "openai:gpt-4o-mini", task: "classification", exampleSelection: "fixed" });
  });

  it("may be TypeScript", async () => {
    const path = write(
      "autolabel.ts",
      `const labels: string[] = ["a", "b"];\nexport default { model: "openai:m", prompt: { labels }, order: "random" };\n`,
    );
    expect((await readConfigFile(path)).config).toEqual({
      model: "openai:m",
      labels: ["a", "b"],
      order: { kind: "random", seed: 1 },
    });
  });

  it.each([
    ["autolabel.yaml", "budgett: 5", /autolabel\.yaml: .*budgett/],
    ["autolabel.yaml", "limits: { max_concurrent_requests: none }", /limits\.max_concurrent_requests/],
    ["autolabel.yaml", "model: [", /autolabel\.yaml cannot be read/],
    ["autolabel.toml", "", /\.yaml, \.json or \.ts/],
    ["autolabel.yaml", "prompt: { few_shot_examples: none.csv }", /none\.csv: no such file/],
    ["autolabel.yaml", "prompt: { few_shot_examples: [{ text: a }] }", /each example needs "text" and "label"/],
  ])("names the mistake in %s: %s", async (name, content, message) => {
    await expect(readConfigFile(write(name, content))).rejects.toThrow(message);
  });

  it("has a JSON schema for editors, with every key described where it is not plain", () => {
    expect(configFileJsonSchema()).toMatchObject({ type: "object", properties: { budget: {}, dataset: {} } });
  });
});
