"""The report as Markdown (CommonMark with tables), for a pull request or a build's summary."""

from __future__ import annotations

import re
from collections.abc import Iterator
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

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~@:/])")


def render(run_report: RunReport) -> str:
    """The outcome first, then the rules as a table, each failure, and the coverage gaps."""
    lines = [
        f"# {_text(run_report.subject['kind'])} {_text(run_report.subject['name'])}: {run_report.outcome}",
        "",
        *(part for line in headline(run_report) for part in (f"**{_text(line)}**", "")),
        _text(closing(run_report)),
        "",
        _text(outcome_line(run_report)),
        "",
        "| outcome | rule | level | clauses | passed | failed | inconclusive | |",
        "|---|---|---|---|--:|--:|--:|---|",
        *(_row(run_report, rule) for rule in run_report.rules),
    ]
    for number, failure in enumerate(failures(run_report), 1):
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
    yield f"## {number}\\. {_text(rule.id)} ({rule.level}, {_text(', '.join(rule.clauses))})"
    yield ""
    yield f"- expected: {_text(rule.title)}"
    yield f"- actual: {_text(actual(rule, violation))}"
    yield f"- where: {_text(where(violation))}"
    for clause in rule.clauses:
        if clause in run_report.clauses:
            yield f"- clause {_text(clause)}: {_text(run_report.clauses[clause])}"
    if failure.times > 1:
        yield f"- repeated: {failure.times - 1} more of the same cause"
    for other, its in failure.also:
        yield f"- also fails: {_text(other.id)} ({other.level}): {_text(actual(other, its))}"
    for step in failure.steps:
        yield ""
        yield f"{_text(step.label)} {_text(step.line)}"
        yield ""
        yield from _fenced("sh", step.command)
        if step.shown is not None:
            yield ""
            yield from _fenced("json", step.shown)


def _fenced(language: str, text: str) -> Iterator[str]:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    yield f"{fence}{language}"
    yield visible(text, lines=True)
    yield fence


def _text(text: str) -> str:
    """Text on one line, with what Markdown or HTML would interpret escaped."""
    escaped = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", escaped)
