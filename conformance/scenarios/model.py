"""The model: a life of one event is a tuple of moves; the body of each write follows from the moves before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from conformance.world import World

__all__ = [
    "CREATION_FLAWS",
    "FLAWS",
    "FORMS",
    "KINDS",
    "STARTS",
    "STRAYS",
    "TEXTS",
    "URLS",
    "Life",
    "Move",
    "Run",
    "Write",
    "writes",
]

#: What a write does about conferencing; ``nothing`` leaves the property out, ``delete`` is a DELETE.
KINDS = ("explicit", "default", "integrated", "profile", "none", "nothing", "8x8", "delete")

#: When an event is: `start` and `end` in hours from now (for dates in days), at least a day away from now, but for what
#: is `soon` or was `lately`.  What is about a year away lies three weeks short of it, so that its day and month alone
#: tell the wrong tense.
STARTS: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] = MappingProxyType(
    {
        "future": ((26, 27), (3, 4)),
        "soon": ((5, 6), (3, 4)),
        "lately": ((-5, -4), (-4, -3)),
        "year": ((8280, 8281), (345, 346)),
        "past": ((-26, -25), (-4, -3)),
        "past-year": ((-8280, -8279), (-345, -344)),
        "running": ((-26, 26), (-3, 3)),
    }
)

#: How a time is written.
FORMS = ("utc", "offset", "tzid", "date")

#: How much an event says, and in which alphabet.
TEXTS = ("plain", "minimal", "full", "non-ascii")

#: Join URLs that the documentation allows; ``{n}`` makes each the only one of its kind.
URLS: Mapping[str, str] = MappingProxyType(
    {
        "https": "https://conference.example.com/join/{n}",
        "http": "http://conference.example.com/join/{n}",
        "port": "https://conference.example.com:8443/join/{n}",
        "query": "https://conference.example.com/Join?room={n}&pwd=aB3%2Fx%3D&with=en&with=de",
        "fragment": "https://conference.example.com/App/#/room/{n}",
        "escapes": "https://conference.example.com/Join%20us/caf%C3%A9/{n}",
        "upper": "https://conference.example.com/Join/AbCdEfG/{n}/XyZ",
        "long": "https://conference.example.com/join/{n}?context=" + "0123456789abcdef" * 18,
        "very-long": "https://conference.example.com/join/{n}?context=" + "0123456789ABCDEF" * 130,
    }
)

#: A join URL that several events of a run have, like somebody's own room.
_ROOM = "https://conference.example.com/room/{run}"

#: What makes a summary and a description long, well within what the documentation allows.
_MORE = " and whatever else there is to say" * 4, " and whatever else there is to say" * 10

#: Fields of ``explicit`` beside another kind, where they are to be of no use.
STRAYS = ("join_url", "provider_description", "both")

_DESCRIPTIONS = ("Custom conferencing", "Our own vídeo: 会議室 №\u00a07")


def _explicit(n: str, **changes: Any) -> dict[str, Any]:
    whole = {
        "profile_id": "explicit",
        "provider_description": _DESCRIPTIONS[0],
        "join_url": URLS["https"].format(n=n),
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not ...}


_CONFERENCING_FLAWS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "explicit-without-url": lambda n: _explicit(n, join_url=...),
        "explicit-without-description": lambda n: _explicit(n, provider_description=...),
        "ftp-url": lambda n: _explicit(n, join_url=f"ftp://conference.example.com/join/{n}"),
        "app-url": lambda n: _explicit(n, join_url=f"zoommtg://conference.example.com/join?confno={n}"),
        "words-for-url": lambda n: _explicit(n, join_url=f"dial room {n}"),
        "relative-url": lambda n: _explicit(n, join_url=f"/join/{n}"),
        "no-profile-id": lambda n: _explicit(n, profile_id=...),
        "unknown-profile": lambda n: {"profile_id": f"pro_nobody_has_{n}"},
        "foreign-profile": lambda n: {"profile_id": f"pro_of_nobody_{n}"},
    }
)

_EVENT_FLAWS: Mapping[str, Callable[[dict[str, Any]], Any]] = MappingProxyType(
    {
        "no-summary": lambda body: body.pop("summary"),
        "no-start": lambda body: body.pop("start"),
        "no-end": lambda body: body.pop("end"),
        "words-for-start": lambda body: body.update(start="the day after tomorrow"),
        "end-before-start": lambda body: body.update(start=body["end"], end=body["start"]),
    }
)

#: What is wrong with a write of the kind ``invalid``: its conferencing, or its event.
FLAWS = (*_CONFERENCING_FLAWS, *_EVENT_FLAWS)

#: Of these, what is tried on creation as well: of the ways in which a URL is none, one.
CREATION_FLAWS = tuple(name for name in _CONFERENCING_FLAWS if name not in ("app-url", "words-for-url", "relative-url"))


@dataclass(frozen=True, slots=True)
class Move:
    """One write, in the terms of the contract.

    `changes` are the fields that differ from the write before: ``summary``, ``description``, ``time``, ``end`` alone,
    ``location``, or ``bare``, which leaves description and location out.
    `url` names one of the URLs, or is ``again`` for that of the life's first, or ``room`` for one that lives share.
    `profile` counts through the account's profiles.  A `hasty` move goes out the moment the one before is answered.
    """

    kind: str
    changes: tuple[str, ...] = ("summary",)
    start: str = "future"
    form: str = "utc"
    text: str = "plain"
    url: str = "https"
    stray: str = ""
    flaw: str = ""
    profile: int = 0
    hasty: bool = False


@dataclass(frozen=True, slots=True)
class Life:
    """What is done to one event: `event` is its name within the run, shared by lives that must not touch each other."""

    id: str
    account: str
    calendar_id: str
    moves: tuple[Move, ...]
    theme: str = ""
    event: str = ""

    @property
    def ends_deleted(self) -> bool:
        """Whether the last write is a DELETE, so that nothing is left to delete."""
        return self.moves[-1].kind == "delete"


@dataclass(frozen=True, slots=True)
class Run:
    """What the writes of one run have in common: its id, the second it counts from, the world it is in."""

    id: str
    now: float
    world: World = field(default_factory=World)

    def event_id(self, life: Life) -> str:
        """The event's id: unique to the run, in capitals now and then, and safe in a URL."""
        name = f"{self.id}-{life.event or life.id}"
        return f"cfc-{name}" if sum(map(ord, name)) % 3 else f"CFC-{name.upper()}-aZ"


