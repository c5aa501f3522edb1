/** Draws what the demo prints as docs/demo.svg, for the README: `node --conditions=@autolabel/source scripts/record-demo.ts`. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const lineHeight = 18;
const charWidth = 8.4;
const margin = 20;
const colors: Record<string, string> = {
  "31": "#f87171",
  "32": "#4ade80",
  "33": "#fbbf24",
  "34": "#60a5fa",
  "35": "#c084fc",
  "36": "#22d3ee",
  "90": "#94a3b8",
};

interface Style {
  color?: string;
  bold?: boolean;
  dim?: boolean;
}

/** The style after one SGR code. */
function apply(style: Style, code: string): Style {
  if (code === "0") return {};
  if (code === "1") return { ...style, bold: true };
  if (code === "2") return { ...style, dim: true };
  if (code === "22") return style.color ? { color: style.color } : {};
  if (code === "39") return { bold: style.bold ?? false, dim: style.dim ?? false };
  const color = colors[code];
  return color ? { ...style, color } : style;
}

function drawLine(line: string, index: number): string {
  let style: Style = {};
  let column = 0;
  let drawn = "";
  // A style is told by ESC [ codes m in front of the text that has it.
  for (const [position, part] of line.split("\x1b[").entries()) {
    const end = position === 0 ? -1 : part.indexOf("m");
    for (const code of end < 0 ? [] : part.slice(0, end).split(";")) style = apply(style, code || "0");
    const piece = part.slice(end + 1);
    if (piece === "") continue;
    const x = (margin + column * charWidth).toFixed(1);
    const attributes = `fill="${style.color ?? "#e2e8f0"}"${style.bold ? ' font-weight="bold"' : ""}${style.dim ? ' opacity="0.6"' : ""}`;
    const width = (piece.length * charWidth).toFixed(1);
    drawn += `<text x="${x}" y="${margin + 14 + index * lineHeight}" ${attributes} textLength="${width}" xml:space="preserve">${escapeXml(piece)}</text>`;
    column += piece.length;
  }
  return drawn;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const [first = "1", last = "999"] = process.argv.slice(2);
const args = ["--conditions=@autolabel/source", join(root, "apps/demo/src/demo.ts")];
const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8", env: { ...process.env, FORCE_COLOR: "1" } });
const lines = stdout.split("\n").slice(Number(first) - 1, Number(last));
const height = 2 * margin + lines.length * lineHeight;
const font = 'font-family="ui-monospace, \'DejaVu Sans Mono\', Menlo, Consolas, monospace" font-size="14"';
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${2 * margin + 98 * charWidth}" height="${height}" ${font}>
<title>What npm run demo prints</title>
<rect width="100%" height="100%" rx="10" fill="#0f172a"/>
${lines.map(drawLine).join("\n")}
</svg>
`;
writeFileSync(join(root, "docs/demo.svg"), svg);
