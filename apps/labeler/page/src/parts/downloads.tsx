import type { ExportLayout } from "../../../src/export/export-layout.ts";
import { runAddress } from "../client.ts";

const layouts: readonly { to: ExportLayout; name: string; what: string }[] = [
  { to: "csv", name: "CSV", what: "every row with its label" },
  { to: "jsonl", name: "JSON Lines", what: "a row a line" },
  { to: "parquet", name: "Parquet", what: "with the types of its columns" },
  { to: "tsv", name: "TSV", what: "by tabs" },
  { to: "json", name: "JSON", what: "one array" },
  { to: "label-studio", name: "Label Studio", what: "tasks with predictions" },
  { to: "argilla", name: "Argilla", what: "records" },
  { to: "spacy", name: "spaCy", what: "examples" },
];

/** Files to take away. */
export function Downloads({ run, query }: { run: string; query: string }) {
  return (
    <section aria-labelledby="downloads">
      <h2 id="downloads">Downloads</h2>
      <ul className="downloads">
        <li>
          <a href={runAddress(run, `/report${query}`)} download={`${run}-report.json`}>
            Report
          </a>
          <small className="sub">all figures of this page as JSON</small>
        </li>
        {layouts.map(({ to, name, what }) => (
          <li key={to}>
            <a href={runAddress(run, `/export?to=${to}`)} download="">
              {name}
            </a>
            <small className="sub">{what}</small>
          </li>
        ))}
      </ul>
      <p className="soft">
        A Hugging Face data set is a folder: <code>autolabel export {run} --to hf</code> writes it.
      </p>
    </section>
  );
}
