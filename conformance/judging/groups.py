"""Failures by their reason: rules that fail over the same wrong value are one group; distinct defects are several."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conformance.contract.rules import LEVELS
from conformance.judging.client_defects import dropped
from conformance.judging.modes import is_of_events, modes
from conformance.judging.reasons import Reason, reasons
from conformance.judging.timeline import timeline

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.summary import RunReport
    from conformance.judging.verdict import Violation

__all__ = ["FailureGroup", "failure_groups"]

Member = tuple["Rule", "Violation"]


@dataclass(frozen=True)
class FailureGroup:
    """The violations that have one reason, with the one that says it first, and their reason in one sentence.

    `weightiest` is the rule by which the group counts.
    """

    headline: str
    members: tuple[Member, ...]
    weightiest: Rule

    @property
    def example(self) -> Member:
        """The violation that stands for all."""
        return self.members[0]


def failure_groups(run_report: RunReport) -> tuple[FailureGroup, ...]:
    """The groups of all failures: those that count first, of the page's clauses first, the largest first.

    What the baseline knows is left out.

    Violations belong together if they have one reason, or show the same wrong value of one event or exchange.  Those of
    one cause do, unless they have several reasons.
    """
    baseline = run_report.policy.baseline
    found = [
        (rule, violation)
        for rule in run_report.failed
        for violation in run_report.report.tally(rule.id).violations
        if baseline is None or not baseline.knows(rule.id, violation.cause)
    ]
    why = tuple(reasons(run_report, found))
    groups = _Groups(found, why)
    for cause, causes in dropped(violation for _, violation in found):
        groups.join_causes([cause, *causes])
    said: list[tuple[str, str]] = []
    for cause, message, causes in (*_accepted_in_error(found), *_malformed_by(found, groups)):
        groups.join_causes([cause, *causes])
        said.append((message, groups.of_cause(cause)))
    result = []
    for root, members in groups.together(found).items():
        proper = [message for message, of in said if groups.of(of) == root]
        result.append(_group(run_report, members, proper[0] if proper else groups.headline(root)))
    return tuple(sorted(_told_apart(result), key=lambda group: _weight(run_report, group)))


def _accepted_in_error(found: Iterable[Member]) -> Iterator[tuple[str, str, list[str]]]:
    """Causes and messages of writes that had to be refused, each with the causes of what came of those writes alone."""
    members = list(found)
    wrong = [
        (rule, violation)
        for rule, violation in members
        if rule.about == "exchange" and modes(rule, violation) == (f"accepted {rule.id}",)
    ]
    for rule, violation in {rule.id: (rule, violation) for rule, violation in reversed(wrong)}.values():
        labels = {other.shown_by for one, other in wrong if one.id == rule.id}
        came: dict[str, bool] = {}
        for _, other in members:
            is_of_it = other.path.startswith("/after") and bool(other.evidence) and other.evidence[0].label in labels
            came[other.cause] = is_of_it and came.get(other.cause, True)
        causes = [cause for cause, is_of_it in came.items() if is_of_it]
        if causes:
            yield violation.cause, violation.message, causes


def _malformed_by(found: Iterable[Member], groups: _Groups) -> Iterator[tuple[str, str, list[str]]]:
    """The one cause that makes values malformed, its message, and the causes of what is wrong with these values."""
    members = list(found)
    values = {
        _shown(violation): violation.cause for rule, violation in members if modes(rule, violation)[0] == "malformed"
    }
    wrong = [
        violation
        for rule, violation in members
        if rule.about == "conferencing" and _shown(violation) in {*values} - {""}
    ]
    if wrong and len({groups.of_cause(violation.cause) for violation in wrong}) == 1:
        yield wrong[0].cause, wrong[0].message, [values[_shown(violation)] for violation in wrong]


def _shown(violation: Violation) -> str:
    """The conferencing that the wrong reading shows, as JSON; empty where none does."""
    shown = next((one.shown for one in violation.evidence if one.label == violation.shown_by), None)
    value = shown.get("conferencing") if isinstance(shown, dict) else None
    return "" if value is None else json.dumps(value, sort_keys=True)


class _Groups:
    """Violations that are connected: by their reason, by a symptom that they share, and by their cause."""

    def __init__(self, found: Iterable[Member], why: Iterable[Reason]) -> None:
        self._parents: dict[str, str] = {}
        self._reasons = list(why)
        self._reason_of = {
            id(violation): f"reason {place}" for place, one in enumerate(self._reasons) for _, violation in one.members
        }
        self._nodes: dict[str, list[str]] = {}
        for place, one in enumerate(self._reasons):
            for _, violation in one.members:
                self._nodes.setdefault(violation.cause, []).append(f"reason {place}")
                if not one.is_certain:  # what is of one cause is not torn apart by it
                    self._join(f"cause {violation.cause}", f"reason {place}")
        for _, violation in found:
            self._nodes.setdefault(violation.cause, [f"cause {violation.cause}"])
        self._join_symptoms(found)

    def _join_symptoms(self, found: Iterable[Member]) -> None:
        """Connect what shows one wrong value; what one defect wrote and another left there has two reasons."""
        of_events: dict[str, str] = {}
        for _, violation in found:
            reason = self._reason_of.get(id(violation), "")
            tells_of_events = bool(reason) and is_of_events(self._reasons[int(reason.removeprefix("reason "))].mode)
            if violation.symptom and (not tells_of_events or of_events.setdefault(violation.symptom, reason) == reason):
                self._join(self.of_violation(violation), f"symptom {violation.symptom}")

    def of(self, name: str) -> str:
        """What stands for all that a node is connected with."""
        parent = self._parents.setdefault(name, name)
        while parent != self._parents[parent]:
            parent = self._parents[parent]
        self._parents[name] = parent
        return parent

    def of_violation(self, violation: Violation) -> str:
        """The same of a violation: of its reason, or that of others of its cause."""
        return self.of(self._reason_of.get(id(violation)) or self._nodes[violation.cause][0])

    def of_cause(self, cause: str) -> str:
        """The same of the first violation of a cause."""
        return self.of(self._nodes[cause][0])

    def join_causes(self, causes: Iterable[str]) -> None:
        """Connect all violations of causes."""
        nodes = [node for cause in causes for node in self._nodes[cause]]
        for node in nodes:
            self._join(nodes[0], node)

    def _join(self, node: str, other: str) -> None:
        self._parents[self.of(other)] = self.of(node)

    def together(self, found: Iterable[Member]) -> dict[str, list[Member]]:
        """Violations by what stands for them."""
        by_root: dict[str, list[Member]] = {}
        for member in found:
            by_root.setdefault(self.of_violation(member[1]), []).append(member)
        return by_root

    def headline(self, root: str) -> str:
        """The sentence of the reason that explains most of what is connected; what is odd of a value says more."""
        its = [one for place, one in enumerate(self._reasons) if one.headline and self.of(f"reason {place}") == root]
        return max(its, key=lambda one: len(one.members)).headline if its else ""


def _group(run_report: RunReport, members: list[Member], headline: str) -> FailureGroup:
    ranked = sorted(members, key=lambda member: (_rank(run_report, member[0]), _size(member[1])))
    told = sorted(ranked, key=lambda member: member[1].message != headline)
    return FailureGroup(headline or ranked[0][1].message, tuple(told), ranked[0][0])


def _told_apart(groups: Iterable[FailureGroup]) -> Iterator[FailureGroup]:
    """The groups, with more in the headlines that several have: the rule, or what differs."""
    groups = list(groups)
    for group in groups:
        like = [other for other in groups if other.headline == group.headline]
        rule, violation = group.example
        names = [other.example[0].id for other in like]
        tail = rule.title if names.count(rule.id) == 1 else violation.cause.removeprefix(f"{rule.id} ")
        yield group if len(like) == 1 else replace(group, headline=f"{group.headline} ({tail})")


def _rank(run_report: RunReport, rule: Rule) -> tuple[bool, int, bool]:
    return not run_report.is_fatal(rule), LEVELS.index(rule.level), not _is_on_the_page(rule)


def _size(violation: Violation) -> tuple[bool, int, int]:
    """How much there is to read of a violation; one about an odd request is no good example."""
    writes = [entry for entry in timeline(violation) if entry.action == "write"]
    is_odd = any(entry.is_odd for entry in writes)
    exchanges = len(violation.earlier) + len(violation.evidence)
    return is_odd, exchanges, len(violation.expected) + len(violation.actual)


def _weight(run_report: RunReport, group: FailureGroup) -> tuple[bool, bool, int]:
    rule = group.weightiest
    return not run_report.is_fatal(rule), not _is_on_the_page(rule), -len({rule.id for rule, _ in group.members})


def _is_on_the_page(rule: Rule) -> bool:
    """Whether a clause of the documented page carries the rule; those of neighbouring pages begin with a number."""
    return any(not clause[:1].isdigit() for clause in rule.clauses)
