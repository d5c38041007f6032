"""The style of the HTML report: light or dark as the reader prefers, for wide and narrow screens, and for paper."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --faint: #57606a; --line: #d1d9e0; --sunk: #f6f8fa;
  --passed: #116329; --failed: #b3150f; --open: #7a4e00; --link: #0550ae; --mark: #ffd8d3; --mark-ink: #82071e;
  --assigned: #57ab5a; --pending: #d4a72c; --none: #afb8c1; --malformed: #e5534b; --old: #b7dfb9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --faint: #9da7b1; --line: #3d444d;
  --sunk: #161b22; --passed: #57c26b; --failed: #ff7b72; --open: #e0b341; --link: #79b8ff; --mark: #67060c;
  --mark-ink: #ffdcd7; --assigned: #347d39; --pending: #ae7c14; --none: #545d68; --malformed: #c93c37;
  --old: #1c4428; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0; }
header, main, footer { max-width: 72rem; margin: 0 auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1.5rem 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; }
h3 { font-size: 1.1rem; line-height: 1.35; margin: 0 0 .5rem; }
h4 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
h1, h3, p, dd, li, td { overflow-wrap: break-word; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
article { border: 1px solid var(--line); border-left: 5px solid var(--failed); border-radius: 6px; padding: 1rem;
  margin: 1rem 0; }
article > h3 { color: var(--failed); }
article.weak { border-left-color: var(--open); } article.weak > h3 { color: var(--open); }
code, pre, .value { font: .875rem/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code { overflow-wrap: anywhere; }
pre, .value { background: var(--sunk); border: 1px solid var(--line); border-radius: 6px; padding: .5rem .75rem;
  margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
pre { max-height: 32rem; overflow: auto; } pre + pre { margin-top: .75rem; }
mark { background: var(--mark); color: var(--mark-ink); font-weight: 700; border-radius: 2px; }
dl { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); gap: .4rem 1rem; margin: .75rem 0; }
dt { color: var(--faint); } dd { margin: 0; min-width: 0; }
.table { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td code, td .id { overflow-wrap: normal; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.passed { color: var(--passed); } .failed { color: var(--failed); font-weight: 600; }
.inconclusive, .warning, .known { color: var(--open); } .untested, .faint, footer { color: var(--faint); }
ol.moments { padding-left: 2rem; margin: .25rem 0; } ol.moments li { margin: .2rem 0; }
ol.moments .broken { color: var(--failed); font-weight: 600; }
.when { color: var(--faint); font-variant-numeric: tabular-nums; }
svg { display: block; } svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
svg.rows { margin: .5rem 0; } svg .axis { stroke: var(--line); stroke-width: 1; }
svg .write, svg .delete { stroke: var(--ink); fill: var(--ink); stroke-width: 2; }
svg text.write, svg text.delete { stroke: none; } svg .read, svg .other { fill: var(--faint); }
svg .broken { fill: var(--failed); } svg text.broken { font-weight: 700; }
svg .assigned { fill: var(--assigned); } svg .pending { fill: var(--pending); } svg .none { fill: var(--none); }
svg .malformed { fill: var(--malformed); }
svg .missing { fill: var(--paper); stroke: var(--faint); stroke-dasharray: 3 2; }
svg .old { fill: var(--old); } svg rect.wrong { stroke: var(--failed); stroke-width: 3; stroke-dasharray: none; }
svg line.broken { stroke: var(--failed); stroke-width: 3; }
.key { display: flex; flex-wrap: wrap; gap: .25rem 1rem; list-style: none; padding: 0; margin: .25rem 0;
  color: var(--faint); font-size: .875rem; }
.key svg { display: inline-block; vertical-align: -1px; margin-right: .35rem; }
summary { cursor: pointer; padding: .25rem 0; } details > pre, details > dl { margin: .25rem 0 .75rem; }
@media (max-width: 40rem) { dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd { margin: 0 0 .6rem; }
  article { padding: .75rem; } }
@media print { body { font-size: 11pt; } pre { max-height: none; } article { break-inside: avoid; } }
"""
