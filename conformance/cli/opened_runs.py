"""Runs of a recording as they are opened: read, redacted, counted, and without traffic with other APIs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from conformance import recordings
from conformance.facts import Settings
from conformance.facts.routes import route
from conformance.http.exchange import NOT_RECORDED, PASSED_OVER
from conformance.http.redaction.collecting import SecretCollector
from conformance.http.redaction.concealing import concealed
from conformance.http.redaction.personal import PersonalData
from conformance.judging.access import RefusedWrites
from conformance.recordings.origins import of_the_api

if TYPE_CHECKING:
    from conformance.http.exchange import Exchange
    from conformance.interrupts import Interruption
    from conformance.recordings import RecordingMetadata
    from conformance.recordings.heads import Selection

__all__ = ["OneRun", "OpenedRuns", "Span"]


@dataclass(frozen=True)
class OneRun:
    """One run: its files, its header if this suite recorded it, the ids of the rules that judge it, its settings.

    `selection` are the lines of its only file that a share of its accounts reads.
    """

    files: tuple[Path, ...]
    header: RecordingMetadata | None
    rules: frozenset[str]
    settings: Settings
    selection: Selection | None = None


@dataclass
class Span:
    """How many exchanges were read, and the first and last time in them, in seconds since the epoch."""

    count: int = 0
    first: float | None = None
    last: float | None = None

    def counting(self, exchanges: Iterable[Exchange], progress: Callable[[str], None]) -> Iterator[Exchange]:
        """The exchanges as they are, counted with those that are passed over."""
        passed = 0
        for exchange in exchanges:
            passed = exchange.passed[0]
            if exchange.request is not PASSED_OVER:
                self.count += 1
            for time in (exchange.sent_at, exchange.answered_at):
                if time is not None:  # of each exchange it is asked, and `min` and `max` take five times as long
                    if self.first is None or time < self.first:
                        self.first = time
                    if self.last is None or time > self.last:
                        self.last = time
            if self.count % 100 == 0:
                progress(f"{self.count + passed:,} exchanges, {exchange.label}")
            yield exchange
        self.count += passed

    def __add__(self, other: Span) -> Span:
        return Span(
            self.count + other.count,
            min((time for time in (self.first, other.first) if time is not None), default=None),
            max((time for time in (self.last, other.last) if time is not None), default=None),
        )


class OpenedRuns:
    """Opens runs, and gathers what is learnt of them while they are read: a `span`, and `writes` that were refused."""

    def __init__(
        self,
        secrets: SecretCollector,
        interruption: Interruption,
        progress: Callable[[str], None],
        *,
        redact_personal: bool = False,
    ) -> None:
        self.span, self.writes = Span(), RefusedWrites()
        self._secrets, self._interruption, self._progress = secrets, interruption, progress
        self._personal = PersonalData() if redact_personal else None

    def exchanges(self, run: OneRun) -> Iterator[Exchange]:
        """The exchanges of a run, or those that are selected."""
        if run.selection is not None:
            read = recordings.read(run.files[0], self._secrets.collect, run.selection)
        else:
            read = recordings.read_all(run.files, self._secrets.collect)
        read = self._secrets.redact_stream(self._interruption.until(_naming_what_is_missing(run.files, read)))
        exchanges: Iterable[Exchange] = self.span.counting(read, self._progress)
        personal = self._personal
        if personal is not None:
            exchanges = (concealed(exchange, personal.exchange) for exchange in exchanges)
        return self.writes.noting(of_the_api(exchanges, naming=True) if run.header is None else exchanges)


class UnrecordedWarning(UserWarning):
    """A recorder left out bodies of calls of the API."""


def _naming_what_is_missing(files: tuple[Path, ...], exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
    """The exchanges as they are; warns once of requests, and once of responses, whose bodies were left out.

    Those in a coding that is not undone are named when they are read.
    """
    named: set[str] = set()
    for exchange in exchanges:
        for name, value in exchange.notes:
            part = name.removesuffix("-body")
            if value != NOT_RECORDED or part in named or _is_other(exchange):
                continue
            if not any(other == f"{part}-coding" for other, _ in exchange.notes):
                named.add(part)
                place = files[0] if len(files) == 1 else str(files[0]).rpartition("/")[0]
                advice = f"{place}: {part}s without their bodies were recorded, and prove nothing; record bodies too"
                warnings.warn(advice, UnrecordedWarning, stacklevel=2)
        yield exchange


def _is_other(exchange: Exchange) -> bool:
    return route(exchange.request.method, exchange.request.url).name == "other"
