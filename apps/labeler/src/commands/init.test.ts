import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSimulator } from "@autolabel/simulator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { configFileJsonSchema } from "../config/file-schema.ts";
import { readConfigFile } from "../config/read-config-file.ts";
import { CliFolder } from "../testing/run-cli.ts";

let folder: string;
let cli: CliFolder;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "init-"));
  cli = new CliFolder(folder, await startSimulator());
});
afterEach(async () => {
  await cli.simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

const path = () => join(folder, "autolabel.yaml");

/** Twelve reviews with a name, a text and a rating of three values, one of them awkward in YAML. */
function reviews(): string {
  const ratings = ["good", "no", "it's: bad"];
  const rows = Array.from(
    { length: 12 },
    (_, index) => `r${index},"Review number ${index}, it was so, so",${ratings[index % 3]}`,
  );
  return `id,review,rating\n${rows.join("\n")}\n`;
}

describe("autolabel init", () => {
  it("finds text, labels and names of rows, and what it writes can be run as it stands", async () => {
    writeFileSync(join(folder, "data.csv"), reviews());
    const ended = await cli.run(["init", "data.csv"]);
    expect(ended).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Wrote autolabel\.yaml: 12 rows, 3 labels/),
    });
    const text = readFileSync(path(), "utf8");
    expect(text).toMatch(/^# yaml-language-server: \$schema=https:\/\/\S+schema\.json\n/);
    expect(text).toContain("#   rating: 5 characters on average, 3 different values");
    const { config, data, source, goldColumn, output } = await readConfigFile(path());
    expect({ data, goldColumn, output, source }).toEqual({
      data: join(folder, "data.csv"),
      goldColumn: "rating",
      output: join(folder, "data.labeled.csv"),
      source: { column: "review", idColumn: "id" },
    });
    expect(config).toMatchObject({ labels: ["good", "it's: bad", "no"], budget: 1, order: { kind: "random" } });
    expect((await cli.run(["label"])).code).toBe(0);
    expect(cli.simulator.invoice.count).toBe(12);
    expect(cli.output("data.labeled.csv").map(({ row_id }) => row_id)).toContain("r11");
  });

  it("takes the columns that are named, and leaves labels to the person where no column looks like them", async () => {
    const rows = Array.from({ length: 5 }, (_, index) =>
      JSON.stringify({ a: `x${index}`, b: `longer ${index}`, c: "one" }),
    );
    writeFileSync(join(folder, "data.jsonl"), `${rows.join("\n")}\n`);
    expect((await cli.run(["init", "data.jsonl"])).code).toBe(0);
    expect(await readConfigFile(path())).toMatchObject({ source: { column: "b" }, config: { labels: [] } });
    expect((await readConfigFile(path())).goldColumn).toBeUndefined();
    const ended = await cli.run(["label"]);
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining("at least two labels") });
    rmSync(path());
    expect((await cli.run(["init", "data.jsonl", "--text-column", "a", "--label-column", "b"])).code).toBe(0);
    expect(await readConfigFile(path())).toMatchObject({ source: { column: "a" }, goldColumn: "b" });
  });

  it.each([
    ["a configuration that exists", ["init", "data.csv"], "model: mine\n", /autolabel\.yaml exists/],
    ["data without rows", ["init", "empty.csv"], undefined, /has no rows/],
    ["data that is not there", ["init", "none.csv"], undefined, /no such file/],
    [
      "a column that is not there",
      ["init", "data.csv", "--label-column", "x"],
      undefined,
      /no column "x": it has id, review, rating/,
    ],
  ])("refuses %s and writes nothing", async (_name, args, content, message) => {
    writeFileSync(join(folder, "data.csv"), reviews());
    writeFileSync(join(folder, "empty.csv"), "text\n");
    if (content !== undefined) writeFileSync(path(), content);
    expect(await cli.run(args)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
    if (content === undefined) expect(() => readFileSync(path())).toThrow("ENOENT");
    else expect(readFileSync(path(), "utf8")).toBe(content);
  });
});

describe("schema.json", () => {
  it("is that of the configuration file: node --conditions=@autolabel/source scripts/write-config-schema.ts", () => {
    const shipped: unknown = JSON.parse(readFileSync(join(import.meta.dirname, "../../schema.json"), "utf8"));
    expect(shipped).toEqual(configFileJsonSchema());
  });
});
