"""What the small WSGI server does about conferencing: a write stores a record and leaves a job for when it is due."""

from __future__ import annotations

import copy
import math
import random
import string
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

Json = Any
Record = dict[str, Any]  # an event as stored
SPECIAL = ("default", "none", "explicit", "integrated", "8x8")
EXPLICIT_FIELDS = ("provider_description", "join_url")
UNRESERVED = string.ascii_letters + string.digits + "-._~"


@dataclass
class Options:
    """What the documentation leaves open; the defaults are the opposite of the other server's."""

    nothing: str = "absent"  # absent | null
    explicit_pending: float = 1.0  # parts of the settling time
    explicit_provider: str | None = None  # a text, or null
    accepted: tuple[int, Json] = (200, {"status": "accepted"})
    invalid: str = "ignore"  # ignore | refuse
    extra_fields: str = "refuse"  # ignore | refuse
    null: str = "refuse"  # refuse | absent | none
    past: str = "none"  # none | pending (for ever) | refuse
    past_held: str = "keep"  # keep | drop
    past_explicit: str = "none"  # none | kept
    reflect: str = "same"  # same | new | pending
    again: str = "keep"  # keep | renew
    nothing_available: float = 0.0  # parts of the settling time during which it is pending
    eight: float = 1.0  # likewise; math.inf: for ever
    eight_held: str = "keep"  # keep | drop
    removal: float = 1.0  # parts of the settling time for which a removed conference is still shown
    disconnected: str = "pending"  # pending | refuse
    fill: tuple[str, ...] = ("apple", "exchange", "google", "cronofy")
    fill_text: str = "Join: {}"
    page_size: int | None = None
    last_page: str = "absent"  # absent | null
    no_profiles: str = "absent"  # absent | empty
    foreign: int = 403
    readonly: int = 422
    deleted: int = 403
    delete_unknown: int = 404
    unknown_filter: str = "ignore"  # ignore | refuse
    tzid_required: bool = True
    omitted: str = "kept"  # kept | cleared
    url: str = "normalised"  # normalised | sent
    any_case: bool = True
    order: str = "id"  # id | oldest | newest | start
    extra: bool = False
    pending_false: bool = False
    lag: float = 0.0  # seconds by which reads are stale
    replicas: bool = False  # every second read is not stale
    appears: float = 0.0  # seconds before a created event is shown
    jitter: float = 0.0  # parts of the settling time
    refuses: float = 0.0  # probability of an answer that has nothing to do with the request
    refuses_with: int = 429
    refuses_after: bool = False  # after having done it
    retry_after: str | None = None
    seed: int = 2


@dataclass
class Account:
    name: str
    token: str
    calendars: dict[str, dict[str, Json]]
    profiles: list[dict[str, Json]] = field(default_factory=list)


@dataclass
class Job:
    """At `due` the record `key` gets `conferencing`, if nothing newer was requested (`ticket`)."""

    due: float
    key: tuple[str, ...]
    ticket: int
    conferencing: dict[str, Json] | None


class Problems(Exception):  # noqa: N818 - named after what it carries
    """A 422: field -> error key without its prefix."""

    def __init__(self, **problems: str) -> None:
        self.problems = {name.replace("__", "."): key for name, key in problems.items()}


def moment(value: Json, zone: str | None) -> float:
    """Seconds since 1970 of a string or `{time, tzid}`: a date begins at midnight UTC; ValueError if it is no time."""
    if isinstance(value, dict):
        return moment(value.get("time"), value.get("tzid") or zone)
    if not isinstance(value, str):
        raise ValueError("not a time")  # noqa: TRY004 - one error for whatever is no time
    if len(value) == 10:
        day = date.fromisoformat(value)
        return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    when = datetime.fromisoformat(value)
    try:
        return (when if when.tzinfo else when.replace(tzinfo=ZoneInfo(zone or "Etc/UTC"))).timestamp()
    except (KeyError, OSError, OverflowError) as problem:
        raise ValueError("no such zone") from problem


