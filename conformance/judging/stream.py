"""The live judge: exchanges are observed, judged and counted while they come, and none of them ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, TypeVarTuple

from conformance.errors import place_of
from conformance.facts import Facts, Observer, Settings
from conformance.facts.forgetting import Forgetting
from conformance.facts.share import Share
from conformance.http.exchange import Exchange
from conformance.http.redaction.concealing import left_out
from conformance.judging.exercised import ExerciseLog, Noted
from conformance.judging.memo import REPEATED
from conformance.judging.report import Report, Unjudged
from conformance.judging.verdict import Verdict, Violation

__all__ = ["LiveJudge"]

T = TypeVar("T")
Given = TypeVarTuple("Given")

#: Different judgements that wait to be folded into the report.
_BATCH = 500

#: How many documents are known again as the very objects that they are.
_SAME = 1024


@dataclass(slots=True)
class _Counted:
    """A judgement, what failed in it, its outcomes as the log of what is exercised has them, and how often it came."""

    judgement: tuple[Verdict, ...]
    failed: tuple[Verdict, ...]
    outcomes: int
    times: int = 0


@dataclass(frozen=True, slots=True)
class _Same:
    """A document on which nothing failed, what its judgement is counted in, and what the log of it is told by."""

    document: dict[str, Any]
    counted: _Counted
    noted: Noted | None


class LiveJudge:
    """Observes exchanges and judges what becomes known; verdicts on closed facts are counted in `report`.

    With `keep`, `exchanges` and the violations in `failed` are kept, and facts are judged at `advance`.  Without it
    memory follows the open episodes only.  With `revisions` facts that are still open are judged too, which tells early
    what will fail.  `sink` is given each exchange, and `on_judged` all facts with the verdicts on them; without
    `keep` those alone whose document did not come before as the very object that it is, with nothing failing.
    What cannot be observed or judged is named in the report, and the rest is judged.  With a `share`, facts are of its
    accounts alone.
    """

    def __init__(
        self,
        settings: Settings,
        judge: Callable[[Facts], tuple[Verdict, ...]],
        *,
        keep: bool = True,
        revisions: bool | None = None,
        share: Share | None = None,
        sink: Callable[[Exchange], None] = lambda _: None,
        on_judged: Callable[[Facts, tuple[Verdict, ...]], None] = lambda _facts, _verdicts: None,
    ) -> None:
        self.observer = Observer(settings, revisions=keep if revisions is None else revisions, share=share)
        self.judge = judge
        self.failed: dict[str, list[Violation]] = {}
        self.exchanges: list[Exchange] = []
        self.first_failure: int | None = None
        self._keep = keep
        self._sink, self._on_judged = sink, on_judged
        self._label = "the first exchange"
        self._report = Report()
        self._counted: dict[int, _Counted] = {}
        self._same: dict[int, _Same] = {}
        self._log = ExerciseLog()

    def add(self, exchange: Exchange) -> None:
        """Take one more exchange, in the order sent."""
        self._label = exchange.label
        reason = left_out(exchange) if exchange.notes else None
        if reason is None:
            known = self._observed(self._take, exchange)
        else:
            known = None
            self._lose(Unjudged(exchange.label, reason))
        self._sink(exchange)
        if self._keep:
            self.exchanges.append(exchange)
        elif known is None:
            self.judge_known()
        else:
            self._judge(known)

    def _take(self, exchange: Exchange) -> list[Facts]:
        """What becomes known with an exchange; nothing yet where it is to be judged later."""
        self.observer.add(exchange)
        return [] if self._keep else self.observer.changed()

    def advance(self) -> list[Facts]:
        """Nothing is in flight: judge what became known, and return it."""
        self._observed(self.observer.advance)
        return self.judge_known()

    def judge_known(self) -> list[Facts]:
        """Judge what became known, whatever is in flight, and return it."""
        known = self._observed(self.observer.changed) or []
        if known:
            self._judge(known)
        return known

    def sweep(self, forgetting: Forgetting, now: float) -> None:
        """Let go of the events and accounts that have been at rest for so long."""
        gone: list[str] = []
        self._observed(lambda: gone.extend(self.observer.sweep(forgetting, now)))
        self.judge_known()
        self._log.forget(gone)
        self._same.clear()

    def close(self) -> None:
        """Nothing more comes: judge all that was still open."""
        self.advance()
        for end in self.observer.endings():
            try:
                facts = end()
            except Exception as error:  # noqa: BLE001 - whatever cannot be closed, the rest is
                self.pass_over(self._label, error)
                continue
            self._judge(facts)

    def pass_over(self, label: str, error: Exception) -> None:
        """What this exchange shows could not be judged: it is named in the report."""
        self._report = self._report.with_unjudged(Unjudged(label, place_of(error)))

    def _lose(self, unjudged: Unjudged) -> None:
        """An exchange could not be observed: nothing is known of any event any more, and nobody is accused of it."""
        self._report = self._report.with_unjudged(unjudged)
        self.observer.forget()

    def _observed(self, observe: Callable[[*Given], T], *given: *Given) -> T | None:
        try:
            return observe(*given)
        except Exception as error:  # noqa: BLE001 - whatever a server answers, the others are judged
            self._lose(Unjudged(self._label, place_of(error)))
            return None

    def _note_failures(self, facts: Facts, failed: Iterable[Verdict]) -> None:
        self.first_failure = self.first_failure or self.observer.exchanges
        for verdict in failed if self._keep else ():
            violations = self.failed.setdefault(verdict.rule, [])
            if facts.closed and verdict.violation is not None:
                violations.append(verdict.violation)

    def count(self, judgement: tuple[Verdict, ...]) -> None:
        """Count the verdicts on one closed facts document."""
        self._known(judgement).times += 1

    def _known(self, judgement: tuple[Verdict, ...]) -> _Counted:
        """What is known of a judgement: most come again, as the same value."""
        counted = self._counted.get(id(judgement))
        if counted is None:
            if len(self._counted) >= _BATCH:
                self._fold()
            failed = tuple([verdict for verdict in judgement if verdict.outcome == "failed"])
            counted = _Counted(judgement, failed, self._log.number_of(judgement))
            self._counted[id(judgement)] = counted  # with the judgement, so that no other takes its id
        return counted

    @property
    def report(self) -> Report:
        """The report so far, on the rules that applied."""
        self._fold()
        return self._report.with_exchanges(self.observer.exchanges).with_exercised(self._log.taken)

    def _fold(self) -> None:
        self._report = self._report.with_judgements((one.judgement, one.times) for one in self._counted.values())
        self._counted.clear()
        self._same.clear()

    def _judge(self, facts: Iterable[Facts]) -> None:
        for one in facts:
            same = self._same.get(id(one.document))
            if same is not None and same.document is one.document:
                same.counted.times += 1
                if same.noted is not None:
                    self._log.note_again(same.noted)
                continue
            try:
                judgement = self.judge(one)
            except Exception as error:  # noqa: BLE001 - what a rule cannot be asked of, others can
                self.pass_over(one.evidence[0].label if one.evidence else self._label, error)
                continue
            self._on_judged(one, judgement)
            known = self._counted.get(id(judgement)) or self._known(judgement)
            if known.failed:
                self._note_failures(one, known.failed)
            if one.closed:
                noted = self._log.note(one, judgement, known.outcomes) if judgement else None
                known.times += 1
                if not (self._keep or known.failed) and one.about in REPEATED:
                    if len(self._same) >= _SAME:
                        self._same.clear()
                    self._same[id(one.document)] = _Same(one.document, known, noted)
