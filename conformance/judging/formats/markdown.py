"""The report as Markdown (CommonMark with tables), for a pull request or a build's summary."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from conformance.http.display import visible
from conformance.judging.formats import pytest_file, text
from conformance.judging.formats.failures import (
    Failure,
    brief,
    closing,
    coverage_gaps,
    failures,
    headings,
    headline,
    moment,
    outcome,
    outcome_line,
    short,
    status,
    subject_name,
)
from conformance.judging.formats.glossary import HEADING, glossary
from conformance.judging.formats.undecided import UNDECIDED, Undecided, undecided

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.summary import RunReport
    from conformance.judging.timeline import TimelineEntry

__all__ = ["escaped", "render"]

#: What GitHub and GitLab take for the name of a person or the number of an issue, escaped or not.
_REFERENCE = re.compile(r"(@|#(?=[0-9]))")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~@:/])")


def render(run_report: RunReport) -> str:
    """The outcome first, then each failure, the coverage gaps, and the rules folded."""
    lines = [
        f"# {escaped(subject_name(run_report))}: {outcome(run_report)}",
        "",
        *(part for line in headline(run_report) for part in (f"**{escaped(line)}**", "")),
        escaped(closing(run_report)),
        "",
        escaped(outcome_line(run_report)),
    ]
    found = failures(run_report)
    above = headings(run_report, found)
    for number, failure in enumerate(found, 1):
        if number in above:
            lines += ["", f"## {above[number]}"]
        lines += ["", *_failure(run_report, number, failure)]
    if run_report.counterexamples:
        lines += ["", "## Smallest failures"]
    for example in run_report.counterexamples:
        lines += ["", *_fenced("text", example.rstrip("\n"))]
    waiting = undecided(run_report)
    if waiting is not None:
        lines += _undecided(waiting)
    gaps = coverage_gaps(run_report)
    if gaps:
        lines += ["", "## Coverage gaps", ""]
        lines += [f"- {escaped(rule)}: {escaped(reasons)}" for rule, reasons in gaps]
    notes = (*run_report.notes, *run_report.advice)
    if notes:
        lines += ["", "## Notes", "", *(f"- {escaped(note)}" for note in notes)]
    words = glossary("\n".join(lines))
    if words:
        lines += ["", f"## {HEADING}", "", *(f"- **{word}**: {escaped(meaning)}" for word, meaning in words)]
    lines += ["", f"<details><summary>All {len(run_report.rules)} rules</summary>", ""]
    lines += [
        "| outcome | rule | level | clauses | passed | failed | inconclusive | |",
        "|---|---|---|---|--:|--:|--:|---|",
    ]
    lines += [*(_row(run_report, rule) for rule in run_report.rules), "", "</details>"]
    contract = run_report.contract
    tool = f"{run_report.tool['name']} {run_report.tool['version']}, contract {contract['version']}"
    lines += ["", f"{escaped(tool)}, `{contract['sha256']}`"]
    return "\n".join(lines) + "\n"


def _row(run_report: RunReport, rule: Rule) -> str:
    tally = run_report.report.tally(rule.id)
    outcome = status(run_report, rule)
    word = f"**{outcome}**" if outcome in ("failed", "warning") else outcome
    cells = [
        word,
        escaped(rule.id),
        rule.level,
        escaped(", ".join(rule.clauses)),
        f"{tally.passed}",
        f"{tally.failed}",
        f"{tally.inconclusive}",
        escaped(run_report.reason(rule) or ""),
    ]
    return f"| {' | '.join(cells)} |"


def _failure(run_report: RunReport, number: int, failure: Failure) -> Iterator[str]:
    rule, violation = failure.rule, failure.violation
    yield f"### {number}\\. {escaped(failure.headline)}"
    yield ""
    yield f"- rule: **{escaped(rule.id)}** ({rule.level}, {escaped(', '.join(rule.clauses))}): {escaped(rule.title)}"
    if violation.event is not None:
        yield f"- event: {escaped(short(violation.event))}"
    if failure.share is not None:
        yield f"- seen: {failure.share}"
    for clause in failure.clauses:
        yield f"- clause: [{escaped(f'{clause.id}, {clause.section}')}](<{clause.url}>): {escaped(clause.text)}"
    for level, rules in failure.also_by_level():
        yield f"- also fails, {level}: {', '.join(escaped(rule.id) for rule in rules)}"
    if failure.values:
        yield ""
        yield from _fenced("text", "\n".join(text.values(failure)))
    yield from _happened(failure.timeline)
    if failure.reproduction is not None and failure.reproduction.steps:
        yield from ("", "Smallest scenario:", "", *(escaped(step) + "  " for step in failure.reproduction.steps))
    if failure.script is not None:
        yield from _folded("As a shell script", "sh", failure.script.whole)
    if failure.reproduction is not None and failure.reproduction.reproduces and failure.reproduction.scenarios:
        yield from _folded("As pytest", "python", pytest_file.one(run_report, failure.reproduction))


def _happened(entries: tuple[TimelineEntry, ...]) -> Iterator[str]:
    if entries:
        yield from ("", "| | when | exchange | what happened | status | conferencing |", "|---|--:|---|---|--:|---|")
        yield from (_entry(entry) for entry in entries)


def _undecided(found: Undecided) -> Iterator[str]:
    yield from ("", f"## {UNDECIDED}", "", escaped(found.headline), "")
    yield f"- rules: {', '.join(escaped(rule.id) for rule in found.rules)}"
    yield f"- event: {escaped(found.event)}"
    yield f"- to decide: {escaped(found.advice)}"
    yield from _happened(found.timeline)


def _entry(entry: TimelineEntry) -> str:
    cells = [
        "✗" if entry.is_broken else "",
        moment(entry.seconds),
        escaped(entry.label),
        escaped(short(entry.summary)),
        escaped(str(entry.status or "no answer")),
        "" if entry.conferencing is None else escaped(brief(entry.conferencing)),
    ]
    return f"| {' | '.join(cells)} |"


def _folded(title: str, language: str, content: str) -> Iterator[str]:
    yield from ("", f"<details><summary>{title}</summary>", "")
    yield from _fenced(language, content.rstrip("\n"))
    yield from ("", "</details>")


def _fenced(language: str, text: str) -> Iterator[str]:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    yield f"{fence}{language}"
    yield visible(text, lines=True)
    yield fence


def escaped(value: str) -> str:
    """Text on one line, with what Markdown or HTML would interpret escaped, and what would call a person broken up."""
    shown = visible(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _REFERENCE.sub(r"\1<!-- -->", _SPECIAL.sub(r"\\\1", shown))
