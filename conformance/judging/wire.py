"""The wire, judged while exchanges pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from conformance.clients.certificate import Judging
from conformance.contract.rules import Rule
from conformance.facts import Observer, Settings
from conformance.http.exchange import Exchange
from conformance.judging.judge import Judge

__all__ = ["Wire"]


class Wire:
    """What passes: `sink` is given each exchange, `judging` has what the rules made of all of them."""

    def __init__(self, rules: Iterable[Rule], settings: Settings, sink: Callable[[Exchange], None]) -> None:
        self.rules = tuple(rules)
        self.observer = Observer(settings)
        self.judging = Judging(self.rules)
        self._judge = Judge(self.rules)
        self._sink = sink

    def seen(self, exchange: Exchange) -> None:
        """Take one more exchange, in the order sent."""
        self.observer.add(exchange)
        self._sink(exchange)
        self.judging.requests += 1
        self.judging.exchanges += 1
        self._judged()

    def close(self) -> None:
        """Nothing more passes: judge what was still open."""
        self.observer.close()
        self._judged()

    def _judged(self) -> None:
        for facts in self.observer.changed():
            if facts.closed:
                self.judging.add(self._judge(facts))
