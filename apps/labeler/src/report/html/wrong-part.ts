import { formatCount } from "../../progress/bar.ts";
import type { RunReport } from "../run-report.ts";
import type { WrongGroup, WrongRow } from "../wrong-rows.ts";
import { html, type Markup } from "./markup.ts";

const mostGroups = 60;
const openGroups = 3;

/** Rows to look at: what is wrong, the most frequent kind first, with examples. */
export function wrongPart({ wrong, quality }: RunReport): Markup | null {
  if (wrong.length === 0) return null;
  const groups = wrong.slice(0, mostGroups).map((group, place) => groupOf(group, place < openGroups));
  const told = quality
    ? "The most frequent mistakes first, with some of their rows."
    : "Rows without a label, with what went wrong.";
  const part = wrong.length > mostGroups ? ` These are the ${mostGroups} most frequent kinds.` : "";
  return html`<section><h2>Rows to look at</h2><p class="soft">${told}${part}</p>${groups}</section>`;
}

function groupOf({ rows, examples }: WrongGroup, isOpen: boolean): Markup {
  const [first] = examples;
  if (!first) return html``;
  const said = first.label === null ? first.status : shown(first.label);
  const gold =
    first.gold === undefined || first.label === null
      ? null
      : html`<span class="pill gold">${shown(first.gold)}</span> → `;
  const body = html`<summary><b>${formatCount(rows)}</b> ${gold}<span class="pill got">${said}</span></summary><dl class="said">${examples.map(exampleOf)}</dl>`;
  return isOpen ? html`<details open>${body}</details>` : html`<details>${body}</details>`;
}

function exampleOf({ rowId, text, gold, label, confidence, error }: WrongRow): Markup {
  const facts = [
    `row ${rowId}`,
    ...(label === null && gold !== undefined ? [`true: ${shown(gold)}`] : []),
    ...(confidence === null ? [] : [`stated confidence ${confidence}`]),
    ...(error === null ? [] : [error]),
  ];
  return html`<dt>${text}</dt><dd>${facts.join(" · ")}</dd>`;
}

function shown(value: WrongRow["label"] | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
