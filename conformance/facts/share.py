"""A share of the accounts of a recording: facts are made of these alone, with what they take from others.

What crosses accounts is little.  Writes, lists and notifications of all accounts are followed in every share, so that
who wrote which event and who was given which URL is known as if there were one.  Readings of others are passed over:
what they would add is how slowly their events settle, and which generated URLs they show.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import structs

from conformance.facts.values import WINDOW_LIMIT, Facts, Settings
from conformance.facts.window import Window, window_of

__all__ = ["Crossing", "Place", "Share", "Taken", "are_entangled", "unmet"]

#: A moment of the fold, which orders facts of all shares: the number of an exchange, then what became known by it.
Place = tuple[float, ...]

#: Seconds within which two lengths of a window count as one: sums of times are rounded.
_ROUNDING = 1e-6


class Crossing(NamedTuple):
    """What one share tells the others: when an episode settled more slowly than any before, and in how many seconds.

    `relied` are the places at which an answer held only up to a length of the window, with that length; `shown` the
    digests of generated URLs that its events show; `is_entangled` says that a token of another share is of an account
    of this one.
    """

    settled: tuple[tuple[Place, float], ...] = ()
    relied: tuple[tuple[Place, float], ...] = ()
    shown: frozenset[int] = frozenset()
    is_entangled: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """The `accounts` of one share, and those of the `others`; what is of no account in either is of the first share.

    `settled` is what the others told of their settling when they were judged before.
    """

    accounts: frozenset[str]
    others: frozenset[str]
    is_first: bool
    settled: tuple[tuple[Place, float], ...] = ()

    def has(self, account: str | None) -> bool:
        """Whether facts are made of an account; None stands for what has none."""
        return account in self.accounts or (self.is_first and account not in self.others)


@dataclass(slots=True)
class Taken:
    """What a share takes from outside of it while it is folded, and where the fold is."""

    share: Share
    window: Window
    place: Place = ()
    _placed: int = 0
    _settled: list[tuple[Place, float]] = field(default_factory=list)
    _relied: list[tuple[Place, float]] = field(default_factory=list)
    _shown: set[int] = field(default_factory=set)
    _entangled: bool = False
    _known: int = 0

    def __post_init__(self) -> None:
        self.window.on_settling = lambda seconds: self._settled.append((self.place, seconds))
        self.window.rely = self._rely

    def move(self, place: Place, out: list[Facts]) -> None:
        """The fold goes on to `place`: facts in `out` that came since the last move have come where it was."""
        if len(out) != self._placed:
            self.stamp(out)
        self.place = place
        known = self.share.settled
        while self._known < len(known) and known[self._known][0] < place:
            self.window.grow(known[self._known][1])
            self._known += 1

    def stamp(self, out: list[Facts]) -> None:
        """Say of the facts in `out` that have come since the last call where they came."""
        for facts in out[self._placed :]:
            structs.force_setattr(facts, "place", self.place)  # a copy of each would take five times as long
        self._placed = len(out)

    def restart(self) -> None:
        """The facts that came were taken out."""
        self._placed = 0

    def show(self, url: str) -> None:
        """An event shows a URL that none was given."""
        self._shown.add(int.from_bytes(hashlib.blake2b(url.encode("utf-8", "replace"), digest_size=8).digest(), "big"))

    def note_tokens(self, names: Iterable[str]) -> None:
        """These tokens are of one account."""
        if len({self.share.has(name) for name in names}) > 1:
            self.entangle()

    def entangle(self) -> None:
        """What became of this share concerns the others in a way that is not told."""
        self._entangled = True

    def _rely(self, seconds: float) -> None:
        """An answer holds while the window is no longer than so: of later places only shorter lengths say more."""
        if seconds >= WINDOW_LIMIT + _ROUNDING:
            return
        relied = self._relied
        while relied and relied[-1][1] >= seconds:
            relied.pop()
        relied.append((self.place, seconds))

    @property
    def crossing(self) -> Crossing:
        """What there is to tell the other shares."""
        return Crossing(tuple(self._settled), tuple(self._relied), frozenset(self._shown), self._entangled)


def are_entangled(crossings: Sequence[Crossing]) -> bool:
    """Whether shares have to do with each other in more than the window: an account or a generated URL of both."""
    shown = sum(len(one.shown) for one in crossings)
    return any(one.is_entangled for one in crossings) or shown > len(
        frozenset().union(*(one.shown for one in crossings))
    )


def unmet(crossings: Sequence[Crossing], settings: Settings) -> dict[int, tuple[tuple[Place, float], ...]]:
    """The shares, by number, that relied on a shorter window than all of them ask for, with what the others told."""
    found = {}
    for number, one in enumerate(crossings):
        others = sorted(pair for other in crossings if other is not one for pair in other.settled)
        slowest, known = 0.0, 0
        for place, limit in one.relied:
            while known < len(others) and others[known][0] < place:
                slowest = max(slowest, others[known][1])
                known += 1
            window = window_of(settings, slowest)
            if limit < window + _ROUNDING and window > window_of(settings, 0.0):
                found[number] = tuple(others)
                break
    return found
