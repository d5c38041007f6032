"""The live judge: exchanges are observed, judged and counted while they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from conformance.errors import place_of
from conformance.facts import Facts, Observer, Settings
from conformance.http.exchange import Exchange
from conformance.judging.exercised import ExerciseLog
from conformance.judging.report import Report
from conformance.judging.verdict import Verdict, Violation

__all__ = ["LiveJudge"]

#: Judgements that wait to be folded into the report.
_BATCH = 500

#: How many exchanges that could not be judged are named.
_UNJUDGED = 5


class LiveJudge:
    """Observes exchanges and judges what becomes known; verdicts on closed facts are counted in `report`.

    With `keep`, `exchanges` and the violations in `failed` are kept, and facts that are still open are judged too,
    which tells early what will fail.  Without it memory follows the open episodes only.  `sink` is given each exchange.
    """

    def __init__(
        self,
        settings: Settings,
        judge: Callable[[Facts], tuple[Verdict, ...]],
        *,
        keep: bool = True,
        sink: Callable[[Exchange], None] = lambda _: None,
    ) -> None:
        self.observer = Observer(settings, revisions=keep)
        self.judge = judge
        self.failed: dict[str, list[Violation]] = {}
        self.exchanges: list[Exchange] = []
        self.first_failure: int | None = None
        self._unjudged: dict[str, None] = {}
        self._keep = keep
        self._sink = sink
        self._report = Report()
        self._judgements: list[tuple[Verdict, ...]] = []
        self._log = ExerciseLog()

    def add(self, exchange: Exchange) -> None:
        """Take one more exchange, in the order sent."""
        try:
            self.observer.add(exchange)
        except Exception as error:  # noqa: BLE001 - whatever a server answers, the others are judged
            self._forget(exchange.label, error)
        self._sink(exchange)
        if self._keep:
            self.exchanges.append(exchange)
        else:
            self._judge(self.observer.closed())

    def advance(self) -> list[Facts]:
        """Nothing is in flight: judge what became known, and return it."""
        try:
            self.observer.advance()
            facts = self.observer.changed()
        except Exception as error:  # noqa: BLE001
            self._forget("a reading", error)
            return []
        self._judge(facts)
        return facts

    def close(self) -> None:
        """Nothing more comes: judge all that was still open."""
        self.advance()
        try:
            self.observer.close()
            facts = self.observer.changed()
        except Exception as error:  # noqa: BLE001
            self._forget("what was still open", error)
            return
        self._judge(facts)

    @property
    def unjudged(self) -> tuple[str, ...]:
        """What could not be observed or judged, a sentence each: nothing is known of it, and the rest is judged."""
        return tuple(f"{what} could not be judged" for what in self._unjudged)

    def _forget(self, what: str, error: Exception) -> None:
        if len(self._unjudged) < _UNJUDGED:
            self._unjudged[f"{what} ({place_of(error)})"] = None
        self.observer.forget()

    def count(self, judgement: tuple[Verdict, ...]) -> None:
        """Count the verdicts on one closed facts document."""
        self._judgements.append(judgement)
        if len(self._judgements) >= _BATCH:
            self._fold()

    @property
    def report(self) -> Report:
        """The report so far, on the rules that applied."""
        self._fold()
        return self._report.with_exchanges(self.observer.exchanges).with_exercised(self._log.taken)

    def _fold(self) -> None:
        self._report = self._report.with_judgements(self._judgements)
        self._judgements = []

    def _judge(self, facts: Iterable[Facts]) -> None:
        for one in facts:
            try:
                judgement = self.judge(one)
            except Exception as error:  # noqa: BLE001
                label = one.evidence[0].label if one.evidence else one.about
                self._forget(label, error)
                continue
            for verdict in judgement:
                if verdict.outcome == "failed":
                    self.first_failure = self.first_failure or self.observer.exchanges
                    if self._keep:
                        violations = self.failed.setdefault(verdict.rule, [])
                        if one.closed and verdict.violation is not None:
                            violations.append(verdict.violation)
            if one.closed:
                self._log.note(one, judgement)
                self.count(judgement)
