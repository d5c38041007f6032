"""A comparison as one HTML file: a matrix of rules and reports with a picture a cell; no script, nothing is loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape

from conformance.http.display import visible
from conformance.judging.comparison import Cell, Comparison, RuleRow
from conformance.judging.formats.html_page import page
from conformance.judging.formats.side_by_side import closing, parting_title, same_values
from conformance.judging.partings import Parting, Partings

__all__ = ["html"]

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #59636e; --line: #d1d9e0; --sunk: #f6f8fa;
  --passed: #1a7f37; --failed: #c5221f; --open: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --faint: #9198a1; --line: #3d444d;
  --sunk: #161b22; --passed: #57c26b; --failed: #ff7b72; --open: #e0b341; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.matrix { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: anywhere; }
th[scope=row] { font-weight: 400; min-width: 9rem; } td.cell { min-width: 6rem; } td.told { min-width: 14rem; }
tr.differs { background: var(--sunk); } tr.differs th strong { font-weight: 600; } tr strong { font-weight: 400; }
svg { width: 1.1em; height: 1.1em; vertical-align: -.2em; }
.passed { color: var(--passed); } .failed { color: var(--failed); }
.inconclusive { color: var(--open); } .untested, .absent, .faint { color: var(--faint); }
ul { margin: .2rem 0; padding-left: 1.2rem; } td ul { list-style: none; padding: 0; }
code { font-size: .85em; color: var(--faint); overflow-wrap: anywhere; }
dt, dd, li { overflow-wrap: anywhere; } dt { margin-top: .8rem; } dd { margin: 0 0 0 1rem; }
@media (max-width: 40rem) { .matrix table, .matrix tbody, .matrix tr, .matrix th, .matrix td { display: block; }
  .matrix thead { display: none; } .matrix td { border-bottom: 0; } .matrix tr { border-bottom: 1px solid var(--line); }
  .matrix th[scope=row] { border-bottom: 0; } .matrix td::before { content: attr(data-of) ": "; color: var(--faint); } }
@media print { .matrix { overflow: visible; } }
"""

#: A picture for each outcome, told apart by form and not by colour alone.
_PICTURES = {
    "passed": '<circle cx="8" cy="8" r="7"/><path d="M4.5 8.5l2.5 2.5 4.5-5.5"/>',
    "failed": '<rect x="1" y="1" width="14" height="14"/><path d="M5 5l6 6M11 5l-6 6"/>',
    "inconclusive": '<circle cx="8" cy="8" r="7" stroke-dasharray="3 2"/><path d="M8 4v5M8 11v1"/>',
    "untested": '<circle cx="8" cy="8" r="7" stroke-dasharray="1 2"/>',
    "absent": '<path d="M4 8h8"/>',
}


def html(comparison: Comparison) -> str:
    """A complete document in UTF-8: what differs first, then all rules, then where scenarios part."""
    title = f"{_text(' and '.join(column.label for column in comparison.columns))}, side by side"
    differing, others = comparison.having("differs"), [row for row in comparison.rows if row.relation != "differs"]
    lines = [
        "<main>",
        f"<h1>{title}</h1>",
        f"<p>{_text(closing(comparison))}</p>",
        *_columns(comparison),
        *_matrix(comparison, differing, "Rules that differ"),
        *(line for partings in comparison.partings for line in _partings(partings)),
        *_matrix(comparison, others, "Other rules"),
        "</main>",
    ]
    return page(title, _STYLE, lines)


def _columns(comparison: Comparison) -> Iterator[str]:
    yield "<ul>"
    for column in comparison.columns:
        yield f"<li><strong>{_text(column.label)}</strong>: {_text(column.about)}</li>"
    yield "</ul>"


def _matrix(comparison: Comparison, rows: list[RuleRow] | tuple[RuleRow, ...], heading: str) -> Iterator[str]:
    if not rows:
        return
    yield f"<h2>{heading}</h2>"
    yield f'<div class="matrix" role="region" aria-label="{heading}" tabindex="0"><table>'
    labels = "".join(f'<th scope="col">{_text(column.label)}</th>' for column in comparison.columns)
    yield f'<thead><tr><th scope="col">rule</th>{labels}</tr></thead>'
    yield "<tbody>"
    for row in rows:
        cells = "".join(_cell(cell, column.label) for cell, column in zip(row.cells, comparison.columns, strict=True))
        about = f'<br><span class="faint">{_text(row.title)} ({row.level}, {_text(", ".join(row.clauses))})</span>'
        yield f'<tr class="{row.relation}"><th scope="row"><strong>{_text(row.id)}</strong>{about}</th>{cells}</tr>'
    yield "</tbody></table></div>"


def _cell(cell: Cell, label: str) -> str:
    picture = (
        f'<svg viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true">'
        f"{_PICTURES[cell.outcome]}</svg>"
    )
    said = f'<span class="{cell.outcome}">{picture} {cell.outcome}</span>'
    if not cell.causes:
        return f'<td class="cell" data-of="{_text(label)}">{said}</td>'
    causes = "".join(
        f"<li>{_text(sentence)} <code>{_text(cause)}</code></li>" for cause, sentence in cell.causes.items()
    )
    return f'<td class="told" data-of="{_text(label)}">{said}<ul>{causes}</ul></td>'


def _partings(partings: Partings) -> Iterator[str]:
    if not partings.found:
        return
    yield f"<h2>Where {_text(' and '.join(partings.labels))} part</h2>"
    yield "<p>The first exchange:</p>"
    yield from _told(partings, partings.found[:1])
    others = partings.found[1:]
    if others:
        yield f"<details><summary>{len(others)} other difference{'' if len(others) == 1 else 's'}</summary>"
        yield from _told(partings, others)
        yield "</details>"


def _told(partings: Partings, found: Sequence[Parting]) -> Iterator[str]:
    yield "<dl>"
    for parting in found:
        yield f"<dt>{_text(parting_title(parting))}</dt>"
        for label, side in zip(partings.labels, parting.sides, strict=True):
            shown = "" if side.shown is None else f", and reads {json.dumps(side.shown, ensure_ascii=False)}"
            values = f"{side.label} → {side.status or 'no answer'}: {same_values(side.values)}{shown}"
            yield f"<dd><strong>{_text(label)}</strong> {_text(values)}</dd>"
    yield "</dl>"


def _text(text: str) -> str:
    return escape(visible(text))
