import { textOf } from "../data/column-type.ts";
import type { LabeledRow, LabelValue } from "../store/row.ts";
import { type ExportJob, exportedRows, labelsOf } from "./export-job.ts";
import type { Mention } from "./offsets.ts";

/**
 * Tasks with predictions, as Label Studio's Import takes them: `data` and `predictions[]` of `model_version`, `score` and
 * `result[]` (labelstud.io/guide/predictions, read in 2026-11). Results name the controls of {@link labelStudioConfig}.
 * A row without a label is a task without prediction, left to a person.
 *
 * Places of mentions are code points there: its editor counts so since label-studio-frontend#308, so that text with emoji
 * is marked in the right place.
 */
export async function* labelStudioTasks(job: ExportJob): AsyncGenerator<object> {
  for await (const row of exportedRows(job)) {
    const { label, input, text, rowId, source, confidence } = row;
    // "text" is what the configuration shows; a column of that name with other content is kept beside it.
    const own = "text" in input && input.text !== text ? { input_text: input.text } : {};
    const prediction = { model_version: source, ...(confidence === null ? {} : { score: confidence }) };
    yield {
      data: { ...input, ...own, text, row_id: rowId },
      predictions: label === null ? [] : [{ ...prediction, result: results(job, row, label) }],
    };
  }
}

/** The labeling configuration that the tasks fit, to be pasted under Settings, Labeling Interface, Code. */
export function labelStudioConfig({ task, labels, fields }: ExportJob): string {
  const choices = (tag: string) => labels.map((label) => `    <${tag} value="${escapeXml(label)}"/>`).join("\n");
  const controls = {
    classification: `  <Choices name="label" toName="text" choice="single">\n${choices("Choice")}\n  </Choices>`,
    multilabel: `  <Choices name="label" toName="text" choice="multiple">\n${choices("Choice")}\n  </Choices>`,
    entities: `  <Labels name="label" toName="text">\n${choices("Label")}\n  </Labels>`,
    question_answering: '  <TextArea name="label" toName="text" maxSubmissions="1" editable="true"/>',
    extraction: fields
      .map((field) => `  <Header value="${escapeXml(field)}"/>\n  <TextArea name="${escapeXml(field)}" toName="text"/>`)
      .join("\n"),
  };
  return `<View>\n  <Text name="text" value="$text"/>\n${controls[task]}\n</View>\n`;
}

/** Each result has an id of its own, as the guide asks. */
function results({ task }: ExportJob, { position }: LabeledRow, label: LabelValue): object[] {
  const result = (index: number, type: string, value: object, name = "label") => ({
    id: `${position}-${index}`,
    from_name: name,
    to_name: "text",
    type,
    value,
  });
  if (task === "entities") {
    return (label as unknown as Mention[]).map(({ start, end, text, label: kind }, index) =>
      result(index, "labels", { start, end, text, labels: [kind] }),
    );
  }
  if (task === "question_answering") return [result(0, "textarea", { text: [label] })];
  if (task === "extraction") {
    const filled = Object.entries(label as object).filter(([, value]) => value !== null);
    return filled.map(([field, value], index) => result(index, "textarea", { text: [textOf(value)] }, field));
  }
  const chosen = labelsOf(label);
  return chosen.length === 0 ? [] : [result(0, "choices", { choices: chosen })];
}

function escapeXml(text: string): string {
  const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => escapes[character] ?? character);
}
