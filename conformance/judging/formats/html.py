"""The report as one HTML file: nothing is loaded, no script runs, light and dark as the reader has it."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from conformance.http.display import visible
from conformance.judging.formats.failures import Failure, closing, coverage_gaps, failures, outcome_line, seen, where

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
.inconclusive, .inconclusive { color: var(--open); } .untested, footer { color: var(--faint); }
"""


def render(statement: RunReport) -> str:
    """A complete document in UTF-8."""
    subject = f"{statement.subject['kind']} {statement.subject['name']}"
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{_text(subject)}: {statement.outcome}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        f'<h1>{_text(subject)}: <span class="{statement.outcome}">{statement.outcome}</span></h1>',
        f"<p>{_text(closing(statement))}</p>",
        f"<p>{_text(outcome_line(statement))}</p>",
        *_table(statement),
        *_failures(statement),
        *_counterexamples(statement),
        *_not_proved(statement),
        *_remarks(statement),
        f"<footer><p>{_text(_about(statement))}</p></footer>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _about(statement: RunReport) -> str:
    contract = statement.contract
    return f"{statement.tool['name']} {statement.tool['version']}, contract {contract['version']}, {contract['sha256']}"


def _table(statement: RunReport) -> Iterator[str]:
    numbers = "".join(f'<th class="number" scope="col">{name}</th>' for name in ("passed", "failed", "inconclusive"))
    words = "".join(f'<th scope="col">{name}</th>' for name in ("outcome", "rule", "applies to", "level", "clauses"))
    yield "<h2>Rules</h2>"
    yield '<div class="table"><table>'
    yield f'<thead><tr>{words}{numbers}<th scope="col">reason</th></tr></thead>'
    yield "<tbody>"
    yield from (_row(statement, rule) for rule in statement.rules)
    yield "</tbody></table></div>"


def _row(statement: RunReport, rule: Rule) -> str:
    tally = statement.report.tally(rule.id)
    cells = [
        f'<td class="{tally.outcome}">{tally.outcome}</td>',
        f'<td title="{_text(rule.title)}">{_text(rule.id)}</td>',
        *(f"<td>{_text(value)}</td>" for value in (rule.applies_to, rule.level, ", ".join(rule.clauses))),
        *(f'<td class="number">{count}</td>' for count in (tally.passed, tally.failed, tally.inconclusive)),
        f"<td>{_text(statement.reason(rule) or '')}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _failures(statement: RunReport) -> Iterator[str]:
    found = failures(statement)
    if found:
        yield "<h2>Failures</h2>"
    for number, failure in enumerate(found, 1):
        yield from _failure(statement, number, failure)


def _failure(statement: RunReport, number: int, failure: Failure) -> Iterator[str]:
    rule, violation = failure.rule, failure.violation
    told = [("expected", rule.title), ("seen", seen(rule, violation)), ("where", where(violation))]
    told += [(f"clause {name}", statement.clauses[name]) for name in rule.clauses if name in statement.clauses]
    if failure.times > 1:
        told.append(("again", f"{failure.times - 1} more of the same cause"))
    told += [("breaks too", f"{other.id} ({other.level}): {seen(other, its)}") for other, its in failure.also]
    yield f"<h3>{number}. {_text(rule.id)} ({rule.level}, {_text(', '.join(rule.clauses))})</h3>"
    yield f"<dl>{''.join(f'<dt>{_text(term)}</dt><dd>{_text(words)}</dd>' for term, words in told)}</dl>"
    for step in failure.steps:
        shown = "" if step.shown is None else f"<pre>{_text(step.shown)}</pre>"
        command = escape(visible(step.command, lines=True))
        yield f"<details open><summary>{_text(f'{step.label} {step.line}')}</summary>"
        yield f"<pre>{command}</pre>{shown}</details>"


def _not_proved(statement: RunReport) -> Iterator[str]:
    lines = coverage_gaps(statement)
    if lines:
        yield "<h2>Not proved</h2>"
        items = "".join(f"<li>{_text(rule)}: {_text(reasons)}</li>" for rule, reasons in lines)
        yield f"<ul>{items}</ul>"


def _counterexamples(statement: RunReport) -> Iterator[str]:
    if statement.counterexamples:
        yield "<h2>Smallest failures</h2>"
    for example in statement.counterexamples:
        yield f"<pre>{escape(visible(example, lines=True))}</pre>"


def _remarks(statement: RunReport) -> Iterator[str]:
    remarks = (*statement.remarks, *statement.advice)
    if remarks:
        yield "<h2>Remarks</h2>"
        yield f"<ul>{''.join(f'<li>{_text(remark)}</li>' for remark in remarks)}</ul>"


def _text(text: str) -> str:
    return escape(visible(text))
