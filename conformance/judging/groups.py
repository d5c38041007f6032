"""Failures by their reason: rules that fail over the same wrong value are one group; distinct defects are several."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from conformance.contract.rules import LEVELS
from conformance.judging.client_defects import dropped, withholds_conferencing
from conformance.judging.timeline import timeline
from conformance.judging.traits import Traits, always, in_words, shows

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.summary import RunReport
    from conformance.judging.verdict import Violation

__all__ = ["FailureGroup", "failure_groups"]

#: What is common to failures of several rules, by how the wrong value compares with what was sent.
_PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        "echo": "Readings give back conferencing exactly as it was sent, and never what comes of it",
        "none": "Events read back without conferencing",
        "missing": "Events that were written are not listed",
        "malformed": "Events read back with conferencing of no documented form",
        "unchanged": "Events keep the conferencing that they had",
        "status": "Requests are answered {}",
        "withheld": "The client gives back no conferencing as it was read",
        "failures": "Requests are answered 5xx, or not at all, every time",
    }
)

#: From how many violations on what they alone have in common may be their reason.
_FEW = 3

#: From how many kinds of requests on it does not matter what was requested.
_KINDS = 3

Member = tuple["Rule", "Violation"]


@dataclass(frozen=True)
class FailureGroup:
    """The violations that have one reason, with that of the weightiest rule first, and their reason in one sentence."""

    headline: str
    members: tuple[Member, ...]

    @property
    def example(self) -> Member:
        """The violation that stands for all."""
        return self.members[0]


def failure_groups(run_report: RunReport) -> tuple[FailureGroup, ...]:
    """The groups of all failures: those that count first, of the page's clauses first, the largest first.

    What the baseline knows is left out.

    Violations belong together if they have one cause, or show the same wrong value of one event or exchange.  Those
    that compare alike with what was sent do where all of them, and nothing that passed, have a trait in common, or
    where nothing passed: what never works has one reason, at least for one kind of request.
    """
    baseline = run_report.policy.baseline
    found = [
        (rule, violation)
        for rule in run_report.failed
        for violation in run_report.report.tally(rule.id).violations
        if baseline is None or not baseline.knows(rule.id, violation.cause)
    ]
    alike: dict[str, list[Member]] = {}
    for rule, violation in found:
        alike.setdefault(_pattern(rule, violation), []).append((rule, violation))
    groups = _Groups()
    for _, violation in found:
        groups.join(violation.cause, [f"symptom {violation.symptom}"] if violation.symptom else [])
    headlines: list[tuple[str, str]] = []
    for pattern, members in alike.items():
        for trait, some in _explained(run_report, pattern, members):
            for _, violation in some:
                groups.join(violation.cause, [some[0][1].cause])
            headlines.append((some[0][1].cause, _common(pattern, trait, some)))
    for cause, causes in dropped(violation for _, violation in found):
        groups.join(cause, causes)
    for cause, message, causes in (*_accepted_in_error(found), *_malformed_by(found, groups, alike)):
        groups.join(cause, causes)
        headlines.append((cause, message))
    by_root: dict[str, list[Member]] = {}
    for member in found:
        by_root.setdefault(groups.of(member[1].cause), []).append(member)
    said: dict[str, set[str]] = {}
    for cause, headline in headlines:
        said.setdefault(groups.of(cause), set()).update([headline] if headline else [])
    result = [_group(run_report, some, said.get(root, set())) for root, some in by_root.items()]
    return tuple(sorted(result, key=lambda group: _weight(run_report, group)))


def _explained(run_report: RunReport, pattern: str, members: list[Member]) -> Iterator[tuple[str, list[Member]]]:
    """Which of the violations that compare alike have one reason, and the trait that is it; empty where all has it."""
    passed = run_report.report.exercised.passed
    its = {rule.id for rule, _ in members}
    contrast = [one for rule in its for one in passed.get(rule, ()) if _refutes(pattern, one)]
    fitting = always((violation.traits for _, violation in members), contrast)
    if contrast and fitting and len(members) >= _FEW:
        yield fitting[0], members
    elif pattern == "echo":
        yield "", members
    elif not pattern.startswith("/"):
        never = [(rule, violation) for rule, violation in members if not _passed(run_report, rule, pattern)]
        for some in [members] if len(never) == len(members) else _by_kind(never):
            yield "", some


def _passed(run_report: RunReport, rule: Rule, pattern: str) -> bool:
    """Whether a rule passed, and not just where the state that is wrong elsewhere was right."""
    known = run_report.report.exercised.passed.get(rule.id, ())
    if known:
        return any(_refutes(pattern, one) for one in known)
    return bool(run_report.report.tally(rule.id).passed)


#: The states that are right elsewhere and say nothing of where one of them is wrong.
_LIKE = {"none": ("none", "missing"), "missing": ("missing",), "malformed": ("none", "missing", "malformed")}


def _refutes(pattern: str, traits: Traits) -> bool:
    """Whether a pass with these traits shows that it is not always wrong as the pattern says."""
    return not any(shows(state) in traits for state in _LIKE.get(pattern, ()))


def _by_kind(members: Iterable[Member]) -> list[list[Member]]:
    """Violations by what was requested."""
    kinds: dict[frozenset[str], list[Member]] = {}
    for rule, violation in members:
        kinds.setdefault(_kinds([violation]), []).append((rule, violation))
    return list(kinds.values())


def _kinds(violations: Iterable[Violation]) -> frozenset[str]:
    return frozenset(one for violation in violations for one in violation.traits if one.startswith("requested="))


def _accepted_in_error(found: Iterable[Member]) -> Iterator[tuple[str, str, list[str]]]:
    """Causes and messages of writes that had to be refused, each with the causes of what came of those writes alone."""
    members = list(found)
    wrong = [
        (rule, violation)
        for rule, violation in members
        if rule.about == "exchange" and _pattern(rule, violation) == f"accepted {rule.id}"
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


def _malformed_by(
    found: Iterable[Member], groups: _Groups, alike: Mapping[str, list[Member]]
) -> Iterator[tuple[str, str, list[str]]]:
    """The one cause that makes values malformed, its message, and the causes of what is wrong with these values."""
    values = {_shown(violation): violation.cause for _, violation in alike.get("malformed", ())}
    wrong = [
        violation for rule, violation in found if rule.about == "conferencing" and _shown(violation) in {*values} - {""}
    ]
    if wrong and len({groups.of(violation.cause) for violation in wrong}) == 1:
        yield wrong[0].cause, wrong[0].message, [values[_shown(violation)] for violation in wrong]


def _shown(violation: Violation) -> str:
    """The conferencing that the wrong reading shows, as JSON; empty where none does."""
    shown = next((one.shown for one in violation.evidence if one.label == violation.shown_by), None)
    value = shown.get("conferencing") if isinstance(shown, dict) else None
    return "" if value is None else json.dumps(value, sort_keys=True)


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

    def join(self, cause: str, keys: Iterable[str]) -> None:
        root = self.of(cause)
        for key in keys:
            self._parents[self.of(key)] = root


def _pattern(rule: Rule, violation: Violation) -> str:
    """How the wrong value compares with what was sent; where that is no reason of its own, its place in the facts."""
    if violation.path.endswith("/status"):
        answered = int(violation.actual) if violation.actual.isdigit() else 0
        # A rule that wants a refusal says nothing of another such rule.
        return f"status {answered}" if answered >= 300 else f"accepted {rule.id}"
    if violation.path == "/failures":
        return "failures"
    if rule.about == "call" and withholds_conferencing(violation):
        return "withheld"
    entries = timeline(violation)
    place = next((place for place, entry in enumerate(entries) if entry.is_broken), None)
    if place is not None:
        shown = entries[place]
        asked = [entry for entry in entries[:place] if entry.action == "write" and entry.conferencing is not None]
        before = [entry for entry in entries[:place] if entry.action == "read" and entry.is_earlier]
        if asked and shown.conferencing is not None and shown.conferencing == asked[-1].conferencing:
            return "echo"
        if shown.state in ("none", "missing", "malformed") and shown.action == "read":
            return shown.state
        if asked and before and shown.conferencing == before[-1].conferencing is not None:
            return "unchanged"
    difference = violation.cause.rpartition(" ")[2]
    if violation.path == "/shown" and difference in ("none", "missing", "malformed"):
        return difference
    return f"/{rule.id} {violation.path} {difference}"


def _common(pattern: str, trait: str, members: list[Member]) -> str:
    """What violations have in common, as one sentence; empty where one of them says it as well."""
    causes = {violation.cause for _, violation in members}
    name, _, detail = pattern.partition(" ")
    if len(causes) < 2 or (not trait and len({rule.id for rule, _ in members}) < 2):
        return ""
    if name == "echo" and not trait:
        return _PATTERNS["echo"]
    if name == "withheld":
        return _PATTERNS[name]
    base = _PATTERNS[name].format(detail) if name in _PATTERNS else f"{members[0][1].message}, and others are like it"
    if trait:
        return f"{base}, {in_words(trait)}"
    is_general = name in _PATTERNS and len(_kinds(violation for _, violation in members)) >= _KINDS
    return f"{base}, whatever was requested" if is_general else ""


def _group(run_report: RunReport, members: list[Member], headlines: set[str]) -> FailureGroup:
    ranked = tuple(sorted(members, key=lambda member: (_rank(run_report, member[0]), _size(member[1]))))
    said = headlines & {_PATTERNS["echo"]} or headlines
    if len(said) > 1:  # what a value is wrong with says more than that it is wrong
        said -= {one for one in said if one.startswith(_PATTERNS["malformed"])}
    return FailureGroup(next(iter(said)) if len(said) == 1 else ranked[0][1].message, ranked)


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
