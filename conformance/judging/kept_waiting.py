"""Waiting: how many writes were watched until a conference was there, or until nobody waited for it any longer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from conformance.judging.traits import due
from conformance.judging.verdict import Violation

if TYPE_CHECKING:
    from conformance.facts import Facts

__all__ = ["Waiting"]


def _none() -> Mapping[str, int]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Waiting:
    """After how many writes a conference came, by what is due after them, and how many were pending at the time-out.

    `seconds` is for how long each of the latter was watched at least, and `example` the one of which there is least to
    read: nothing is wrong with it, as far as is known.  A monoid, as reports are.
    """

    came: Mapping[str, int] = field(default_factory=_none)
    pending: Mapping[str, int] = field(default_factory=_none)
    seconds: float | None = None
    example: Violation | None = None

    def __add__(self, other: Waiting) -> Waiting:
        examples = [one.example for one in (self, other) if one.example is not None]
        return Waiting(
            MappingProxyType(dict(Counter(self.came) + Counter(other.came))),
            MappingProxyType(dict(Counter(self.pending) + Counter(other.pending))),
            min((one.seconds for one in (self, other) if one.seconds is not None), default=None),
            min(examples, key=lambda one: (len(one.earlier) + len(one.evidence), one.place), default=None),
        )

    def without_place(self) -> Waiting:
        """The same of a run as a whole: the order of runs is that in which they are added up."""
        return replace(self, example=self.example and replace(self.example, place=()))

    @classmethod
    def of(cls, facts: Facts) -> Waiting:
        """What the closed facts of a write that was still pending at the time-out add to what came to its end."""
        event, evidence = facts.document.get("event_id"), facts.evidence
        start, end = evidence[0].at, evidence[-1].until or evidence[-1].at
        seconds = None if start is None or end is None else end - start
        example = Violation(
            "",
            "/after",
            event if isinstance(event, str) else None,
            evidence,
            "",
            earlier=facts.earlier,
            place=facts.place,
        )
        return cls(_none(), MappingProxyType({due(facts.document): 1}), seconds, example)

    def sentence(self) -> str:
        """How many were still pending, and after how long."""
        count = sum(self.pending.values())
        came = sum(number for kind, number in self.came.items() if kind in self.pending)
        kinds = ", ".join(f"{_KINDS.get(kind, kind)} {number:,}" for kind, number in sorted(self.pending.items()))
        what = "Some requested conferences did not come" if came else "No requested conference came"
        after = "" if self.seconds is None else f" after {self.seconds:,.0f} s"
        return f'{what}: {count:,} of {count + came:,} writes ({kinds}) still show {{"pending": true}}{after}'


#: What was requested, in words, where its name says less.
_KINDS = {"profile": "a conferencing profile", "omitted": "conferencing omitted"}
