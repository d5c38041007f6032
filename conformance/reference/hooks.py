"""The decisions of the reference server, and how faults and variations change them.

At each `Hook` the server computes the decision that follows the documentation.  A fault or a legal variation is a set
of overrides: functions from that decision and its situation to another decision.  So the server's code does not know
the faults, and a fault has made a difference when the two decisions differ.
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
    """Another decision at one hook: `alter(right, situation)` returns it, and has no side effects."""

    hook: Hook[Any, Any]
    alter: Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Fault:
    """One deliberate defect: a deviation from the documented clauses.

    `scope` says when it shows: `always`, in one `case`, or in one `sequence` of requests.  `endless` marks a fault
    that no finite observation proves, as no limit of time or number is documented: a conference or a notification that
    never comes, or notifications that never end.
    """

    name: str
    clauses: tuple[str, ...]
    title: str
    scope: Scope
    overrides: tuple[Override, ...]
    endless: bool = False


@dataclass(frozen=True)
class Variation:
    """One legal choice where the documentation is silent; `silence` is the clause or section that leaves it open."""

    name: str
    silence: str
    title: str
    overrides: tuple[Override, ...]


def at(hook: Hook[S, V], alter: Callable[[V, S], V]) -> Override:
    """The override of one hook, by a function of the right decision and its situation."""
    return Override(hook, alter)


def fault(name: str, clauses: str, scope: Scope, title: str, *overrides: Override, endless: bool = False) -> Fault:
    """A fault; `clauses` are separated by spaces."""
    return Fault(name, tuple(clauses.split()), title, scope, overrides, endless)


def variation(name: str, silence: str, title: str, *overrides: Override) -> Variation:
    """A legal variation."""
    return Variation(name, silence, title, overrides)


class Hooks:
    """The decisions of one server: first its variations apply, then its faults.

    `names` are the faults; `fired` counts how often each made a difference.
    """

    def __init__(self, variations: Iterable[Variation], faults: Iterable[Fault]) -> None:
        self.fired: Counter[str] = Counter()
        chosen = tuple(faults)
        self.names = frozenset(each.name for each in chosen)
        self._overrides: dict[Hook[Any, Any], list[tuple[str | None, Callable[[Any, Any], Any]]]] = {}
        for name, overrides in (
            *((None, each.overrides) for each in variations),
            *((each.name, each.overrides) for each in chosen),
        ):
            for override in overrides:
                self._overrides.setdefault(override.hook, []).append((name, override.alter))

    def __call__(self, hook: Hook[S, V], right: V, situation: S) -> V:
        """The decision at a hook: `right`, unless something overrides it in this situation."""
        decided = right
        for fault_name, alter in self._overrides.get(hook, ()):
            other = alter(decided, situation)
            if fault_name is not None and other != decided:
                self.fired[fault_name] += 1
            decided = other
        return decided
