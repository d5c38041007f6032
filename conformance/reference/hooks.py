"""Named decisions of the reference server, and the alterations that change them.

The server states what it would do at each `Hook`; a fault or a legal variation is a function from that
decision and its situation to another decision.  So the model says nothing of faults, and whether a fault
made a difference is seen by comparing two values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

__all__ = ["Fault", "Hook", "Hooks", "Override", "Scope", "Variation", "at", "fault", "variation"]

S = TypeVar("S")
V = TypeVar("V")

Scope = Literal["always", "case", "sequence"]


@dataclass(frozen=True, eq=False)
class Hook(Generic[S, V]):
    """A decision that the server takes in a situation of type S, as a value of type V."""

    name: str


@dataclass(frozen=True)
class Override:
    """Another decision at one point: `alter(right, situation)` gives what is done instead, without side effects."""

    point: Hook[Any, Any]
    alter: Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Fault:
    """One deliberate deviation from the documented clauses.

    `scope` says when it acts: always, in one case only, or in one sequence of requests only.  `endless` marks a
    fault that shows nothing but a conference that never comes: no finite observation proves it, as no bound is
    documented.
    """

    name: str
    clauses: tuple[str, ...]
    title: str
    scope: Scope
    alterations: tuple[Override, ...]
    endless: bool = False


@dataclass(frozen=True)
class Variation:
    """One legal choice where the documentation is silent; `silence` names what is not said, by clause or section."""

    name: str
    silence: str
    title: str
    alterations: tuple[Override, ...]


def at(point: Hook[S, V], alter: Callable[[V, S], V]) -> Override:
    """The alteration of one point by a function from the right decision and its situation."""
    return Override(point, alter)


def fault(name: str, clauses: str, scope: Scope, title: str, *alterations: Override, endless: bool = False) -> Fault:
    """A fault; `clauses` are separated by spaces."""
    return Fault(name, tuple(clauses.split()), title, scope, alterations, endless)


def variation(name: str, silence: str, title: str, *alterations: Override) -> Variation:
    """A legal variation."""
    return Variation(name, silence, title, alterations)


class Hooks:
    """What a server decides, its variations and then its faults applied; counts the faults that made a difference."""

    def __init__(self, variations: Iterable[Variation], faults: Iterable[Fault]) -> None:
        self.fired: Counter[str] = Counter()
        faults = tuple(faults)
        self.names = frozenset(broken.name for broken in faults)
        self._altered: dict[Hook[Any, Any], list[tuple[str | None, Callable[[Any, Any], Any]]]] = {}
        for chosen in variations:
            self._add(None, chosen.alterations)
        for broken in faults:
            self._add(broken.name, broken.alterations)

    def _add(self, fault_name: str | None, alterations: tuple[Override, ...]) -> None:
        for alteration in alterations:
            self._altered.setdefault(alteration.point, []).append((fault_name, alteration.alter))

    def __call__(self, point: Hook[S, V], right: V, situation: S) -> V:
        """The decision at `point`: `right`, unless something alters it in this situation."""
        decided = right
        for fault_name, alter in self._altered.get(point, ()):
            other = alter(decided, situation)
            if fault_name is not None and other != decided:
                self.fired[fault_name] += 1
            decided = other
        return decided
