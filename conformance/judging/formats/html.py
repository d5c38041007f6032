"""The report as one HTML file: nothing is loaded, no script runs, light or dark as the reader prefers."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from conformance.http.display import visible
from conformance.judging.formats.failures import (
    Failure,
    actual,
    closing,
    coverage_gaps,
    failures,
    headline,
    outcome_line,
    status,
    where,
)

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.summary import RunReport

__all__ = ["render"]

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --faint: #59636e; --line: #d1d9e0; --sunk: #f6f8fa;
  --passed: #1a7f37; --failed: #c5221f; --open: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --faint: #9198a1; --line: #3d444d;
  --sunk: #161b22; --passed: #57c26b; --failed: #ff7b72; --open: #e0b341; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
h1, h3, td, dd, li { overflow-wrap: anywhere; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { background: var(--sunk); border: 1px solid var(--line); border-radius: 6px; padding: .6rem; overflow-x: auto;
  white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dt { color: var(--faint); } dd { margin: 0; }
.passed { color: var(--passed); } .failed { color: var(--failed); font-weight: 600; }
.inconclusive, .warning, .known { color: var(--open); } .untested, footer { color: var(--faint); }
"""


def render(run_report: RunReport) -> str:
    """A complete document in UTF-8."""
    subject = f"{run_report.subject['kind']} {run_report.subject['name']}"
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{_text(subject)}: {run_report.outcome}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        f'<h1>{_text(subject)}: <span class="{run_report.outcome}">{run_report.outcome}</span></h1>',
        *(f"<p><strong>{_text(line)}</strong></p>" for line in headline(run_report)),
        f"<p>{_text(closing(run_report))}</p>",
        f"<p>{_text(outcome_line(run_report))}</p>",
        *_table(run_report),
        *_failures(run_report),
        *_counterexamples(run_report),
        *_coverage_gaps(run_report),
        *_notes(run_report),
        f"<footer><p>{_text(_about(run_report))}</p></footer>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _about(run_report: RunReport) -> str:
    contract = run_report.contract
    return (
        f"{run_report.tool['name']} {run_report.tool['version']}, contract {contract['version']}, {contract['sha256']}"
    )


def _table(run_report: RunReport) -> Iterator[str]:
    numbers = "".join(f'<th class="number" scope="col">{name}</th>' for name in ("passed", "failed", "inconclusive"))
    words = "".join(f'<th scope="col">{name}</th>' for name in ("outcome", "rule", "applies to", "level", "clauses"))
    yield "<h2>Rules</h2>"
    yield '<div class="table"><table>'
    yield f'<thead><tr>{words}{numbers}<th scope="col">reason</th></tr></thead>'
    yield "<tbody>"
    yield from (_row(run_report, rule) for rule in run_report.rules)
    yield "</tbody></table></div>"


def _row(run_report: RunReport, rule: Rule) -> str:
    tally = run_report.report.tally(rule.id)
    outcome = status(run_report, rule)
    cells = [
        f'<td class="{outcome}">{outcome}</td>',
        f'<td title="{_text(rule.title)}">{_text(rule.id)}</td>',
        *(f"<td>{_text(value)}</td>" for value in (rule.applies_to, rule.level, ", ".join(rule.clauses))),
        *(f'<td class="number">{count}</td>' for count in (tally.passed, tally.failed, tally.inconclusive)),
        f"<td>{_text(run_report.reason(rule) or '')}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _failures(run_report: RunReport) -> Iterator[str]:
    found = failures(run_report)
    if found:
        yield "<h2>Failures</h2>"
    for number, failure in enumerate(found, 1):
        yield from _failure(run_report, number, failure)


def _failure(run_report: RunReport, number: int, failure: Failure) -> Iterator[str]:
    rule, violation = failure.rule, failure.violation
    terms = [("expected", rule.title), ("actual", actual(rule, violation)), ("where", where(violation))]
    terms += [(f"clause {name}", run_report.clauses[name]) for name in rule.clauses if name in run_report.clauses]
    if failure.times > 1:
        terms.append(("repeated", f"{failure.times - 1} more of the same cause"))
    terms += [("also fails", f"{other.id} ({other.level}): {actual(other, its)}") for other, its in failure.also]
    yield f"<h3>{number}. {_text(rule.id)} ({rule.level}, {_text(', '.join(rule.clauses))})</h3>"
    yield f"<dl>{''.join(f'<dt>{_text(term)}</dt><dd>{_text(words)}</dd>' for term, words in terms)}</dl>"
    for step in failure.steps:
        shown = "" if step.shown is None else f"<pre>{_text(step.shown)}</pre>"
        command = escape(visible(step.command, lines=True))
        yield f"<details open><summary>{_text(f'{step.label} {step.line}')}</summary>"
        yield f"<pre>{command}</pre>{shown}</details>"


def _coverage_gaps(run_report: RunReport) -> Iterator[str]:
    lines = coverage_gaps(run_report)
    if lines:
        yield "<h2>Coverage gaps</h2>"
        items = "".join(f"<li>{_text(rule)}: {_text(reasons)}</li>" for rule, reasons in lines)
        yield f"<ul>{items}</ul>"


def _counterexamples(run_report: RunReport) -> Iterator[str]:
    if run_report.counterexamples:
        yield "<h2>Smallest failures</h2>"
    for example in run_report.counterexamples:
        yield f"<pre>{escape(visible(example, lines=True))}</pre>"


def _notes(run_report: RunReport) -> Iterator[str]:
    notes = (*run_report.notes, *run_report.advice)
    if notes:
        yield "<h2>Notes</h2>"
        yield f"<ul>{''.join(f'<li>{_text(note)}</li>' for note in notes)}</ul>"


def _text(text: str) -> str:
    return escape(visible(text))
