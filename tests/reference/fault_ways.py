"""Learns in which circumstances each fault is shown, from runs with it and the same runs without.

A verdict that a fault turns into *failed* has a counterpart in the run without it: the same write of the same event.
What the counterparts have in common, as far as no verdict that passed in spite of the fault has it too, is what the
fault needs to be shown.  A second run, on other calendars, tells what only the first one happened to have in common.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from conformance.contract.rules import load, load_clauses
from conformance.facts import Settings, observe
from conformance.http.exchange import Exchange
from conformance.judging.circumstances import SETTLED, circumstances
from conformance.judging.exercised import Circumstances
from conformance.judging.judge import Judge
from conformance.judging.strength import Way

__all__ = ["Judged", "judged", "section_of", "ways"]

Key = tuple[str, ...]

_ABOUT = {rule.id: rule.about for rule in load()}

_REQUESTS = {
    "any": "that requests conferencing",
    "omitted": "without conferencing in the body",
    "profile": "that requests a profile of the account",
    "undefined": "with conferencing that is not valid",
    "invalid": "with conferencing that is not valid",
}

#: From how many circumstances groups are grown, of which the largest is taken.
_SEEDS = 12


@dataclass
class Judged:
    """The verdicts of some runs: for each rule, the circumstances of those that passed, and of those that failed."""

    passed: defaultdict[str, dict[Key, Circumstances]] = field(default_factory=lambda: defaultdict(dict))
    failed: defaultdict[str, dict[Key, Circumstances]] = field(default_factory=lambda: defaultdict(dict))


def judged(*runs: tuple[Iterable[Exchange], Settings]) -> Judged:
    """The verdicts of the server rules on the exchanges of runs."""
    judge = Judge([rule for rule in load() if rule.applies_to == "server"])
    found = Judged()
    for number, (exchanges, settings) in enumerate(runs):
        for facts in observe(exchanges, settings):
            said = circumstances(facts)
            for verdict in judge(facts):
                if verdict.outcome in ("passed", "failed"):
                    getattr(found, verdict.outcome)[verdict.rule][*facts.key, str(number)] = said
    return found


def ways(faulty: Judged, right: Judged) -> tuple[Way, ...]:
    """The ways in which a fault is shown, each as general as both runs allow.

    Where circumstances alone do not tell what the fault needs in the first run, in no rule, they are taken for what
    they are.
    """
    certain: list[Way] = []
    vague: list[Way] = []
    is_told = False
    for rule, failed in sorted(faulty.failed.items()):
        usual = right.passed.get(rule)
        if not usual:
            continue
        said, always = frozenset[str]().union(*usual.values()), frozenset.intersection(*usual.values())
        seen = {key: _counterpart(key, own, usual) & said for key, own in failed.items()}
        shown, first = {*seen.values()}, {own for key, own in seen.items() if key[-1] == "0"}
        spared = {own - {SETTLED} for own in faulty.passed[rule].values()} - {one - {SETTLED} for one in shown}
        for group in _common(shown, spared):
            is_vague = _is_spared(group, spared)
            is_told = is_told or (not is_vague and any(group <= own for own in first))
            (vague if is_vague else certain).append(Way(rule, group - always, _how(_ABOUT[rule], group)))
    return tuple(certain if is_told else certain + vague)


def section_of(clauses: tuple[str, ...]) -> str:
    """The section of the page that a fault breaks: that of the first clause, or group of clauses, that it names."""
    first = clauses[0]
    sections = [
        clause["section"] for name, clause in load_clauses().items() if name == first or name.startswith(f"{first}.")
    ]
    return str(sections[0])


def _how(about: str, group: Circumstances) -> str:
    """In words, what to do so that a fault shows in these circumstances."""
    said = dict(one.split("=", 1) for one in group if "=" in one)
    if about in ("write", "batched_write"):
        return _write(said)
    if about == "reading":
        flags = sorted(one.removeprefix("query ") for one in group if one.startswith("query ") and "tzid" not in one)
        pages = " of several pages" if "several pages" in group else ""
        return f"read events{pages} with {' and '.join(flags)}" if flags else f"read events{pages} without any flag"
    if about == "directory":
        lists = {"calendars": "the calendar list", "userinfo": "userinfo"}
        named = [words for name, words in lists.items() if any(one.startswith(name) for one in group)]
        return f"read {' and '.join(named or lists.values())}"
    if about == "account":
        return "create several events with default conferencing on calendars of several kinds"
    if about == "notification":
        return "subscribe to notifications, and let them arrive (--notifications)"
    if about == "exchange":
        return f"send a {said.get('operation', 'request')} that is answered {said.get('status', 'as documented')}"
    return "read an event until its conference is there"


def _write(said: dict[str, str]) -> str:
    requested = said.get("requested", "any")
    if requested == "delete":
        return "delete an event, and read events afterwards"
    before = said.get("before.pending_request") or said.get("before.requested_as")
    pending = " while it is pending" if "before.pending_request" in said else ""
    what = _REQUESTS.get(requested, f"that requests {requested}")
    if before not in (None, "none", "omitted", "delete"):
        return f"update an event that has {before} conferencing {what}{pending}"
    verb = "update" if said.get("is_create") == "False" else "create"
    return f"{verb} an event {what}"


def _counterpart(key: Key, own: Circumstances, usual: dict[Key, Circumstances]) -> Circumstances:
    """The circumstances without the fault: writes and their values are the same in both runs, readings are not.

    How long the event was read is that of the verdict that failed.
    """
    if key[0] not in ("write", "conferencing"):
        return own
    return usual.get(key, own) - {SETTLED} | own & {SETTLED}


def _common(shown: Iterable[Circumstances], spared: Collection[Circumstances]) -> list[Circumstances]:
    """What groups of circumstances have in common, groups as large as none of `spared` allows."""
    left = sorted(shown, key=sorted)
    groups = []
    while left:
        candidates = [_group(seed, left, spared) for seed in left[:_SEEDS]]
        group = max(candidates, key=lambda group: sum(group <= one for one in left))
        left = [one for one in left if not group <= one]
        groups.append(group)
    return groups


def _group(seed: Circumstances, others: Iterable[Circumstances], spared: Collection[Circumstances]) -> Circumstances:
    """What a seed has in common with as many others as can be, such that nothing spared has it."""
    group = seed
    for other in others:
        both = group & other
        if both != group and not _is_spared(both, spared):
            group = both
    return group


def _is_spared(group: Circumstances, spared: Iterable[Circumstances]) -> bool:
    """Whether a verdict passed in these circumstances; what is right passes before it is settled."""
    needs = group - {SETTLED}
    return any(needs <= one for one in spared)
