import { type Style, wrapText } from "../progress/layout.ts";
import type { TextColumn } from "./text-table.ts";

/** What a part of the report is printed with. */
export interface Page {
  width: number;
  style: Style;
}

/** A heading and what stands under it. */
export function section(name: string, body: string, { style }: Page): string {
  return `${style("bold", name)}\n${body}`;
}

/** A sentence on as many lines as it needs, indented by two. */
export function paragraph(text: string, { width }: Page): string {
  return `  ${wrapText(text, width, "  ")}\n`;
}

/** A cell of numbers. */
export function number(heading: string): TextColumn {
  return { heading, align: "right" };
}
