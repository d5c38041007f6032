"""A scenario is a tuple of steps on one event; the body of each write follows from the steps up to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from conformance.servers.inventory import Inventory

__all__ = [
    "CREATION_DEFECTS",
    "DEFECTS",
    "EXTRA_FIELDS",
    "KINDS",
    "STARTS",
    "TEXT_VARIANTS",
    "TIME_FORMATS",
    "URL_VARIANTS",
    "RunContext",
    "Scenario",
    "Step",
    "WriteRequest",
    "write_requests",
]

#: What a write requests about conferencing; ``omitted`` leaves the property out, ``delete`` is a DELETE.
KINDS = ("explicit", "default", "integrated", "profile", "none", "omitted", "8x8", "delete")

#: When an event takes place: start and end in hours from now, and in days where they are written as dates.  All but
#: ``soon`` and ``lately`` are at least a day away from now.  ``year`` and ``past-year`` are three weeks short of a year
#: away, so that a server which ignores the year takes future for past.
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
TIME_FORMATS = ("utc", "offset", "tzid", "date")

#: How many fields an event has, how long they are, and in which alphabet.
TEXT_VARIANTS = ("plain", "minimal", "full", "non-ascii")

#: Join URLs that the documentation allows; ``{marker}`` makes each unique.
URL_VARIANTS: Mapping[str, str] = MappingProxyType(
    {
        "https": "https://conference.example.com/join/{marker}",
        "http": "http://conference.example.com/join/{marker}",
        "port": "https://conference.example.com:8443/join/{marker}",
        "query": "https://conference.example.com/Join?room={marker}&pwd=aB3%2Fx%3D&with=en&with=de",
        "fragment": "https://conference.example.com/App/#/room/{marker}",
        "escapes": "https://conference.example.com/Join%20us/caf%C3%A9/{marker}",
        "upper": "https://conference.example.com/Join/AbCdEfG/{marker}/XyZ",
        "long": "https://conference.example.com/join/{marker}?context=" + "0123456789abcdef" * 18,
        "very-long": "https://conference.example.com/join/{marker}?context=" + "0123456789ABCDEF" * 130,
    }
)

#: A join URL that several events of a run share, like a personal room.
_ROOM = "https://conference.example.com/room/{run}"

#: Padding of long summaries and descriptions, well within the documented lengths.
_PADDING = " and whatever else there is to say" * 4, " and whatever else there is to say" * 10

#: Fields of ``explicit`` in a write of another kind, where they must have no effect.
EXTRA_FIELDS = ("join_url", "provider_description", "both")

_DESCRIPTIONS = ("Custom conferencing", "Our own vídeo: 会議室 №\u00a07")


def _explicit(marker: str, **changes: Any) -> dict[str, Any]:
    conferencing = {
        "profile_id": "explicit",
        "provider_description": _DESCRIPTIONS[0],
        "join_url": URL_VARIANTS["https"].format(marker=marker),
        **changes,
    }
    return {name: value for name, value in conferencing.items() if value is not ...}


_CONFERENCING_DEFECTS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "explicit-without-url": lambda marker: _explicit(marker, join_url=...),
        "explicit-without-description": lambda marker: _explicit(marker, provider_description=...),
        "ftp-url": lambda marker: _explicit(marker, join_url=f"ftp://conference.example.com/join/{marker}"),
        "app-url": lambda marker: _explicit(marker, join_url=f"zoommtg://conference.example.com/join?confno={marker}"),
        "words-for-url": lambda marker: _explicit(marker, join_url=f"dial room {marker}"),
        "relative-url": lambda marker: _explicit(marker, join_url=f"/join/{marker}"),
        "no-profile-id": lambda marker: _explicit(marker, profile_id=...),
        "unknown-profile": lambda marker: {"profile_id": f"pro_nobody_has_{marker}"},
        "foreign-profile": lambda marker: {"profile_id": f"pro_of_nobody_{marker}"},
    }
)

_EVENT_DEFECTS: Mapping[str, Callable[[dict[str, Any]], Any]] = MappingProxyType(
    {
        "no-summary": lambda body: body.pop("summary"),
        "no-start": lambda body: body.pop("start"),
        "no-end": lambda body: body.pop("end"),
        "words-for-start": lambda body: body.update(start="the day after tomorrow"),
        "end-before-start": lambda body: body.update(start=body["end"], end=body["start"]),
    }
)

#: What is wrong with a write of the kind ``invalid``: its conferencing, or another field of the event.
DEFECTS = (*_CONFERENCING_DEFECTS, *_EVENT_DEFECTS)

#: Of these, what is tried on creation as well; of the invalid URLs, one is enough.
CREATION_DEFECTS = tuple(
    name for name in _CONFERENCING_DEFECTS if name not in ("app-url", "words-for-url", "relative-url")
)


@dataclass(frozen=True, slots=True)
class Step:
    """One write, in the terms of the contract.

    `changed_fields` are the fields that differ from the previous write: ``summary``, ``description``, ``time``, ``end``
    alone, ``location``, or ``bare``, which leaves description and location out.
    `url_variant` is a key of URL_VARIANTS, ``again`` for the URL of the scenario's first explicit write, or ``room``
    for one that scenarios share.  `profile` is an index into the account's profiles.
    An `immediate` step is sent as soon as the previous one is answered.
    """

    kind: str
    changed_fields: tuple[str, ...] = ("summary",)
    start: str = "future"
    time_format: str = "utc"
    text_variant: str = "plain"
    url_variant: str = "https"
    extra_fields: str = ""
    defect: str = ""
    profile: int = 0
    immediate: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """The writes to one event.

    `event` names the event within the run, where several scenarios use the same id on different calendars.
    """

    id: str
    account: str
    calendar_id: str
    steps: tuple[Step, ...]
    family: str = ""
    event: str = ""

    @property
    def ends_deleted(self) -> bool:
        """Whether the last write is a DELETE, after which there is nothing to clean up."""
        return self.steps[-1].kind == "delete"


@dataclass(frozen=True, slots=True)
class RunContext:
    """What the writes of one run share: its id, the time that it counts from (epoch seconds), and the inventory."""

    id: str
    now: float
    inventory: Inventory = field(default_factory=Inventory)

    def event_id(self, scenario: Scenario) -> str:
        """The event's id: unique to the run, safe in a URL, and in capitals for some scenarios."""
        name = f"{self.id}-{scenario.event or scenario.id}"
        return f"cfc-{name}" if sum(map(ord, name)) % 3 else f"CFC-{name.upper()}-aZ"


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """One request of a scenario: POST with `body`, or DELETE; `marker` is in its texts and URLs, and in no other."""

    method: str
    path: str
    body: dict[str, Any]
    step: Step
    marker: str


