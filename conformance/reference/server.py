"""What the reference server answers to each call."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, unquote

from conformance.clock import Clock
from conformance.reference.account_lists import AccountLists, calendars, userinfo
from conformance.reference.accounts import ReferenceAccount, ReferenceCalendar, ReferenceInventory, opaque
from conformance.reference.bodies import read_body
from conformance.reference.calls import (
    ACCEPTED,
    ADMIT,
    AUTHENTICATE,
    BATCH,
    BATCH_ENTRY,
    CALENDAR,
    DELETED,
    EXECUTED_FOR,
    LEFT_BY_REFUSAL,
    MAY_WRITE,
    PAGE_READER,
    REFUSAL,
    RETAINED_FIELDS,
    UNAUTHORIZED,
    USERINFO_ANSWER,
    Answer,
    Batch,
    Call,
    RefusedWrite,
)
from conformance.reference.conferencing import understood, versions_of
from conformance.reference.event_list import (
    PAGE_BODY,
    PAGE_SIZE,
    PAGES,
    Arguments,
    ReadRequest,
    ReferencePage,
    events,
    in_pages,
    page_body,
    parse_query,
)
from conformance.reference.hooks import Hooks
from conformance.reference.model import REMOVED, Key, Removal, Store, StoredEvent, StoredWrite, Version
from conformance.reference.notices import Notifications
from conformance.reference.timestamps import Moment
from conformance.reference.validation import PROBLEMS, error, moments, problems

__all__ = ["ReferenceServer"]

_STORED_FIELDS = (
    "summary",
    "description",
    "location",
    "tzid",
    "url",
    "attendees",
    "transparency",
    "event_private",
    "color",
    "reminders",
)


@dataclass(frozen=True)
class _Cursor:
    account: str
    address: str
    body: dict[str, Any]


class ReferenceServer:
    """A fresh server over an inventory: `answer` takes one call at a time and never waits."""

    #: How many pages are remembered: the newest ones.
    CURSORS = 4096
    #: How many entries a batch may have.
    BATCH_SIZE = 50

    def __init__(
        self, inventory: ReferenceInventory, clock: Clock, hooks: Hooks, *, settle: float, seed: int, page_size: int
    ) -> None:
        self.inventory, self.clock, self.hooks, self.page_size = inventory, clock, hooks, page_size
        self.store = Store(inventory, hooks, settle, seed)
        self.notifications = Notifications(self.store)
        self._serial = 0
        self._calls = 0
        self._cursors: OrderedDict[str, _Cursor] = OrderedDict()
        self._place_external_events()

    def _place_external_events(self) -> None:
        now = self.clock.now() // 3600 * 3600
        for account in self.inventory.accounts:
            for event in account.external:
                start = now + event.starts_in
                fields = {
                    "summary": event.summary,
                    "start": Moment(start, event.tzid),
                    "end": Moment(start + event.lasts, event.tzid),
                }
                key = Key(account.name, event.calendar_id, event.event_uid)
                version = Version(now - 86400, 0, fields, (), "omitted", "omitted")
                self.store.records[key] = StoredEvent(key, event.event_uid, managed=False, versions=(version,))

    def answer(self, call: Call) -> Answer:
        """What the server answers to a call."""
        self._calls += 1
        call = replace(call, number=self._calls)
        refused = self.hooks(ADMIT, None, call)
        if refused is not None:
            return refused
        known = self.inventory.by_token.get(call.token or "")
        account = self.hooks(AUTHENTICATE, known, (self.inventory, call))
        parts = [unquote(part) for part in call.path.strip("/").split("/")]
        if account is None:
            acting = self.hooks(EXECUTED_FOR, None, (self.inventory, call))
            if acting is not None:
                self._route(call, parts, acting)
            if self._page_for_nobody(call, parts):
                return Answer(200, self._cursors[parts[3]].body)
            headers = (("www-authenticate", 'Bearer realm="cronofy"'),)
            return self.hooks(UNAUTHORIZED, Answer(401, None, headers), call)
        return self._route(call, parts, account)

    def _page_for_nobody(self, call: Call, parts: list[str]) -> bool:
        if parts[:3] != ["v1", "events", "pages"] or len(parts) != 4 or parts[3] not in self._cursors:
            return False
        return self.hooks(PAGE_READER, False, (self._cursors[parts[3]].account, None))

    def _route(self, call: Call, parts: list[str], account: ReferenceAccount) -> Answer:
        match call.method, parts:
            case "GET", ["v1", "calendars"]:
                return Answer(200, calendars(AccountLists(self.store, account)))
            case "GET", ["v1", "userinfo"]:
                shown = AccountLists(self.store, account)
                return self.hooks(USERINFO_ANSWER, Answer(200, userinfo(shown)), shown)
            case "GET", ["v1", "events"]:
                return self._read(call, account)
            case "GET", ["v1", "events", "pages", page_id]:
                return self._page(call, account, page_id)
            case "POST", ["v1", "batch"]:
                return self._batch(call, account)
            case "POST" | "DELETE", ["v1", "calendars", calendar_id, "events"]:
                return self._change(call, account, calendar_id)
            case _, ["v1", "calendars" | "userinfo" | "events"] | ["v1", "events", "pages", _]:
                return Answer(405, None, (("allow", "GET"),))
            case _, ["v1", "calendars", _, "events"]:
                return Answer(405, None, (("allow", "POST, DELETE"),))
            case _:
                return Answer(404)

    def _batch(self, call: Call, account: ReferenceAccount) -> Answer:
        """One answer for each entry, each done like a request of its own, in their order."""
        try:
            entries = read_body(call.content_type, call.body).get("batch")
        except ValueError as invalid:
            return Answer(422, {"errors": {"body": error("invalid_body", str(invalid))}})
        if not isinstance(entries, list) or len(entries) > self.BATCH_SIZE or not all(map(_is_entry, entries)):
            expected = f"batch must list up to {self.BATCH_SIZE} objects with a method and a relative_url"
            return Answer(422, {"errors": {"batch": error("invalid", expected)}})
        answers = [
            self._entry(call, self.hooks(BATCH_ENTRY, entry, Batch(tuple(entries[:place]))), account)
            for place, entry in enumerate(entries)
        ]
        shown = [
            {"status": answer.status} if answer.body is None else {"status": answer.status, "data": answer.body}
            for answer in answers
        ]
        return self.hooks(BATCH, Answer(207, {"batch": shown}), Batch(tuple(entries)))

    def _entry(self, call: Call, entry: Mapping[str, Any], account: ReferenceAccount) -> Answer:
        path, _, query = entry["relative_url"].partition("?")
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if parts == ["v1", "batch"]:
            return Answer(404)
        headers = {**call.headers, "content-type": "application/json"}
        body = json.dumps(entry["data"]).encode() if entry.get("data") is not None else b""
        single = replace(call, method=entry["method"], path=path, query=query, headers=headers, body=body)
        return self._route(single, parts, account)

    def _change(self, call: Call, account: ReferenceAccount, calendar_id: str) -> Answer:
        own = account.by_id.get(calendar_id)
        found = self.hooks(CALENDAR, (account, own) if own else None, (self.inventory, account, calendar_id))
        if found is None:
            return Answer(404)
        owner, calendar = found
        refused = None
        if not calendar.writable:
            state = "calendar_readonly" if calendar.readonly else "calendar_deleted"
            refused = Answer(422, {"errors": {"calendar_id": error(state, "the calendar cannot be written to")}})
        refused = self.hooks(MAY_WRITE, refused, calendar)
        if refused is not None:
            return refused
        try:
            body = read_body(call.content_type, call.body)
        except ValueError as invalid:
            return Answer(422, {"errors": {"body": error("invalid_body", str(invalid))}})
        if call.method == "DELETE":
            return self._delete(owner, calendar, body)
        return self._upsert(owner, calendar, body)

    def _upsert(self, account: ReferenceAccount, calendar: ReferenceCalendar, body: Mapping[str, Any]) -> Answer:
        now = self.clock.now()
        self._serial += 1
        requested = body.get("conferencing")
        event_id = body.get("event_id")
        event_id = event_id if isinstance(event_id, str) else ""
        record = self.store.records.get(Key(account.name, calendar.calendar_id, event_id))
        write = StoredWrite(
            store=self.store,
            account=account,
            calendar=calendar,
            event_id=event_id,
            body=body,
            at=now,
            serial=self._serial,
            history=tuple(version for version in record.versions if version.at <= now) if record else (),
            requested=requested if isinstance(requested, Mapping) else None,
        )
        write = replace(write, fields=self._fields(write))
        errors = self.hooks(PROBLEMS, problems(write), write)
        if errors:
            refused = RefusedWrite(write, errors)
            left = self.hooks(LEFT_BY_REFUSAL, None, refused)
            if left is not None:
                self.store.apply(write, (left,))
            return self.hooks(REFUSAL, Answer(422, {"errors": errors}), refused)
        write = understood(write)
        versions = versions_of(write)
        self.store.apply(write, versions)
        self.notifications.follow(write, versions)
        self.store.writes.append(write)
        return self.hooks(ACCEPTED, Answer(202, self._userinfo_on_request(account, body)), write)

    def _userinfo_on_request(self, account: ReferenceAccount, body: Mapping[str, Any]) -> Any:
        return userinfo(AccountLists(self.store, account)) if body.get("include_userinfo") in (True, "true") else None

    def _fields(self, write: StoredWrite) -> Mapping[str, Any]:
        times, _ = moments(write.body)
        retained = self.hooks(RETAINED_FIELDS, write.previous.fields if write.previous else {}, write)
        given = {name: write.body[name] for name in _STORED_FIELDS if name in write.body}
        return {**retained, **given, **times}

    def _delete(self, account: ReferenceAccount, calendar: ReferenceCalendar, body: Mapping[str, Any]) -> Answer:
        now = self.clock.now()
        event_id = body.get("event_id")
        if not isinstance(event_id, str) or not event_id:
            return Answer(422, {"errors": {"event_id": error("required", "event_id must be specified")}})
        self._serial += 1
        existing = self.store.existing(Key(account.name, calendar.calendar_id, event_id), now)
        removal = Removal(self.store, account, calendar, event_id, now, self._serial, found=existing is not None)
        right = {removal.key: (self._tombstone(existing, removal),)} if existing else {}
        self.notifications.forget(removal.key, now)
        for key, versions in self.hooks(REMOVED, right, removal).items():
            self.store.records[key].add(versions, now)
        return self.hooks(DELETED, Answer(202, self._userinfo_on_request(account, body)), removal)

    @staticmethod
    def _tombstone(existing: Version, removal: Removal) -> Version:
        return replace(existing, at=removal.at, serial=removal.serial, kind="delete", deleted=True)

    def _read(self, call: Call, account: ReferenceAccount) -> Answer:
        now = self.clock.now()
        pairs = tuple(parse_qsl(call.query, keep_blank_values=True))
        query, wrong = parse_query(Arguments(account, pairs, now), self.hooks)
        if wrong:
            return Answer(422, {"errors": wrong})
        reading = ReadRequest(account, query, now)
        records = tuple(self.store.of_account(account.name))
        found = events(records, account.by_id, query, now, hooks=self.hooks, settle=self.store.settle)
        size = max(1, self.hooks(PAGE_SIZE, self.page_size, reading))
        pages = self.hooks(PAGES, in_pages(found, size), reading)
        return Answer(200, self._bodies(reading, pages, call.origin)[0])

    def _bodies(self, reading: ReadRequest, pages: tuple[tuple[dict[str, Any], ...], ...], origin: str) -> list[Any]:
        ids = [opaque("pag", self.store.seed, self._calls, index).removeprefix("pag_") for index in range(len(pages))]
        links = [f"{origin}/v1/events/pages/{page_id}" for page_id in ids]
        bodies = []
        for index, shown in enumerate(pages):
            link = links[index + 1] if index + 1 < len(pages) else None
            page = ReferencePage(reading, index + 1, len(pages), origin, ids[index], link, shown)
            bodies.append(self.hooks(PAGE_BODY, page_body(page), page))
        for index in range(1, len(pages)):
            address = str(bodies[index - 1].get("pages", {}).get("next_page") or links[index])
            self._cursors[ids[index]] = _Cursor(reading.account.name, address, bodies[index])
        while len(self._cursors) > self.CURSORS:
            self._cursors.popitem(last=False)
        return bodies

    def _page(self, call: Call, account: ReferenceAccount, page_id: str) -> Answer:
        cursor = self._cursors.get(page_id)
        if cursor is None:
            return Answer(404)
        own = cursor.account == account.name
        if not (own or self.hooks(PAGE_READER, False, (cursor.account, account))):
            return Answer(404)
        expected = parse_qsl(cursor.address.partition("?")[2], keep_blank_values=True)
        sent = parse_qsl(call.query, keep_blank_values=True)
        if any(pair not in sent for pair in expected):
            return Answer(404)
        return Answer(200, cursor.body)


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and all(isinstance(entry.get(name), str) for name in ("method", "relative_url"))
