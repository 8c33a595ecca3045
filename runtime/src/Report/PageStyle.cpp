//===- PageStyle.cpp - Style and script of the page -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PageParts.h"

// The script has neither '<' nor '&': the page is XML as well.
const char *const rootc::report::pageScript = R"js(
document.querySelectorAll('table.sortable').forEach(function (table) {
  var body = table.tBodies[0];
  table.querySelectorAll('thead th').forEach(function (head, column) {
    var button = document.createElement('button');
    button.type = 'button';
    while (head.firstChild) button.appendChild(head.firstChild);
    head.appendChild(button);
    button.addEventListener('click', function () {
      var down = head.getAttribute('aria-sort') === 'ascending';
      table.querySelectorAll('th').forEach(function (other) { other.removeAttribute('aria-sort'); });
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      var rows = Array.from(body.rows).map(function (row) {
        var cell = row.cells[column], value = cell.getAttribute('data-value');
        return { row: row, text: cell.textContent, value: value === null ? NaN : parseFloat(value) };
      });
      rows.sort(function (a, b) {
        var missing = isNaN(a.value) - isNaN(b.value);
        if (missing) return missing;
        var order = isNaN(a.value) ? a.text.localeCompare(b.text, undefined, { numeric: true }) : a.value - b.value;
        return down ? -order : order;
      });
      rows.forEach(function (entry) { body.appendChild(entry.row); });
    });
  });
});
)js";

