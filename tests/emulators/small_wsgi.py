"""A small server of conferencing on events on the standard library alone (WSGI); `app` settles after SMALL_SETTLE s."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote
from zoneinfo import ZoneInfo

from .wsgi_jobs import Account, Desk, Json, Problems, Record, moment

Environ = dict[str, Any]
Query = dict[str, list[str]]
Reply = tuple[int, Json, dict[str, str]]
FIELDS = ("event_id", "summary", "description", "start", "end", "tzid", "location")


class Stop(Exception):  # noqa: N818 - it is an answer
    """Ends a request with a status and no body."""


def calendar(name: str, provider: str, integrated: str | None = None, **more: Json) -> tuple[str, dict[str, Json]]:
    return name, {"calendar_id": name, "provider_name": provider, "integrated": integrated, **more}


def accounts() -> list[Account]:
    """One account without conferencing profiles, and one with a connected and a disconnected one."""
    return [
        Account(
            "default",
            "wsgi.token.default.kq81vzu2",
            dict(
                [
                    calendar("cal_U9uuErStTG@EAAAB_IsAsykA2DBTWqQTf-f0kJw", "google", "google_meet"),
                    calendar("6f1c1f0e-0b6c-4f3e-9f55-2b1f0a2f7c11", "google"),
                    calendar("office:primary", "exchange", "ms_teams_for_business"),
                    calendar("on-premises", "exchange"),
                    calendar("i", "apple"),
                    calendar("holidays!en", "google", "google_meet", readonly=True),
                    calendar("old", "google", "google_meet", deleted=True),
                ]
            ),
        ),
        Account(
            "works",
            "wsgi.token.works.p07xm3dn",
            dict(
                [
                    calendar("cal_works", "google", "google_meet"),
                    calendar("cal_works_2", "exchange", "ms_teams_for_business"),
                    calendar("cal_works_3", "apple"),
                ]
            ),
            [
                {"id": "pro_Wn-1", "provider": "zoom", "connected": True},
                {"id": "pro_Wn-2", "provider": "go_to", "connected": False},
                {"id": "pro_Wn-3", "provider": "whereby", "connected": True},
            ],
        ),
    ]


class Server(Desk):
    """The WSGI callable."""

    interface = "wsgi"

    def __init__(self, settle: float = 0.1, now: Callable[[], float] | None = None, **options: Any) -> None:
        super().__init__(settle, now, **options)
        self.accounts = accounts()
        self.tokens = {account.name: account.token for account in self.accounts}
        self.default_profiles = {a.name: p["id"] for a in self.accounts if (p := Desk.default(self, a))}
        self.lock = threading.Lock()
        self.born = self.now()
        self.reads = 0

    # HTTP

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        with self.lock:
            status, reply, headers = self.reply(environ, body)
        text = b"" if reply is None else json.dumps(reply).encode()
        kind = [("Content-Type", "application/json")] if text else []
        start_response(
            f"{status} {HTTPStatus(status).phrase}", [*kind, ("Content-Length", str(len(text))), *headers.items()]
        )
        return [text]

    def reply(self, environ: Environ, body: bytes) -> Reply:
        options, chance = self.options, self.dice.random()
        upset = (options.refuses_with, None, {"Retry-After": options.retry_after} if options.retry_after else {})
        if chance < options.refuses and not options.refuses_after:
            return upset
        try:
            self.work()
            done = self.dispatch(environ, body)
        except Problems as found:
            listed = {
                name: [{"key": f"errors.{key}", "description": f"{name} {key}"}] for name, key in found.problems.items()
            }
            done = (422, {"errors": listed}, {})
        except Stop as stop:
            done = (stop.args[0], None, {"WWW-Authenticate": "Bearer"} if stop.args[0] == 401 else {})
        return upset if chance < options.refuses else done

    def dispatch(self, environ: Environ, body: bytes) -> Reply:
        account = self.who(environ.get("HTTP_AUTHORIZATION", ""))
        query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace").split("/")[1:]
        method = environ["REQUEST_METHOD"]
        if method == "GET" and path == ["v1", "events"]:
            return 200, self.read(account, query, self.origin(environ)), {}
        if method == "GET" and path == ["v1", "calendars"]:
            shown = [self.show_calendar(account, one) for one in account.calendars.values()]
            return 200, {"sub": f"acc_{account.name}", "calendars": shown}, {}
        if method == "GET" and path == ["v1", "userinfo"]:
            return 200, self.userinfo(account), {}
        if len(path) == 4 and path[:2] == ["v1", "calendars"] and path[3] == "events" and method in ("POST", "DELETE"):
            target = self.calendar(account, path[2])
            fields = self.decode(environ.get("CONTENT_TYPE", ""), body)
            return (self.write if method == "POST" else self.delete)(account, target, fields)
        raise Stop(404)

    def origin(self, environ: Environ) -> str:
        return f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST') or environ['SERVER_NAME']}"

    def who(self, authorization: str) -> Account:
        scheme, _, token = authorization.partition(" ")
        for account in self.accounts:
            if scheme.lower() == "bearer" and token == account.token:
                return account
        raise Stop(401)

    def decode(self, kind: str, body: bytes) -> dict[str, Json]:
        if "urlencoded" in kind:
            fields: dict[str, Json] = {}
            for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True):
                outer, bracket, inner = name.partition("[")
                if bracket and isinstance(fields.setdefault(outer, {}), dict):
                    fields[outer][inner.rstrip("]")] = value
                else:
                    fields[outer] = value
            return fields
        try:
            fields = json.loads(body)
        except (ValueError, RecursionError):
            raise Problems(body="invalid_json") from None
        if not isinstance(fields, dict):
            raise Problems(body="invalid")
        return fields

    # accounts

    def calendar(self, account: Account, name: str) -> dict[str, Json]:
        found = account.calendars.get(name)
        if found is None:
            foreign = any(name in other.calendars for other in self.accounts)
            raise Stop(self.options.foreign if foreign else 404)
        status = self.options.deleted if found.get("deleted") else self.options.readonly if found.get("readonly") else 0
        if status == 422:
            raise Problems(calendar_id="not_writable")
        if status:
            raise Stop(status)
        return found

    def available(self, one: dict[str, Json]) -> Json:
        return bool(self.integrated(one))

    def show_calendar(self, account: Account, one: dict[str, Json]) -> dict[str, Json]:
        return {
            "provider_name": one["provider_name"],
            "profile_id": f"pro_{account.name}",
            "profile_name": account.name,
            "calendar_id": one["calendar_id"],
            "calendar_name": one["calendar_id"],
            "calendar_readonly": bool(one.get("readonly")),
            "calendar_deleted": bool(one.get("deleted")),
            "calendar_primary": False,
            "calendar_integrated_conferencing_available": self.available(one),
            **({"x_colour": "#00ff00"} if self.options.extra else {}),
        }

    def userinfo(self, account: Account) -> Json:
        data: dict[str, Json] = {
            "profiles": [
                {
                    "provider_name": next(iter(account.calendars.values()))["provider_name"],
                    "profile_id": f"pro_{account.name}",
                    "profile_name": account.name,
                    "profile_connected": True,
                    "profile_calendars": [self.show_calendar(account, one) for one in account.calendars.values()],
                }
            ]
        }
        if account.profiles or self.options.no_profiles == "empty":
            data["conferencing_profiles"] = [self.show_profile(profile) for profile in account.profiles]
        return {"sub": f"acc_{account.name}", "cronofy.type": "account", "cronofy.data": data}

    def show_profile(self, profile: dict[str, Json]) -> dict[str, Json]:
        shown = {"provider_name": profile["provider"], "profile_id": profile["id"], "profile_name": "Conferencing"}
        return {**shown, "profile_connected": profile["connected"]}

    # writing

    def key(self, account: Account, target: dict[str, Json], event_id: str) -> tuple[str, ...]:
        return account.name, target["calendar_id"], event_id

    def check(self, fields: dict[str, Json]) -> None:
        """Raises Problems for an event that is none."""
        problems = {}
        for name in ("event_id", "summary", "start", "end"):
            if fields.get(name) in (None, ""):
                problems[name] = "required"
            elif name in ("event_id", "summary") and not isinstance(fields[name], str):
                problems[name] = "must_be_string"
        if len(str(fields.get("summary", ""))) > 1024:
            problems["summary"] = "too_long"
        problems.update({n: "invalid" for n in ("start", "end") if n not in problems and self.odd_time(fields, n)})
        if not problems and moment(fields["end"], fields.get("tzid")) < moment(fields["start"], fields.get("tzid")):
            problems["end"] = "before_start"
        for name, kind in (("location", dict), ("description", str), ("tzid", str)):
            if fields.get(name) is not None and not isinstance(fields[name], kind):
                problems[name] = "invalid"
        if problems:
            raise Problems(**problems)

    def odd_time(self, fields: dict[str, Json], name: str) -> bool:
        try:
            moment(fields[name], fields.get("tzid"))
        except (ValueError, TypeError):
            return True
        return False

    def write(self, account: Account, target: dict[str, Json], body: dict[str, Json]) -> Reply:
        self.check(body)
        requested = self.requested(body)
        if requested is not None:
            try:
                self.sensible(account, requested)
            except Problems:
                if self.options.invalid == "refuse":
                    raise
                requested = None
        if requested is not None:
            self.allowed(account, target, requested, self.past(body))
        key = self.key(account, target, body["event_id"])
        old = self.records.get(key)
        if old is None or old["deleted"]:
            old = {
                "number": sum(map(len, self.history.values())),
                "created": self.now(),
                "conferencing": None,
                "deleted": False,
            }
        self.store(account, target, key, old, body, requested)
        return (*self.options.accepted, {})

    def store(
        self,
        account: Account,
        target: dict[str, Json],
        key: tuple[str, ...],
        old: Record,
        body: dict[str, Json],
        requested: dict[str, Json] | None,
    ) -> None:
        record = self.merged(old, {name: body[name] for name in FIELDS if name in body})
        record.update(key=key, calendar=target, updated=self.now())
        self.records[key] = record
        if requested is None:
            self.untouched(record, old)
        else:
            self.apply(account, target, record, requested, old)
        if "join_url" in (record["conferencing"] or {}):
            self.fill(record, record["conferencing"]["join_url"])
        self.remember(record, self.now())

    def merged(self, old: Record, fields: dict[str, Json]) -> Record:
        kept = ("number", "created", "conferencing", "deleted", "origin", "ticket", "filled")
        held = old if self.options.omitted == "kept" else {name: old[name] for name in kept if name in old}
        return {**held, **fields}

    def delete(self, account: Account, target: dict[str, Json], body: dict[str, Json]) -> Reply:
        event_id = body.get("event_id")
        if not isinstance(event_id, str) or not event_id:
            raise Problems(event_id="required")
        record = self.records.get(self.key(account, target, event_id))
        if record is None or record["deleted"]:
            return self.options.delete_unknown, None, {}
        self.put(record, None)
        record.update(deleted=True, updated=self.now())
        self.remember(record, self.now())
        return 202, None, {}

    # reading

    def read(self, account: Account, query: Query, origin: str) -> Json:
        only, both = (query.get(name, [""])[0].lower() == "true" for name in ("only_managed", "include_managed"))
        tzid = self.zone(query)
        wanted = set(query.get("calendar_ids[]", []))
        if self.options.unknown_filter == "refuse" and wanted - set(account.calendars):
            raise Problems(calendar_ids="invalid_calendar_ids")
        self.reads += 1
        at = self.now() - (0 if self.options.replicas and self.reads % 2 else self.options.lag)
        found = [record for key in list(self.history) if (record := self.as_of(key, at))] if only or both else []
        found = self.ordered([record for record in found if record["key"][0] == account.name])
        found += [] if only else self.others(account)
        kept = [one for one in found if self.asked_for(one, query) and (not wanted or one["key"][1] in wanted)]
        localized = query.get("localized_times", [""])[0].lower() == "true"
        return self.page([self.show(one, tzid if localized else None) for one in kept], query, origin)

    def zone(self, query: Query) -> str:
        tzid = query.get("tzid", [""])[0]
        if not tzid and self.options.tzid_required:
            raise Problems(tzid="required")
        try:
            return ZoneInfo(tzid or "Etc/UTC").key
        except (KeyError, ValueError, OSError):
            raise Problems(tzid="unknown") from None

    def as_of(self, key: tuple[str, ...], at: float) -> Record | None:
        newest = next((record for since, record in reversed(self.history[key]) if since <= at), None)
        return newest if newest and newest["created"] + self.options.appears <= at else None

    def ordered(self, records: list[Record]) -> list[Record]:
        by: dict[str, Callable[[Record], Any]] = {
            "id": lambda record: (record["event_id"], record["number"]),
            "oldest": lambda record: record["number"],
            "newest": lambda record: -record["number"],
            "start": lambda record: (moment(record["start"], record.get("tzid")), record["number"]),
        }
        return sorted(records, key=by[self.options.order])

    def asked_for(self, record: Record, query: Query) -> bool:
        """Whether from, to, last_modified and include_deleted let the record through."""
        if record["deleted"] and query.get("include_deleted", [""])[0].lower() != "true":
            return False
        try:
            bounds = {name: moment(query[name][0], None) for name in ("from", "to", "last_modified") if query.get(name)}
        except ValueError:
            raise Problems(**{"from": "invalid"}) from None
        start, end = (moment(record[name], record.get("tzid")) for name in ("start", "end"))
        return (
            start < bounds.get("to", start + 1)
            and end >= bounds.get("from", end)
            and record["updated"] >= bounds.get("last_modified", 0)
        )

    def others(self, account: Account) -> list[Record]:
        """What the user put into the calendar without us."""
        day = datetime.fromtimestamp(self.born, UTC) + timedelta(days=2)
        home = next(iter(account.calendars.values()))
        times = {
            name: (day + timedelta(hours=h)).strftime("%Y-%m-%dT%H:00:00Z") for name, h in (("start", 0), ("end", 1))
        }
        more = {"key": (account.name, home["calendar_id"], ""), "calendar": home, "deleted": False, "number": -1}
        own = {"conferencing": None, "created": self.born, "updated": self.born, "event_id": None}
        return [{"summary": "Lunch", **times, **more, **own}]

    def page(self, events: list[Json], query: Query, origin: str) -> Json:
        size = self.options.page_size or max(1, len(events))
        total = max(1, -(-len(events) // size))
        number = min(int(query["page"][0]), total) if query.get("page", [""])[0].isdecimal() else 1
        pages: dict[str, Json] = {"current": number, "total": total}
        if number < total:
            again = {**query, "page": [str(number + 1)]}
            pairs = [f"{quote(name)}={quote(value)}" for name, values in again.items() for value in values]
            pages["next_page"] = f"{origin}/v1/events?{'&'.join(pairs)}"
        elif self.options.last_page == "null":
            pages["next_page"] = None
        return {"pages": pages, "events": events[(number - 1) * size : number * size]}

    def clock(self, record: Record, name: str, tzid: str | None) -> Json:
        value = record[name]["time"] if isinstance(record[name], dict) else record[name]
        if len(value) > len("2026-01-01"):
            when = datetime.fromtimestamp(moment(record[name], record.get("tzid")), ZoneInfo(tzid or "Etc/UTC"))
            value = when.isoformat(timespec="seconds") if tzid else when.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"time": value, "tzid": tzid} if tzid else value

    def conferencing(self, record: Record) -> Json:
        return record["conferencing"]

    def show(self, record: Record, tzid: str | None) -> Json:
        shown = {
            "calendar_id": record["key"][1],
            "event_uid": f"evt_{record['key'][0]}_{record['number']}",
            "summary": record["summary"],
            "description": record.get("description"),
            "start": self.clock(record, "start", tzid),
            "end": self.clock(record, "end", tzid),
            "deleted": record["deleted"],
            "created": datetime.fromtimestamp(record["created"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "updated": datetime.fromtimestamp(record["updated"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        if record["event_id"] is not None:
            shown["event_id"] = record["event_id"]
        if record.get("location"):
            shown["location"] = record["location"]
        conferencing = self.conferencing(record)
        if conferencing is not None or self.options.nothing == "null":
            shown["conferencing"] = conferencing
        return shown


def make_app(settle: float = 0.1, now: Callable[[], float] | None = None, **options: Any) -> Server:
    """A fresh server: conferences settle after `settle` seconds of `now` (time.time)."""
    return Server(settle, now, **options)


app = make_app(float(os.environ.get("SMALL_SETTLE", "0.1")))
