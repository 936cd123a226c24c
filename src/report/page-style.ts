/** The look of a report: one column, readable on white and on black, nothing fetched. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --page: #fdfdfc; --card: #fff; --ink: #1d2128; --soft: #5d6570; --edge: #e2e3e0; --heat: #2f8f5b;
  --line-0: #1f66d1; --line-1: #c8500f; --line-2: #14845a; --line-3: #7b45c4;
  --line-4: #c02a78; --line-5: #0b7f94; --line-6: #86740a; --line-7: #59616b;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #14161a; --card: #1b1e23; --ink: #e7e8ea; --soft: #9aa2ad; --edge: #31353c; --heat: #3fae73;
    --line-0: #6ea8ff; --line-1: #ff9a57; --line-2: #4fcf9a; --line-3: #b691ff;
    --line-4: #ff7fb8; --line-5: #4cc9dd; --line-6: #d8c34a; --line-7: #aeb6c0;
  }
}
* { box-sizing: border-box; }
body { overflow-wrap: anywhere; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 54rem; background: var(--page); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
h1 { margin: 0 0 .25rem; font-size: 1.7rem; line-height: 1.2; letter-spacing: -.01em; }
h2 { margin: 2.75rem 0 .25rem; font-size: 1.2rem; }
h3 { margin: 1.75rem 0 .5rem; font-size: .95rem; }
p, figcaption { margin: 0 0 .75rem; color: var(--soft); }
p.headline { margin: 1.25rem 0 .5rem; color: var(--ink); font-size: 1.15rem; font-weight: 600; line-height: 1.4; }
figure { margin: 1rem 0 0; padding: 1rem 1.1rem; background: var(--card); border: 1px solid var(--edge); border-radius: 10px; overflow-x: auto; }
figcaption { font-size: .875rem; }
svg { display: block; width: 100%; height: auto; background: none !important; font-family: inherit; }
.scroll { overflow-x: auto; scrollbar-width: thin; }
.scroll th[scope=row]:first-child { position: sticky; left: 0; background: var(--card); }
.narrow { display: none; }
.narrow svg { max-width: 28rem; margin: 0 auto; }
table { overflow-wrap: normal; border-collapse: separate; border-spacing: 2px; font-variant-numeric: tabular-nums; font-size: .875rem; }
th { font-weight: 600; color: var(--soft); white-space: nowrap; }
th, td { padding: .25rem .6rem; text-align: right; }
th[scope=row], td.text { text-align: left; }
table.runs { width: 100%; border-spacing: 0; font-size: .95rem; }
table.runs th, table.runs td { padding: .4rem .6rem; border-bottom: 1px solid var(--edge); }
table.runs tr:last-child > * { border-bottom: 0; }
table.runs tbody th { color: var(--ink); }
table.figures, table.stages, table.lines { border-spacing: 0; }
table.figures th, table.figures td, table.stages tbody > tr > *, table.lines tbody > tr > * { padding: .3rem .6rem; border-bottom: 1px solid var(--edge); }
table.figures tr:last-child > *, table.stages tbody > tr:last-child > *, table.lines tbody > tr:last-child > * { border-bottom: 0; }
table.figures th { color: var(--ink); }
table.figures td { white-space: nowrap; }
table.figures td.how { min-width: 18rem; white-space: normal; color: var(--soft); font-size: .8125rem; }
td.all { font-weight: 700; }
.best { font-weight: 700; }
.scroll thead th { vertical-align: bottom; }
.runs thead th:not([scope]), .stages thead th, .lines thead th:not([scope]) { white-space: normal; }
p.note { margin: 1rem 0 0; padding: .5rem .85rem; border-left: 3px solid var(--line-1); color: var(--ink); font-size: .9rem; }
.runs td:not(.text), .lines td { white-space: nowrap; }
.runs tbody th, .classes tbody th, .class-confusion tbody th { min-width: 8rem; white-space: normal; overflow-wrap: anywhere; }
.differences tbody th { white-space: nowrap; }
.differences thead th:not(:first-child) { min-width: 9rem; white-space: normal; overflow-wrap: anywhere; vertical-align: bottom; }
table.differences td { max-width: 18rem; overflow-wrap: anywhere; font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace; font-size: .8125rem; }
th.turned { height: 6.5rem; padding: 0; vertical-align: bottom; }
th.turned span { display: inline-block; max-height: 6rem; overflow: hidden; text-overflow: ellipsis; writing-mode: vertical-rl; transform: rotate(180deg); }
img.heat-picture { display: block; width: min(100%, 30rem); height: auto; image-rendering: pixelated; border-radius: 4px; }
@media screen and (prefers-color-scheme: dark) { img.heat-picture { filter: invert(1) hue-rotate(180deg); } }
pre { margin: .75rem 0 0; padding: .75rem .9rem; overflow-x: auto; background: var(--card); border: 1px solid var(--edge); border-radius: 8px;
  font: .8125rem/1.5 ui-monospace, 'SF Mono', Menlo, Consolas, monospace; overflow-wrap: normal; }
pre.commands { white-space: pre-wrap; overflow-wrap: anywhere; }
.exemplars { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, max(5.5rem, var(--cell))), 1fr)); gap: .75rem 1rem; font-size: .8125rem; }
.exemplars small { color: var(--soft); }
.exemplars .pictures { display: flex; flex-wrap: wrap; gap: 2px; margin-top: .2rem; }
.exemplars img { display: block; border-radius: 2px; image-rendering: pixelated; }
.heat th, .heat td { padding: .25rem .45rem; }
.heat td { min-width: 3rem; border-radius: 4px; background: color-mix(in srgb, var(--heat) calc(var(--share) * 60%), transparent); }
.heat .spread { display: block; font-size: .6875rem; font-weight: 400; line-height: 1.1; white-space: nowrap; }
.heat td.none { background: none; }
.heat td.all { background: none; font-weight: 700; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; margin: 0 0 .75rem; padding: 0; list-style: none; font-size: .875rem; }
.legend svg { display: inline-block; width: 1.75rem; height: .6rem; margin-right: .4rem; vertical-align: baseline; }
details { margin-top: 1rem; }
summary { cursor: pointer; color: var(--soft); font-size: .875rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.25rem; margin: .75rem 0 0; font-size: .875rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace; font-size: .8125rem; }
footer { margin-top: 3rem; color: var(--soft); font-size: .8125rem; }
@media (max-width: 42rem) {
  body { padding: 1.5rem .85rem 3rem; }
  figure { padding: .8rem .75rem; }
  .wide { display: none; }
  .narrow { display: block; }
  table, table.runs { font-size: .75rem; }
  table.runs th, table.runs td, table.stages tbody > tr > *, table.lines tbody > tr > * { padding: .35rem .2rem; }
  table.figures { font-size: .875rem; }
  table.figures, table.figures tbody { display: block; }
  table.figures tr { display: grid; grid-template-columns: 1fr auto; border-bottom: 1px solid var(--edge); }
  table.figures tr:last-child { border-bottom: 0; }
  table.figures tr > * { border-bottom: 0; }
  table.figures th { white-space: normal; }
  table.figures td.how { grid-column: 1 / -1; min-width: 0; padding-top: 0; }
  .spread { display: block; font-size: .6875rem; }
  .runs.words tbody th { min-width: 0; overflow-wrap: normal; }
  .runs tbody th, .classes tbody th, .class-confusion tbody th { min-width: 6rem; }
  .differences tbody th { max-width: 9rem; white-space: normal; overflow-wrap: anywhere; }
  .heat th, .heat td { padding: .2rem; }
  .heat td { min-width: 2.2rem; }
  .heat thead th, .heat tfoot th { white-space: normal; }
  dl { grid-template-columns: 1fr; }
  dd { margin-bottom: .35rem; }
}
@page { margin: 1.5cm; }
@media print {
  :root { color-scheme: light; }
  .wide { display: block; }
  .narrow { display: none; }
  .scroll, pre { overflow: visible; }
  pre { white-space: pre-wrap; }
  details::details-content { content-visibility: visible; block-size: auto; }
  table, table.runs { font-size: .75rem; }
  .differences thead th:not(:first-child) { min-width: 0; }
  td, .heat td, img { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
@media print { body { max-width: none; padding: 0; } figure, section { break-inside: avoid; } }
`;
