"""Consequences: failures that are part of another one, by their events, by their requests, or by their readings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.contract.rules import LEVELS
from conformance.judging.modes import modes
from conformance.judging.traits import DUE

if TYPE_CHECKING:
    from conformance.judging.groups import FailureGroup
    from conformance.judging.summary import RunReport

__all__ = ["is_of_answers", "with_consequences"]

#: Where the facts of a reading tell that its pages repeat rows, in place of others.  Pages that are counted wrong lack
#: nothing, and of those that cannot be read nothing is missing (law complete-reading).
_REPEATED = "/listing/duplicated"


def with_consequences(run_report: RunReport, groups: Iterable[FailureGroup]) -> Iterator[FailureGroup]:
    """The groups; a warning about events that one of them is about, and about no other event, is part of it."""
    left = list(groups)
    for warning in [group for group in left if not run_report.is_fatal(group.weightiest)]:
        others = [group for group in left if group is not warning]
        lead = next((group for group in others if _is_of(warning, group) or _comes_of(warning, group)), None)
        if lead is not None and warning in left:
            whole = replace(lead, members=(*lead.members, *warning.members))
            left = [whole if group is lead else group for group in left if group is not warning]
    yield from _with_what_pages_lose(run_report, left)


def _with_what_pages_lose(run_report: RunReport, groups: list[FailureGroup]) -> Iterator[FailureGroup]:
    """The groups; where the pages of readings repeat rows, events that are missing at times are part of that."""
    repeating = [one for one in groups if one.example[0].about == "reading" and _repeats_rows(one)]
    lost = [one for one in groups if len(repeating) == 1 and one not in repeating and not one.trigger and _is_lost(one)]
    if not lost:
        yield from groups
        return
    [lead] = repeating
    weightiest = min(
        (one.weightiest for one in (*lost, lead)),
        key=lambda rule: (not run_report.is_fatal(rule), LEVELS.index(rule.level)),
    )
    members = (*lead.members, *(member for one in lost for member in one.members))
    headline = f"{lead.headline}, and some events on no page"
    yield from (one for one in groups if one not in (*lost, *repeating))
    yield replace(lead, headline=headline, members=members, weightiest=weightiest)


def _repeats_rows(group: FailureGroup) -> bool:
    return any(violation.path.startswith(_REPEATED) for _, violation in group.members)


def _is_lost(group: FailureGroup) -> bool:
    """Whether it is wrong that events are not listed."""
    return all(modes(rule, violation)[0] == "missing" for rule, violation in group.members)


def is_of_answers(group: FailureGroup) -> bool:
    """Whether it is requests that are wrongly answered, and not readings that show something wrong."""
    return group.example[1].path.endswith(("/status", "/failures"))


def _is_of(warning: FailureGroup, group: FailureGroup) -> bool:
    """Whether the events of a warning are those of a group; one alone may be so by chance, but not one write."""
    events, others = ({violation.event for _, violation in one.members} - {None} for one in (warning, group))
    is_likely = len(events) > 1 or warning.example[0].about == "notification" or _writes(warning) <= _writes(group)
    return bool(events) and len(others) > 1 and events <= others and is_likely


def _comes_of(warning: FailureGroup, group: FailureGroup) -> bool:
    """Whether a warning is about what was requested, in the circumstances, of requests that are wrongly answered."""
    is_same = bool(group.trigger) and group.trigger == warning.trigger and _due(group) == _due(warning)
    return is_same and is_of_answers(group)


def _due(group: FailureGroup) -> set[str]:
    """What was due after the writes that a group is about."""
    return {one for _, violation in group.members for one in violation.traits if one.startswith(DUE)}


def _writes(group: FailureGroup) -> set[str]:
    """The labels of the exchanges that the failures of a group begin with: the writes that are judged."""
    return {violation.evidence[0].label for _, violation in group.members if violation.evidence}
