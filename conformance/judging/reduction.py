"""The smallest part of a recorded history that still shows a failure, found by judging alone: nothing is sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TypeVar

from conformance.contract.rules import Rule
from conformance.facts import Settings
from conformance.facts.routes import route
from conformance.http.exchange import Exchange
from conformance.judging.judge import Judge
from conformance.judging.reasons import events_named
from conformance.judging.stream import LiveJudge
from conformance.judging.verdict import Violation

__all__ = ["Effort", "ddmin", "minimal_history"]

T = TypeVar("T")

#: The ids of events in the body of a write.
_EVENT_ID = re.compile(rb'"event_id"\s*:\s*"([^"\\]+)"')


def ddmin(items: Sequence[T], fails: Callable[[tuple[T, ...]], bool], trials: int = 400) -> tuple[T, ...]:
    """A part of `items`, in their order, that `fails` and of which no single item can be spared.

    `fails` must hold for all of `items`.  After `trials` calls the smallest part found so far is given.

    >>> reduced(range(100), lambda some: {3, 42} <= set(some))
    (3, 42)
    """
    kept = tuple(items)
    size = max(1, len(kept) // 2)
    while size:
        start = len(kept)
        while start > 0 and trials > 0:
            begin = max(0, start - size)
            candidate = kept[:begin] + kept[start:]
            trials -= 1
            if candidate and fails(candidate):
                kept = candidate
            start = begin
        size = size // 2 if size > 1 else 0
    return kept


@dataclass(slots=True)
class Effort:
    """How many exchanges may be judged once more, in all reductions together; it is counted and not timed, so that the
    same run is reduced alike each time."""

    left: int

    @property
    def is_spent(self) -> bool:
        """Whether something was not tried for want of effort."""
        return self.left < 0

    def allows(self, number: int) -> bool:
        """Whether so many may still be judged; they count from here on."""
        self.left -= number
        return not self.is_spent


def minimal_history(
    exchanges: Iterable[Exchange], rule: Rule, violation: Violation, settings: Settings, effort: Effort | None = None
) -> tuple[Exchange, ...]:
    """The fewest readings over which `rule` still fails for the event of `violation`, with all writes of that event.

    A write that the judge can do without may be what brought the server there.  Where `effort` is spent, the fewest
    found so far, and at least those that the violation names.
    """
    judge = Judge((rule,))
    history = tuple(exchanges)

    def fails(some: tuple[Exchange, ...]) -> bool:
        if effort is not None and not effort.allows(len(some)):
            return False
        return fails_in(some, judge, settings, violation.event)

    accounts = {evidence.request.account for evidence in violation.evidence}
    labels = {evidence.label for evidence in violation.evidence}
    shown = tuple(exchange for exchange in history if exchange.label in labels)
    of_accounts = tuple(exchange for exchange in history if exchange.request.account in accounts)
    around = tuple(one for one in of_accounts if one.request.method == "GET" or _is_about(one, violation.event, shown))
    # Most readings say nothing about a failure of one reading, and none about the refusal of a write.
    written = tuple(one for one in around if one.request.method != "GET" or one.label in labels)
    showing = tuple(one for one in around if not _reads_events(one) or _shows(one, violation.event))
    sent = tuple(one for one in of_accounts if not _reads_events(one) or one.label in labels)
    if violation.event is None and shown and all(_reads_events(one) for one in shown):
        return (*_creation(of_accounts, shown, violation), *shown)  # what else tells the judge, no server needs
    actual = violation.actual if isinstance(violation.actual, str) and "://" in violation.actual else ""
    sources = tuple(one for one in history if actual and actual.encode() in one.request.body)  # it may be another's
    kept = _writes_until_shown(written, labels) if violation.event is not None else ()

    def with_kept(some: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
        chosen = {id(one) for one in (*some, *kept)}
        return tuple(one for one in history if id(one) in chosen)

    for start in (shown, (*shown, *sources), written, showing, around, sent, history):
        if fails(with_kept(start)):
            return with_kept(ddmin(start, lambda some: fails(with_kept(some))))
    return with_kept(shown) if effort is not None and effort.is_spent else history


def _creation(history: Iterable[Exchange], readings: Sequence[Exchange], violation: Violation) -> list[Exchange]:
    """The last write of an event that readings show wrongly; of any event, where it is pages that are wrong, and of
    none where a reading should have been refused."""
    written: dict[bytes, Exchange] = {}
    for one in takewhile(lambda one: one is not readings[0], history):
        at, name = route(one.request.method, one.request.url).name, _EVENT_ID.search(one.request.body)
        if at == "delete" and name is not None:
            written.pop(name[1], None)
        elif at == "write" and name is not None and one.response is not None and one.response.status < 300:
            written[name[1]] = one
    listed = {name for one in readings if one.response is not None for name in _EVENT_ID.findall(one.response.body)}
    wrong = (
        {*written}
        if "pages" in dict(violation.context)
        else {name.encode() for name in events_named(violation)} & {*written}
    )
    among = wrong or (set() if violation.path.endswith("/status") else listed & {*written})
    return [min((written[name] for name in among), key=lambda one: len(one.request.body))] if among else []


def _writes_until_shown(exchanges: Sequence[Exchange], labels: Iterable[str]) -> tuple[Exchange, ...]:
    """The writes up to the last exchange of these labels."""
    last = max((place for place, one in enumerate(exchanges) if one.label in labels), default=-1)
    return tuple(one for one in exchanges[: last + 1] if one.request.method != "GET")


def fails_in(exchanges: Iterable[Exchange], judge: Judge, settings: Settings, event: str | None) -> bool:
    """Whether what `judge` knows of fails over `exchanges`, for `event` where one is given."""
    hearing = LiveJudge(settings, judge)
    for exchange in exchanges:
        hearing.add(exchange)
    hearing.close()
    violations = [violation for found in hearing.failed.values() for violation in found]
    return any(event is None or violation.event == event for violation in violations)


def _reads_events(exchange: Exchange) -> bool:
    return route(exchange.request.method, exchange.request.url).name in ("read", "page")


def _is_about(write: Exchange, event: str | None, shown: Iterable[Exchange]) -> bool:
    """Whether a write names the event, or if none is given, perhaps one that is in what was shown."""
    if event is not None:
        return event.encode() in write.request.body
    named = _EVENT_ID.findall(write.request.body)
    return not named or any(name in one.response.body for one in shown if one.response is not None for name in named)


def _shows(exchange: Exchange, event: str | None) -> bool:
    return event is None or (exchange.response is not None and event.encode() in exchange.response.body)
