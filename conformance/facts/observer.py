"""The fold: exchanges in, facts out; keyed by event, streaming, without a clock or I/O of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from msgspec import structs

from conformance.facts.access_refusals import ACCESS_STATUSES
from conformance.facts.account_state import AccountState
from conformance.facts.batch import answers_each_entry, entries_of, is_refused, twice_written
from conformance.facts.event import Event
from conformance.facts.exchange_document import exchange_document
from conformance.facts.forgetting import Forgetting
from conformance.facts.reading import Reading
from conformance.facts.reads import apply_read
from conformance.facts.requested import names_profile, requested_conferencing
from conformance.facts.routes import UNKNOWN_ACCOUNT, Route, makes_calendar
from conformance.facts.seen import UNREADABLE, Asked, Seen, answer_of, asked, body_of
from conformance.facts.share import Crossing, Share
from conformance.facts.state import ObserverState
from conformance.facts.values import Evidence, Facts, Settings
from conformance.facts.writes import apply_write, invalidate
from conformance.http.exchange import NOT_RECORDED, PASSED_OVER, UNKNOWN_TOKEN, Exchange, Request, Response

__all__ = ["Observer", "observe"]

#: How many refused lists may wait for their token to be accepted.
_UNPROVEN = 16

#: How many requests are known again as the very objects that they are.
_SAME = 1024

#: How many bytes of a server error are kept.
_SAID = 300

#: The operations that list events.
_READINGS = ("read", "page")


class Observer:
    """Folds exchanges, in the order in which they were sent, into facts.

    A read is held back until everything that was sent before its answer is known: `add` releases it
    when a later exchange was sent after it, `advance` when the caller knows that nothing is in flight.
    Without `revisions`, facts are given once, when they close.  With a `share`, they are made of its accounts alone.
    """

    def __init__(self, settings: Settings, *, revisions: bool = True, share: Share | None = None) -> None:
        self.settings = settings
        self.exchanges = 0
        self._fold = ObserverState(settings, revisions=revisions, share=share)
        self._held: list[Seen] = []
        self._passed = 0
        self._unproven: list[Seen] = []
        self._same: dict[int, tuple[Request, bool, Asked]] = {}

    @property
    def window(self) -> float:
        """For how long, in seconds, a *never* is watched: as set, or as what was seen so far asks for."""
        return self._fold.window.seconds

    @property
    def crossing(self) -> Crossing:
        """What a share took from others, and has to tell them."""
        taken = self._fold.taken
        return Crossing() if taken is None else taken.crossing

    @property
    def awaits_notifications(self) -> bool:
        """Whether a conference came of which nothing was notified where that was subscribed to."""
        return self._fold.awaits_notifications

    def add(self, exchange: Exchange) -> None:
        """Take one more exchange."""
        fold = self._fold
        if exchange.passed[0] > self._passed:
            self._pass_over(exchange.passed[0])
        if exchange.request is PASSED_OVER:
            return
        self.exchanges += 1
        if self._held:
            self._release(exchange.sent_at if exchange.answered_at is not None else None, self.exchanges)
        known = self._asked(exchange)
        if fold.taken is not None:
            fold.taken.move((self.exchanges, 1), fold.out)
            if known.route.name in _READINGS and not fold.has(known.account):
                return  # its facts are made elsewhere
        seen = self._seen(exchange, known)
        if ("request-body", NOT_RECORDED) in exchange.notes:
            if seen.account is not None and seen.route.name in ("write", "delete", "batch", "bulk"):
                invalidate(fold, seen.account)  # it may have been about any event
            return
        if seen.route.name == "notification":
            self._take_notification(seen)
            return
        entries = [*entries_of(seen)] if seen.route.name == "batch" else []
        if _proves_nothing_yet(seen) and len(self._unproven) < _UNPROVEN:
            self._unproven.append(seen)
        elif fold.has(seen.account):
            fold.out += self._documents(seen, entries)
        if seen.account is None or seen.account == UNKNOWN_TOKEN:
            return
        if seen.status is not None and seen.status < 300:
            fold.granted.add(seen.account)
            if self._unproven:
                self._prove(seen)
        if seen.route.name in _READINGS and seen.timed and not exchange.time_resolution:
            self._held.append(seen)
        elif seen.route.name == "batch":
            self._apply_batch(seen, entries, fold.account(seen.account))
        else:
            self._apply(seen, fold.account(seen.account))

    def _pass_over(self, count: int) -> None:
        """By now so many exchanges were passed over: reads count that were answered before one of them was sent."""
        taken, first = self.exchanges - self._passed, self._passed + 1
        due = [seen for seen in self._held if 0 < seen.exchange.passed[1] <= count]
        if due:
            self._held = [seen for seen in self._held if not 0 < seen.exchange.passed[1] <= count]
            if len(due) > 1:
                due.sort(key=lambda seen: max(seen.exchange.passed[1], first))
            for seen in due:
                self._let_count(seen, taken + max(seen.exchange.passed[1], first))
        self.exchanges, self._passed = taken + count, count

    def _documents(self, seen: Seen, entries: Iterable[Seen] = ()) -> list[Facts]:
        """What an exchange tells by itself, and what its entries do if it is a batch."""
        at = seen.route
        whole = exchange_document(
            seen,
            None if at.calendar_id is None else self._fold.calendar_facts(seen.account, at.calendar_id),
            profile_listed=self._profile_is_listed(seen) if at.name == "write" else None,
            entries_answered=answers_each_entry(seen) if at.name == "batch" else None,
        )
        return [whole, *map(self._entry_document, entries)]

    def _prove(self, accepted: Seen) -> None:
        """A token was accepted: so it was when the same server refused it a list."""
        alike = [
            one
            for one in self._unproven
            if (one.account, one.route.origin) == (accepted.account, accepted.route.origin)
        ]
        for seen in alike:
            self._unproven.remove(seen)
            if self._fold.has(seen.account):
                self._fold.out += self._documents(structs.replace(seen, accepted=True))

    def _take_notification(self, seen: Seen) -> None:
        """Something came to a receiver of ours: it is counted for the event that subscribed the address."""
        key = self._fold.subscriptions.arrive(seen)
        if key is not None:
            name, calendar_id, event_id = key
            event = self._fold.account(name).event(calendar_id, event_id)
            event.state.episode.dirty = True
            self._fold.mark_dirty(event)

    def _entry_document(self, entry: Seen) -> Facts:
        """What an entry of a batch asks for; that it is answered like a single request is not documented."""
        calendar = self._fold.calendar_facts(entry.account, entry.route.calendar_id)
        unanswered = structs.replace(entry, exchange=structs.replace(entry.exchange, response=None))
        return exchange_document(unanswered, calendar, profile_listed=self._profile_is_listed(entry))

    def _apply_batch(self, batch: Seen, entries: list[Seen], account: AccountState) -> None:
        """Let the entries of a batch be writes, each with its own answer; a batch that is refused is none."""
        account.last_reading = None
        account.used = batch.sent
        account.wrote(batch.number)
        account.busy_until = max(account.busy_until, batch.answered)
        if is_refused(batch):
            return
        if not entries:  # nothing legible: it may have been about any event
            invalidate(self._fold, account.name)
        twice = twice_written(entries)
        for entry in entries:
            if entry.route.name in ("write", "delete"):
                apply_write(self._fold, account, entry, batch=twice)
            elif entry.route.name == "bulk" or makes_calendar(entry.exchange.request.method, entry.route.path):
                self._apply(entry, account)

    def _seen(self, exchange: Exchange, known: Asked) -> Seen:
        """What the exchange is, as far as what came before tells."""
        fold, request = self._fold, exchange.request
        at, account = known.route, known.account
        if at.name in ("read", "other") and account in fold.accounts and fold.accounts[account].awaits(request.url):
            at = replace(at, name="page")  # a next_page may be any URL
        sent, answered = exchange.sent_at, exchange.answered_at
        timed = sent is not None and answered is not None
        if sent is None or answered is None:
            sent = answered = float(self.exchanges)
        accepted = account is not None and account in fold.granted
        failures = fold.account(account).failures.count(exchange, at, self.exchanges) if account and accepted else 0
        answer = self._answer(exchange, at, account)
        status = exchange.response.status if exchange.response is not None else None
        return Seen(
            exchange,
            Evidence(exchange.label, request, status, _said(exchange.response), exchange.sent_at),
            status,
            at,
            account,
            self.exchanges,
            sent,
            answered,
            timed,
            known,
            body_of(request),
            answer,
            accepted,
            failures,
        )

    def _asked(self, exchange: Exchange) -> Asked:
        """What is asked; of a request that came before as the very object that it is, this is known at once."""
        request, complete = exchange.request, exchange.headers_complete
        same = self._same.get(id(request))
        if same is not None and same[0] is request and same[1] is complete:
            return same[2]
        found = asked(request.method, request.url, request.headers, complete)
        if not request.body:
            if len(self._same) >= _SAME:
                self._same.clear()
            self._same[id(request)] = request, complete, found  # held, so that no other takes its id
        return found

    def _answer(self, exchange: Exchange, at: Route, account: str | None) -> Any:
        """What the response says; that of the same reading once more is not read again."""
        response = exchange.response
        if at.name == "read" and response is not None and response.status == 200 and account in self._fold.accounts:
            last = self._fold.accounts[account].last_reading
            if last is not None and last.body == response.body:
                return last.answer
        return answer_of(response, at.name)

    def _profile_is_listed(self, seen: Seen) -> bool | None:
        """Whether the account's userinfo lists the profile that a write names; None where that is not known.

        Where tokens were filtered out it may have been another account's (law identity).
        """
        if seen.route.name != "write" or seen.account not in self._fold.accounts:
            return None
        account = self._fold.account(seen.account)
        requested = requested_conferencing(seen.body) if account.is_known and names_profile(seen.body) else None
        if requested is None or requested.kind != "profile" or requested.profile_id is None:
            return None
        return account.directory.lists_profile(requested.profile_id, seen.sent)

    def _apply(self, seen: Seen, account: AccountState) -> None:
        """Let what was seen change what is known."""
        account.used = seen.sent
        if seen.route.name not in _READINGS:
            account.last_reading = None
        match seen.route.name:
            case "read" | "page":
                apply_read(self._fold, account, seen)
            case "write" | "delete":
                account.wrote(seen.number)
                apply_write(self._fold, account, seen)
            case "calendars" | "userinfo" if seen.status == 200:
                self._learn(account, seen)
            case "bulk":
                invalidate(self._fold, account.name)
                account.directory.forget()
            case _ if makes_calendar(seen.exchange.request.method, seen.route.path):
                account.directory.outdate()

    def forget(self) -> None:
        """Something could not be observed: nothing is known any more of any event, and nobody is accused of it."""
        self._held.clear()
        if self._fold.taken is not None:
            self._fold.taken.entangle()
        for account in list(self._fold.accounts):
            invalidate(self._fold, account)

    def advance(self) -> None:
        """Nothing that was sent is still without its answer: let held-back reads count."""
        self._release(None, self.exchanges + 1)

    def sweep(self, forgetting: Forgetting, now: float) -> tuple[str, ...]:
        """Let go of what has been at rest for so long; the names of the accounts that are gone."""
        return forgetting.sweep(self._fold, now)

    def closed(self) -> list[Facts]:
        """The facts that closed since the last call."""
        out, self._fold.out = self._fold.out, []
        if out and self._fold.taken is not None:
            self._fold.taken.stamp(out)
            self._fold.taken.restart()
        return out

    def changed(self) -> list[Facts]:
        """The facts that changed since the last call: closed ones, and revisions of open ones."""
        out = self.closed()
        for event in self._fold.dirty.values():
            episode = event.state.episode
            if episode.write is not None:
                written = self._fold.facts(event, "open", closed=False)
                out += (written, *self._fold.notified(event, written))
            episode.dirty = False
        self._fold.dirty.clear()
        return out

    def close(self, reason: str = "recording-ended") -> None:
        """End everything that is open, with `reason`: `changed` then gives the rest, and nothing can be added."""
        self._fold.out = [*self.drain(reason)]

    def drain(self, reason: str = "recording-ended") -> Iterator[Facts]:
        """Close, and give the last facts one at a time, so that they need not all be held at once."""
        self.advance()
        for end in self.endings(reason):
            yield from end()

    def endings(self, reason: str = "recording-ended") -> Iterator[Callable[[], Iterable[Facts]]]:
        """What gives the last facts of each thing that is still open; one that cannot be closed keeps back no other."""
        fold = self._fold
        fold.dirty.clear()
        for seen in self._unproven:
            if fold.has(seen.account):
                fold.out += self._documents(seen)
        self._unproven.clear()
        yield self.closed
        for account in fold.accounts.values():
            if not fold.has(account.name):
                continue
            fold.move(self.exchanges + 2, *account.created)
            for reading in account.readings.values():
                yield partial(self._last, reading)
            for events in account.calendars.values():
                for event_id in list(events):
                    yield partial(self._end, events.pop(event_id), reason)
            yield partial(self._last, account)

    def _end(self, event: Event, reason: str) -> list[Facts]:
        self._fold.close_episode(event, reason)
        event.forget()
        return self.closed()

    def _last(self, source: Reading | AccountState) -> list[Facts]:
        facts = source.facts()
        self._fold.out += (facts,) if isinstance(facts, Facts) else facts
        return self.closed()

    def _learn(self, account: AccountState, seen: Seen) -> None:
        directory = account.directory
        body = None if seen.answer is UNREADABLE else seen.answer
        if seen.route.name == "calendars":
            learnt = directory.learn_calendars(body, seen.evidence)
        else:
            learnt = directory.learn_userinfo(body, seen.evidence, seen.answered)
        if self._fold.has(account.name):
            self._fold.out.append(learnt)
        account.complete = account.complete and not directory.is_shared_token
        self._fold.note_sub(account)

    def _release(self, until: float | None, number: int) -> None:
        """Let the reads count that were answered by `until`, as exchange `number` comes."""
        held = self._held
        self._held = [] if until is None else [seen for seen in held if seen.answered > until]
        for seen in held if len(held) > len(self._held) else ():
            if until is None or seen.answered <= until:
                self._let_count(seen, number)

    def _let_count(self, seen: Seen, number: int) -> None:
        """Let a read count, as exchange `number` comes."""
        self._fold.move(number, 0, seen.number)
        apply_read(self._fold, self._fold.account(str(seen.account)), seen)


def _said(response: Response | None) -> str | None:
    """What a server error says of itself, as far as a report has room for it."""
    if response is None or response.status < 500:
        return None
    return response.body[:_SAID].decode("utf-8", "replace").strip() or None


def _proves_nothing_yet(seen: Seen) -> bool:
    """Whether a list was refused, but not for want of access, by a server that may not know the token."""
    if seen.accepted or seen.account in (None, UNKNOWN_TOKEN, UNKNOWN_ACCOUNT) or seen.status is None:
        return False
    refused = 400 <= seen.status < 500 and seen.status not in {429, *ACCESS_STATUSES}
    return refused and seen.route.name in ("calendars", "userinfo")


def observe(exchanges: Iterable[Exchange], settings: Settings, share: Share | None = None) -> Iterator[Facts]:
    """The closed facts of all exchanges, as they close; with a `share`, those of its accounts."""
    observer = Observer(settings, revisions=False, share=share)
    for exchange in exchanges:
        observer.add(exchange)
        yield from observer.closed()
    yield from observer.drain()
