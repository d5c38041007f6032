"""The fold: exchanges in, facts out; keyed by event, streaming, without a clock or I/O of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from conformance.exchange import NOBODY, Exchange
from conformance.facts.asking import Asked, asked
from conformance.facts.compare import normal_url, tense
from conformance.facts.directory import Directory, resolution
from conformance.facts.document import Context, write_document
from conformance.facts.episode import Before, Episode, Sight, Write, known_key, state_of
from conformance.facts.reading import Reading, next_page_kind
from conformance.facts.values import WINDOW_LIMIT, Evidence, Facts, Settings
from conformance.facts.wire import Route, account_name, body_json, route

__all__ = ["Observer", "observe"]

Key = tuple[str, str, str]

_KEPT_READINGS = 64


class _Event:
    """One event of one account on one calendar: its open episode and what it was ever asked for or shown as."""

    __slots__ = ("asked_urls", "episode", "key", "known")

    def __init__(self, key: Key, before: Before) -> None:
        self.key = key
        self.known: set[str] = set()
        self.asked_urls: set[str] = set()
        self.episode = Episode(0, None, before, frozenset())


class _Account:
    """What is known of one account."""

    __slots__ = (
        "asked",
        "busy_until",
        "calendars",
        "complete",
        "directory",
        "name",
        "readings",
        "reads",
        "serial",
        "services",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.directory = Directory(name)
        self.calendars: dict[str, dict[str, _Event]] = {}
        self.readings: dict[str, Reading] = {}
        self.busy_until = float("-inf")
        self.complete = False
        self.serial = 0
        self.services: dict[str, list[str]] = {}
        self.asked = 0
        self.reads = {"managed": 0, "others": 0}


class Observer:
    """Folds exchanges, in the order in which they were sent, into facts.

    A read is held back until everything that was sent before its answer is known: `add` releases it
    when a later exchange was sent after it, `advance` when the caller knows that nothing is in flight.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.exchanges = 0
        self.slowest = 0.0
        self._accounts: dict[str, _Account] = {}
        self._held: list[tuple[Exchange, Route, str, float, float]] = []
        self._out: list[Facts] = []
        self._dirty: dict[Key, _Event] = {}
        self._asked: dict[str, Key] = {}
        self._generated: dict[str, Key] = {}
        self._ids: dict[str, set[tuple[str, str]]] = {}
        self._granted: set[str] = set()
        self._directories: dict[str, Directory] = {}

    @property
    def window(self) -> float:
        """For how long, in seconds, a *never* is watched: as set, or as what was seen so far asks for."""
        if self.settings.window is not None:
            return self.settings.window
        return min(WINDOW_LIMIT, max(self.settings.quiet, 3 * self.slowest))

    def add(self, exchange: Exchange) -> None:
        """Take one more exchange."""
        self.exchanges += 1
        at = route(exchange.request.method, exchange.request.url)
        timed = exchange.sent_at is not None and exchange.answered_at is not None
        sent = exchange.sent_at if timed and exchange.sent_at is not None else float(self.exchanges)
        answered = exchange.answered_at if timed and exchange.answered_at is not None else sent
        if self._held:
            self._release(sent if timed else None)
        account = account_name(exchange.request, exchange.whole)
        self._out.append(self._exchange_facts(exchange, at, account))
        if account is None or account == NOBODY:
            return
        if exchange.response is not None and exchange.response.status < 300:
            self._granted.add(account)
        if at.name in ("read", "page"):
            if timed and not exchange.resolution:
                self._held.append((exchange, at, account, sent, answered))
            else:
                self._read(exchange, at, account, sent, answered)
        elif at.name in ("write", "delete"):
            self._write(exchange, at, account, sent, answered)
        elif at.name in ("calendars", "userinfo"):
            self._learn(exchange, at, account)
        elif at.name == "bulk":
            self._lose_track(account)

    def advance(self) -> None:
        """Nothing that was sent is still without its answer: let held-back reads count."""
        self._release(None)

    def changed(self) -> list[Facts]:
        """The facts that changed since the last call: closed ones, and revisions of open ones."""
        out, self._out = self._out, []
        for event in self._dirty.values():
            if event.episode.write is not None:
                out.append(self._facts(event, "open", closed=False))
            event.episode.dirty = False
        self._dirty.clear()
        return out

    def close(self, reason: str = "recording-ended") -> None:
        """The end of everything that was observed: every open episode closes with `reason`."""
        self.advance()
        self._dirty.clear()
        for account in self._accounts.values():
            for events in account.calendars.values():
                for event in events.values():
                    self._close_episode(event, reason)
            self._out.append(_account_facts(account))

    def drain(self) -> Iterator[Facts]:
        """Close, giving the last facts one at a time."""
        self.advance()
        self._dirty.clear()
        for account in self._accounts.values():
            for events in account.calendars.values():
                for event in events.values():
                    self._close_episode(event, "recording-ended")
                    yield from self._take()
            yield _account_facts(account)

    def _take(self) -> list[Facts]:
        out, self._out = self._out, []
        return out

    # -- exchanges ------------------------------------------------------------------------------

    def _exchange_facts(self, exchange: Exchange, at: Route, account: str | None) -> Facts:
        request, response = exchange.request, exchange.response
        document: dict[str, Any] = {
            "about": "exchange",
            "operation": at.name,
            "request": _request_document(exchange, at),
        }
        if account is not None:
            document["account"] = account
        if account is None:
            document["access"] = "none"
        elif account == NOBODY:
            document["access"] = "unknown"
        elif account in self._granted:
            document["access"] = "granted"
        if at.calendar_id is not None and account in self._accounts:
            document["calendar"] = self._calendar_facts(self._accounts[account], at.calendar_id)
        if response is not None:
            shown: dict[str, Any] = {"status": response.status}
            if response.status >= 400 and response.body:
                try:
                    shown["json"] = response.json()
                except ValueError:
                    shown["unreadable"] = True
            elif response.status == 200 and at.name in ("read", "page", "calendars", "userinfo"):
                kind = (response.header("content-type") or "").lower()
                shown["json_type"] = "json" in kind
            document["response"] = shown
        status = response.status if response is not None else None
        evidence = Evidence(exchange.label, request, status)
        return Facts("exchange", ("exchange", exchange.label, str(self.exchanges)), document, (evidence,), closed=True)

    def _calendar_facts(self, account: _Account, calendar_id: str) -> dict[str, Any]:
        if not account.directory.listed:
            return {"calendar_id": calendar_id}
        if account.directory.knows(calendar_id):
            return {**(account.directory.calendar(calendar_id) or {"calendar_id": calendar_id}), "listed": True}
        others = any(other.directory.knows(calendar_id) for other in self._accounts.values() if other is not account)
        return {"calendar_id": calendar_id, "listed": False, "foreign": others}

    def _learn(self, exchange: Exchange, at: Route, name: str) -> None:
        response = exchange.response
        if response is None or response.status != 200:
            return
        try:
            body = response.json()
        except ValueError:
            body = None
        account = self._account(name)
        evidence = Evidence(exchange.label, exchange.request, response.status)
        learn = account.directory.learn_calendars if at.name == "calendars" else account.directory.learn_userinfo
        self._out.append(learn(body, evidence))

    def _account(self, name: str) -> _Account:
        account = self._accounts.get(name)
        if account is None:
            account = self._accounts[name] = _Account(name)
        return account

    def _lose_track(self, name: str) -> None:
        for events in self._account(name).calendars.values():
            for event in events.values():
                self._close_episode(event, "next-write")
                event.episode = Episode(event.episode.number + 1, None, Before(), frozenset(event.known))

    # -- writes ---------------------------------------------------------------------------------

    def _write(self, exchange: Exchange, at: Route, name: str, sent: float, answered: float) -> None:
        response = exchange.response
        account = self._account(name)
        account.busy_until = max(account.busy_until, answered)
        if response is not None and response.status == 429:
            return
        try:
            body = body_json(exchange.request)
        except (ValueError, UnicodeDecodeError):
            return
        event_id = body.get("event_id") if isinstance(body, dict) else None
        if at.calendar_id is None or not isinstance(body, dict) or not isinstance(event_id, str):
            return
        self._ids.setdefault(event_id, set()).add((name, at.calendar_id))
        event = self._event(account, at.calendar_id, event_id)
        previous = event.episode.write
        repeats = (
            previous is not None
            and previous.outcome == "unknown"
            and previous.event == body
            and previous.method == exchange.request.method
        )
        outcome = _outcome(response.status if response is not None else None)
        asks = asked(body) if at.name == "write" else asked({})
        shown: dict[str, Any] = {} if response is None else {"status": response.status}
        if response is not None and response.body and response.status >= 400:
            try:
                shown["json"] = response.json()
            except ValueError:
                shown["unreadable"] = True
        write = Write(
            exchange.request.method,
            _request_document(exchange, at, body),
            body,
            asks,
            tense(body, sent) if exchange.sent_at is not None and at.name == "write" else None,
            outcome,
            shown,
            previous.sent if repeats and previous is not None else sent,
            answered,
            exchange.sent_at is not None,
            exchange.resolution,
            Evidence(exchange.label, exchange.request, response.status if response is not None else None),
        )
        if repeats:
            before, known = event.episode.before, event.episode.known
        else:
            before, known = self._next(event, account)
        number = event.episode.number + (0 if repeats else 1)
        if not repeats:
            self._close_episode(event, "next-write")
        event.episode = Episode(number, write, before, known, started=sent)
        if asks.join_url is not None and outcome != "refused":
            url = normal_url(asks.join_url)
            event.known.add(f"url {url}")
            if asks.kind == "explicit":
                event.asked_urls.add(url)
                self._asked.setdefault(url, event.key)
        if asks.kind == "none":
            event.known.add("none")
        if asks.kind not in ("nothing", "none"):
            account.asked += 1
        self._dirty[event.key] = event

    def _next(self, event: _Event, account: _Account) -> tuple[Before, frozenset[str]]:
        before = event.episode.end() if event.episode.number or event.episode.run else event.episode.before
        if before.state is None and event.episode.number == 0 and event.episode.run is None and account.complete:
            before = Before("nonexistent")
        known = set(event.known)
        if before.state == "nonexistent":
            known |= {"none", "missing"}
        if before.state == "none":
            known.add("none")
        return before, frozenset(known)

    def _event(self, account: _Account, calendar_id: str, event_id: str) -> _Event:
        events = account.calendars.setdefault(calendar_id, {})
        event = events.get(event_id)
        if event is None:
            before = Before("nonexistent") if account.complete else Before()
            event = events[event_id] = _Event((account.name, calendar_id, event_id), before)
        return event

    # -- readings -------------------------------------------------------------------------------

    def _release(self, until: float | None) -> None:
        ready = [held for held in self._held if until is None or held[4] <= until]
        if ready:
            self._held = [held for held in self._held if not (until is None or held[4] <= until)]
            for held in ready:
                self._read(*held)

    def _read(self, exchange: Exchange, at: Route, name: str, sent: float, answered: float) -> None:
        account = self._account(name)
        response = exchange.response
        status = response.status if response is not None else None
        evidence = Evidence(exchange.label, exchange.request, status)
        reading = self._reading(account, exchange, at, sent, evidence)
        if reading is None:
            return
        reading.answered = answered
        if at.name == "read":
            account.reads["others" if reading.route.managed == "excluded" else "managed"] += 1
        page: dict[str, Any] = {"status": status, "next_page": "absent", "events": 0}
        body: Any = None
        if response is not None and response.status == 200:
            try:
                body = response.json()
            except ValueError:
                page["unreadable"] = True
        events = body.get("events") if isinstance(body, dict) else None
        pages = body.get("pages") if isinstance(body, dict) else None
        if isinstance(pages, dict):
            page.update({part: pages[part] for part in ("current", "total") if part in pages})
            reading.urls.add(exchange.request.url)
            page["next_page"] = next_page_kind(pages.get("next_page"), at, reading.urls)
        elif body is not None:
            page["pages"] = "absent" if pages is None else "malformed"
        if status != 200 or not isinstance(events, list):
            reading.whole = False
            if status == 200:
                page["events"] = "malformed"
            events = []
        else:
            page["events"] = len(events)
        reading.pages.append(page)
        if len(reading.evidence) < 6 and reading.evidence[-1] is not evidence:
            reading.evidence.append(evidence)
        timed = exchange.sent_at is not None
        for item in events:
            if isinstance(item, dict):
                self._item(account, reading, item, sent, answered, timed, exchange.resolution, evidence)
        if page["next_page"] in ("same-origin", "other-origin", "relative") and status == 200:
            account.readings[_page_key(str((pages or {}).get("next_page")))] = reading
            if len(account.readings) > _KEPT_READINGS:
                account.readings.pop(next(iter(account.readings)))
        elif status is not None and status != 429 and status < 500:
            self._finish(account, reading, timed, exchange.resolution, evidence)

    def _reading(
        self, account: _Account, exchange: Exchange, at: Route, sent: float, evidence: Evidence
    ) -> Reading | None:
        if at.name == "page":
            status = exchange.response.status if exchange.response is not None else None
            key = _page_key(exchange.request.url)
            if status is None or status == 429 or status >= 500:
                return None
            found = account.readings.pop(key, None) or account.readings.pop(key.split("?")[0], None)
            if found is not None:
                return found
        account.serial += 1
        reading = Reading(account.serial, account.name, at, _request_document(exchange, at), sent, sent, [evidence])
        reading.whole = at.name == "read"
        return reading

    def _item(
        self,
        account: _Account,
        reading: Reading,
        item: dict[str, Any],
        sent: float,
        answered: float,
        timed: bool,
        resolution: float,
        evidence: Evidence,
    ) -> None:
        reading.items += 1
        event_id, calendar_id = item.get("event_id"), item.get("calendar_id")
        if not isinstance(event_id, str):
            uid = item.get("event_uid")
            if reading.route.managed == "only" and isinstance(uid, str):
                reading.listing.add("external", uid)
            return
        if not isinstance(calendar_id, str):
            homes = [home for owner, home in self._ids.get(event_id, ()) if owner == account.name]
            if len(homes) != 1:
                return
            calendar_id = homes[0]
        gone = item.get("deleted") is True
        place = (calendar_id, event_id)
        if place in reading.listed:
            reading.listing.add("repeated", event_id)
            return
        if not gone:
            reading.listed.add(place)
        event = account.calendars.get(calendar_id, {}).get(event_id)
        if not gone:
            self._place(account, reading, item, event, calendar_id, event_id)
        if event is None:
            if gone:
                return
            event = self._event(account, calendar_id, event_id)
            event.episode.before = Before()
        episode = event.episode
        write = episode.write
        if write is not None and write.answered > sent:
            return
        if episode.quiet is not None and episode.quiet is episode.run and episode.quiet.sight.item is not None:
            reading.expected += 1
        if not gone and episode.same(item):
            run = episode.run
            assert run is not None
            episode.again(sent, evidence, self.settings, self.window)
        else:
            state, conferencing = ("missing", None) if gone else state_of(item)
            sight = Sight(state, conferencing, None if gone else item, sent, answered, timed, resolution, evidence)
            self._see(event, sight)
            if not gone and "conferencing" in item:
                self._value_facts(event, item["conferencing"], evidence)
        if episode.settled_after is not None:
            self.slowest = max(self.slowest, episode.settled_after)
        if episode.dirty:
            self._dirty[event.key] = event

    def _see(self, event: _Event, sight: Sight) -> None:
        event.episode.see(sight, self.settings, self.window)
        key = known_key(sight.state, sight.conferencing)
        if key not in event.known:
            event.known.add(key)
            if sight.state == "assigned":
                self._generated.setdefault(normal_url(sight.conferencing["join_url"]), event.key)

    def _place(
        self,
        account: _Account,
        reading: Reading,
        item: dict[str, Any],
        event: _Event | None,
        calendar_id: str,
        event_id: str,
    ) -> None:
        listing = reading.listing
        write = event.episode.write if event is not None else None
        if reading.route.managed == "excluded" and write is not None and write.outcome == "accepted":
            listing.add("managed", event_id)
        if reading.route.calendars and calendar_id not in reading.route.calendars:
            listing.add("other_calendars", event_id)
        if reading.route.windowed and reading.within(item) is False:
            listing.add("outside_window", event_id)
        homes = self._ids.get(event_id)
        if homes and (account.name, calendar_id) not in homes and account.complete:
            if any(owner == account.name for owner, _ in homes):
                if event is None:
                    listing.add("uninvited", event_id)
            elif not any(home == calendar_id for _, home in homes):
                listing.add("foreign", event_id)

    def _finish(self, account: _Account, reading: Reading, timed: bool, resolution: float, evidence: Evidence) -> None:
        alone = account.busy_until <= reading.sent
        complete = reading.complete and alone
        if reading.finished and reading.route.managed != "excluded" and alone and not reading.route.modified:
            calendars = reading.route.calendars or tuple(account.calendars)
            for calendar_id in calendars:
                for event_id, event in account.calendars.get(calendar_id, {}).items():
                    if (calendar_id, event_id) not in reading.listed:
                        self._miss(event, reading, complete, timed, resolution, evidence)
        if complete and not reading.route.calendars:
            account.complete = True
        self._out.append(reading.facts())

    def _miss(
        self, event: _Event, reading: Reading, complete: bool, timed: bool, resolution: float, evidence: Evidence
    ) -> None:
        episode = event.episode
        write = episode.write
        if write is not None and write.answered > reading.sent:
            return
        quiet = episode.quiet
        if quiet is not None and quiet is episode.run and quiet.sight.item is not None:
            within = reading.within(quiet.sight.item) if reading.route.windowed else True
            if within:
                reading.listing.add("missing", event.key[2])
                reading.expected += 1
        if complete and (write is not None or episode.run is not None):
            sight = Sight("missing", None, None, reading.sent, reading.answered, timed, resolution, evidence)
            self._see(event, sight)
            if episode.dirty:
                self._dirty[event.key] = event

    def _value_facts(self, event: _Event, value: Any, evidence: Evidence) -> None:
        if value is None:
            return
        mark = f"value {value!r}"
        if mark in event.known:
            return
        event.known.add(mark)
        account, calendar_id, event_id = event.key
        document = {
            "about": "conferencing",
            "account": account,
            "calendar_id": calendar_id,
            "event_id": event_id,
            "conferencing": value,
        }
        key = ("conferencing", *event.key, str(len(event.known)))
        shown = Evidence(evidence.label, evidence.request, evidence.status, {"conferencing": value})
        self._out.append(Facts("conferencing", key, document, (shown,), closed=True))

    # -- documents ------------------------------------------------------------------------------

    def _close_episode(self, event: _Event, reason: str) -> None:
        self._dirty.pop(event.key, None)
        episode = event.episode
        write = episode.write
        if write is None:
            return
        facts = self._facts(event, reason, closed=True)
        self._out.append(facts)
        quiet = episode.quiet
        if (
            write.asked.kind == "default"
            and write.outcome == "accepted"
            and quiet is not None
            and quiet.sight.state == "assigned"
            and facts.document.get("resolves", {}).get("to") == "profile"
        ):
            service = quiet.sight.conferencing.get("provider_name")
            if isinstance(service, str):
                self._account(event.key[0]).services.setdefault(str(write.sent), []).append(service)

    def _facts(self, event: _Event, ended: str, *, closed: bool) -> Facts:
        episode = event.episode
        write = episode.write
        assert write is not None
        name, calendar_id, event_id = event.key
        account = self._account(name)
        context = Context(
            name,
            event_id,
            account.directory.calendar(calendar_id),
            self._resolves(account, calendar_id, write.asked if write.asked.kind != "nothing" else episode.before.settling),
            None if account.directory.profiles is None else len(account.directory.profiles),
            lambda url: self._of_another(event, url),
        )
        if ended in ("recording-ended", "timed-out") and episode.quiet is not None and episode.quiet is episode.run:
            ended = "quiet"
        document = write_document(
            episode,
            write,
            context,
            window=self.window,
            settle_timeout=self.settings.settle_timeout,
            ended=ended,
            closed=closed,
        )
        return Facts("write", ("write", *event.key, str(episode.number)), document, _evidence(episode), closed)

    def _resolves(self, account: _Account, calendar_id: str, asks: Asked | None) -> dict[str, Any] | None:
        if asks is None:
            return None
        kind, profile_id = asks.kind, asks.profile_id
        if kind not in ("default", "integrated", "profile"):
            return None
        declared = self.settings.default_profiles.get(account.name)
        found = resolution(kind, profile_id, account.directory, calendar_id, declared)
        if found is None and kind == "profile" and account.directory.profiles is not None:
            theirs = any(
                profile["profile_id"] == profile_id
                for other in self._accounts.values()
                if other is not account
                for profile in other.directory.profiles or ()
            )
            return {"to": "unlisted", "foreign": theirs}
        return found

    def _of_another(self, event: _Event, url: str) -> str | None:
        if url in event.asked_urls:
            return None
        owner = self._asked.get(url)
        if owner is not None:
            return "asked" if owner != event.key else None
        owner = self._generated.get(url)
        return "generated" if owner is not None and owner != event.key else None


