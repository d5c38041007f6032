"""The fold: exchanges in, facts out; keyed by event, streaming, without a clock or I/O of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from conformance.facts.exchange_document import exchange_facts
from conformance.facts.reads import apply_read
from conformance.facts.routes import Route, account_name, makes_calendar, route
from conformance.facts.state import ObserverState
from conformance.facts.values import Evidence, Facts, Settings
from conformance.facts.writes import apply_write, invalidate
from conformance.http.exchange import NOT_RECORDED, UNKNOWN_TOKEN, Exchange

__all__ = ["Observer", "observe"]


class Observer:
    """Folds exchanges, in the order in which they were sent, into facts.

    A read is held back until everything that was sent before its answer is known: `add` releases it
    when a later exchange was sent after it, `advance` when the caller knows that nothing is in flight.
    Without `revisions`, facts are given once, when they close.
    """

    def __init__(self, settings: Settings, *, revisions: bool = True) -> None:
        self.settings = settings
        self.exchanges = 0
        self._memory = ObserverState(settings, revisions=revisions)
        self._held: list[tuple[Exchange, Route, str, float, float, int]] = []

    @property
    def window(self) -> float:
        """For how long, in seconds, a *never* is watched: as set, or as what was seen so far asks for."""
        return self._memory.window

    def add(self, exchange: Exchange) -> None:
        """Take one more exchange."""
        self.exchanges += 1
        memory = self._memory
        at = route(exchange.request.method, exchange.request.url)
        sent, answered = exchange.sent_at, exchange.answered_at
        timed = sent is not None and answered is not None
        if sent is None or answered is None:
            sent = answered = float(self.exchanges)
        if self._held:
            self._release(sent if timed else None)
        account = account_name(exchange.request, exchange.headers_complete)
        if at.name == "other" and account in memory.accounts and memory.accounts[account].awaits(exchange.request.url):
            at = replace(at, name="page")
        if ("request-body", NOT_RECORDED) in exchange.notes:
            if account is not None and at.name in ("write", "delete", "bulk"):
                invalidate(memory, account)  # it may have been about any event
            return
        granted = account is not None and account in memory.granted
        failures = memory.account(account).failures.count(exchange, at, self.exchanges) if account and granted else 0
        memory.out.append(
            exchange_facts(
                exchange,
                at,
                account,
                number=self.exchanges,
                granted=granted,
                calendar=memory.calendar_facts(account, at.calendar_id),
                failures=failures,
            )
        )
        if account is None or account == UNKNOWN_TOKEN:
            return
        if exchange.response is not None and exchange.response.status < 300:
            memory.granted.add(account)
        if at.name in ("read", "page"):
            if timed and not exchange.time_resolution:
                self._held.append((exchange, at, account, sent, answered, self.exchanges))
            else:
                apply_read(memory, exchange, at, account, sent, answered, self.exchanges)
        elif at.name in ("write", "delete"):
            memory.account(account).wrote(self.exchanges)
            apply_write(memory, exchange, at, account, sent, answered, failures)
        elif at.name in ("calendars", "userinfo"):
            self._learn(exchange, at, account)
        elif at.name == "bulk":
            invalidate(memory, account)
            memory.account(account).directory.forget()
        elif makes_calendar(exchange.request.method, at.path):
            memory.account(account).directory.listed = False

    def advance(self) -> None:
        """Nothing that was sent is still without its answer: let held-back reads count."""
        self._release(None)

    def closed(self) -> list[Facts]:
        """The facts that closed since the last call."""
        out, self._memory.out = self._memory.out, []
        return out

    def changed(self) -> list[Facts]:
        """The facts that changed since the last call: closed ones, and revisions of open ones."""
        out = self.closed()
        for event in self._memory.dirty.values():
            episode = event.life.episode
            if episode.write is not None:
                out.append(self._memory.facts(event, "open", closed=False))
            episode.dirty = False
        self._memory.dirty.clear()
        return out

    def close(self, reason: str = "recording-ended") -> None:
        """End everything that is open, with `reason`: `changed` then gives the rest, and nothing can be added."""
        self._memory.out = [*self.drain(reason)]

    def drain(self, reason: str = "recording-ended") -> Iterator[Facts]:
        """Close, and give the last facts one at a time, so that they need not all be held at once."""
        self.advance()
        memory = self._memory
        memory.dirty.clear()
        yield from self.closed()
        for account in memory.accounts.values():
            yield from (reading.facts() for reading in account.readings.values())
            for events in account.calendars.values():
                for event_id in list(events):
                    event = events.pop(event_id)
                    memory.close_episode(event, reason)
                    event.forget()
                    yield from self.closed()
            yield account.facts()

    def _learn(self, exchange: Exchange, at: Route, name: str) -> None:
        response = exchange.response
        if response is None or response.status != 200:
            return
        try:
            body = response.json()
        except ValueError:
            body = None
        account = self._memory.account(name)
        directory = account.directory
        evidence = Evidence(exchange.label, exchange.request, response.status)
        learn = directory.learn_calendars if at.name == "calendars" else directory.learn_userinfo
        self._memory.out.append(learn(body, evidence))
        account.complete = account.complete and not directory.several

    def _release(self, until: float | None) -> None:
        held = self._held
        self._held = [] if until is None else [one for one in held if one[4] > until]
        for one in held:
            if until is None or one[4] <= until:
                apply_read(self._memory, *one)


def observe(exchanges: Iterable[Exchange], settings: Settings) -> Iterator[Facts]:
    """The closed facts of all exchanges, as they close."""
    observer = Observer(settings, revisions=False)
    for exchange in exchanges:
        observer.add(exchange)
        yield from observer.closed()
    yield from observer.drain()
