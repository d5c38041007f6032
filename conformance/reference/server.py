"""What the reference server answers to each call."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, unquote

from conformance.clock import Clock
from conformance.reference.account_lists import AccountLists, calendars, userinfo
from conformance.reference.accounts import ReferenceAccount, ReferenceCalendar, ReferenceInventory, opaque
from conformance.reference.bodies import read_body
from conformance.reference.conferencing import understood, version_of
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
from conformance.reference.hooks import Hook, Hooks
from conformance.reference.model import REMOVED, Key, Removal, Store, StoredEvent, StoredWrite, Version
from conformance.reference.timestamps import Moment
from conformance.reference.validation import PROBLEMS, Errors, error, moments, problems

__all__ = [
    "ACCEPTED",
    "ACTS_FOR_NOBODY",
    "ADMIT",
    "AUTHENTICATE",
    "CALENDAR",
    "DELETED",
    "KEPT",
    "LEFT_BY_REFUSAL",
    "MAY_WRITE",
    "PAGE_READER",
    "REFUSAL",
    "TOLD",
    "UNAUTHORIZED",
    "Answer",
    "Call",
    "ReferenceServer",
    "RefusedError",
]

_KEPT_FIELDS = (
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
class Call:
    """One request: `path` decoded, `origin` as the client addressed the server, `number` counted from 1."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    origin: str
    number: int = 1

    @property
    def token(self) -> str | None:
        scheme, _, token = self.headers.get("authorization", "").strip().partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token.strip() else None

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")


@dataclass(frozen=True)
class Answer:
    """A status, and a body of JSON; None for an empty one."""

    status: int
    body: Any = None
    headers: tuple[tuple[str, str], ...] = field(default=())


@dataclass(frozen=True)
class RefusedError:
    """A write that is refused, and why."""

    write: StoredWrite
    errors: Errors


#: An answer given before anything else; None to go on.
ADMIT: Hook[Call, Answer | None] = Hook("admit")
#: The account that a call is made for; None where no account's token came with it.
AUTHENTICATE: Hook[tuple[ReferenceInventory, Call], ReferenceAccount | None] = Hook("authenticate")
#: The answer where no account's token came.
UNAUTHORIZED: Hook[Call, Answer] = Hook("unauthorized")
#: The account that a refused call acts for all the same; None for nobody.
ACTS_FOR_NOBODY: Hook[tuple[ReferenceInventory, Call], ReferenceAccount | None] = Hook("acts-for-nobody")
#: The owner of a calendar and the calendar; None where it is not the account's.
CALENDAR: Hook[tuple[ReferenceInventory, ReferenceAccount, str], tuple[ReferenceAccount, ReferenceCalendar] | None] = (
    Hook("calendar")
)
#: The refusal of writes to a calendar; None where they are allowed.
MAY_WRITE: Hook[ReferenceCalendar, Answer | None] = Hook("may-write")
#: The answer to a write with errors.
REFUSAL: Hook[RefusedError, Answer] = Hook("refusal")
#: What a refused write leaves behind; None for nothing.
LEFT_BY_REFUSAL: Hook[RefusedError, Version | None] = Hook("left-by-refusal")
#: The answer to a write that is accepted.
ACCEPTED: Hook[StoredWrite, Answer] = Hook("accepted")
#: Which fields an update keeps where it leaves them out.
KEPT: Hook[StoredWrite, Mapping[str, Any]] = Hook("kept")
#: The answer to a deletion.
DELETED: Hook[Removal, Answer] = Hook("deleted")
#: The answer to a request for userinfo.
TOLD: Hook[AccountLists, Answer] = Hook("told")
#: Whether the account may read the page of a reading by another account, or by none.
PAGE_READER: Hook[tuple[str, ReferenceAccount | None], bool] = Hook("page-reader")


@dataclass(frozen=True)
class _Cursor:
    account: str
    address: str
    body: dict[str, Any]