@dataclass(slots=True)
class _Event:
    """The fields of the event after the steps so far; `slot` and `longer` count changes of its time and of its end."""

    summary: str = ""
    description: str | None = None
    location: str | None = None
    slot: int = 0
    longer: int = 0


def write_requests(scenario: Scenario, run: RunContext) -> tuple[WriteRequest, ...]:
    """The requests of a scenario, in order; always the same for the same scenario and run."""
    event_id = run.event_id(scenario)
    path = f"/v1/calendars/{quote(scenario.calendar_id, safe='')}/events"
    event = _Event(slot=sum(map(ord, scenario.id)) % 12)
    requests = []
    first_url = ""
    fresh = True
    for number, step in enumerate(scenario.steps, 1):
        marker = f"{run.id}-{scenario.id}-{number}"
        if step.kind == "delete":
            requests.append(WriteRequest("DELETE", path, {"event_id": event_id}, step, marker))
            fresh = True
            continue
        _change(event, step, marker, fresh)
        body = _body(event_id, event, step, marker, scenario, run)
        if step.kind == "explicit":
            if step.url_variant == "again" and first_url:
                body["conferencing"]["join_url"] = first_url
            first_url = first_url or body["conferencing"]["join_url"]
        requests.append(WriteRequest("POST", path, body, step, marker))
        fresh = False
    return tuple(requests)


def _change(event: _Event, step: Step, marker: str, fresh: bool) -> None:
    non_ascii = step.text_variant == "non-ascii"
    if fresh or "summary" in step.changed_fields:
        opening = "Größe & Maß — 計画 🗓" if non_ascii else "Planning"
        event.summary = f"{opening} {marker}" + _PADDING[0] * (step.text_variant == "full")
    if "description" in step.changed_fields or (fresh and step.text_variant != "minimal"):
        opening = "Naïve Fragen, «Antworten» 質問" if non_ascii else "Plans and questions"
        event.description = f"{opening} {marker}" + _PADDING[1] * (step.text_variant == "full")
    if "time" in step.changed_fields:
        event.slot += 1
    if "end" in step.changed_fields:
        event.longer += 1
    if "location" in step.changed_fields or (fresh and step.text_variant == "full"):
        event.location = f"Room {marker}"
    if "bare" in step.changed_fields:
        event.description = event.location = None