def _evidence(episode: Episode) -> tuple[Evidence, ...]:
    assert episode.write is not None
    found = [episode.write.evidence]
    sights = [sight for sight, _, _ in episode.seen[:4]]
    if episode.run is not None:
        sights.append(episode.run.sight)
    for sight in sights:
        value = {"state": sight.state}
        if sight.conferencing is not None:
            value["conferencing"] = sight.conferencing
        if all(entry.label != sight.evidence.label for entry in found):
            found.append(Evidence(sight.evidence.label, sight.evidence.request, sight.evidence.status, value))
    return tuple(found)


def _account_facts(account: _Account) -> Facts:
    services = [name for _, names in sorted(account.services.items()) for name in names]
    changes = sum(1 for one, other in zip(services, services[1:], strict=False) if one != other)
    document = {
        "about": "account",
        "account": account.name,
        "defaults": {"conferences": len(services), "services": sorted(set(services)), "changes": changes},
        "asked_for_conferencing": account.asked,
        "reads": dict(account.reads),
    }
    return Facts("account", ("account", account.name), document, (), closed=True)


def _request_document(exchange: Exchange, at: Route, body: Any = None) -> dict[str, Any]:
    request = exchange.request
    document: dict[str, Any] = {"method": request.method, "path": at.path}
    if at.query:
        document["query"] = [list(pair) for pair in at.query]
    headers = {}
    for name, value in request.headers:
        lowered = name.lower()
        if lowered in ("content-type", "authorization", "accept"):
            headers[lowered] = value
    if exchange.whole or "authorization" in headers:
        document["headers"] = headers
    if body is not None:
        document["json"] = body
    elif request.body and request.method in ("POST", "DELETE", "PUT", "PATCH"):
        try:
            document["json"] = body_json(request)
        except (ValueError, UnicodeDecodeError):
            document["unreadable"] = True
    return document


def _outcome(status: int | None) -> str:
    if status is None or status >= 500 or status < 200 or 300 <= status < 400:
        return "unknown"
    return "accepted" if status < 300 else "refused"


def _page_key(url: str) -> str:
    """The part of a page's URL by which it is found again: clients may go there through another host."""
    start = url.find("/v1/")
    return url[start:] if start >= 0 else url


def observe(exchanges: Iterable[Exchange], settings: Settings) -> Iterator[Facts]:
    """The closed facts of all exchanges, as they close."""
    observer = Observer(settings)
    for exchange in exchanges:
        observer.add(exchange)
        yield from observer._take()
    yield from observer.drain()
