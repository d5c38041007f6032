"""The report as text for a terminal: a line for each rule, then each failure with its exchanges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.http.display import visible
from conformance.judging.formats.failures import (
    Failure,
    FailureStep,
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
    from conformance.judging.report import Tally
    from conformance.judging.summary import RunReport

__all__ = ["render", "rule_failures", "summary"]

Paint = Callable[[str, str], str]

_STYLES = {
    "passed": "green",
    "failed": "bold red",
    "warning": "yellow",
    "known": "yellow",
    "inconclusive": "yellow",
    "untested": "dim",
    "heading": "bold",
    "faint": "dim",
}


def render(run_report: RunReport, *, colour: bool = False) -> str:
    """The whole report; with `colour`, in ANSI colours."""
    paint: Paint = _painted if colour else _plain
    lines = [
        *_head(run_report, paint),
        *_rules(run_report, paint),
        *_failures(run_report, paint),
        *_counterexamples(run_report, paint),
        *_coverage_gaps(run_report, paint),
        *_notes(run_report, paint),
        "",
        *_closing(run_report, paint),
    ]
    return "\n".join(lines) + "\n"


def summary(run_report: RunReport, *, colour: bool = False) -> str:
    """The last paragraph: the outcomes of the rules, the coverage, the outcome of the run and its exit code."""
    return "\n".join(_closing(run_report, _painted if colour else _plain)) + "\n"


def rule_failures(run_report: RunReport, rule: Rule) -> str:
    """The failures of one rule, as text."""
    smallest = tuple(example for example in run_report.counterexamples if example.startswith(f"{rule.id}: "))
    alone = replace(run_report, rules=(rule,), counterexamples=smallest)
    return "\n".join([*_failures(alone, _plain), *_counterexamples(alone, _plain)]).strip("\n") + "\n"


def _plain(_: str, text: str) -> str:
    return text


def _painted(style: str, text: str) -> str:
    from rich.style import Style  # takes half as long to import as the command line: only terminals pay for it

    return Style.parse(_STYLES[style]).render(text)


def _head(run_report: RunReport, paint: Paint) -> Iterator[str]:
    subject = visible(f"{run_report.subject['kind']} {run_report.subject['name']}")
    tool = f"{run_report.tool['name']} {run_report.tool['version']}"
    yield f"{paint('heading', subject)}"
    contract = run_report.contract
    yield paint("faint", f"{tool}, contract {contract['version']} (sha256 {contract['sha256'][:12]})")
    yield from (paint("inconclusive", line) for line in headline(run_report))


def _rules(run_report: RunReport, paint: Paint) -> Iterator[str]:
    groups: dict[tuple[str, str], list[Rule]] = {}
    for rule in run_report.rules:
        groups.setdefault((rule.applies_to, rule.level), []).append(rule)
    width = max((len(rule.id) for rule in run_report.rules), default=0)
    for applies_to, level in sorted(groups, key=_order):
        yield ""
        yield paint("heading", f"What a {applies_to} {_LEVEL_WORDS[level]}")
        for rule in groups[applies_to, level]:
            tally = run_report.report.tally(rule.id)
            outcome = status(run_report, rule)
            result = _result(run_report, rule, tally)
            yield f"  {paint(outcome, f'{outcome:<12}')} {rule.id:<{width}}  {_clauses(rule)}  {result}".rstrip()


_LEVEL_WORDS = {
    "must": "must do",
    "should": "should do",
    "inferred": "is inferred to do",
}


def _order(group: tuple[str, str]) -> tuple[bool, int]:
    return group[0] != "server", list(_LEVEL_WORDS).index(group[1])


def _clauses(rule: Rule) -> str:
    return f"[{' '.join(rule.clauses)}]"


def _result(run_report: RunReport, rule: Rule, tally: Tally) -> str:
    counts = [(tally.failed, "failed"), (tally.passed, "passed"), (tally.inconclusive, "inconclusive")]
    counted = ", ".join(f"{count:,} {word}" for count, word in counts if count)
    reason = run_report.reason(rule)
    return visible(": ".join(part for part in (counted, reason) if part))


def _failures(run_report: RunReport, paint: Paint) -> Iterator[str]:
    found = failures(run_report)
    if found:
        yield ""
        yield paint("heading", "Failures")
    for number, failure in enumerate(found, 1):
        yield ""
        yield from _failure(run_report, number, failure, paint)


def _failure(run_report: RunReport, number: int, failure: Failure, paint: Paint) -> Iterator[str]:
    rule, violation = failure.rule, failure.violation
    yield f"{number}. {paint('failed', rule.id)} ({rule.level}, {', '.join(rule.clauses)})"
    yield f"   expected   {visible(rule.title)}"
    yield f"   actual     {actual(rule, violation)}"
    yield f"   where      {where(violation)}"
    for clause in rule.clauses:
        if clause in run_report.clauses:
            yield f"   clause     {clause}: {visible(run_report.clauses[clause])}"
    if failure.times > 1:
        yield f"   repeated   {failure.times - 1} more of the same cause"
    for other, its in failure.also:
        yield f"   also fails {other.id} ({other.level}, {', '.join(other.clauses)}): {actual(other, its)}"
    for step in failure.steps:
        yield from _step(step, paint)


def _step(step: FailureStep, paint: Paint) -> Iterator[str]:
    yield f"   {step.label}  {step.line}".rstrip()
    if step.shown is not None:
        yield f"     response: {step.shown}"
    # A command may have line feeds within quotes; an indent there would change it.
    yield paint("faint", f"     {step.command}")


def _coverage_gaps(run_report: RunReport, paint: Paint) -> Iterator[str]:
    lines = coverage_gaps(run_report)
    if lines:
        yield ""
        yield paint("heading", "Coverage gaps")
    for rule, reasons in lines:
        yield f"  {rule}: {reasons}"


def _counterexamples(run_report: RunReport, paint: Paint) -> Iterator[str]:
    if run_report.counterexamples:
        yield ""
        yield paint("heading", "Smallest failures")
    for example in run_report.counterexamples:
        yield ""
        yield visible(example.rstrip("\n"), lines=True)


def _notes(run_report: RunReport, paint: Paint) -> Iterator[str]:
    if run_report.notes:
        yield ""
        yield paint("heading", "Notes")
    for note in run_report.notes:
        yield f"  {visible(note)}"


def _closing(run_report: RunReport, paint: Paint) -> Iterator[str]:
    yield closing(run_report)
    yield from (visible(sentence) for sentence in run_report.advice)
    yield paint(run_report.outcome, outcome_line(run_report))