def _body(event_id: str, event: _Event, step: Step, marker: str, scenario: Scenario, run: RunContext) -> dict[str, Any]:
    start, end = _times(step, event.slot, event.longer, run.now)
    body: dict[str, Any] = {"event_id": event_id, "summary": event.summary, "start": start, "end": end}
    if event.description is not None:
        body["description"] = event.description
    if event.location is not None:
        body["location"] = {"description": event.location}
    if step.text_variant == "full":
        body["tzid"] = "Europe/Berlin"
    conferencing = _conferencing(step, marker, scenario, run)
    if conferencing is not ...:
        body["conferencing"] = conferencing
    if step.defect in _EVENT_DEFECTS:
        _EVENT_DEFECTS[step.defect](body)
    return body


def _conferencing(step: Step, marker: str, scenario: Scenario, run: RunContext) -> Any:
    if step.kind == "omitted":
        return ...
    if step.kind == "explicit" or step.defect in _EVENT_DEFECTS:
        text = _DESCRIPTIONS[step.text_variant == "non-ascii"]
        return _explicit(marker, join_url=_url(step, marker, run), provider_description=text)
    if step.defect == "foreign-profile":
        foreign = _foreign_profile(scenario.account, run.inventory)
        return {"profile_id": foreign} if foreign else _CONFERENCING_DEFECTS[step.defect](marker)
    if step.defect:
        return _CONFERENCING_DEFECTS[step.defect](marker)
    conferencing: dict[str, Any] = {"profile_id": _profile_id(step, scenario, run.inventory)}
    if step.extra_fields in ("join_url", "both"):
        conferencing["join_url"] = _url(step, marker, run)
    if step.extra_fields in ("provider_description", "both"):
        conferencing["provider_description"] = f"Extra {marker}"
    return conferencing


def _url(step: Step, marker: str, run: RunContext) -> str:
    if step.url_variant == "room":
        return _ROOM.format(run=run.id)
    return URL_VARIANTS["https" if step.url_variant == "again" else step.url_variant].format(marker=marker)


def _profile_id(step: Step, scenario: Scenario, inventory: Inventory) -> str:
    if step.kind != "profile":
        return step.kind
    profiles = inventory.by_name[scenario.account].profiles
    if not profiles:
        raise ValueError(f"scenario {scenario.id}: account {scenario.account!r} has no conferencing profile to name")
    return profiles[step.profile % len(profiles)].profile_id


def _foreign_profile(account: str, inventory: Inventory) -> str | None:
    own = {profile.profile_id for profile in inventory.by_name[account].profiles or ()}
    for other in inventory.accounts:
        for profile in other.profiles or ():
            if profile.profile_id not in own and profile.connected is not False:
                return profile.profile_id
    return None


#: UTC offsets of times that are ``soon`` or ``lately``: a server that ignores the offset takes future for past.
_OFFSETS = {"soon": timezone(timedelta(hours=-11)), "lately": timezone(timedelta(hours=13))}
_WESTERN = timezone(timedelta(hours=-7))


def _times(step: Step, slot: int, longer: int, now: float) -> tuple[Any, Any]:
    """Start and end: an hour (or a day, for dates) further from now for each slot; future ends later by `longer`."""
    hours, days = STARTS[step.start]
    hour = datetime.fromtimestamp(now, UTC).replace(minute=0, second=0, microsecond=0)
    if step.time_format == "date":
        start, end = (hour + timedelta(days=_away(offset, slot)) for offset in days)
        end += timedelta(days=longer * (days[1] > 0))
        return start.strftime("%Y-%m-%d"), end.strftime("%Y-%m-%d")
    slot = slot % 3 if step.start in _OFFSETS else slot
    start, end = (hour + timedelta(hours=_away(offset, slot)) for offset in hours)
    end += timedelta(hours=longer * (hours[1] > 0))
    zone = _OFFSETS.get(step.start, _WESTERN)
    return _moment(start, step.time_format, zone), _moment(end, step.time_format, zone)


def _away(offset: int, slot: int) -> int:
    return offset + slot if offset > 0 else offset - slot


def _moment(moment: datetime, time_format: str, zone: timezone) -> Any:
    if time_format == "offset":
        return moment.astimezone(zone).isoformat(timespec="seconds")
    text = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"time": text, "tzid": "Europe/Berlin"} if time_format == "tzid" else text
