"""The failures of a report, grouped by cause: what every format for people shows of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.http.curl import curl
from conformance.http.display import visible, without_userinfo
from conformance.judging.summary import MISSED

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.summary import RunReport
    from conformance.judging.verdict import Violation

__all__ = ["Failure", "FailureStep", "actual", "closing", "coverage_gaps", "failures", "headline", "outcome_line"]
__all__ += ["status", "where"]

#: How many characters of a response's content are shown.
_SHOWN_CHARACTERS = 600


@dataclass(frozen=True)
class FailureStep:
    """One exchange of a failure: its label, the request and its status on one line, what the response
    showed, and the command that sends it again."""

    label: str
    line: str
    shown: str | None
    command: str


@dataclass(frozen=True)
class Failure:
    """The violations that have one cause, with the first as their example."""

    rule: Rule
    violation: Violation
    times: int
    steps: tuple[FailureStep, ...]
    also: tuple[tuple[Rule, Violation], ...]


def failures(run_report: RunReport) -> tuple[Failure, ...]:
    """A failure for each cause that the baseline does not know.

    Violations with the same `cause`, or with the same event and exchanges, are one.
    """
    baseline = run_report.policy.baseline
    groups: list[list[tuple[Rule, Violation]]] = []
    known: dict[object, list[tuple[Rule, Violation]]] = {}
    for rule in run_report.failed:
        for violation in run_report.report.tally(rule.id).violations:
            if baseline is not None and baseline.knows(rule.id, violation.cause):
                continue
            keys = _keys(violation)
            group = next((known[key] for key in keys if key in known), None)
            if group is None:
                group = []
                groups.append(group)
            group.append((rule, violation))
            for key in keys:
                known.setdefault(key, group)
    return tuple(_failure(run_report, group) for group in groups)


def _keys(violation: Violation) -> tuple[object, ...]:
    labels = tuple(evidence.label for evidence in violation.evidence)
    return (violation.cause, (violation.event, labels)) if labels else (violation.cause,)


def _failure(run_report: RunReport, group: list[tuple[Rule, Violation]]) -> Failure:
    rule, violation = group[0]
    others: dict[str, tuple[Rule, Violation]] = {}
    for other, its in group:
        if other.id != rule.id:
            others.setdefault(other.id, (other, its))
    return Failure(
        rule=rule,
        violation=violation,
        times=sum(1 for other, _ in group if other.id == rule.id),
        steps=_steps(run_report, violation),
        also=tuple(others.values()),
    )


def actual(rule: Rule, violation: Violation) -> str:
    """What was observed, without the expectation that a message may begin with."""
    return visible(violation.message)


def _steps(run_report: RunReport, violation: Violation) -> tuple[FailureStep, ...]:
    return tuple(
        FailureStep(
            label=visible(evidence.label),
            line=visible(
                f"{evidence.request.method} {without_userinfo(evidence.request.url)} → {evidence.status or 'no answer'}"
            ),
            shown=_shown(evidence.shown),
            command=curl(evidence.request, run_report.variables),
        )
        for evidence in violation.evidence
    )


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    text = visible(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}… ({len(text)} characters)"


def coverage_gaps(run_report: RunReport) -> tuple[tuple[str, str], ...]:
    """The coverage gaps, rule and reason; rules with the same reason are counted together."""
    by_reason: dict[str, list[str]] = {}
    cases: dict[str, list[str]] = {}
    for rule, reason in run_report.coverage_gaps:
        if reason.startswith(MISSED):
            cases.setdefault(rule, []).append(reason.removeprefix(MISSED).strip())
        else:
            by_reason.setdefault(visible(reason), []).append(rule)
    lines = [(rules[0] if len(rules) == 1 else f"{len(rules)} rules", reason) for reason, rules in by_reason.items()]
    return (*lines, *((rule, f"{MISSED} {', '.join(missed)}") for rule, missed in cases.items()))


def where(violation: Violation) -> str:
    """The event, if there is one, and the place in the facts."""
    place = f"at {violation.path or '/'} of the facts"
    return visible(place if violation.event is None else f"event {violation.event}, {place}")


def status(run_report: RunReport, rule: Rule) -> str:
    """The outcome of a rule; where it failed and does not count, ``known`` or ``warning``."""
    if run_report.is_known(rule):
        return "known"
    outcome = run_report.report.tally(rule.id).outcome
    return "warning" if outcome == "failed" and not run_report.is_fatal(rule) else outcome


def headline(run_report: RunReport) -> tuple[str, ...]:
    """What a reader must know before the outcome: that nothing could be judged, or that most was not exercised."""
    if run_report.policy.unjudged is not None:
        return (visible(f"Not judged: {run_report.policy.unjudged}."),)
    if not run_report.is_mostly_untested:
        return ()
    musts = [rule for rule in run_report.rules if rule.level == "must"]
    untested = sum(status(run_report, rule) == "untested" for rule in musts)
    return (f"{untested} of {len(musts)} rules of level must were not exercised: this result says nothing about them.",)


def outcome_line(run_report: RunReport) -> str:
    """The outcome and the exit code, and why they are what they are."""
    count = len(run_report.warnings)
    warnings = f" with {_counted(count, 'warning')}" if count and run_report.outcome == "passed" else ""
    return f"Outcome: {run_report.outcome}{warnings}. Exit code {run_report.exit_code}: {visible(_why(run_report))}."


def _why(run_report: RunReport) -> str:
    policy, code = run_report.policy, run_report.exit_code
    if code == 130:
        return "the run was interrupted"
    if code == 2:
        return policy.unjudged or "nothing could be judged"
    if policy.program_failure:
        return policy.program_failure
    if policy.cut_short and code != 1:
        return policy.cut_short
    if code == 1:
        failed = [f"a rule that counts at --fail-on {policy.fail_on} failed"] if run_report.failures else []
        return ", and ".join([*failed, *_stale(run_report)])
    if code == 3:
        if not any(status(run_report, rule) == "passed" for rule in run_report.rules):
            return "no rule passed, so that nothing is proved"
        return f"a rule of level must is {' or '.join(policy.fatal_gaps)}"
    if run_report.known:
        return f"nothing failed but what {policy.baseline.name if policy.baseline else 'the baseline'} knows"
    if run_report.failed:
        return f"no rule that counts at --fail-on {policy.fail_on} failed"
    return "nothing failed"


def _stale(run_report: RunReport) -> Iterator[str]:
    """What is to be done about entries of the baseline whose failures are gone."""
    count, baseline = len(run_report.stale), run_report.policy.baseline
    if count and baseline is not None:
        entries, them = ("entry", "it") if count == 1 else ("entries", "them")
        yield (
            f"{count} {entries} of {baseline.name} {'is' if count == 1 else 'are'} stale, because the failure is gone: "
            f"delete {them}, or run with --write-baseline"
        )


def closing(run_report: RunReport) -> str:
    """The outcomes of the rules, the coverage, and why rules are untested, a sentence each."""
    outcomes = [status(run_report, rule) for rule in run_report.rules]
    counts = [f"{outcomes.count('passed')} of {len(outcomes)} rules passed"]
    counts += [_number(outcomes.count(outcome), outcome) for outcome in _NOT_PASSED if outcome in outcomes]
    gaps = len({rule for rule, _ in run_report.coverage_gaps})
    if run_report.fully_covered:
        coverage = "Every rule passed or failed, in every coverage class that the subject offers."
    elif gaps:
        coverage = f"Coverage gaps: {_counted(gaps, 'rule')}."
    else:
        coverage = "The run ended early."
    untested, worth = _why_untested(run_report), _strength(run_report)
    return f"{', '.join(counts)}, over {run_report.report.exchanges:,} exchanges. {coverage}{untested}{worth}"


def _strength(run_report: RunReport) -> str:
    """What the report is worth, in one sentence."""
    found = run_report.strength
    return "" if found is None else f" Strength: {len(found.caught)} of {found.known} known faults would be caught."


def _why_untested(run_report: RunReport) -> str:
    """The reasons for which rules are untested, the most frequent first."""
    untested = [rule for rule in run_report.rules if status(run_report, rule) == "untested"]
    reasons = Counter(visible(run_report.reason(rule) or "") for rule in untested)
    if not reasons:
        return ""
    return f" Untested: {'; '.join(f'{count} because {reason}' for reason, count in reasons.most_common(3))}."


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _number(count: int, outcome: str) -> str:
    nouns = {"warning": "warning", "known": "known failure"}
    return _counted(count, nouns[outcome]) if outcome in nouns else f"{count} {outcome}"


_NOT_PASSED = ("failed", "known", "warning", "inconclusive", "untested")
