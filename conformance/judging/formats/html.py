"""The report as one HTML file, failures first: nothing is loaded, no script runs, light or dark as readers prefer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from conformance.http.display import visible
from conformance.judging.formats.failures import (
    Failure,
    closing,
    failures,
    headings,
    headline,
    outcome,
    outcome_line,
    status,
    subject_name,
)
from conformance.judging.formats.gaps import coverage_gaps
from conformance.judging.formats.glossary import HEADING, glossary
from conformance.judging.formats.html_failure import article, happened, link, term, text_of
from conformance.judging.formats.html_page import page
from conformance.judging.formats.html_rules import explanations, table, text_of_lines
from conformance.judging.formats.html_style import STYLE
from conformance.judging.formats.picture import rows
from conformance.judging.formats.undecided import UNDECIDED, undecided

if TYPE_CHECKING:
    from conformance.judging.summary import RunReport

__all__ = ["render"]

_MARK = (
    '<svg width="14" height="14" aria-hidden="true"><line class="{0}" x1="7" x2="7" y1="{1}" y2="14"/>'
    '<circle class="{0}" cx="7" cy="{2}" r="{3}"/></svg>{4}'
)
#: The marks of time lines: the class, where its line begins, where its dot is, how large, and what it means.
_MARKS = (("write", 0, 10, 4, "write"), ("read", 14, 8, 4, "reading"), ("broken", 14, 7, 6, "what is wrong"))

_KEY = ("missing", "none", "pending", "assigned", "old", "malformed")
#: From more failures on, a list of them comes first.
_INDEXED = 5


def render(run_report: RunReport) -> str:
    """A complete document in UTF-8."""
    subject = subject_name(run_report)
    found = failures(run_report)
    is_weak = run_report.outcome == "passed" and bool(run_report.warnings)
    kind = "warning" if is_weak else run_report.outcome
    lines = [
        "<header>",
        f'<h1>{text_of(subject)}: <span class="{kind}">{outcome(run_report)}</span></h1>',
        *(f"<p><strong>{text_of(line)}</strong></p>" for line in headline(run_report)),
        f"<p>{text_of(closing(run_report))}</p>",
        f"<p>{text_of(outcome_line(run_report))}</p>",
        "</header>",
        "<main>",
        *_failures(run_report, found),
        *_run(found),
        *_counterexamples(run_report),
        *_undecided(run_report),
        *_coverage_gaps(run_report),
        *_notes(run_report),
    ]
    lines += [
        *_glossary("\n".join(lines)),
        *_rules(run_report, found),
        "</main>",
        f"<footer><p>{text_of(_about(run_report))}</p></footer>",
    ]
    return page(f"{text_of(subject)}: {outcome(run_report)}", STYLE, lines)


def _about(run_report: RunReport) -> str:
    contract = run_report.contract
    return (
        f"{run_report.tool['name']} {run_report.tool['version']}, contract {contract['version']}, {contract['sha256']}"
    )


def _failures(run_report: RunReport, found: tuple[Failure, ...]) -> Iterator[str]:
    above = headings(run_report, found)
    if len(found) > _INDEXED:
        yield '<nav aria-label="All failures">'
        starts = [*sorted({1, *above}), len(found) + 1]
        for start, end in pairwise(starts):
            items = (
                f'<li><a href="#failure-{number}">{text_of(found[number - 1].headline)}</a></li>'
                for number in range(start, end)
            )
            yield f'<p>{above.get(start, "")}</p><ol start="{start}">{"".join(items)}</ol>'
        yield "</nav>"
    for number, failure in enumerate(found, 1):
        if number in above:
            yield f"<h2>{above[number]}</h2>"
        if number == 1 and any(len(one.timeline) > 1 for one in found):
            yield from _key()
        yield from article(run_report, number, failure)


def _undecided(run_report: RunReport) -> Iterator[str]:
    found = undecided(run_report)
    if found is not None:
        yield f"<h2>{UNDECIDED}</h2>"
        yield f"<p>{text_of(found.headline)}</p><dl>"
        yield term("rules", ", ".join(map(link, found.rules)))
        yield term("event", f"<code>{text_of(found.event)}</code>")
        yield term("to decide", text_of(found.advice))
        yield "</dl>"
        yield from happened(found.timeline, "h3")


def _key() -> Iterator[str]:
    """What the colours of the time lines mean."""
    swatch = '<svg width="14" height="12" aria-hidden="true"><rect class="{}" width="14" height="12"/></svg>'
    words = {"missing": "not listed", "none": "no conferencing", "old": "assigned before the write"}
    items = "".join(f"<li>{swatch.format(state)}{words.get(state, state)}</li>" for state in _KEY)
    items += "".join(f"<li>{_MARK.format(*mark)}</li>" for mark in _MARKS)
    yield f'<ul class="key" aria-label="Colours and marks of the time lines">{items}</ul>'


def _run(found: tuple[Failure, ...]) -> Iterator[str]:
    drawn = rows([failure.violation for failure in found])
    if drawn:
        yield "<h2>The run</h2>"
        yield "<p>The events of the failures, each in a row, over the time of the run, in the same colours. "
        yield "Large dots are writes, small ones readings, and red ones what is wrong.</p>"
        yield drawn


def _glossary(text: str) -> Iterator[str]:
    words = glossary(text)
    if words:
        yield f"<h2>{HEADING}</h2>"
        yield f"<dl>{''.join(f'<dt>{word}</dt><dd>{meaning}</dd>' for word, meaning in words)}</dl>"


def _rules(run_report: RunReport, found: tuple[Failure, ...]) -> Iterator[str]:
    named: dict[str, list[int]] = {}
    for number, failure in enumerate(found, 1):
        for rule in (failure.rule, *failure.also):
            named.setdefault(rule.id, []).append(number)
    yield "<h2>Rules</h2>"
    passed = sum(status(run_report, rule) == "passed" for rule in run_report.rules)
    yield f"<details><summary>All {len(run_report.rules)} rules, of which {passed} passed</summary>"
    yield from table(run_report)
    yield "</details>"
    yield "<h2>Rules explained</h2>"
    yield from explanations(run_report.failed, named)
    others = tuple(rule for rule in run_report.rules if rule not in run_report.failed)
    yield f"<details><summary>{len(others)} rules that did not fail</summary>"
    yield from explanations(others)
    yield "</details>"


def _coverage_gaps(run_report: RunReport) -> Iterator[str]:
    lines, every = coverage_gaps(run_report, folded=True), coverage_gaps(run_report)
    if lines:
        yield "<h2>Coverage gaps</h2>"
        yield _listed(lines)
    if lines != every:
        yield f"<details><summary>Each of them</summary>{_listed(every)}</details>"


def _listed(lines: tuple[tuple[str, str], ...]) -> str:
    return f"<ul>{''.join(f'<li>{text_of(rule)}: {text_of(reasons)}</li>' for rule, reasons in lines)}</ul>"


def _counterexamples(run_report: RunReport) -> Iterator[str]:
    if run_report.counterexamples:
        yield "<h2>Smallest failures</h2>"
    for example in run_report.counterexamples:
        yield f'<pre tabindex="0">{text_of_lines(visible(example, lines=True))}</pre>'


def _notes(run_report: RunReport) -> Iterator[str]:
    notes = (*run_report.notes, *run_report.advice)
    if notes:
        yield "<h2>Notes</h2>"
        yield f"<ul>{''.join(f'<li>{text_of(note)}</li>' for note in notes)}</ul>"
