"""What the small ASGI emulator decides about conferencing: times are seconds since 1970, values are frozen."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

JSON = Any
OMITTED: Any = object()
BUILT_IN = {"default", "none", "explicit", "integrated", "8x8"}
HOSTS = {"google_meet": "meet.google.com", "ms_teams_for_business": "teams.microsoft.com", "zoom": "zoom.us"}


@dataclass(frozen=True)
class Choices:
    """What the documentation leaves open, and what this emulator takes."""

    nothing: str = "null"  # null | absent: how an event without conferencing reads
    explicit_pending: float = 0.0  # seconds that an explicit conference is pending
    explicit_provider: str | None = "<description>"
    accepted: tuple[int, JSON] = (202, None)  # status and body of an accepted write
    invalid: str = "refuse"  # refuse | ignore: conferencing that makes no sense
    extra_fields: str = "ignore"  # refuse | ignore: explicit's fields with another profile
    null: str = "none"  # none | absent | refuse: what `conferencing: null` means
    past: str = "pending"  # pending (for ever) | none | refuse: a conference requested for a past start
    past_held: str = "drop"  # drop | keep: what the event had before that
    past_explicit: str = "kept"  # kept | none
    reflect: str = "new"  # new | same | pending: the URL when summary, start or end change
    again: str = "renew"  # renew | keep: the same service requested once more
    nothing_available: float = (
        1.0  # parts of the settling time for which a default with nothing to resolve to is pending
    )
    eight: float = 0.0  # parts of the settling time for which 8x8 is pending; math.inf: for ever
    eight_held: str = "drop"  # drop | keep
    removal: float = 0.0  # parts of the settling time for which a removed conference is still shown
    disconnected: str = "pending"  # pending | refuse
    fill: tuple[str, ...] = ("apple",)  # providers of calendars whose location gets the URL
    fill_text: str = "{}"
    page_size: int | None = 2
    last_page: str = "absent"  # absent | null: next_page on the last page
    no_profiles: str = "empty"  # empty | absent
    foreign: int = 404
    readonly: int = 403
    deleted: int = 404
    delete_unknown: int = 202
    unknown_filter: str = "refuse"  # refuse | ignore: unknown calendar_ids
    tzid_required: bool = True
    omitted: str = "cleared"  # cleared | kept: optional fields left out of an update
    url: str = "sent"  # sent | normalised
    any_case: bool = False  # built-in values in any case
    order: str = "newest"  # newest | oldest | start | id
    extra: bool = True
    pending_false: bool = True
    lag: float = 0.0  # seconds by which reads are stale
    replicas: bool = False  # every second read is not stale
    appears: float = 0.0  # seconds before a created event is shown
    jitter: float = 0.0  # parts of the settling time
    refuses: float = 0.0  # probability of an answer that has nothing to do with the request
    refuses_with: int = 429
    refuses_after: bool = False  # after having done it
    retry_after: str | None = None
    seed: int = 1


@dataclass(frozen=True)
class Profile:
    profile_id: str
    provider: str
    connected: bool = True


@dataclass(frozen=True)
class Calendar:
    calendar_id: str
    provider: str
    integrated: str | None = None
    readonly: bool = False
    deleted: bool = False


@dataclass(frozen=True)
class Account:
    name: str
    token: str
    calendars: tuple[Calendar, ...]
    profiles: tuple[Profile, ...] = ()
    chosen: str | None = None


@dataclass(frozen=True)
class Conference:
    """What was requested of an event (`kind`) and what there is from `due` on: no `url` is no conference."""

    kind: str
    provider: str | None
    url: str | None
    due: float
    former: Conference | None = None  # shown until due, instead of pending
    text: str | None = None


@dataclass(frozen=True)
class Event:
    account: str
    calendar: Calendar
    fields: Mapping[str, JSON]
    conference: Conference | None
    number: int
    created: float
    updated: float
    deleted: bool = False


@dataclass(frozen=True)
class Write:
    """One accepted request: `requested` is the conferencing in it or ABSENT, `at` when it came."""

    account: Account
    calendar: Calendar
    fields: Mapping[str, JSON]
    requested: Any
    at: float


def inventory() -> tuple[Account, ...]:
    """The accounts: without profiles, with one that is connected, and with a chosen default."""
    return (
        Account(
            "default",
            "asgi-token-default-5b1d0c77",
            (
                Calendar("1000234", "google", "google_meet"),
                Calendar("cal.without~meet", "google"),
                Calendar("Zm9vYmFy-AQMk_0", "exchange", "ms_teams_for_business"),
                Calendar("apple-home", "apple"),
                Calendar("shared", "google", "google_meet", readonly=True),
                Calendar("gone", "exchange", deleted=True),
            ),
        ),
        Account(
            "linked",
            "asgi-token-linked-0e42aa19",
            (
                Calendar("2000999", "google", "google_meet"),
                Calendar("7f7c-ews", "exchange"),
                Calendar("apple-work", "apple"),
            ),
            (Profile("int_667c316c_0000", "whereby"),),
        ),
        Account(
            "chosen",
            "asgi-token-chosen-93b7f1d4",
            (Calendar("3", "exchange", "ms_teams_for_business"), Calendar("33", "cronofy")),
            (Profile("901", "zoom"), Profile("902", "go_to"), Profile("903", "ms_teams", connected=False)),
            chosen="902",
        ),
    )


def instant(value: JSON, tzid: str | None = None) -> datetime:
    """The moment that an API time names: a string, a date (midnight) or `{time, tzid}`; ValueError when it is none."""
    if isinstance(value, dict):
        value, tzid = value.get("time"), value.get("tzid") or tzid
    if not isinstance(value, str):
        raise ValueError(f"no time: {value!r}")  # noqa: TRY004 - one error for whatever is no time
    try:
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(tzid or "Etc/UTC"))
    except (KeyError, OSError, OverflowError) as problem:
        raise ValueError(f"no time zone: {tzid!r}") from problem


def is_date(value: JSON) -> bool:
    return len(str(value.get("time") if isinstance(value, dict) else value)) == len("2026-01-01")


def is_web_address(value: JSON) -> bool:
    try:
        parts = urlsplit(value) if isinstance(value, str) and not any(c.isspace() for c in value) else None
        return bool(parts and parts.scheme.lower() in ("http", "https") and parts.hostname)
    except ValueError:
        return False


def normalised(url: str) -> str:
    """The same address with a lower-case scheme and host, no default port and a path."""
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("idna").decode()
    default = {"http": 80, "https": 443}[parts.scheme.lower()]
    port = f":{parts.port}" if parts.port not in (None, default) else ""
    user = parts.netloc.rpartition("@")[0] + "@" if "@" in parts.netloc else ""
    return parts._replace(scheme=parts.scheme.lower(), netloc=user + host + port, path=parts.path or "/").geturl()


class Conferencing:
    """What becomes of an event's conferencing: every decision is one small method."""

    def __init__(self, settle: float = 0.1, now: Callable[[], float] | None = None, **choices: Any) -> None:
        self.settle = settle
        self.now = now or time.time
        self.choices = Choices(**choices)
        self.random = random.Random(self.choices.seed)
        self.made = 0

    # what may be requested

    def kind(self, requested: JSON) -> str:
        kind: str = requested["profile_id"]
        return kind.lower() if self.choices.any_case and kind.lower() in BUILT_IN else kind

    def senseless(self, write: Write) -> dict[str, str]:
        """Conferencing that means nothing: field -> error key."""
        requested = write.requested
        if not isinstance(requested, dict):
            return {"conferencing": "must_be_object"}
        if not isinstance(requested.get("profile_id"), str) or not requested["profile_id"]:
            return {"conferencing.profile_id": "required"}
        kind = self.kind(requested)
        if kind == "explicit":
            problems = {}
            if (
                not isinstance(requested.get("provider_description"), str)
                or not requested["provider_description"].strip()
            ):
                problems["conferencing.provider_description"] = "required"
            if not is_web_address(requested.get("join_url")):
                problems["conferencing.join_url"] = "required" if not requested.get("join_url") else "invalid_url"
            return problems
        if kind not in BUILT_IN and not self.profile(write.account, kind):
            return {"conferencing.profile_id": "not_recognized"}
        return {}

    def refused(self, write: Write) -> dict[str, str]:
        """Conferencing that is understood and refused: field -> error key."""
        kind = self.kind(write.requested)
        if kind == "integrated" and not self.integrated(write.calendar):
            return {"conferencing.profile_id": "integrated_conferencing_not_available"}
        profile = self.profile(write.account, kind)
        if profile and not profile.connected and self.choices.disconnected == "refuse":
            return {"conferencing.profile_id": "not_connected"}
        if self.choices.past == "refuse" and self.is_past(write) and kind not in ("none", "8x8"):
            return {"start": "must_be_in_future"}
        if self.choices.extra_fields == "refuse" and kind != "explicit":
            return {
                f"conferencing.{name}": "unexpected"
                for name in ("join_url", "provider_description")
                if name in write.requested
            }
        return {}

    def is_past(self, write: Write) -> bool:
        return instant(write.fields["start"], write.fields.get("tzid")).timestamp() < write.at

    # who provides it

    def profile(self, account: Account, profile_id: str) -> Profile | None:
        return next((profile for profile in account.profiles if profile.profile_id == profile_id), None)

    def integrated(self, calendar: Calendar) -> str | None:
        return calendar.integrated

    def preferred(self, account: Account) -> Profile | None:
        return self.profile(account, account.chosen) if account.chosen else next(iter(account.profiles), None)

    def resolve(self, account: Account, calendar: Calendar, kind: str) -> Profile | None:
        """The service behind a profile_id: what has no profile of its own is a profile without an id."""
        if kind not in BUILT_IN:
            return self.profile(account, kind)
        if kind == "default" and (preferred := self.preferred(account)):
            return preferred
        provider = self.integrated(calendar)
        return Profile("", provider) if provider else None

    # what comes of it

    def after(self, before: Event | None, write: Write) -> Conference | None:
        held = before.conference if before else None
        if write.requested is OMITTED:
            return self.left_out(held, before, write)
        kind = self.kind(write.requested)
        if kind == "none":
            return self.removed(held, write)
        if kind == "8x8":
            return self.eight(held, write)
        if kind == "explicit":
            return self.explicit(held, write)
        return self.generated(held, before, write, kind, self.resolve(write.account, write.calendar, kind))

    def changed(self, before: Event | None, write: Write) -> bool:
        if before is None:
            return False
        old, new = before.fields, write.fields
        moved = any(
            instant(old[name], old.get("tzid")) != instant(new[name], new.get("tzid")) for name in ("start", "end")
        )
        return moved or old["summary"] != new["summary"]

    def left_out(self, held: Conference | None, before: Event | None, write: Write) -> Conference | None:
        if held is None or held.kind == "explicit" or held.url is None:
            return held
        if self.is_past(write):
            return held if held.due <= write.at else None
        if not self.changed(before, write) or self.choices.reflect == "same":
            return held
        due = self.due(write) if self.choices.reflect == "pending" else held.due
        return replace(held, url=self.new_url(held.provider, write), due=due)

    def removed(self, held: Conference | None, write: Write) -> Conference | None:
        if not held or not self.choices.removal or held.due > write.at or held.url is None:
            return None
        return Conference("none", None, None, self.due(write, self.choices.removal), former=held)

    def eight(self, held: Conference | None, write: Write) -> Conference | None:
        if held and held.url and held.due <= write.at and self.choices.eight_held == "keep":
            return held
        return Conference("8x8", None, None, self.due(write, self.choices.eight))

    def explicit(self, held: Conference | None, write: Write) -> Conference | None:
        if self.is_past(write) and self.choices.past_explicit == "none":
            return None
        text, url = write.requested["provider_description"], write.requested["join_url"]
        provider = text if self.choices.explicit_provider == "<description>" else self.choices.explicit_provider
        url = normalised(url) if self.choices.url == "normalised" else url
        return Conference("explicit", provider, url, write.at + self.choices.explicit_pending, text=text)

    def generated(
        self, held: Conference | None, before: Event | None, write: Write, kind: str, service: Profile | None
    ) -> Conference | None:
        if self.is_past(write):
            return self.in_the_past(held, write, kind)
        if service is None:
            return Conference(kind, None, None, self.due(write, self.choices.nothing_available))
        if not service.connected:
            return Conference(kind, None, None, math.inf)
        if (
            held
            and held.url
            and held.kind != "explicit"
            and held.provider == service.provider
            and self.choices.again == "keep"
        ):
            return self.left_out(held, before, write)
        return Conference(kind, service.provider, self.new_url(service.provider, write), self.due(write))

    def in_the_past(self, held: Conference | None, write: Write, kind: str) -> Conference | None:
        if held and held.url and held.due <= write.at and self.choices.past_held == "keep":
            return held
        return Conference(kind, None, None, math.inf) if self.choices.past == "pending" else None

    def due(self, write: Write, parts: float = 1.0) -> float:
        spread = 1 + self.choices.jitter * (2 * self.random.random() - 1)
        return write.at + (parts * self.settle * spread if parts else 0.0)

    def new_url(self, provider: str | None, write: Write) -> str:
        self.made += 1
        host = HOSTS.get(str(provider), f"{provider}.example.net")
        return f"https://{host}/{self.made:04d}-{self.random.randrange(16**8):08x}"

    # how it reads

    def shown(self, conference: Conference | None, at: float) -> JSON:
        nothing = None if self.choices.nothing == "null" else OMITTED
        if conference is None:
            return nothing
        if at < conference.due:
            if conference.former:
                return self.shown(conference.former, at)
            return {"pending": True, **({"requested": conference.kind} if self.choices.extra else {})}
        return nothing if conference.url is None else self.details(conference)

    def details(self, conference: Conference) -> dict[str, JSON]:
        details: dict[str, JSON] = {"join_url": conference.url, "provider_name": conference.provider}
        if self.choices.pending_false:
            details["pending"] = False
        return {**details, "dial_in": [], "host": {"id": 7}} if self.choices.extra else details
