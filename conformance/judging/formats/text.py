"""The report as text for a terminal: a line for each rule, then each failure with all that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.http.display import visible
from conformance.judging.formats.failures import (
    Failure,
    FailureStep,
    closing,
    coverage_gaps,
    failures,
    outcome_line,
    seen,
    where,
)

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.report import Tally
    from conformance.judging.summary import RunReport

__all__ = ["explained", "render", "summary"]

Paint = Callable[[str, str], str]

_STYLES = {
    "passed": "32",
    "failed": "1;31",
    "inconclusive": "33",
    "untested": "2",
    "heading": "1",
    "faint": "2",
}


def render(statement: RunReport, *, colour: bool = False) -> str:
    """The whole report, in lines that end with a line feed; ANSI colours only where asked for."""
    paint: Paint = _painted if colour else _plain
    lines = [
        *_head(statement, paint),
        *_rules(statement, paint),
        *_failures(statement, paint),
        *_counterexamples(statement, paint),
        *_not_proved(statement, paint),
        *_remarks(statement, paint),
        "",
        *_closing(statement, paint),
    ]
    return "\n".join(lines) + "\n"


def summary(statement: RunReport, *, colour: bool = False) -> str:
    """The last paragraph alone: what was proved, what was not, outcome and exit code."""
    return "\n".join(_closing(statement, _painted if colour else _plain)) + "\n"


def explained(statement: RunReport, rule: Rule) -> str:
    """The failures of one rule, with the smallest of them."""
    smallest = tuple(example for example in statement.counterexamples if example.startswith(f"{rule.id}: "))
    alone = replace(statement, rules=(rule,), counterexamples=smallest)
    return "\n".join([*_failures(alone, _plain), *_counterexamples(alone, _plain)]).strip("\n") + "\n"


def _plain(_: str, text: str) -> str:
    return text


def _painted(style: str, text: str) -> str:
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def _head(statement: RunReport, paint: Paint) -> Iterator[str]:
    subject = visible(f"{statement.subject['kind']} {statement.subject['name']}")
    tool = f"{statement.tool['name']} {statement.tool['version']}"
    yield f"{paint('heading', subject)}"
    contract = statement.contract
    yield paint("faint", f"{tool}, contract {contract['version']} (sha256 {contract['sha256'][:12]})")


def _rules(statement: RunReport, paint: Paint) -> Iterator[str]:
    groups: dict[tuple[str, str], list[Rule]] = {}
    for rule in statement.rules:
        groups.setdefault((rule.applies_to, rule.level), []).append(rule)
    width = max((len(rule.id) for rule in statement.rules), default=0)
    for applies_to, level in sorted(groups, key=_order):
        yield ""
        yield paint("heading", f"What a {applies_to} {_LEVEL_WORDS[level]}")
        for rule in groups[applies_to, level]:
            tally = statement.report.tally(rule.id)
            word = paint(tally.outcome, f"{tally.outcome:<11}")
            yield f"  {word}  {rule.id:<{width}}  {_clauses(rule)}  {_account(statement, rule, tally)}".rstrip()


_LEVEL_WORDS = {
    "must": "must do",
    "should": "should do",
    "inferred": "is concluded to do",
}


def _order(group: tuple[str, str]) -> tuple[bool, int]:
    return group[0] != "server", list(_LEVEL_WORDS).index(group[1])


def _clauses(rule: Rule) -> str:
    return f"[{' '.join(rule.clauses)}]"


def _account(statement: RunReport, rule: Rule, tally: Tally) -> str:
    counts = [(tally.failed, "failed"), (tally.passed, "passed"), (tally.inconclusive, "inconclusive")]
    told = ", ".join(f"{count:,} {word}" for count, word in counts if count)
    reason = statement.reason(rule)
    return visible(": ".join(part for part in (told, reason) if part))


def _failures(statement: RunReport, paint: Paint) -> Iterator[str]:
    found = failures(statement)
    if found:
        yield ""
        yield paint("heading", "Failures")
    for number, failure in enumerate(found, 1):
        yield ""
        yield from _told(statement, number, failure, paint)


def _told(statement: RunReport, number: int, failure: Failure, paint: Paint) -> Iterator[str]:
    rule, violation = failure.rule, failure.violation
    yield f"{number}. {paint('failed', rule.id)} ({rule.level}, {', '.join(rule.clauses)})"
    yield f"   expected   {visible(rule.title)}"
    yield f"   seen       {seen(rule, violation)}"
    yield f"   where      {where(violation)}"
    for clause in rule.clauses:
        if clause in statement.clauses:
            yield f"   clause     {clause}: {visible(statement.clauses[clause])}"
    if failure.times > 1:
        yield f"   again      {failure.times - 1} more of the same cause"
    for other, its in failure.also:
        yield f"   breaks too {other.id} ({other.level}, {', '.join(other.clauses)}): {seen(other, its)}"
    for step in failure.steps:
        yield from _step(step, paint)


def _step(step: FailureStep, paint: Paint) -> Iterator[str]:
    yield f"   {step.label}  {step.line}".rstrip()
    if step.shown is not None:
        yield f"     said: {step.shown}"
    # A command may hold line feeds within its quotes, and is only the same command without an indent there.
    yield paint("faint", f"     {step.command}")


def _not_proved(statement: RunReport, paint: Paint) -> Iterator[str]:
    lines = coverage_gaps(statement)
    if lines:
        yield ""
        yield paint("heading", "Not proved")
    for rule, reasons in lines:
        yield f"  {rule}: {reasons}"


def _counterexamples(statement: RunReport, paint: Paint) -> Iterator[str]:
    if statement.counterexamples:
        yield ""
        yield paint("heading", "Smallest failures")
    for example in statement.counterexamples:
        yield ""
        yield visible(example.rstrip("\n"), lines=True)


def _remarks(statement: RunReport, paint: Paint) -> Iterator[str]:
    if statement.remarks:
        yield ""
        yield paint("heading", "Remarks")
    for remark in statement.remarks:
        yield f"  {visible(remark)}"


def _closing(statement: RunReport, paint: Paint) -> Iterator[str]:
    yield closing(statement)
    yield from (visible(sentence) for sentence in statement.advice)
    yield paint(statement.outcome, outcome_line(statement))