class ReferenceServer:
    """A fresh server over a world: `answer` takes one call at a time and never waits."""

    #: How many pages are kept, the newest ones.
    CURSORS = 4096

    def __init__(
        self, world: ReferenceInventory, clock: Clock, decide: Hooks, *, settle: float, seed: int, page_size: int
    ) -> None:
        self.world, self.clock, self.decide, self.page_size = world, clock, decide, page_size
        self.store = Store(world, decide, settle, seed)
        self._serial = 0
        self._calls = 0
        self._cursors: OrderedDict[str, _Cursor] = OrderedDict()
        self._place_external_events()

    def _place_external_events(self) -> None:
        now = self.clock.now() // 3600 * 3600
        for account in self.world.accounts:
            for event in account.external:
                start = now + event.starts_in
                fields = {
                    "summary": event.summary,
                    "start": Moment(start, event.tzid),
                    "end": Moment(start + event.lasts, event.tzid),
                }
                key = Key(account.name, event.calendar_id, event.event_uid)
                version = Version(now - 86400, 0, fields, (), "absent", "absent")
                self.store.records[key] = StoredEvent(key, event.event_uid, managed=False, versions=(version,))

    def answer(self, call: Call) -> Answer:
        """What the server answers to a call."""
        self._calls += 1
        call = replace(call, number=self._calls)
        refused = self.decide(ADMIT, None, call)
        if refused is not None:
            return refused
        known = self.world.by_token.get(call.token or "")
        account = self.decide(AUTHENTICATE, known, (self.world, call))
        parts = [unquote(part) for part in call.path.strip("/").split("/")]
        if account is None:
            acting = self.decide(ACTS_FOR_NOBODY, None, (self.world, call))
            if acting is not None:
                self._route(call, parts, acting)
            if self._page_for_nobody(call, parts):
                return Answer(200, self._cursors[parts[3]].body)
            headers = (("www-authenticate", 'Bearer realm="cronofy"'),)
            return self.decide(UNAUTHORIZED, Answer(401, None, headers), call)
        return self._route(call, parts, account)

    def _page_for_nobody(self, call: Call, parts: list[str]) -> bool:
        if parts[:3] != ["v1", "events", "pages"] or len(parts) != 4 or parts[3] not in self._cursors:
            return False
        return self.decide(PAGE_READER, False, (self._cursors[parts[3]].account, None))

    def _route(self, call: Call, parts: list[str], account: ReferenceAccount) -> Answer:
        match call.method, parts:
            case "GET", ["v1", "calendars"]:
                return Answer(200, calendars(AccountLists(self.store, account)))
            case "GET", ["v1", "userinfo"]:
                shown = AccountLists(self.store, account)
                return self.decide(TOLD, Answer(200, userinfo(shown)), shown)
            case "GET", ["v1", "events"]:
                return self._read(call, account)
            case "GET", ["v1", "events", "pages", page_id]:
                return self._page(call, account, page_id)
            case "POST" | "DELETE", ["v1", "calendars", calendar_id, "events"]:
                return self._change(call, account, calendar_id)
            case _, ["v1", "calendars" | "userinfo" | "events"] | ["v1", "events", "pages", _]:
                return Answer(405, None, (("allow", "GET"),))
            case _, ["v1", "calendars", _, "events"]:
                return Answer(405, None, (("allow", "POST, DELETE"),))
            case _:
                return Answer(404)

    def _change(self, call: Call, account: ReferenceAccount, calendar_id: str) -> Answer:
        own = account.by_id.get(calendar_id)
        found = self.decide(CALENDAR, (account, own) if own else None, (self.world, account, calendar_id))
        if found is None:
            return Answer(404)
        owner, calendar = found
        refused = None
        if not calendar.writable:
            state = "calendar_readonly" if calendar.readonly else "calendar_deleted"
            refused = Answer(422, {"errors": {"calendar_id": error(state, "the calendar cannot be written to")}})
        refused = self.decide(MAY_WRITE, refused, calendar)
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
        asked = body.get("conferencing")
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
            asked=asked if isinstance(asked, Mapping) else None,
        )
        write = replace(write, fields=self._fields(write))
        errors = self.decide(PROBLEMS, problems(write), write)
        if errors:
            refused = RefusedError(write, errors)
            left = self.decide(LEFT_BY_REFUSAL, None, refused)
            if left is not None:
                self.store.apply(write, (left,))
            return self.decide(REFUSAL, Answer(422, {"errors": errors}), refused)
        write = understood(write)
        self.store.apply(write, version_of(write))
        self.store.writes.append(write)
        shown = userinfo(AccountLists(self.store, account)) if body.get("include_userinfo") in (True, "true") else None
        return self.decide(ACCEPTED, Answer(202, shown), write)

    def _fields(self, write: StoredWrite) -> Mapping[str, Any]:
        times, _ = moments(write.body)
        kept = self.decide(KEPT, write.previous.fields if write.previous else {}, write)
        given = {name: write.body[name] for name in _KEPT_FIELDS if name in write.body}
        return {**kept, **given, **times}

    def _delete(self, account: ReferenceAccount, calendar: ReferenceCalendar, body: Mapping[str, Any]) -> Answer:
        now = self.clock.now()
        event_id = body.get("event_id")
        if not isinstance(event_id, str) or not event_id:
            return Answer(422, {"errors": {"event_id": error("required", "event_id must be specified")}})
        self._serial += 1
        live = self.store.live(Key(account.name, calendar.calendar_id, event_id), now)
        removal = Removal(self.store, account, calendar, event_id, now, self._serial, found=live is not None)
        right = {removal.key: (self._tombstone(live, removal),)} if live else {}
        for key, versions in self.decide(REMOVED, right, removal).items():
            self.store.records[key].add(versions, now)
        shown = userinfo(AccountLists(self.store, account)) if body.get("include_userinfo") in (True, "true") else None
        return self.decide(DELETED, Answer(202, shown), removal)

    @staticmethod
    def _tombstone(live: Version, removal: Removal) -> Version:
        return replace(live, at=removal.at, serial=removal.serial, kind="delete", deleted=True)

    def _read(self, call: Call, account: ReferenceAccount) -> Answer:
        now = self.clock.now()
        pairs = tuple(parse_qsl(call.query, keep_blank_values=True))
        query, wrong = parse_query(Arguments(account, pairs, now), self.decide)
        if wrong:
            return Answer(422, {"errors": wrong})
        reading = ReadRequest(account, query, now)
        records = tuple(self.store.of_account(account.name))
        found = events(records, account.by_id, query, now, decide=self.decide, settle=self.store.settle)
        size = max(1, self.decide(PAGE_SIZE, self.page_size, reading))
        pages = self.decide(PAGES, in_pages(found, size), reading)
        return Answer(200, self._bodies(reading, pages, call.origin)[0])

    def _bodies(self, reading: ReadRequest, pages: tuple[tuple[dict[str, Any], ...], ...], origin: str) -> list[Any]:
        ids = [opaque("pag", self.store.seed, self._calls, index).removeprefix("pag_") for index in range(len(pages))]
        links = [f"{origin}/v1/events/pages/{page_id}" for page_id in ids]
        bodies = []
        for index, shown in enumerate(pages):
            link = links[index + 1] if index + 1 < len(pages) else None
            page = ReferencePage(reading, index + 1, len(pages), origin, ids[index], link, shown)
            bodies.append(self.decide(PAGE_BODY, page_body(page), page))
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
        if not (own or self.decide(PAGE_READER, False, (cursor.account, account))):
            return Answer(404)
        expected = parse_qsl(cursor.address.partition("?")[2], keep_blank_values=True)
        sent = parse_qsl(call.query, keep_blank_values=True)
        if any(pair not in sent for pair in expected):
            return Answer(404)
        return Answer(200, cursor.body)
