"""RepeatedFailures of one cause together: what every format for people shows of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.http.curl import curl
from conformance.http.display import visible, without_userinfo
from conformance.judging.summary import MISSED

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.summary import RunReport
    from conformance.judging.verdict import Violation

__all__ = ["Failure", "FailureStep", "closing", "coverage_gaps", "failures", "outcome_line", "seen", "where"]

#: How many characters of what a response said are shown.
SHOWN = 600


@dataclass(frozen=True)
class FailureStep:
    """One exchange of a failure: its label, what was sent and answered on one line, and the command that sends it."""

    label: str
    line: str
    shown: str | None
    command: str


@dataclass(frozen=True)
class Failure:
    """The violations that have one cause, the first as the example of them all."""

    rule: Rule
    violation: Violation
    times: int
    steps: tuple[FailureStep, ...]
    also: tuple[tuple[Rule, Violation], ...]


def failures(statement: RunReport) -> tuple[Failure, ...]:
    """A failure for every cause, which is what violations call by the same name or rest on the same exchanges for."""
    groups: list[list[tuple[Rule, Violation]]] = []
    known: dict[object, list[tuple[Rule, Violation]]] = {}
    for rule in statement.failed:
        for violation in statement.report.tally(rule.id).violations:
            names = _names(violation)
            group = next((known[name] for name in names if name in known), None)
            if group is None:
                group = []
                groups.append(group)
            group.append((rule, violation))
            for name in names:
                known.setdefault(name, group)
    return tuple(_failure(statement, group) for group in groups)


def _names(violation: Violation) -> tuple[object, ...]:
    labels = tuple(evidence.label for evidence in violation.evidence)
    return (violation.cause, (violation.event, labels)) if labels else (violation.cause,)


def _failure(statement: RunReport, group: list[tuple[Rule, Violation]]) -> Failure:
    rule, violation = group[0]
    others: dict[str, tuple[Rule, Violation]] = {}
    for other, its in group:
        if other.id != rule.id:
            others.setdefault(other.id, (other, its))
    return Failure(
        rule=rule,
        violation=violation,
        times=sum(1 for other, _ in group if other.id == rule.id),
        steps=_steps(statement, violation),
        also=tuple(others.values()),
    )


def seen(rule: Rule, violation: Violation) -> str:
    """What was seen, without the expectation that a message may begin with."""
    return visible(violation.message.removeprefix(f"expected: {rule.title}; got: "))


def _steps(statement: RunReport, violation: Violation) -> tuple[FailureStep, ...]:
    return tuple(
        FailureStep(
            label=visible(evidence.label),
            line=visible(
                f"{evidence.request.method} {without_userinfo(evidence.request.url)} → {evidence.status or 'no answer'}"
            ),
            shown=_shown(evidence.shown),
            command=curl(evidence.request, statement.variables),
        )
        for evidence in violation.evidence
    )


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    text = visible(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text)} characters)"


def coverage_gaps(statement: RunReport) -> tuple[tuple[str, str], ...]:
    """What was not shown, rule and reason; rules that are open for the same reason are counted together."""
    open_rules: dict[str, list[str]] = {}
    cases: dict[str, list[str]] = {}
    for rule, reason in statement.coverage_gaps:
        if reason.startswith(MISSED):
            cases.setdefault(rule, []).append(reason.removeprefix(MISSED).strip())
        else:
            open_rules.setdefault(visible(reason), []).append(rule)
    lines = [(rules[0] if len(rules) == 1 else f"{len(rules)} rules", reason) for reason, rules in open_rules.items()]
    return (*lines, *((rule, f"{MISSED} {', '.join(missed)}") for rule, missed in cases.items()))


def where(violation: Violation) -> str:
    """The event, if one is named, and the place in the facts."""
    place = f"at {violation.path or '/'} of the facts"
    return visible(place if violation.event is None else f"event {violation.event}, {place}")


def outcome_line(statement: RunReport) -> str:
    """The outcome and the exit code, and why they are what they are."""
    return f"Outcome: {statement.outcome}. Exit code {statement.exit_code}: {visible(_why(statement))}."


def _why(statement: RunReport) -> str:
    terms, code = statement.terms, statement.exit_code
    if code == 130:
        return "the run was interrupted"
    if code == 1:
        return f"a rule that counts at --fail-on {terms.fail_on} failed"
    if code == 3:
        return terms.cut_short or "a rule of level must was not decided"
    if statement.failed:
        return f"no rule that counts at --fail-on {terms.fail_on} failed"
    return "nothing failed"


def closing(statement: RunReport) -> str:
    """What was proved and what was not, in two sentences."""
    outcomes = [statement.report.tally(rule.id).outcome for rule in statement.rules]
    told = [f"{outcomes.count('passed')} of {len(outcomes)} rules passed"]
    told += [f"{outcomes.count(outcome)} {word}" for outcome, word in _OTHERS.items() if outcome in outcomes]
    open_rules = len({rule for rule, _ in statement.coverage_gaps})
    if statement.fully_covered:
        proved = "Each rule was decided, in every case that the subject offers."
    elif open_rules:
        proved = f"Not proved in full: {open_rules} {'rule' if open_rules == 1 else 'rules'}."
    else:
        proved = "The run ended before its plan."
    return f"{', '.join(told)}, over {statement.report.exchanges:,} exchanges. {proved}"


_OTHERS = {"failed": "failed", "inconclusive": "inconclusive", "untested": "not exercised"}