@dataclass(frozen=True, slots=True)
class Write:
    """One request of a life: POST with `body`, or DELETE; `n` is its mark."""

    method: str
    path: str
    body: dict[str, Any]
    move: Move
    n: str


@dataclass(slots=True)
class _Event:
    """The event as the moves so far have written it."""

    summary: str = ""
    description: str | None = None
    location: str | None = None
    slot: int = 0
    longer: int = 0


def writes(life: Life, run: Run) -> tuple[Write, ...]:
    """The requests of a life, in order; the same life and run give the same requests."""
    event_id = run.event_id(life)
    path = f"/v1/calendars/{quote(life.calendar_id, safe='')}/events"
    event = _Event(slot=sum(map(ord, life.id)) % 12)
    result = []
    first_url = ""
    fresh = True
    for number, move in enumerate(life.moves, 1):
        n = f"{run.id}-{life.id}-{number}"
        if move.kind == "delete":
            result.append(Write("DELETE", path, {"event_id": event_id}, move, n))
            fresh = True
            continue
        _change(event, move, n, fresh)
        body = _body(event_id, event, move, n, life, run)
        if move.kind == "explicit":
            if move.url == "again" and first_url:
                body["conferencing"]["join_url"] = first_url
            first_url = first_url or body["conferencing"]["join_url"]
        result.append(Write("POST", path, body, move, n))
        fresh = False
    return tuple(result)


def _change(event: _Event, move: Move, n: str, fresh: bool) -> None:
    non_ascii = move.text == "non-ascii"
    if fresh or "summary" in move.changes:
        opening = "Größe & Maß — 計画 🗓" if non_ascii else "Planning"
        event.summary = f"{opening} {n}" + _MORE[0] * (move.text == "full")
    if "description" in move.changes or (fresh and move.text != "minimal"):
        opening = "Naïve Fragen, «Antworten» 質問" if non_ascii else "Plans and questions"
        event.description = f"{opening} {n}" + _MORE[1] * (move.text == "full")
    if "time" in move.changes:
        event.slot += 1
    if "end" in move.changes:
        event.longer += 1
    if "location" in move.changes or (fresh and move.text == "full"):
        event.location = f"Room {n}"
    if "bare" in move.changes:
        event.description = event.location = None


