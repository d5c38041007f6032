"""The report as Markdown (CommonMark with tables), for a pull request or a build's summary."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from conformance.http.display import visible
from conformance.judging.formats import pytest_file
from conformance.judging.formats.failures import (
    Failure,
    brief,
    closing,
    coverage_gaps,
    failures,
    headline,
    outcome_line,
    status,
)
from conformance.judging.formats.marks import carets, differences

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.summary import RunReport
    from conformance.judging.timeline import TimelineEntry

__all__ = ["render"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~@:/])")


def render(run_report: RunReport) -> str:
    """The outcome first, then each failure, the coverage gaps, and the rules folded."""
    lines = [
        f"# {_text(run_report.subject['kind'])} {_text(run_report.subject['name'])}: {run_report.outcome}",
        "",
        *(part for line in headline(run_report) for part in (f"**{_text(line)}**", "")),
        _text(closing(run_report)),
        "",
        _text(outcome_line(run_report)),
    ]
    heading = None
    for number, failure in enumerate(failures(run_report), 1):
        its = "Failures" if run_report.is_fatal(failure.rule) else "Warnings"
        if its != heading:
            lines += ["", f"## {its}"]
            heading = its
        lines += ["", *_failure(run_report, number, failure)]
    if run_report.counterexamples:
        lines += ["", "## Smallest failures"]
    for example in run_report.counterexamples:
        lines += ["", *_fenced("text", example.rstrip("\n"))]
    gaps = coverage_gaps(run_report)
    if gaps:
        lines += ["", "## Coverage gaps", ""]
        lines += [f"- {_text(rule)}: {_text(reasons)}" for rule, reasons in gaps]
    notes = (*run_report.notes, *run_report.advice)
    if notes:
        lines += ["", "## Notes", "", *(f"- {_text(note)}" for note in notes)]
    lines += ["", f"<details><summary>All {len(run_report.rules)} rules</summary>", ""]
    lines += [
        "| outcome | rule | level | clauses | passed | failed | inconclusive | |",
        "|---|---|---|---|--:|--:|--:|---|",
    ]
    lines += [*(_row(run_report, rule) for rule in run_report.rules), "", "</details>"]
    contract = run_report.contract
    tool = f"{run_report.tool['name']} {run_report.tool['version']}, contract {contract['version']}"
    lines += ["", f"{_text(tool)}, `{contract['sha256']}`"]
    return "\n".join(lines) + "\n"


def _row(run_report: RunReport, rule: Rule) -> str:
    tally = run_report.report.tally(rule.id)
    outcome = status(run_report, rule)
    word = f"**{outcome}**" if outcome in ("failed", "warning") else outcome
    cells = [
        word,
        _text(rule.id),
        rule.level,
        _text(", ".join(rule.clauses)),
        f"{tally.passed}",
        f"{tally.failed}",
        f"{tally.inconclusive}",
        _text(run_report.reason(rule) or ""),
    ]
    return f"| {' | '.join(cells)} |"


def _failure(run_report: RunReport, number: int, failure: Failure) -> Iterator[str]:
    rule, violation = failure.rule, failure.violation
    yield f"### {number}\\. {_text(failure.headline)}"
    yield ""
    yield f"- rule: **{_text(rule.id)}** ({rule.level}, {_text(', '.join(rule.clauses))}): {_text(rule.title)}"
    if violation.event is not None:
        yield f"- event: {_text(violation.event)}"
    if failure.times > 1:
        yield f"- seen: {failure.times:,} times"
    for clause in failure.clauses:
        yield f"- clause: [{_text(f'{clause.id}, {clause.section}')}](<{clause.url}>): {_text(clause.text)}"
    for other, _ in failure.also:
        yield f"- also fails: **{_text(other.id)}** ({other.level}): {_text(other.title)}"
    yield ""
    yield from _fenced("text", _values(failure))
    if failure.timeline:
        yield from ("", "| | seconds | exchange | what happened | status | conferencing |", "|---|--:|---|---|--:|---|")
        yield from (_entry(entry) for entry in failure.timeline)
    if failure.reproduction is not None and failure.reproduction.steps:
        yield from ("", "Smallest scenario:", "", *(_text(step) + "  " for step in failure.reproduction.steps))
    yield from _folded("As a shell script", "sh", failure.script)
    if failure.reproduction is not None and failure.reproduction.scenarios:
        yield from _folded("As pytest", "python", pytest_file.one(run_report, failure.reproduction))


def _values(failure: Failure) -> str:
    expected, got = differences(failure.expected, failure.got)
    lines = [] if failure.sent in (None, failure.expected, failure.got) else [f"sent      {failure.sent}"]
    for name, parts in (("expected", expected), ("got", got)):
        lines.append(f"{name:<9} {''.join(part.text for part in parts)}")
        if marks := carets(parts):
            lines.append(f"          {marks}")
    return "\n".join(lines)


def _entry(entry: TimelineEntry) -> str:
    seconds = "" if entry.seconds is None else f"{entry.seconds:,.1f}"
    cells = [
        "✗" if entry.is_broken else "",
        seconds,
        _text(entry.label),
        _text(entry.summary),
        _text(str(entry.status or "no answer")),
        "" if entry.conferencing is None else _text(brief(entry.conferencing)),
    ]
    return f"| {' | '.join(cells)} |"


def _folded(title: str, language: str, text: str) -> Iterator[str]:
    yield from ("", f"<details><summary>{title}</summary>", "")
    yield from _fenced(language, text.rstrip("\n"))
    yield from ("", "</details>")


def _fenced(language: str, text: str) -> Iterator[str]:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    yield f"{fence}{language}"
    yield visible(text, lines=True)
    yield fence


def _text(text: str) -> str:
    """Text on one line, with what Markdown or HTML would interpret escaped."""
    escaped = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", escaped)
