import { dataFormats } from "../data/data-format.ts";

/** What a run can be exported to: data formats, and layouts of other tools. */
export const exportLayouts = [...dataFormats, "label-studio", "argilla", "spacy", "hf"] as const;

/** One of {@link exportLayouts}. */
export type ExportLayout = (typeof exportLayouts)[number];