def _body(event_id: str, event: _Event, move: Move, n: str, life: Life, run: Run) -> dict[str, Any]:
    start, end = _times(move, event.slot, event.longer, run.now)
    body: dict[str, Any] = {"event_id": event_id, "summary": event.summary, "start": start, "end": end}
    if event.description is not None:
        body["description"] = event.description
    if event.location is not None:
        body["location"] = {"description": event.location}
    if move.text == "full":
        body["tzid"] = "Europe/Berlin"
    conferencing = _conferencing(move, n, life, run)
    if conferencing is not ...:
        body["conferencing"] = conferencing
    if move.flaw in _EVENT_FLAWS:
        _EVENT_FLAWS[move.flaw](body)
    return body


def _conferencing(move: Move, n: str, life: Life, run: Run) -> Any:
    if move.kind == "nothing":
        return ...
    if move.kind == "explicit" or move.flaw in _EVENT_FLAWS:
        text = _DESCRIPTIONS[move.text == "non-ascii"]
        return _explicit(n, join_url=_url(move, n, run), provider_description=text)
    if move.flaw == "foreign-profile":
        foreign = _foreign_profile(life.account, run.world)
        return {"profile_id": foreign} if foreign else _CONFERENCING_FLAWS[move.flaw](n)
    if move.flaw:
        return _CONFERENCING_FLAWS[move.flaw](n)
    conferencing: dict[str, Any] = {"profile_id": _profile_id(move, life, run.world)}
    if move.stray in ("join_url", "both"):
        conferencing["join_url"] = _url(move, n, run)
    if move.stray in ("provider_description", "both"):
        conferencing["provider_description"] = f"Stray {n}"
    return conferencing


def _url(move: Move, n: str, run: Run) -> str:
    if move.url == "room":
        return _ROOM.format(run=run.id)
    return URLS["https" if move.url == "again" else move.url].format(n=n)


def _profile_id(move: Move, life: Life, world: World) -> str:
    if move.kind != "profile":
        return move.kind
    profiles = world.by_name[life.account].profiles
    if not profiles:
        raise ValueError(f"life {life.id}: account {life.account!r} has no conferencing profile to name")
    return profiles[move.profile % len(profiles)].profile_id


def _foreign_profile(account: str, world: World) -> str | None:
    own = {profile.profile_id for profile in world.by_name[account].profiles or ()}
    for other in world.accounts:
        for profile in other.profiles or ():
            if profile.profile_id not in own and profile.connected is not False:
                return profile.profile_id
    return None


#: Offsets from UTC by which times are written: without them, what is soon is over, and what was lately is to come.
_OFFSETS = {"soon": timezone(timedelta(hours=-11)), "lately": timezone(timedelta(hours=13))}
_WESTERN = timezone(timedelta(hours=-7))


def _times(move: Move, slot: int, longer: int, now: float) -> tuple[Any, Any]:
    """Start and end: further from now by an hour a slot, or by a day for dates; what is to come may be `longer`."""
    hours, days = STARTS[move.start]
    hour = datetime.fromtimestamp(now, UTC).replace(minute=0, second=0, microsecond=0)
    if move.form == "date":
        start, end = (hour + timedelta(days=_away(offset, slot)) for offset in days)
        end += timedelta(days=longer * (days[1] > 0))
        return start.strftime("%Y-%m-%d"), end.strftime("%Y-%m-%d")
    slot = slot % 3 if move.start in _OFFSETS else slot
    start, end = (hour + timedelta(hours=_away(offset, slot)) for offset in hours)
    end += timedelta(hours=longer * (hours[1] > 0))
    zone = _OFFSETS.get(move.start, _WESTERN)
    return _moment(start, move.form, zone), _moment(end, move.form, zone)


def _away(offset: int, slot: int) -> int:
    return offset + slot if offset > 0 else offset - slot


def _moment(moment: datetime, form: str, zone: timezone) -> Any:
    if form == "offset":
        return moment.astimezone(zone).isoformat(timespec="seconds")
    text = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"time": text, "tzid": "Europe/Berlin"} if form == "tzid" else text
