"""Reasons: which failures are one, by a mode and traits that they share and that nothing has that passed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

from conformance.judging.modes import SENTENCES, is_of_events, modes, refutes
from conformance.judging.traits import DUE, Traits, candidates, fits
from conformance.judging.triggers import is_special, is_told, rank

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.summary import RunReport
    from conformance.judging.verdict import Violation

    Member = tuple[Rule, Violation]

__all__ = ["Reason", "events_named", "reasons"]

#: From how many violations on what they alone have in common may be their reason.
_FEW = 3

#: From how many kinds of requests on it does not matter what was requested: where nothing refutes that, and elsewhere.
_KINDS, _MANY_KINDS = 3, 4

#: How probable it may be that some trait of the many is with these failures alone by chance.
_CHANCE = 0.01

#: Modes that have one reason, however many passes there are elsewhere.
_ALWAYS_ONE = frozenset({"echo"})

#: What accounts show of services, which is part of what events show of them.
_OF_DEFAULT = "service of default"

_NO_TRAITS: Traits = frozenset()

_RULES_OF_EVENTS = frozenset({"write", "batched_write"})


@dataclass(frozen=True)
class Reason:
    """Violations that have one reason, and a sentence that says so; empty where the first one's own says it.

    It is certain where nothing that passed has the `mode` and the `traits`, one or two, and there are failures and
    causes enough to tell.
    """

    members: tuple[Member, ...]
    headline: str
    mode: str = ""
    traits: Traits = frozenset()
    is_certain: bool = False


def reasons(run_report: RunReport, found: Sequence[Member]) -> Iterator[Reason]:
    """The reasons of violations, each of which has one at most.

    Of the modes and traits that explain some, the one that explains most comes first, then the one that explains most
    of the rest.  What is left is one by its mode, if that is of one rule alone, or if four kinds of requests or more
    have it: nothing that is known tells its failures apart.
    """
    its_modes = {id(violation): modes(rule, violation) for rule, violation in found}
    others = [one for one in found if one[0].about not in _RULES_OF_EVENTS and is_of_events(its_modes[id(one[1])][0])]
    explained = [*_explained(run_report, _without(found, others), its_modes)]
    yield from _with_others(explained, others, its_modes)


def _explained(
    run_report: RunReport, members: list[Member], its_modes: Mapping[int, tuple[str, ...]]
) -> Iterator[Reason]:
    known = sorted({one for _, violation in members for one in its_modes[id(violation)]}, key=_place)
    contrasts = {
        mode: _contrast(run_report, mode, [rule for rule, one in members if mode in its_modes[id(one)]])
        for mode in known
    }
    left = members
    while left:
        by_mode = {mode: [member for member in left if mode in its_modes[id(member[1])]] for mode in known}
        if all("before" in its_modes[id(violation)] for _, violation in by_mode.get("ignored", ())):
            by_mode.pop("ignored", None)  # it says no more of updates than that they keep what was there
        best = max(
            (one for mode, some in by_mode.items() for one in _explaining(mode, some, contrasts[mode])),
            key=lambda one: (len(one[2]), -len(one[1])),
            default=None,
        )
        if best is None:
            break
        yield _reason(*best)
        left = _without(left, best[2])
    while left:
        count = {mode: sum(mode in its_modes[id(one)] for _, one in left) for mode in known}
        mode = max(known, key=lambda mode: (count[mode], mode.startswith("/")))
        some = [member for member in left if mode in its_modes[id(member[1])]]
        is_one = mode.startswith("/") or len(_kinds(some)) >= _MANY_KINDS
        for group in [some] if is_one else _by_kind(run_report, some):
            yield _reason(mode, _NO_TRAITS, group, at_times=True)
        left = _without(left, some)


def _contrast(run_report: RunReport, mode: str, rules: Iterable[Rule]) -> frozenset[Traits]:
    """The traits of what passed and might have been wrong in this way."""
    passed = run_report.report.exercised.passed
    if is_of_events(mode):
        names = {rule.id for rule in run_report.rules if rule.about in _RULES_OF_EVENTS}
    else:
        names = {rule.id for rule in rules}
    unknown = any(run_report.report.tally(name).passed and name not in passed for name in names)
    found = {one for name in names for one in passed.get(name, ()) if refutes(mode, one)}
    return frozenset(found | {frozenset[str]()} if unknown else found)


def _with_others(
    explained: Sequence[Reason], others: Iterable[Member], its_modes: Mapping[int, tuple[str, ...]]
) -> Iterator[Reason]:
    """The reasons, each with what is no rule on writes and is about an event of it, or about its mode in general."""
    more: dict[int, list[Member]] = {}
    alone: dict[str, list[Member]] = {}
    for member in others:
        events, mode = {member[1].event, *events_named(member[1])} - {None}, its_modes[id(member[1])][0]
        its = [
            (bool(events & {violation.event for _, violation in one.members}), one.mode == mode, -place)
            for place, one in enumerate(explained)
            if events & {violation.event for _, violation in one.members}
            or (one.mode == mode and not one.traits)
            or (mode == _OF_DEFAULT and one.mode.startswith("service ") and f"{DUE}default" in _kinds(one.members))
        ]
        if its:
            more.setdefault(-max(its)[2], []).append(member)
        else:
            alone.setdefault(mode, []).append(member)
    for place, one in enumerate(explained):
        yield replace(one, members=(*one.members, *more.get(place, ())))
    for mode, members in alone.items():
        yield _reason(mode, _NO_TRAITS, members)


def _explaining(
    mode: str, members: list[Member], contrast: Collection[Traits]
) -> Iterator[tuple[str, Traits, list[Member]]]:
    """What explains violations of a mode: the mode itself where nothing refutes it, else a trait, or two of them."""
    if not members:
        return
    if mode in _ALWAYS_ONE or not contrast:
        yield mode, _NO_TRAITS, members
        return
    its = {_facts_of(violation): violation.traits for _, violation in members}
    share = len(its) / (len(its) + len(contrast))
    known = [*its.values()]
    possible = sorted(candidates(known, contrast, is_missing=mode == "missing"), key=rank)
    for trait in possible:
        some = [member for member in members if fits(trait, member[1].traits)]
        count = len({_facts_of(violation) for _, violation in some})
        is_all = len(some) == len(members) >= _FEW
        is_much = 2 * len(some) >= len(members) or is_special(trait)  # else it may be a part of one defect
        if is_all or (is_much and count >= _FEW and share**count * len(possible) < _CHANCE):
            yield mode, frozenset([trait]), some
    if len(known) >= _FEW and mode != "missing":
        yield from ((mode, pair, members) for pair in _pairs(frozenset.intersection(*known), contrast))


def _pairs(common: Traits, contrast: Collection[Traits]) -> Iterator[Traits]:
    """Two traits that people are told, and that no pass has together."""
    pairs = map(frozenset, combinations(sorted(filter(is_told, common), key=rank), 2))
    return (pair for pair in pairs if not any(pair <= its for its in contrast))


def events_named(violation: Violation) -> list[str]:
    """The events that are wrong in a reading: those that it leaves out, or lists twice."""
    try:
        found = json.loads(violation.actual)
    except ValueError:
        found = violation.actual
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str)]


def _facts_of(violation: Violation) -> tuple[str, str | None]:
    """What tells the facts of one violation from those of another."""
    return violation.evidence[0].label if violation.evidence else "", violation.event


def _without(members: Iterable[Member], gone: Iterable[Member]) -> list[Member]:
    known = {id(violation) for _, violation in gone}
    return [member for member in members if id(member[1]) not in known]


def _place(mode: str) -> tuple[int, str]:
    """Modes that say most come first."""
    names = [*SENTENCES]
    name = mode.partition(" ")[0]
    return names.index(name) if name in SENTENCES else len(names), mode


def _by_kind(run_report: RunReport, members: Iterable[Member]) -> list[list[Member]]:
    """Violations by what was requested; where that is not known, by their causes.  A rule that nothing keeps is one."""
    kinds: dict[frozenset[str], list[Member]] = {}
    of_rules: dict[str, frozenset[str]] = {}
    for rule, violation in members:
        key = _kinds([(rule, violation)]) or frozenset([violation.cause])
        if not run_report.report.tally(rule.id).passed:
            first = of_rules.setdefault(rule.id, key)
            if first != key:
                kinds[first] += kinds.pop(key, [])
                of_rules = {name: first if of == key else of for name, of in of_rules.items()}
                key = first
        kinds.setdefault(key, []).append((rule, violation))
    return list(kinds.values())


def _kinds(members: Iterable[Member]) -> frozenset[str]:
    return frozenset(one for _, violation in members for one in violation.traits if one.startswith(DUE))


def _reason(mode: str, traits: Traits, members: Sequence[Member], *, at_times: bool = False) -> Reason:
    is_certain = not at_times and len(members) >= _FEW and len({violation.cause for _, violation in members}) > 1
    return Reason(tuple(members), _common(mode, traits, members, at_times=at_times), mode, traits, is_certain)


def _common(mode: str, traits: Traits, members: Sequence[Member], *, at_times: bool) -> str:
    """What violations have in common, as one sentence; empty where one of them says it as well."""
    causes = {violation.cause for _, violation in members}
    name, _, detail = mode.partition(" ")
    if len(causes) < 2 or (not traits and len({rule.id for rule, _ in members}) < 2):
        return ""
    if name in ("withheld", "undeleted") or (name == "echo" and not traits):
        return SENTENCES[name]
    if name not in SENTENCES:
        return ""
    if all(violation.path.endswith("_fields") for _, violation in members):
        return ""
    base = SENTENCES[name].format(detail)
    if traits:
        return base
    some = f"Some {base[:1].lower()}{base[1:]}" if at_times else base
    return some if len(_kinds(members)) >= _KINDS else ""
