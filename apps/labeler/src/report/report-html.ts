import { headline, selectionPart } from "./html/headline.ts";
import { html, Markup } from "./html/markup.ts";
import { moneyParts } from "./html/money-part.ts";
import { pageStyle } from "./html/page-style.ts";
import { qualityParts } from "./html/quality-part.ts";
import { wrongPart } from "./html/wrong-part.ts";
import type { RunReport } from "./run-report.ts";

/**
 * The report as one page, complete in itself: no script, nothing loaded from elsewhere, and a policy in it that forbids
 * both. Whatever stands in the data is shown as text.
 */
export function reportHtml(report: RunReport): string {
  const touched = report.run.touchedAt?.slice(0, 16).replace("T", " ");
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${report.run.id}: report</title><style>${new Markup(pageStyle)}</style></head>
<body><main>${headline(report)}${selectionPart(report)}${qualityParts(report)}${moneyParts(report)}${wrongPart(report)}
<footer>Made by autolabel report from the run's own file${touched ? `, last worked on ${touched} UTC` : ""}. Amounts are exact in the JSON report.</footer></main></body></html>
`.text;
}
