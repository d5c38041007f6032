"""Hypothesis strategies for lives beyond the core table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from conformance.scenarios.core import LONGEST
from conformance.scenarios.drawing import drawn
from conformance.scenarios.model import FLAWS, FORMS, KINDS, STARTS, STRAYS, TEXTS, URLS, Life, Move
from conformance.world import Account, World

__all__ = ["explore", "lives", "moves"]

_CHANGES = (("summary",), ("summary",), (), ("description",), ("time",), ("summary", "time"), ("location",))


def lives(world: World, longest: int = LONGEST) -> st.SearchStrategy[Life]:
    """Lives of one event each, on any calendar of `world` that may be written to; they shrink to one plain write."""
    accounts = {account.name: account for account, _ in world.places}
    places = st.sampled_from([(account.name, calendar.calendar_id) for account, calendar in world.places])
    return places.flatmap(
        lambda place: st.lists(moves(accounts[place[0]]), min_size=1, max_size=longest).map(
            lambda drawn: Life("x", place[0], place[1], _in_order(drawn), "explored")
        )
    )


def moves(account: Account) -> st.SearchStrategy[Move]:
    """Single writes as an account may ask for them; rare choices are drawn rarely."""
    kinds = [kind for kind in (*KINDS, *KINDS, "invalid") if kind != "profile" or account.profiles]
    return st.builds(
        _move,
        kind=st.sampled_from(kinds),
        changes=st.sampled_from(_CHANGES),
        start=_mostly("future", STARTS),
        form=_mostly("utc", FORMS),
        text=_mostly("plain", TEXTS),
        url=st.sampled_from([*URLS, "again", "room"]),
        stray=_mostly("", STRAYS),
        flaw=st.sampled_from(FLAWS),
        profile=st.integers(0, max(0, len(account.profiles or ()) - 1)),
        hasty=_mostly(False, (True,)),
    )


def explore(world: World, examples: int, number: int) -> tuple[Life, ...]:
    """`examples` lives at most, each only once, the same for the same `number`."""
    found: dict[tuple[Any, ...], Life] = {}
    for life in drawn(lives(world), examples, number):
        found.setdefault((life.account, life.calendar_id, life.moves), life)
    return tuple(replace(life, id=f"x{place:03d}") for place, life in enumerate(found.values(), 1))


def _mostly(usual: Any, rare: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([usual] * 4 + list(rare))


def _move(**drawn: Any) -> Move:
    """A move in which only those choices differ from the usual that its kind has a use for."""
    kind = drawn["kind"]
    if kind == "delete":
        return Move("delete", hasty=drawn["hasty"])
    unused = {
        "url": kind != "explicit" and not drawn["stray"],
        "stray": kind in ("explicit", "nothing", "invalid"),
        "flaw": kind != "invalid",
        "profile": kind != "profile",
    }
    usual = Move(kind)
    return Move(**{name: getattr(usual, name) if unused.get(name) else value for name, value in drawn.items()})


def _in_order(drawn: list[Move]) -> tuple[Move, ...]:
    """The moves as one life: it begins with a creation that waits for nothing, and deletes only what is there."""
    kept: list[Move] = []
    for move in drawn:
        if move.kind == "delete" and (not kept or kept[-1].kind == "delete"):
            continue
        kept.append(replace(move, hasty=move.hasty and bool(kept)))
    return tuple(kept) or (Move("explicit"),)
