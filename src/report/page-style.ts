/** The look of a report: one column, readable on white and on black, nothing fetched. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --page: #fdfdfc; --card: #fff; --ink: #1d2128; --soft: #5d6570; --edge: #e2e3e0; --heat: #2f8f5b;
  --line-0: #1f66d1; --line-1: #c8500f; --line-2: #14845a; --line-3: #7b45c4;
  --line-4: #c02a78; --line-5: #0b7f94; --line-6: #86740a; --line-7: #59616b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14161a; --card: #1b1e23; --ink: #e7e8ea; --soft: #9aa2ad; --edge: #31353c; --heat: #3fae73;
    --line-0: #6ea8ff; --line-1: #ff9a57; --line-2: #4fcf9a; --line-3: #b691ff;
    --line-4: #ff7fb8; --line-5: #4cc9dd; --line-6: #d8c34a; --line-7: #aeb6c0;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 54rem; background: var(--page); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
h1 { margin: 0 0 .25rem; font-size: 1.7rem; line-height: 1.2; letter-spacing: -.01em; }
h2 { margin: 2.75rem 0 .25rem; font-size: 1.2rem; }
h3 { margin: 1.75rem 0 .5rem; font-size: .95rem; }
p, figcaption { margin: 0 0 .75rem; color: var(--soft); }
p.headline { margin: 1.25rem 0 .5rem; color: var(--ink); font-size: 1.15rem; font-weight: 600; line-height: 1.4; }
figure { margin: 1rem 0 0; padding: 1rem 1.1rem; background: var(--card); border: 1px solid var(--edge); border-radius: 10px; overflow-x: auto; }
figcaption { font-size: .875rem; }
svg { display: block; width: 100%; min-width: 30rem; height: auto; background: none !important; font-family: inherit; }
table { border-collapse: separate; border-spacing: 2px; font-variant-numeric: tabular-nums; font-size: .875rem; }
th { font-weight: 600; color: var(--soft); white-space: nowrap; }
th, td { padding: .25rem .6rem; text-align: right; }
th[scope=row], td.text { text-align: left; }
table.runs { width: 100%; border-collapse: collapse; font-size: .95rem; }
table.runs th, table.runs td { padding: .4rem .6rem; border-bottom: 1px solid var(--edge); }
table.runs tr:last-child > * { border-bottom: 0; }
table.runs tbody th { color: var(--ink); }
table.figures, table.stages { border-collapse: collapse; }
table.figures th, table.figures td, table.stages tbody > tr > * { padding: .3rem .6rem; border-bottom: 1px solid var(--edge); }
table.figures tr:last-child > *, table.stages tbody > tr:last-child > * { border-bottom: 0; }
table.figures th { color: var(--ink); }
table.figures td { white-space: nowrap; }
table.figures td.how { min-width: 18rem; white-space: normal; color: var(--soft); font-size: .8125rem; }
td.all { font-weight: 700; }
.best { font-weight: 700; }
.heat th, .heat td { padding: .25rem .45rem; }
.heat td { min-width: 3rem; border-radius: 4px; background: color-mix(in srgb, var(--heat) calc(var(--share) * 60%), transparent); }
.heat td.none { background: none; }
.heat td.all { background: none; font-weight: 700; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; margin: 0 0 .75rem; padding: 0; list-style: none; font-size: .875rem; }
.legend svg { display: inline-block; width: 1.75rem; min-width: 0; height: .6rem; margin-right: .4rem; vertical-align: baseline; }
details { margin-top: 1rem; }
summary { cursor: pointer; color: var(--soft); font-size: .875rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.25rem; margin: .75rem 0 0; font-size: .875rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace; font-size: .8125rem; }
footer { margin-top: 3rem; color: var(--soft); font-size: .8125rem; }
@media print { body { max-width: none; padding: 0; } figure, section { break-inside: avoid; } }
`;
