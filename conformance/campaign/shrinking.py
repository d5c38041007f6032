"""Counterexamples made small: the shortest scenario that still shows a failure, tried on the subject itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace

from conformance.campaign.hearing import Hearing
from conformance.campaign.reduction import smallest_history
from conformance.campaign.session import Session
from conformance.exchange import Exchange
from conformance.judgement import Violation
from conformance.rules import Rule, load
from conformance.scenarios import Life, Move, Plan

__all__ = ["SEARCH_REQUESTS", "Counterexample", "counterexamples", "simpler"]

#: What the search may send in all.
SEARCH_REQUESTS = 240

#: How many rounds of tries the search takes, and how many tries a rule has in each.
_ROUNDS, _TRIES = 4, 14

#: Seconds after which no other round begins, where time costs something.
_PATIENCE = 30.0

#: How many rules are looked into; the others most often fail for the same reasons.
_RULES = 12


@dataclass(frozen=True)
class Counterexample:
    """The smallest scenario found for a failed rule, and the fewest exchanges that show the failure.

    `lives` is empty where the failure is not about what became of an event; `replayed` says that the scenario was
    tried on the subject, not only cut out of what was recorded.
    """

    rule: str
    title: str
    about: str
    message: str
    lives: tuple[Life, ...]
    exchanges: tuple[Exchange, ...]
    replayed: bool


@dataclass(slots=True)
class _Search:
    """What is known of one failed rule: the smallest life so far, and where it was seen to fail."""

    rule: Rule
    life: Life | None
    violation: Violation
    hearing: Hearing
    replayed: bool = False
    done: bool = False


async def counterexamples(session: Session, hearing: Hearing, planned: Plan) -> tuple[Counterexample, ...]:
    """A counterexample for each rule that failed in `hearing`.

    On this machine scenarios are made shorter and tried again, within a budget of requests; elsewhere, or when that is
    spent, the recorded history is cut down and nothing is sent.
    """
    rules = {rule.id: rule for rule in load()}
    by_event = {session.run.event_id(life): life for life in planned.lives if not life.event}
    searches = [
        _begun(rules[name], violations, by_event, hearing)
        for name, violations in list(hearing.failed.items())[:_RULES]
        if violations and name in rules
    ]
    if session.subject.loopback:
        await _shrink(session, searches)
    return tuple(_found(search, session) for search in searches)


def _begun(rule: Rule, violations: list[Violation], by_event: Mapping[str, Life], hearing: Hearing) -> _Search:
    known = [violation for violation in violations if violation.event in by_event]
    if rule.about not in ("write", "conferencing") or not known:
        return _Search(rule, None, violations[0], hearing)
    shortest = min(known, key=lambda violation: _size(by_event[violation.event or ""]))
    return _Search(rule, by_event[shortest.event or ""], shortest, hearing)


async def _shrink(session: Session, searches: list[_Search]) -> None:
    """Rounds of tries: in each, all searches try what would be simpler, side by side."""
    until = session.transport.sent + SEARCH_REQUESTS
    clock = session.transport.clock
    patience = clock.now() + (math.inf if clock.virtual else _PATIENCE)
    number = 0
    for round_number in range(_ROUNDS):
        tries: dict[str, tuple[_Search, Life]] = {}
        cost = 0
        for search in searches:
            for candidate in _candidates(search, round_number):
                cost += len(candidate.moves) + 1
                if session.transport.sent + 2 * cost > until:
                    break
                number += 1
                life = replace(candidate, id=f"t{number:03d}", theme="try")
                tries[session.run.event_id(life)] = (search, life)
        if not tries or clock.now() > patience:
            return
        hearing = session.fresh_hearing()
        await session.try_lives(hearing, tuple(life for _, life in tries.values()))
        for search in searches:
            _learn(search, hearing, tries)


def _candidates(search: _Search, round_number: int) -> list[Life]:
    if search.life is None or search.done:
        return []
    found = list(dict.fromkeys(simpler(search.life, parts=round_number % 2 == 0)))
    return sorted(found, key=_size)[:_TRIES]


def _learn(search: _Search, hearing: Hearing, tries: Mapping[str, tuple[_Search, Life]]) -> None:
    failed = []
    for violation in hearing.failed.get(search.rule.id, ()):
        owner, life = tries.get(violation.event or "", (None, None))
        if owner is search and life is not None:
            failed.append((life, violation))
    if failed:
        search.life, search.violation = min(failed, key=lambda pair: _size(pair[0]))
        search.hearing, search.replayed = hearing, True


def simpler(life: Life, *, parts: bool) -> Iterator[Life]:
    """Lives that are simpler than this one: with fewer moves (`parts`), or with plainer ones."""
    moves = life.moves
    if parts:
        for end in range(1, len(moves)):
            yield from _valid(life, moves[:end])
            yield from _valid(life, moves[end:])
        for place in range(len(moves)):
            yield from _valid(life, (moves[place],))
            yield from _valid(life, moves[:place] + moves[place + 1 :])
        for first in range(len(moves)):
            for second in range(first + 1, len(moves)):
                yield from _valid(life, (moves[first], moves[second]))
        return
    plain = tuple(_plain(move) for move in moves)
    if plain != moves:
        yield replace(life, moves=plain)
    for place, move in enumerate(moves):
        for name in ("changes", "start", "form", "text", "url", "stray", "hasty"):
            usual = getattr(Move(move.kind), name)
            if getattr(move, name) != usual:
                yield replace(life, moves=(*moves[:place], replace(move, **{name: usual}), *moves[place + 1 :]))
        if move.kind in ("default", "integrated", "profile") and move != _plain(move):
            yield replace(life, moves=(*moves[:place], Move("explicit"), *moves[place + 1 :]))


def _valid(life: Life, moves: tuple[Move, ...]) -> Iterator[Life]:
    if moves and moves[0].kind != "delete" and len(moves) < len(life.moves):
        yield replace(life, moves=(replace(moves[0], hasty=False), *moves[1:]))


def _plain(move: Move) -> Move:
    return Move(move.kind, flaw=move.flaw, profile=move.profile)


def _size(life: Life) -> tuple[int, int]:
    """How much there is to understand: the moves, then what in them is not as usual."""
    unusual = sum(
        getattr(move, one.name) != getattr(Move(move.kind), one.name) for move in life.moves for one in fields(Move)
    )
    return len(life.moves), unusual


def _found(search: _Search, session: Session) -> Counterexample:
    exchanges: Iterable[Exchange] = smallest_history(
        search.hearing.exchanges, search.rule, search.violation, session.settings
    )
    return Counterexample(
        search.rule.id,
        search.rule.title,
        search.rule.about,
        search.violation.message,
        (search.life,) if search.life is not None else (),
        tuple(exchanges),
        search.replayed,
    )