const char *const rootc::report::pageStyle = R"css(
:root { color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --ink: #14181f; --soft: #545d6b; --line: #dfe3e8; --grid: #e6e9ee; --accent: #0b5cad;
  --warn-page: #fff6e0; --warn-line: #d99a00; --track: #eef0f3;
  --s0: #0b62c4; --s1: #c2410c; --s2: #0b7a5b; --s3: #8b3fb0; --s4: #926006; --s5: #be185d; --s6: #0e7490; --s7: #59616e; }
@media (prefers-color-scheme: dark) { :root {
  --page: #0f1216; --card: #171b21; --ink: #e8ebf0; --soft: #a3acb9; --line: #2b323c; --grid: #262d36; --accent: #7ab8ff;
  --warn-page: #2a2313; --warn-line: #c99a2e; --track: #232932;
  --s0: #6cb0ff; --s1: #ff9a66; --s2: #4fd1a5; --s3: #cf9cf0; --s4: #e0b94a; --s5: #ff8fc0; --s6: #58cbe0; --s7: #b3bbc7; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header, main, footer { max-width: 1320px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 36px; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 6px; letter-spacing: -.015em; overflow-wrap: anywhere; }
h2 { font-size: 1.35rem; line-height: 1.3; margin: 0 0 4px; letter-spacing: -.01em; }
h3 { font-size: 1rem; margin: 22px 0 8px; overflow-wrap: anywhere; }
p { margin: 0 0 12px; max-width: 76ch; }
.under { margin: 6px 2px 0; font-size: .875rem; color: var(--soft); }
.soft, .lead, figcaption small { color: var(--soft); }
.lead { font-size: .95rem; }
nav { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 18px 0 0; padding: 10px 0; border-top: 1px solid var(--line);
  border-bottom: 1px solid var(--line); font-size: .95rem; }
a { color: var(--accent); text-underline-offset: 2px; }
nav a { text-decoration: none; } nav a:hover { text-decoration: underline; }
section { margin: 40px 0 0; scroll-margin-top: 12px; }
footer { margin-top: 56px; padding-top: 16px; padding-bottom: 40px; color: var(--soft); font-size: .875rem; }
footer p { max-width: 90ch; }
code { font: .9em ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.notes { margin: 24px 0 0; padding: 12px 18px; background: var(--warn-page); border-left: 4px solid var(--warn-line);
  border-radius: 6px; font-size: .95rem; }
.notes ul { margin: 4px 0 0; padding-left: 20px; } .notes li { overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(160px, 1fr)); gap: 14px; margin: 10px 0 0; }
.tile, .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tile { padding: 14px 16px; }
.tile .big { font-size: 1.75rem; line-height: 1.2; font-weight: 650; letter-spacing: -.02em; font-variant-numeric: tabular-nums; }
.tile.noise .big { color: var(--soft); font-weight: 500; }
.tile .what { font-size: .9rem; font-weight: 600; } .tile .detail { font-size: .875rem; color: var(--soft); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); gap: 14px; margin-top: 14px; }
.charts.two { grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); }
figure { margin: 0; padding: 14px 14px 8px; min-width: 0; break-inside: avoid; }
figcaption { font-weight: 600; font-size: .95rem; margin: 0 2px 4px; overflow-wrap: anywhere; } figcaption small { display: block; font-weight: 400; }
svg { display: block; width: 100%; height: auto; }
figure svg { max-width: 540px; margin: 0 auto; }
svg text { font-size: 13px; fill: var(--soft); font-variant-numeric: tabular-nums; unicode-bidi: isolate; }
svg .label { fill: var(--ink); paint-order: stroke; stroke: var(--card); stroke-width: 3px; stroke-linejoin: round; }
svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
.grid { stroke: var(--grid); } .grid.faint { stroke-dasharray: 2 4; } .axis { stroke: var(--soft); }
.leader { stroke: var(--soft); stroke-width: .8; }
.family { fill: none; stroke: var(--soft); stroke-width: 1.3; opacity: .75; }
.s0 { --c: var(--s0); } .s1 { --c: var(--s1); } .s2 { --c: var(--s2); } .s3 { --c: var(--s3); }
.s4 { --c: var(--s4); } .s5 { --c: var(--s5); } .s6 { --c: var(--s6); } .s7 { --c: var(--s7); }
.mark { fill: var(--c, var(--soft)); stroke: var(--card); stroke-width: 1.2; }
.mark.hollow { fill: var(--card); stroke: var(--c); stroke-width: 2; }
.single { fill: var(--c); opacity: .55; } .whisker { stroke: var(--c); stroke-width: 1.5; }
.curve { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; } .band { fill: var(--c); opacity: .16; }
.curve.dashed { stroke-dasharray: 5 4; stroke-width: 1.6; }
.d1 .curve, .family.d1 { stroke-dasharray: 7 3; } .d2 .curve, .family.d2 { stroke-dasharray: 2 3; }
.d3 .curve, .family.d3 { stroke-dasharray: 8 3 2 3; }
.missing { display: flex; flex-direction: column; gap: 8px; padding: 16px 18px; border-style: dashed; font-size: .95rem; }
.missing p { margin: 0; } .missing strong { font-size: .95rem; }
.missing code { display: block; padding: 8px 10px; background: var(--track); border-radius: 6px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 12px 0 0; padding: 0; list-style: none; font-size: .9rem; }
.key { display: inline-flex; align-items: center; gap: 7px; overflow-wrap: anywhere; }
.key svg { width: 26px; height: 12px; flex: none; }
.scroll { overflow-x: auto; margin-top: 12px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
th, td { padding: 8px 12px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
thead th { font-size: .8125rem; line-height: 1.25; color: var(--soft); font-weight: 600; vertical-align: bottom; }
thead button { all: unset; cursor: pointer; } thead button:focus-visible, a:focus-visible, summary:focus-visible, .scroll:focus-visible {
  outline: 2px solid var(--accent); outline-offset: 2px; }
th[aria-sort=ascending] button::after { content: " \25B2"; } th[aria-sort=descending] button::after { content: " \25BC"; }
tbody th { font-weight: 600; min-width: 16ch; max-width: 34ch; overflow-wrap: anywhere; }
td.text { min-width: 12ch; max-width: 34ch; overflow-wrap: anywhere; } td.seed { overflow-wrap: anywhere; }
td { overflow-wrap: anywhere; }
.n { text-align: right; } td.n, tbody th.n { white-space: nowrap; overflow-wrap: normal; }
td small, th small { display: block; color: var(--soft); font-weight: 400; font-size: .8125rem; }
td.differs { background: color-mix(in srgb, var(--warn-line) 14%, transparent); }
details { margin-top: 14px; } summary { cursor: pointer; font-weight: 600; overflow-wrap: anywhere; }
.bars td { padding-top: 6px; padding-bottom: 6px; min-width: 150px; vertical-align: middle; }
.bars .groups { min-width: 0; width: 1%; white-space: nowrap; }
.bars tbody th { min-width: 0; white-space: nowrap; max-width: none; vertical-align: middle; }
.bar { display: grid; grid-template-columns: minmax(40px, 1fr) 7.5ch; gap: 8px; align-items: center; font-size: .8125rem; line-height: 1.35; }
.bar i { display: block; height: 8px; border-radius: 2px; background: var(--track); overflow: hidden; }
.bar b { display: block; height: 100%; border-radius: 2px; background: var(--c); }
.bar span { text-align: right; white-space: nowrap; }
.bars tr.total > * { border-top: 2px solid var(--line); font-weight: 600; }
.bars.long .scroll { max-height: 80vh; overflow: auto; } .bars.long td, .bars.long tbody th { padding-top: 2px; padding-bottom: 2px; }
.bars.long thead th { position: sticky; top: 0; z-index: 1; background: var(--card); box-shadow: inset 0 -1px var(--line); }
.bars.long .bar { line-height: 1.15; font-size: .75rem; } .bars.long .bar i { height: 6px; }
.bars td.n { min-width: 0; width: 1%; }
.wide { margin-top: 14px; } .strip { overflow-x: auto; } .wide .strip svg { max-width: none; }
.fill { fill: var(--c); } .hit { fill: transparent; } .bar-of-layer:hover .hit { fill: var(--track); }
.maps { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); gap: 14px; margin-top: 12px; }
.maps img { display: block; width: 100%; height: auto; background: #fff; border-radius: 6px; }
.pixels { image-rendering: pixelated; } .wide > img { display: block; max-width: 100%; height: auto; }
.classes { display: grid; grid-template-columns: max-content minmax(60px, 1fr) max-content max-content; gap: 5px 10px; align-items: center;
  font-size: .875rem; padding: 6px 2px 8px; font-variant-numeric: tabular-nums; }
.classes i { height: 10px; border-radius: 3px; background: var(--track); overflow: hidden; }
.classes b { display: block; height: 100%; border-radius: 3px; background: var(--c); }
.classes span, .classes small { text-align: right; } .classes small { color: var(--soft); }
.cell { fill: var(--track); } .cell.right { fill: var(--s0); } .cell.wrong { fill: var(--s1); }
svg .on { fill: var(--card); } svg .off { fill: var(--ink); }
.worst { display: grid; grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); gap: 10px; }
.worst figure { padding: 8px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.worst img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--track); border-radius: 4px; }
.worst figcaption { font-size: .8125rem; margin: 6px 0 0; } .worst small { color: var(--soft); }
summary small { color: var(--soft); font-weight: 400; }
@media (max-width: 640px) { header { padding-top: 22px; } header, main, footer { padding-left: 14px; padding-right: 14px; }
  h1 { font-size: 1.5rem; } section { margin-top: 32px; } th, td { padding: 7px 9px; } figure { padding: 10px 8px 6px; }
  .tiles { grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); } .tile { padding: 12px 14px; } .tile .big { font-size: 1.4rem; } }
@media print { :root { --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #ccc; --grid: #ddd; --track: #eee; --warn-page: #fff;
    --s0: #0b62c4; --s1: #c2410c; --s2: #0b7a5b; --s3: #8b3fb0; --s4: #926006; --s5: #be185d; --s6: #0e7490; --s7: #59616e; }
  body { font-size: 11px; } nav { display: none; } * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  .scroll { overflow: visible; } table { font-size: 9px; } th, td { padding: 3px 5px; } section { margin-top: 20px; }
  h2, h3 { break-after: avoid; } tr, .tile { break-inside: avoid; } .charts { grid-template-columns: 1fr 1fr; }
  .bars td { min-width: 0; } .bars.long .scroll { max-height: none; overflow: visible; } .strip svg { min-width: 0 !important; } }
)css";
