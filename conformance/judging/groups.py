"""Failures by their reason: rules that fail over the same wrong value are one group; distinct defects are several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from conformance.contract.rules import LEVELS
from conformance.judging.timeline import TimelineEntry, timeline

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.summary import RunReport
    from conformance.judging.verdict import Violation

__all__ = ["FailureGroup", "failure_groups"]

#: What is common to failures of several rules, by how the wrong value compares with what was sent.
_PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        "echo": "Readings give back conferencing exactly as it was sent, and never what comes of it",
        "none": "Events read back without conferencing, whatever was requested",
        "missing": "Events that were written are not listed",
        "unchanged": "Events keep the conferencing that they had, whatever was requested",
        "status": "Requests are answered {}, whatever was requested",
    }
)


@dataclass(frozen=True)
class FailureGroup:
    """The violations that have one reason, with that of the weightiest rule first, and their reason in one sentence."""

    headline: str
    members: tuple[tuple[Rule, Violation], ...]

    @property
    def example(self) -> tuple[Rule, Violation]:
        """The violation that stands for all."""
        return self.members[0]


def failure_groups(run_report: RunReport) -> tuple[FailureGroup, ...]:
    """The groups of all failures: those that count first, of the page's clauses first, the largest first.

    What the baseline knows is left out.

    Violations belong together if they have one cause or show the same wrong value of one event or exchange.  Where no
    rule of theirs ever passed, so do those that compare alike with what was sent: what never works has one reason.
    """
    baseline = run_report.policy.baseline
    found = [
        (rule, violation)
        for rule in run_report.failed
        for violation in run_report.report.tally(rule.id).violations
        if baseline is None or not baseline.knows(rule.id, violation.cause)
    ]
    patterns = {id(violation): _pattern(violation) for _, violation in found}
    groups = _Groups()
    for rule, violation in found:
        pattern = patterns[id(violation)]
        wide = pattern == "echo" or (pattern is not None and not run_report.report.tally(rule.id).passed)
        if pattern == "accepted":  # a rule that wants a refusal says nothing of another such rule
            pattern = f"accepted {rule.id}"
        groups.join(violation.cause, _keys(violation, pattern if wide else None))
    members: dict[str, list[tuple[Rule, Violation]]] = {}
    for rule, violation in found:
        members.setdefault(groups.of(violation.cause), []).append((rule, violation))
    result = [_group(run_report, some, patterns) for some in members.values()]
    return tuple(sorted(result, key=lambda group: _weight(run_report, group)))


def _keys(violation: Violation, pattern: str | None) -> Iterator[str]:
    if violation.symptom:
        yield f"symptom {violation.symptom}"
    if pattern is not None:
        yield f"pattern {pattern}"


class _Groups:
    """Causes that are connected by keys they share."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def of(self, name: str) -> str:
        parent = self._parents.setdefault(name, name)
        while parent != self._parents[parent]:
            parent = self._parents[parent]
        self._parents[name] = parent
        return parent

    def join(self, cause: str, keys: Iterator[str]) -> None:
        root = self.of(cause)
        for key in keys:
            self._parents[self.of(key)] = root


def _pattern(violation: Violation) -> str | None:
    """How the wrong value compares with what was sent, where that is a reason of its own."""
    if violation.path.endswith("/status"):
        is_refusal = violation.actual.isdigit() and int(violation.actual) >= 400
        return f"status {violation.actual}" if is_refusal else "accepted"
    entries = timeline(violation)
    place = next((place for place, entry in enumerate(entries) if entry.is_broken), None)
    if place is None:
        return None
    writes = [entry for entry in entries[:place] if entry.action == "write"]
    shown = entries[place]
    if writes and shown.conferencing is not None and shown.conferencing == writes[-1].conferencing:
        return "echo"
    if shown.state in ("none", "missing"):
        return shown.state if _asks(writes) else None
    before = [entry for entry in entries[:place] if entry.action == "read" and entry.is_earlier]
    if _asks(writes) and before and shown.conferencing == before[-1].conferencing is not None:
        return "unchanged"
    return None


def _asks(writes: list[TimelineEntry]) -> bool:
    return bool(writes) and writes[-1].conferencing is not None


def _group(
    run_report: RunReport, members: list[tuple[Rule, Violation]], patterns: Mapping[int, str | None]
) -> FailureGroup:
    ranked = tuple(sorted(members, key=lambda member: (_rank(run_report, member[0]), _size(member[1]))))
    common = {patterns[id(violation)] for _, violation in ranked}
    headline = ranked[0][1].message
    if len({violation.cause for _, violation in ranked}) > 1 and len({rule.id for rule, _ in ranked}) > 1:
        patterned = sorted(pattern for pattern in common if pattern is not None and pattern != "accepted")
        if patterned and (len(common) == 1 or patterned == ["echo"]):
            name, _, detail = patterned[0].partition(" ")
            headline = _PATTERNS[name].format(detail)
    return FailureGroup(headline, ranked)


def _rank(run_report: RunReport, rule: Rule) -> tuple[bool, int, bool]:
    return not run_report.is_fatal(rule), LEVELS.index(rule.level), not _is_on_the_page(rule)


def _size(violation: Violation) -> tuple[bool, int, int]:
    """How much there is to read of a violation; one about an odd request is no good example."""
    writes = [entry for entry in timeline(violation) if entry.action == "write"]
    is_odd = any(entry.is_odd for entry in writes)
    exchanges = len(violation.earlier) + len(violation.evidence)
    return is_odd, exchanges, len(violation.expected) + len(violation.actual)


def _weight(run_report: RunReport, group: FailureGroup) -> tuple[bool, bool, int]:
    rule = group.example[0]
    return not run_report.is_fatal(rule), not _is_on_the_page(rule), -len({rule.id for rule, _ in group.members})


def _is_on_the_page(rule: Rule) -> bool:
    """Whether a clause of the documented page carries the rule; those of neighbouring pages begin with a number."""
    return any(not clause[:1].isdigit() for clause in rule.clauses)
