/** The look of the page: light and dark by the reader's setting, and on paper without boxes that scroll. */
export const pageStyle = `
:root { color-scheme: light dark; --paper: #fbfbf9; --card: #fff; --ink: #1d2126; --soft: #5d6570; --line: #e3e4e0;
  --accent: #2563c9; --accent-soft: #2563c926; --good: 23 122 82; --bad: 196 62 50; --warn: #9a5b00; --warn-soft: #f6a62324; }
@media (prefers-color-scheme: dark) { :root { --paper: #15181c; --card: #1c2025; --ink: #e7e9ec; --soft: #9aa3ae;
  --line: #30363d; --accent: #6ea3ff; --accent-soft: #6ea3ff2e; --good: 75 190 135; --bad: 242 112 98; --warn: #f0b35a; --warn-soft: #f0b35a1f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0; letter-spacing: -.02em; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 0 0 4px; letter-spacing: -.01em; }
h3 { font-size: 14px; margin: 20px 0 6px; }
p { margin: 0 0 8px; max-width: 78ch; }
.soft, caption { color: var(--soft); }
.meta { margin-top: 6px; overflow-wrap: anywhere; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 22px 24px; margin-top: 20px; }
.tiles { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 12px; margin: 28px 0 0; padding: 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px 18px; margin: 0; display: flex; flex-direction: column; }
.tile dt { color: var(--soft); font-size: 13px; }
.tile dd { margin: 0; }
.tile .figure { font-size: 28px; font-weight: 650; letter-spacing: -.02em; line-height: 1.3; white-space: nowrap; }
.tile .note { color: var(--soft); font-size: 12.5px; line-height: 1.4; }
.meter { height: 6px; border-radius: 3px; background: var(--accent-soft); overflow: hidden; margin: 6px 0; }
.meter i { display: block; height: 100%; background: var(--accent); }
.warn { background: var(--warn-soft); border-left: 3px solid var(--warn); border-radius: 4px; padding: 8px 12px; max-width: none; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 12px 36px; align-items: start; }
.two > * { min-width: 0; }
.scroll { overflow: auto; max-height: 560px; border: 1px solid var(--line); border-radius: 8px; margin-top: 10px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
caption { text-align: left; padding: 0 0 6px; font-size: 13px; }
th { text-align: left; font-weight: 550; color: var(--soft); font-size: 12.5px; white-space: nowrap; }
tbody th { color: var(--ink); font-weight: 450; font-size: inherit; white-space: normal; }
tbody :is(th, td):not(.n) { overflow-wrap: anywhere; }
th, td { padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child > * { border-bottom: 0; }
.n { text-align: right; white-space: nowrap; }
.scroll > table:not(.map) :is(th, td):first-child { padding-left: 12px; }
.scroll thead th { position: sticky; top: 0; background: var(--card); box-shadow: 0 1px var(--line); z-index: 1; }
tfoot > tr > * { border-top: 2px solid var(--line); font-weight: 600; color: var(--ink); }
.bar { min-width: 90px; width: 26%; }
.bar i { display: block; height: 10px; margin-top: 5px; border-radius: 2px; background: var(--accent); min-width: 1px; }
.bar i.bad { background: rgb(var(--bad)); }
.map { width: auto; border-collapse: separate; border-spacing: 1px; font-size: 10.5px; }
.map th, .map td { padding: 0; border: 0; }
.map th { font-size: 11px; font-weight: 450; color: var(--ink); white-space: nowrap; background: var(--card); }
.map td { width: 21px; min-width: 21px; height: 19px; text-align: center; vertical-align: middle; border-radius: 2px; background: color-mix(in srgb, var(--line) 34%, transparent); }
.map thead th { position: sticky; top: 0; z-index: 2; height: 1px; vertical-align: bottom; box-shadow: none; }
.map thead th span { writing-mode: vertical-rl; transform: rotate(180deg); padding: 6px 2px 4px; max-height: 280px; overflow: hidden; display: inline-block; }
.map tbody th { position: sticky; left: 0; z-index: 1; text-align: right; white-space: nowrap; padding: 0 8px 0 10px; vertical-align: middle; overflow-wrap: normal; max-width: 260px; overflow: hidden; text-overflow: ellipsis; }
.map thead th:first-child { left: 0; z-index: 3; padding: 0 8px 6px 10px; text-align: right; color: var(--soft); }
.map td.y { background: rgb(var(--good) / var(--h)); }
.map td.x { background: rgb(var(--bad) / var(--h)); font-weight: 650; }
.map td.u { background: color-mix(in srgb, var(--soft) var(--h), transparent); }
.key { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 12.5px; color: var(--soft); margin: 8px 0 0; padding: 0; list-style: none; }
.key i { display: inline-block; width: 12px; height: 12px; border-radius: 2px; margin-right: 6px; vertical-align: -1px; }
svg { display: block; width: 100%; height: auto; margin-top: 8px; }
svg text { fill: var(--soft); font-size: 12px; }
svg .strong { fill: var(--ink); font-weight: 600; }
svg .grid { stroke: var(--line); }
svg .line { stroke: var(--accent); stroke-width: 2; fill: none; stroke-linejoin: round; }
svg .area { fill: var(--accent-soft); }
svg .fill { fill: var(--accent); }
svg .pale { fill: var(--accent-soft); }
svg .ideal { stroke: var(--soft); stroke-dasharray: 4 4; }
svg .limit { stroke: rgb(var(--bad)); stroke-dasharray: 6 4; stroke-width: 1.5; }
svg .whisker { stroke: var(--ink); stroke-width: 1.5; }
.split { display: flex; gap: 2px; height: 14px; border-radius: 4px; overflow: hidden; margin: 6px 0; }
.split i, .key i { background: var(--accent); }
.a2 { opacity: .62; } .a3 { opacity: .38; } .a4 { opacity: .2; }
.sound { color: rgb(var(--good)); font-weight: 600; } .unsound { color: rgb(var(--bad)); font-weight: 600; }
details { border-bottom: 1px solid var(--line); padding: 7px 0; }
details:last-of-type { border: 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
summary b { display: inline-block; min-width: 3.2em; }
.said { font-size: 13.5px; margin: 8px 0 4px; padding-left: 3.2em; }
.said dt { overflow-wrap: anywhere; white-space: pre-wrap; }
.said dd { margin: 0 0 10px; color: var(--soft); overflow-wrap: anywhere; }
.pill { display: inline-block; border-radius: 4px; padding: 0 7px; overflow-wrap: anywhere; max-width: 100%; }
.gold { background: rgb(var(--good) / .16); } .got { background: rgb(var(--bad) / .16); }
footer { margin-top: 24px; color: var(--soft); font-size: 12.5px; }
@media (max-width: 600px) { .bar { display: none; } main { padding: 24px 12px 40px; } section { padding: 18px 16px; } .tile .figure { font-size: 22px; }
  .tiles { grid-template-columns: 1fr 1fr; } .tile { padding: 12px 14px; } .map tbody th { max-width: 120px; } .said { padding-left: 0; } }
@media print { :root { --paper: #fff; --line: #ccc; } body { font-size: 11px; } main { max-width: none; padding: 0; } section { break-inside: auto; border: 0; padding: 0; margin-top: 24px; }
  .tile, svg, tr { break-inside: avoid; } .scroll { max-height: none; overflow: visible; border: 0; } .map { font-size: 5px; } .map th { font-size: 5px; }
  .map td { width: 8px; min-width: 8px; height: 8px; } .map thead th, .map tbody th { position: static; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
`;
