"""Judging traffic without an end: what fails is told as it comes, and memory stays bounded."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable

from conformance.contract.rules import Rule
from conformance.facts import Facts, Settings
from conformance.facts.forgetting import Forgetting
from conformance.http.exchange import Exchange
from conformance.judging.judge import Judge
from conformance.judging.report import Report
from conformance.judging.stream import LiveJudge
from conformance.judging.verdict import Verdict

__all__ = ["UnendingJudge"]

#: Seconds that an exchange may come late, since a line is written when its answer came.
HOLD = 5.0
#: Exchanges that are held back at most, to be put in the order in which they were sent.
_MOST_HELD = 10_000
#: How many sweeps there are in the time after which an event is forgotten.
_SWEEPS = 4
_METHODS_OF_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class UnendingJudge:
    """Observes exchanges as they come, in nearly the order in which they were sent, and judges what becomes known.

    `failed` is called with each failing verdict once, as soon as no later exchange can change it.  Events at rest for
    `forget` seconds are closed and dropped.  `late` counts the exchanges that came too late: a reading is left out, and
    after a write nothing is known of any event.
    """

    def __init__(
        self, rules: Iterable[Rule], settings: Settings, forget: float, failed: Callable[[Verdict], None]
    ) -> None:
        self.late = 0
        self._live = LiveJudge(settings, Judge(tuple(rules)), keep=False, revisions=True, on_judged=self._tell)
        self._failed = failed
        self._forgetting = Forgetting(forget)
        self._swept = -math.inf
        self._held: list[tuple[float, int, Exchange]] = []
        self._number = 0
        self._newest = self._released = -math.inf
        self._reported: dict[tuple[str, ...], set[str]] = {}

    def add(self, exchange: Exchange) -> None:
        """Take one more exchange."""
        self._number += 1
        sent = self._newest if exchange.sent_at is None else exchange.sent_at
        heapq.heappush(self._held, (sent, self._number, exchange))
        self._newest = max(self._newest, sent, exchange.answered_at or sent)
        self._release(self._newest - HOLD)
        if self._newest - self._swept > self._forgetting.seconds / _SWEEPS:
            self._sweep()

    def rest(self) -> None:
        """Nothing came for HOLD seconds: what is held back counts."""
        self._release(math.inf)
        self._live.advance()

    def report(self) -> Report:
        """The report so far, on what is closed."""
        return self._live.report

    def close(self) -> Report:
        """Nothing more comes: the report on everything."""
        self._release(math.inf)
        self._live.close()
        return self.report()

    def _release(self, until: float) -> None:
        held = self._held
        while held and (held[0][0] <= until or len(held) > _MOST_HELD):
            sent, _, exchange = heapq.heappop(held)
            if sent >= self._released:
                self._released = sent
                self._live.add(exchange)
            else:
                self.late += 1
                if exchange.request.method not in _METHODS_OF_READS:
                    self._live.observer.forget()
                    self._live.judge_known()

    def _sweep(self) -> None:
        first = self._swept == -math.inf
        self._swept = self._newest
        if not first:
            self._live.sweep(self._forgetting, self._newest)

    def _tell(self, facts: Facts, judgement: tuple[Verdict, ...]) -> None:
        reported = self._reported.pop(facts.key, set())
        for verdict in judgement:
            if verdict.outcome == "failed" and verdict.rule not in reported:
                reported.add(verdict.rule)
                self._failed(verdict)
        if reported and not facts.closed:
            self._reported[facts.key] = reported
