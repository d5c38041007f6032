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

    __slots__ = ("_alike", "_first", "_packer")

    def __init__(self) -> None:
        self._alike: tuple[Request, int | None] = (Request("GET", ""), None)
        self._first = b""
        self._packer: Any = None

    def alike(self, request: Request, status: int | None) -> tuple[Request, int | None]:
        """A request and its status; the same objects for what is asked the same way again and again."""
        alike, before = self._alike
        if request is not alike and (request != alike or status != before):
            self._alike = request, status
        return self._alike

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
    write, run = episode.write, episode.run
    assert run is not None
    assert episode.settled is not None
    return (
        episode.number,
        None if write is None else (*write[:-2], tuple(write.asked), _evidence(write.evidence)),
        (*episode.before[:-1], episode.before.pending and tuple(episode.before.pending)),
        episode.stale_values,
        episode.readings,
        (_sight(run.sight), run.key, run.first_answered, run.last_sent, _evidence(run.last_evidence), run.count),
        run.fresh,
        [(_sight(sight), key, fresh) for sight, key, fresh in episode.observed],
        _sight(episode.settled),
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
    sight, key, first_answered, last_sent, last_evidence, count = shown
    last = _sight_of(sight)
    fingerprint = (key, fingerprint_of(last.item))
    run = Streak(last, key, fingerprint, first_answered, last_sent, _evidence_of(last_evidence), count, fresh)
    return Episode(
        number=number,
        write=None
        if write is None
        else ObservedWrite._make((*write[:-2], RequestedConferencing(*write[-2]), _evidence_of(write[-1]))),
        before=Before._make((*before[:-1], before[-1] and RequestedConferencing(*before[-1]))),
        stale_values=known,
        readings=readings,
        run=run,
        observed=[(_sight_of(sight), key, fresh) for sight, key, fresh in seen],
        stable=run,
        settled=_sight_of(final),
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


def _sight(sight: Observation) -> tuple[Any, ...]:
    return *sight[:-1], _evidence(sight.evidence)


def _sight_of(values: tuple[Any, ...]) -> Observation:
    return Observation._make((*values[:-1], _evidence_of(values[-1])))
