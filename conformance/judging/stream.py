"""A hearing: what is observed of some exchanges, and what the rules make of it, while they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from conformance.facts import Facts, Observer, Settings
from conformance.http.exchange import Exchange
from conformance.judging.verdict import Verdict, Violation

__all__ = ["Hearing"]


class Hearing:
    """Observes exchanges and judges what becomes known: closed facts count, open ones tell early what will fail."""

    def __init__(self, settings: Settings, judge: Callable[[Facts], tuple[Verdict, ...]]) -> None:
        self.observer = Observer(settings)
        self.judge = judge
        self.verdicts: list[Verdict] = []
        self.failed: dict[str, list[Violation]] = {}
        self.exchanges: list[Exchange] = []
        self.first_failure: int | None = None

    def add(self, exchange: Exchange) -> None:
        """Take one more exchange, in the order sent."""
        self.exchanges.append(exchange)
        self.observer.add(exchange)

    def advance(self) -> list[Facts]:
        """Nothing is in flight: judge what became known, and give it."""
        self.observer.advance()
        facts = self.observer.changed()
        self._judge(facts)
        return facts

    def close(self) -> None:
        """Nothing more comes: judge all that was still open."""
        self.advance()
        self.observer.close()
        self._judge(self.observer.changed())

    def _judge(self, facts: Iterable[Facts]) -> None:
        for one in facts:
            for verdict in self.judge(one):
                if verdict.outcome == "failed":
                    self.first_failure = self.first_failure or len(self.exchanges)
                    violations = self.failed.setdefault(verdict.rule, [])
                    if one.closed and verdict.violation is not None:
                        violations.append(verdict.violation)
                if one.closed:
                    self.verdicts.append(verdict)