def is_http(url: Json) -> bool:
    if not isinstance(url, str) or any(letter <= " " for letter in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def equivalent(url: str) -> str:
    """The normal form of RFC 3986, 6.2.2 and 6.2.3, of an HTTP URL, dot segments apart."""
    parts = urlsplit(url)
    host, port = (parts.hostname or "").lower(), parts.port
    if not host.isascii():
        host = host.encode("idna").decode()
    host = f"[{host}]" if ":" in host else host
    if port and port != {"http": 80, "https": 443}[parts.scheme]:
        host = f"{host}:{port}"
    if "@" in parts.netloc:
        host = parts.netloc.rpartition("@")[0] + "@" + host
    rest = [unescaped(part) for part in (parts.path or "/", parts.query, parts.fragment)]
    return parts._replace(netloc=host, path=rest[0], query=rest[1], fragment=rest[2]).geturl()


def unescaped(text: str) -> str:
    """The text with upper-case escapes, and none for unreserved characters."""
    first, *others = text.split("%")
    for other in others:
        escape, rest = other[:2], other[2:]
        try:
            letter = chr(int(escape, 16)) if len(escape) == 2 and escape.isalnum() else "%"
            first += letter + rest if letter in UNRESERVED else f"%{escape.upper()}{rest}"
        except ValueError:
            first += f"%{other}"
    return first


class Desk:
    """Takes writes, keeps records and jobs; `now` gives seconds since 1970."""

    def __init__(self, settle: float = 0.1, now: Callable[[], float] | None = None, **options: Any) -> None:
        self.settle, self.now = settle, now or time.time
        self.options = Options(**options)
        self.dice = random.Random(self.options.seed)
        self.records: dict[tuple[str, ...], Record] = {}
        self.history: dict[tuple[str, ...], list[tuple[float, Record]]] = {}
        self.jobs: list[Job] = []
        self.tickets = 0

    # what is requested

    def requested(self, body: dict[str, Json]) -> dict[str, Json] | None:
        """The conferencing that a body requests, None when it requests none."""
        if "conferencing" not in body:
            return None
        requested = body["conferencing"]
        if requested is None and self.options.null != "refuse":
            return {"profile_id": "none"} if self.options.null == "none" else None
        if not isinstance(requested, dict):
            raise Problems(conferencing="invalid")
        profile_id = requested.get("profile_id")
        if self.options.any_case and isinstance(profile_id, str) and profile_id.lower() in SPECIAL:
            return {**requested, "profile_id": profile_id.lower()}
        return requested

    def sensible(self, account: Account, requested: dict[str, Json]) -> None:
        """Raises Problems for conferencing that means nothing."""
        profile_id = requested.get("profile_id")
        if not profile_id or not isinstance(profile_id, str):
            raise Problems(conferencing__profile_id="required")
        if profile_id not in SPECIAL and self.profile(account, profile_id) is None:
            raise Problems(conferencing__profile_id="invalid")
        if profile_id == "explicit":
            self.explicit_fields(requested)

    def explicit_fields(self, requested: dict[str, Json]) -> None:
        text = requested.get("provider_description")
        if not isinstance(text, str) or not text.strip():
            raise Problems(conferencing__provider_description="required")
        if not is_http(requested.get("join_url")):
            raise Problems(conferencing__join_url="must_be_http")

    def allowed(self, account: Account, calendar: dict[str, Json], requested: dict[str, Json], past: bool) -> None:
        """Raises Problems for conferencing that is refused here."""
        profile_id = requested["profile_id"]
        if profile_id == "integrated" and not self.integrated(calendar):
            raise Problems(conferencing__profile_id="integrated_conferencing_not_available")
        profile = self.profile(account, profile_id)
        if profile and not profile["connected"] and self.options.disconnected == "refuse":
            raise Problems(conferencing__profile_id="disconnected")
        if past and self.options.past == "refuse" and profile_id not in ("none", "8x8"):
            raise Problems(start="in_past")
        if (
            self.options.extra_fields == "refuse"
            and profile_id != "explicit"
            and any(name in requested for name in EXPLICIT_FIELDS)
        ):
            raise Problems(conferencing="unexpected_fields")

    # who provides it

    def profile(self, account: Account, profile_id: str) -> dict[str, Json] | None:
        return next((profile for profile in account.profiles if profile["id"] == profile_id), None)

    def integrated(self, calendar: dict[str, Json]) -> str | None:
        service: str | None = calendar.get("integrated")
        return service

    def default(self, account: Account) -> dict[str, Json] | None:
        chosen = [profile for profile in account.profiles if profile.get("chosen")]
        return next(iter(chosen or account.profiles), None)

    def service(self, account: Account, calendar: dict[str, Json], profile_id: str) -> dict[str, Json] | None:
        """What makes the conference: `{provider, connected}`, or None where nothing does."""
        if profile_id == "default" and (default := self.default(account)):
            return default
        if profile_id in ("default", "integrated"):
            provider = self.integrated(calendar)
            return {"provider": provider, "connected": True} if provider else None
        return self.profile(account, profile_id)

    # what comes of it

    def past(self, record: Record) -> bool:
        return moment(record["start"], record.get("tzid")) < self.now()

    def apply(
        self, account: Account, calendar: dict[str, Json], record: Record, requested: dict[str, Json], old: Record
    ) -> None:
        """Sets the record's conferencing to what was requested, now or by a job."""
        profile_id = requested["profile_id"]
        if profile_id == "none":
            self.remove(record)
        elif profile_id == "8x8":
            if "join_url" not in (record.get("conferencing") or {}) or self.options.eight_held == "drop":
                self.later(record, self.options.eight, None)
        elif profile_id == "explicit":
            self.explicit(record, requested)
        else:
            self.generate(account, calendar, record, profile_id, old)

    def remove(self, record: Record) -> None:
        if self.options.removal and "join_url" in (record.get("conferencing") or {}):
            self.later(record, self.options.removal, None, record["conferencing"])
        else:
            self.put(record, None)

    def explicit(self, record: Record, requested: dict[str, Json]) -> None:
        if self.past(record) and self.options.past_explicit == "none":
            return self.put(record, None)
        url = equivalent(requested["join_url"]) if self.options.url == "normalised" else requested["join_url"]
        record["origin"] = "explicit"
        return self.later(record, self.options.explicit_pending, self.made(self.options.explicit_provider, url))

    def generate(
        self, account: Account, calendar: dict[str, Json], record: Record, profile_id: str, old: Record
    ) -> None:
        service, held = self.service(account, calendar, profile_id), record.get("conferencing") or {}
        settled = "join_url" in held
        if self.past(record):
            if not (settled and self.options.past_held == "keep"):
                self.later(record, math.inf if self.options.past == "pending" else 0, None)
        elif service is None:
            self.later(record, self.options.nothing_available, None)
        elif not service["connected"]:
            self.later(record, math.inf, None)
        elif settled and self.same_service(record, service) and self.options.again == "keep":
            self.reflect(record, old)
        else:
            record["origin"] = profile_id
            self.later(record, 1, self.made(service["provider"], self.address(service["provider"])))

    def same_service(self, record: Record, service: dict[str, Json]) -> bool:
        return bool(record["origin"] != "explicit" and record["conferencing"]["provider_name"] == service["provider"])

    def untouched(self, record: Record, old: Record) -> None:
        """Conferencing was left out: a conference stays; one not yet made is given up when the event is past."""
        held = record.get("conferencing") or {}
        if "join_url" in held:
            if record["origin"] != "explicit" and not self.past(record):
                self.reflect(record, old)
        elif held and record.get("origin") != "explicit" and self.past(record):
            self.put(record, None)

    def reflect(self, record: Record, old: Record) -> None:
        """A generated conference follows the event's summary, start and end."""
        times = [moment(one[name], one.get("tzid")) for name in ("start", "end") for one in (record, old)]
        changed = record["summary"] != old["summary"] or times[0] != times[1] or times[2] != times[3]
        if changed and self.options.reflect != "same":
            provider = record["conferencing"]["provider_name"]
            self.later(record, float(self.options.reflect == "pending"), self.made(provider, self.address(provider)))

    def made(self, provider: str | None, url: str) -> dict[str, Json]:
        more: dict[str, Json] = {"pending": False} if self.options.pending_false else {}
        return {"provider_name": provider, "join_url": url, **more, **({"region": "eu"} if self.options.extra else {})}

    def address(self, provider: str) -> str:
        letters = "".join(self.dice.choice(string.ascii_lowercase) for _ in range(10))
        if provider == "google_meet":
            return f"https://meet.google.com/{letters[:3]}-{letters[3:7]}-{letters[7:]}"
        return f"https://{provider.replace('_', '-')}.example.org/j/{letters}?pwd={self.dice.randrange(10**6)}"

    # jobs

    def put(self, record: Record, conferencing: dict[str, Json] | None) -> None:
        """Sets conferencing at once; whatever was under way for the record is void."""
        self.tickets += 1
        record["ticket"], record["conferencing"] = self.tickets, conferencing
        if conferencing and "join_url" in conferencing:
            self.fill(record, conferencing["join_url"])

    def later(
        self, record: Record, parts: float, conferencing: dict[str, Json] | None, until: dict[str, Json] | None = None
    ) -> None:
        """Sets conferencing after these parts of the settling time, and pending (or `until`) for so long."""
        if not parts:
            return self.put(record, conferencing)
        self.put(record, until or {"pending": True})
        spread = 1 + self.options.jitter * (2 * self.dice.random() - 1)
        if parts < math.inf:
            self.jobs.append(
                Job(self.now() + parts * self.settle * spread, record["key"], record["ticket"], conferencing)
            )
        return None

    def work(self) -> None:
        """Does all jobs that are due, in the order in which they are due."""
        due = sorted((job for job in self.jobs if job.due <= self.now()), key=lambda job: job.due)
        self.jobs = [job for job in self.jobs if job not in due]
        for job in due:
            record = self.records.get(job.key)
            if record is not None and self.current(record, job):
                self.put(record, copy.deepcopy(job.conferencing))
                self.remember(record, job.due)

    def current(self, record: Record, job: Job) -> bool:
        return bool(record.get("ticket") == job.ticket)

    def fill(self, record: Record, url: str) -> None:
        """Puts the URL where calendars without conferencing fields show it, unless the caller wrote something there."""
        location = record.get("location") or {}
        if record["calendar"]["provider_name"] in self.options.fill and location.get("description") in (
            None,
            "",
            record.get("filled"),
        ):
            record["filled"] = self.options.fill_text.format(url)
            record["location"] = {**location, "description": record["filled"]}

    def remember(self, record: Record, at: float) -> None:
        self.history.setdefault(record["key"], []).append((at, copy.deepcopy(record)))
