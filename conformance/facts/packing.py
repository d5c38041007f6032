"""Episodes at rest: as plain values, and as the few hundred bytes that each of many like it needs."""

from __future__ import annotations

import marshal
import zlib
from operator import attrgetter
from typing import Any

from conformance.facts.episode import Before, Episode, Observation, ObservedWrite, Streak, fingerprint_of
from conformance.facts.requested import RequestedConferencing
from conformance.facts.values import Evidence
from conformance.http.exchange import Request

__all__ = ["Packer", "flat", "unflat"]

_REQUEST = attrgetter("method", "url", "headers", "body")

#: Raw deflate in its first level that looks on for a longer match, and a window of 8 KiB: an episode and the one that
#: it is told by.
_LEVEL, _WINDOW, _MEMORY = 4, -13, 6


class Packer:
    """Where what rests is kept as bytes.

    What rests resembles what rests beside it: each is written by how it differs from the first one.
    """

    __slots__ = ("_first", "_interned", "_packer")

    def __init__(self) -> None:
        self._interned: tuple[Request, int | None] = (Request("GET", ""), None)
        self._first = b""
        self._packer: Any = None

    def interned(self, request: Request, status: int | None) -> tuple[Request, int | None]:
        """A request and its status; the same objects for what is asked the same way again and again."""
        interned, before = self._interned
        if request is not interned and (request != interned or status != before):
            self._interned = request, status
        return self._interned

    def pack(self, value: Any) -> bytes:
        """Plain values as bytes.  Raises ValueError for what is nested too deep."""
        plain = marshal.dumps(value)
        if self._packer is None:
            self._first = plain
            strategy = zlib.Z_DEFAULT_STRATEGY
            self._packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY, strategy, plain)
        packer = self._packer.copy()
        packed: bytes = packer.compress(plain) + packer.flush()
        return packed

    def unpack(self, packed: bytes) -> Any:
        """What `pack` was given."""
        # what is unpacked is what this process packed
        return marshal.loads(zlib.decompressobj(_WINDOW, self._first).decompress(packed))  # noqa: S302


def flat(episode: Episode) -> tuple[Any, ...]:
    """An episode at rest as plain values."""
    write, streak = episode.write, episode.streak
    assert streak is not None
    assert episode.settled is not None
    return (
        episode.number,
        None if write is None else (*write[:-2], tuple(write.requested), _evidence(write.evidence)),
        (*episode.before[:-1], episode.before.pending and tuple(episode.before.pending)),
        episode.stale_values,
        episode.readings,
        (
            _flat_observation(streak.observation),
            streak.key,
            streak.first_answered,
            streak.last_sent,
            _evidence(streak.last_evidence),
            streak.count,
        ),
        streak.fresh,
        [(_flat_observation(observation), key, fresh) for observation, key, fresh in episode.observed],
        _flat_observation(episode.settled),
        episode.settled_key,
        episode.assigned_at,
        episode.pending_again,
        episode.deviations,
        [_evidence(evidence) for evidence in episode.deviation_evidence],
        episode.settled_after,
        episode.last_sent,
        episode.timed,
    )


def unflat(values: tuple[Any, ...]) -> Episode:
    """The episode that `flat` was given."""
    number, write, before, known, readings, shown, fresh, seen, final, settled_key, *more = values
    assigned_at, pending_again, others, other, settled_after, last_sent_at, timed = more
    observation, key, first_answered, last_sent, last_evidence, count = shown
    last = _observation_of(observation)
    fingerprint = (key, fingerprint_of(last.item))
    streak = Streak(last, key, fingerprint, first_answered, last_sent, _evidence_of(last_evidence), count, fresh)
    return Episode(
        number=number,
        write=None
        if write is None
        else ObservedWrite._make((*write[:-2], RequestedConferencing(*write[-2]), _evidence_of(write[-1]))),
        before=Before._make((*before[:-1], before[-1] and RequestedConferencing(*before[-1]))),
        stale_values=known,
        readings=readings,
        streak=streak,
        observed=[(_observation_of(observation), key, fresh) for observation, key, fresh in seen],
        stable=streak,
        settled=_observation_of(final),
        settled_key=settled_key,
        assigned_at=assigned_at,
        pending_again=pending_again,
        deviations=others,
        deviation_evidence=[_evidence_of(evidence) for evidence in other],
        settled_after=settled_after,
        last_sent=last_sent_at,
        timed=timed,
        dirty=False,
    )


def _evidence(evidence: Evidence) -> tuple[Any, ...]:
    label, request, status, shown = evidence
    return label, _REQUEST(request), status, shown


def _evidence_of(values: tuple[Any, ...]) -> Evidence:
    label, request, status, shown = values
    return Evidence(label, Request(*request), status, shown)


def _flat_observation(observation: Observation) -> tuple[Any, ...]:
    return *observation[:-1], _evidence(observation.evidence)


def _observation_of(values: tuple[Any, ...]) -> Observation:
    return Observation._make((*values[:-1], _evidence_of(values[-1])))
