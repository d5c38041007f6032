"""Failures by their reason: rules that fail over the same wrong value are one group; distinct defects are several."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conformance.contract.rules import LEVELS
from conformance.judging.client_defects import dropped
from conformance.judging.consequences import is_of_answers, with_consequences
from conformance.judging.modes import SENTENCES, TOGETHER, is_of_events, modes, refutes
from conformance.judging.reasons import Reason, reasons
from conformance.judging.timeline import timeline
from conformance.judging.traits import DUE
from conformance.judging.triggers import Contrast, after, is_special, is_told, rank, said_by, said_by_a_message

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.summary import Reproduction, RunReport
    from conformance.judging.verdict import Violation

__all__ = ["FailureGroup", "failure_groups"]

Member = tuple["Rule", "Violation"]


@dataclass(frozen=True)
class FailureGroup:
    """The violations that have one reason, with the one that says it first, and their reason in one sentence.

    `weightiest` is the rule by which the group counts.  `trigger` are the traits that bring it about, as far as
    they are known.  The first violation is that of the `reproduction`, if there is one.
    """

    headline: str
    members: tuple[Member, ...]
    weightiest: Rule
    trigger: tuple[str, ...] = ()
    reproduction: Reproduction | None = None

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
    groups = _Groups(found, reasons(run_report, found))
    for cause, causes in dropped(violation for _, violation in found):
        groups.join_causes([cause, *causes])
    said: list[tuple[str, str]] = []
    for cause, message, causes in (*_accepted_in_error(found), *_malformed_by(found, groups)):
        groups.join_causes([cause, *causes])
        said.append((message, groups.of_cause(cause)))
    result = []
    for root, members in groups.together(found).items():
        proper = [message for message, of in said if groups.of(of) == root]
        why = groups.reason(root)
        group = _group(run_report, members, why.headline if why else "", why.members if why else ())
        result.append((_group(run_report, members, proper[0]) if proper else group, why))
    told = _told_apart(with_consequences(run_report, _of_one_trigger(run_report, _with_readings(run_report, result))))
    return tuple(sorted(told, key=lambda group: _weight(run_report, group)))


def _with_readings(
    run_report: RunReport, groups: list[tuple[FailureGroup, Reason | None]]
) -> Iterator[tuple[FailureGroup, Reason | None]]:
    """The groups; those are one of whose events readings show the same wrong, and so is what these readings show."""
    for of_reading in [one for one, _ in groups if one.example[0].about == "reading"]:
        causes = {violation.cause for _, violation in of_reading.members}
        parts = [one for one in groups if one[0].reproduction and causes & one[0].reproduction.beside]
        if parts:
            lead, why = max(parts, key=lambda one: (run_report.is_fatal(one[0].weightiest), len(one[0].members)))
            every = [lead, *(one for one, _ in parts if one is not lead), of_reading]
            members = [member for one in every for member in one.members]
            groups = [one for one in groups if one[0] not in every]
            groups.append((_group(run_report, members, lead.headline, lead.members), why))
    yield from groups


def _of_one_trigger(
    run_report: RunReport, groups: Iterable[tuple[FailureGroup, Reason | None]]
) -> Iterator[FailureGroup]:
    """The groups with what brings them about in their headlines.

    Those of one seldom trigger are one, and what comes after a deletion is part of events that deletions leave there.
    """
    left = [(group, why, *_contrast(run_report, group, why)) for group, why in groups]
    left.sort(key=lambda one: not any(map(is_special, one[3])))  # what is alone may be part of what these are
    while left:
        group, why, contrast, trigger = left.pop(0)
        some = [one for one in left if is_of_answers(one[0]) == is_of_answers(group)]
        like: list[FailureGroup] = []
        if why is not None and why.mode == "undeleted":
            like = [other for other, _, its, _ in some if "right after delete" in its.common]
        elif len(trigger) == 1 and is_special(trigger[0]):
            like = [other for other, _, its, _ in some if its.admits(trigger[0])]
            like = like if like and _is_one(contrast, trigger[0], [group, *like]) else []
        left = [one for one in left if one[0] not in like]
        merged = _merged(run_report, group, like, leads=why is not None and why.mode == "undeleted") if like else group
        yield replace(merged, headline=_headline(merged, why, trigger), trigger=trigger)


def _headline(group: FailureGroup, why: Reason | None, trigger: tuple[str, ...]) -> str:
    """What is wrong, after what brings it about, as far as the sentence does not say it."""
    mode = why.mode.partition(" ")[0] if why is not None else ""
    for trait in trigger:
        if (mode, trait) in TOGETHER and group.headline == SENTENCES[mode]:
            return after([one for one in trigger if one != trait], TOGETHER[mode, trait])
    return after(trigger, group.headline)


def _contrast(run_report: RunReport, group: FailureGroup, why: Reason | None) -> tuple[Contrast, tuple[str, ...]]:
    """What the failures of a group have in common beside what passed, and the trigger that it tells."""
    of_writes = [one for one in group.members if "write" in one[0].about] or list(group.members)
    names = {rule.id for rule, _ in of_writes}
    passed = run_report.report.exercised.passed
    mode = why.mode if why else ""
    might_fail = {one for name in names for one in passed.get(name, ()) if not mode or refutes(mode, one)}
    if any(run_report.report.tally(name).passed and name not in passed for name in names):
        might_fail.add(frozenset())
    common = frozenset.intersection(*(violation.traits for _, violation in of_writes))
    is_message = group.headline == group.example[1].message
    said = said_by_a_message(common) if is_message else said_by(mode, common)
    count = len({_observation(violation) for _, violation in of_writes})
    contrast = Contrast(common, might_fail, said, count, {one for its in passed.values() for one in its})
    trigger = contrast.trigger
    of_reason = sorted(why.traits & (common - said), key=rank) if why is not None else []
    is_better = len(of_reason) == 1 or not (len(trigger) == 1 and is_special(trigger[0]))
    return contrast, tuple(of_reason) if of_reason and is_better and all(map(is_told, of_reason)) else trigger


def _is_one(contrast: Contrast, trait: str, groups: Iterable[FailureGroup]) -> bool:
    """Whether failures with a trait are shown by one reading, or are too many to have it by chance."""
    shown = [{_observation(violation) for _, violation in group.members} for group in groups]
    return all(shown[0] & others for others in shown) or contrast.is_no_chance(trait, len(set().union(*shown)))


def _observation(violation: Violation) -> tuple[str | None, str | None]:
    """The event, and the reading that shows it."""
    return violation.event, violation.shown_by


def _is_shared(violation: Violation) -> bool:
    """Whether it is wrong that events share a value, and not the value itself."""
    return violation.path.endswith("/join_url_shared_with")


def _value(violation: Violation) -> str:
    """The member and the value that are wrong, whichever event shows them; empty where none does."""
    return violation.symptom.partition(", ")[2]


def _merged(run_report: RunReport, group: FailureGroup, like: Sequence[FailureGroup], *, leads: bool) -> FailureGroup:
    """Groups as one, by the words of the first one if it `leads`, else of the largest."""
    every = [group, *like]
    lead = max(
        [group] if leads else every,
        key=lambda one: (one.reproduction is not None, run_report.is_fatal(one.weightiest), len(one.members)),
    )
    members = [member for one in every for member in one.members]
    return _group(run_report, members, lead.headline, lead.members)


def _accepted_in_error(found: Iterable[Member]) -> Iterator[tuple[str, str, list[str]]]:
    """Causes and messages of writes that had to be refused, each with the causes of what came of those writes alone."""
    members = list(found)
    wrong = [(rule, violation) for rule, violation in members if modes(rule, violation)[0] == f"accepted {rule.id}"]
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
        """Connect what shows one wrong value; what one defect wrote and another left there has two reasons.

        A value that several events share is the same wrong value whichever event shows it.
        """
        of_events: dict[str, str] = {}
        of_values = {
            _value(violation): violation
            for _, violation in found
            if violation.symptom and violation.path.startswith("/after/") and not _is_shared(violation)
        }
        for _, violation in found:
            reason = self._reason_of.get(id(violation), "")
            tells_of_events = bool(reason) and is_of_events(self._reasons[int(reason.removeprefix("reason "))].mode)
            if violation.symptom and (not tells_of_events or of_events.setdefault(violation.symptom, reason) == reason):
                self._join(self.of_violation(violation), f"symptom {violation.symptom}")
            if _is_shared(violation) and _value(violation) in of_values:
                self._join(self.of_violation(of_values[_value(violation)]), self.of_violation(violation))

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

    def reason(self, root: str) -> Reason | None:
        """The reason that explains most of what is connected; one that is said in a sentence says more."""
        its = [one for place, one in enumerate(self._reasons) if self.of(f"reason {place}") == root]
        return max(its, key=lambda one: (bool(one.headline), len(one.members)), default=None)


def _group(
    run_report: RunReport, members: Sequence[Member], headline: str, lead: Iterable[Member] = ()
) -> FailureGroup:
    """A group; its example is what the headline cites, or what counts: one of `lead`, or the weightiest."""
    leading = {id(violation) for _, violation in lead}
    ranked = sorted(members, key=lambda member: (_rank(run_report, member[0]), _size(member[1])))
    told = sorted(
        ranked,
        key=lambda member: (
            member[1].message != headline,
            not run_report.is_fatal(member[0]),
            id(member[1]) not in leading,
        ),
    )
    weightiest = ranked[0][0]
    for reproduction in run_report.reproductions:
        rule = next((rule for rule, violation in members if violation == reproduction.origin), None)
        if rule is not None and reproduction.violation is not None:
            shown = (rule, reproduction.violation)
            told = [shown, *(one for one in told if one != shown)]
            return FailureGroup(headline or _message(shown, told), tuple(told), weightiest, reproduction=reproduction)
    return FailureGroup(headline or _message(told[0], told), tuple(told), weightiest)


def _message(example: Member, members: Iterable[Member]) -> str:
    """What is wrong; of several kinds of requests without what one of them was about."""
    due = {one for _, violation in members for one in violation.traits if one.startswith(DUE)}
    return example[1].effect if len(due) > 1 and example[1].effect else example[1].message


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
