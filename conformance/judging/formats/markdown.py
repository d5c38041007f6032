"""The report as Markdown (CommonMark with tables), for a pull request or a build's summary."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from conformance.http.display import visible
from conformance.judging.formats.failures import Failure, closing, coverage_gaps, failures, outcome_line, seen, where

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.summary import RunReport

__all__ = ["render"]

_MEANT = re.compile(r"([\\`*_{}\[\]()#+\-.!|~@:/])")


def render(statement: RunReport) -> str:
    """The outcome first, then the rules as a table, each failure, and what was not proved."""
    lines = [
        f"# {_text(statement.subject['kind'])} {_text(statement.subject['name'])}: {statement.outcome}",
        "",
        _text(closing(statement)),
        "",
        _text(outcome_line(statement)),
        "",
        "| outcome | rule | level | clauses | passed | failed | inconclusive | |",
        "|---|---|---|---|--:|--:|--:|---|",
        *(_row(statement, rule) for rule in statement.rules),
    ]
    for number, failure in enumerate(failures(statement), 1):
        lines += ["", *_failure(statement, number, failure)]
    if statement.counterexamples:
        lines += ["", "## Smallest failures"]
    for example in statement.counterexamples:
        lines += ["", *_fenced("text", example.rstrip("\n"))]
    open_rules = coverage_gaps(statement)
    if open_rules:
        lines += ["", "## Not proved", ""]
        lines += [f"- {_text(rule)}: {_text(reasons)}" for rule, reasons in open_rules]
    remarks = (*statement.remarks, *statement.advice)
    if remarks:
        lines += ["", "## Remarks", "", *(f"- {_text(remark)}" for remark in remarks)]
    contract = statement.contract
    tool = f"{statement.tool['name']} {statement.tool['version']}, contract {contract['version']}"
    lines += ["", f"{_text(tool)}, `{contract['sha256']}`"]
    return "\n".join(lines) + "\n"


def _row(statement: RunReport, rule: Rule) -> str:
    tally = statement.report.tally(rule.id)
    word = f"**{tally.outcome}**" if tally.outcome == "failed" else tally.outcome
    cells = [
        word,
        _text(rule.id),
        rule.level,
        _text(", ".join(rule.clauses)),
        f"{tally.passed}",
        f"{tally.failed}",
        f"{tally.inconclusive}",
        _text(statement.reason(rule) or ""),
    ]
    return f"| {' | '.join(cells)} |"


def _failure(statement: RunReport, number: int, failure: Failure) -> Iterator[str]:
    rule, violation = failure.rule, failure.violation
    yield f"## {number}\\. {_text(rule.id)} ({rule.level}, {_text(', '.join(rule.clauses))})"
    yield ""
    yield f"- expected: {_text(rule.title)}"
    yield f"- seen: {_text(seen(rule, violation))}"
    yield f"- where: {_text(where(violation))}"
    for clause in rule.clauses:
        if clause in statement.clauses:
            yield f"- clause {_text(clause)}: {_text(statement.clauses[clause])}"
    if failure.times > 1:
        yield f"- again: {failure.times - 1} more of the same cause"
    for other, its in failure.also:
        yield f"- breaks too: {_text(other.id)} ({other.level}): {_text(seen(other, its))}"
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
    """Text that Markdown and HTML leave as it is, on one line."""
    escaped = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MEANT.sub(r"\\\1", escaped)
