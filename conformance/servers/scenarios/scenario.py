"""A scenario is a tuple of steps on one event; the body of each write follows from the steps up to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from conformance.errors import nearest
from conformance.http.webhooks import NOTIFICATIONS
from conformance.servers.inventory import Inventory
from conformance.servers.scenarios.scenario_values import (
    CONFERENCING_DEFECTS,
    DEFECTS,
    DESCRIPTIONS,
    EVENT_DEFECTS,
    EXTRA_FIELDS,
    KINDS,
    LINK,
    PADDING,
    ROOM,
    STARTS,
    SUBSCRIPTIONS,
    TEXT_VARIANTS,
    TEXTS,
    TIME_FORMATS,
    TIMINGS,
    URL_VARIANTS,
    explicit,
)

__all__ = ["RunContext", "Scenario", "Step", "WriteRequest", "write_requests"]


@dataclass(frozen=True, slots=True, repr=False)
class Step:
    """One write, in the terms of the contract; a subclass may change its body.

    It is shown without the choices that are the usual ones.

    `changed_fields` are the fields that differ from the previous write: ``summary``, ``description``, ``location``,
    ``time`` (start and end), ``start`` or ``end`` alone, or ``bare``, which leaves description and location out.
    `url_variant` is a key of URL_VARIANTS, ``again`` for the URL of the scenario's first explicit write, ``other-case``
    for that URL with capitals and small letters swapped in its path, or ``room``
    for one that scenarios share.  `profile` is an index into the account's profiles.
    `timing` is one of TIMINGS.  Without `charset`, the media type of the request has no parameter.
    `subscriptions` is a key of SUBSCRIPTIONS; it is sent in runs that have a receiver.
    A `batched` step is an entry of a batch, beside those of other scenarios.
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
    timing: str = "settled"
    charset: bool = True
    subscriptions: str = ""
    batched: bool = False

    def __post_init__(self) -> None:
        if self.batched and self.timing != "settled":
            raise ValueError(f"a batched step waits until all is settled; its timing cannot be {self.timing!r}")
        for name, known in _KNOWN.items():
            if getattr(self, name) not in known:
                raise ValueError(
                    f"a step's {name} cannot be {getattr(self, name)!r}; {nearest(getattr(self, name), known)}"
                )

    def __repr__(self) -> str:
        choices = [
            f"{one.name}={getattr(self, one.name)!r}"
            for one in fields(self)[1:]
            if getattr(self, one.name) != one.default
        ]
        return f"{type(self).__qualname__}({', '.join([repr(self.kind), *choices])})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What IPython and Hypothesis print."""
        printer.text(repr(self))

    def amend(self, body: dict[str, Any], marker: str) -> dict[str, Any]:
        """The body to send instead of `body`; `marker` is in its texts, and in those of no other write.

        Here it is `body` itself.  A subclass may add what a team's own events have, such as reminders or attendees.
        """
        return body


#: What the choices of a step may be.
_KNOWN: Mapping[str, Collection[str]] = MappingProxyType(
    {
        "kind": (*KINDS, "invalid"),
        "start": STARTS,
        "time_format": TIME_FORMATS,
        "text_variant": TEXT_VARIANTS,
        "url_variant": (*URL_VARIANTS, "again", "other-case", "room"),
        "extra_fields": ("", *EXTRA_FIELDS),
        "defect": ("", *DEFECTS),
        "timing": TIMINGS,
        "subscriptions": ("", *SUBSCRIPTIONS),
    }
)


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
    """What the writes of one run share: its id, the time that it counts from (epoch seconds), and the inventory.

    `receiver` is the base URL of subscriptions; without one, none are sent.
    """

    id: str
    now: float
    inventory: Inventory = field(default_factory=Inventory)
    receiver: str | None = None

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

    @property
    def media_type(self) -> str:
        """The Content-Type of the request."""
        return "application/json; charset=utf-8" if self.step.charset else "application/json"


@dataclass(slots=True)
class _Event:
    """The fields of the event after the steps so far; `slot`, `earlier` and `longer` count how its times changed."""

    summary: str = ""
    description: str | None = None
    location: str | None = None
    slot: int = 0
    earlier: int = 0
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
        written = replace(event) if step.defect else event  # what is refused changes nothing
        _change(written, step, marker, fresh)
        body = _body(event_id, written, step, marker, scenario, run)
        if step.kind == "explicit":
            if step.url_variant in ("again", "other-case") and first_url:
                again = step.url_variant == "again"
                body["conferencing"]["join_url"] = first_url if again else _other_case(first_url)
            first_url = first_url or body["conferencing"]["join_url"]
        requests.append(WriteRequest("POST", path, step.amend(body, marker), step, marker))
        fresh = False
    return tuple(requests)


def _change(event: _Event, step: Step, marker: str, fresh: bool) -> None:
    summary, description = TEXTS.get(step.text_variant, TEXTS["plain"])
    if fresh or "summary" in step.changed_fields:
        event.summary = f"{summary} {marker}" + PADDING[0] * (step.text_variant == "full")
    if "description" in step.changed_fields or (fresh and step.text_variant != "minimal"):
        link = "" if fresh else LINK  # people paste such, and it is no request for conferencing
        event.description = f"{description} {marker}{link}" + PADDING[1] * {"full": 1, "long": 4}.get(
            step.text_variant, 0
        )
    if "time" in step.changed_fields:
        event.slot += 1
    if "start" in step.changed_fields:
        event.earlier += 1
    if "end" in step.changed_fields:
        event.longer += 1
    if "location" in step.changed_fields or (fresh and step.text_variant == "full"):
        event.location = f"Room {marker}"
    if "bare" in step.changed_fields:
        event.description = event.location = None


def _body(event_id: str, event: _Event, step: Step, marker: str, scenario: Scenario, run: RunContext) -> dict[str, Any]:
    start, end = _times(step, event, run.now)
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
    if step.defect in EVENT_DEFECTS:
        EVENT_DEFECTS[step.defect](body)
    if step.subscriptions and run.receiver is not None:
        body["subscriptions"] = _subscriptions(step, marker, scenario, run)
    return body


def _subscriptions(step: Step, marker: str, scenario: Scenario, run: RunContext) -> list[dict[str, Any]]:
    """The webhooks of a step, at addresses that no other write has; each tells the account by its number."""
    number = [account.name for account in run.inventory.accounts].index(scenario.account)
    base = f"{run.receiver}{NOTIFICATIONS}{run.id}/{number}-{marker}"
    return [
        {"type": "webhook", "uri": f"{base}-{place}", "interactions": [{"type": one} for one in interactions]}
        for place, interactions in enumerate(SUBSCRIPTIONS[step.subscriptions], 1)
    ]


def _conferencing(step: Step, marker: str, scenario: Scenario, run: RunContext) -> Any:
    if step.kind == "omitted":
        return ...
    if step.kind == "explicit" or step.defect in EVENT_DEFECTS:
        text = DESCRIPTIONS.get(step.text_variant, DESCRIPTIONS["plain"])
        return explicit(marker, join_url=_url(step, marker, run), provider_description=text)
    if step.defect == "foreign-profile":
        foreign = _foreign_profile(scenario.account, run.inventory)
        return {"profile_id": foreign} if foreign else CONFERENCING_DEFECTS[step.defect](marker)
    if step.defect:
        return CONFERENCING_DEFECTS[step.defect](marker)
    conferencing: dict[str, Any] = {"profile_id": _profile_id(step, scenario, run.inventory)}
    if step.extra_fields in ("join_url", "both"):
        conferencing["join_url"] = _url(step, marker, run)
    if step.extra_fields in ("provider_description", "both"):
        conferencing["provider_description"] = f"Extra {marker}"
    return conferencing


def _url(step: Step, marker: str, run: RunContext) -> str:
    if step.url_variant == "room":
        return ROOM.format(run=run.id)
    variant = "https" if step.url_variant in ("again", "other-case") else step.url_variant
    return URL_VARIANTS[variant].format(marker=marker)


def _other_case(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.swapcase()))


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

#: Time zones of the same: a server that goes by the clock there takes one for the other.
_ZONES = {"soon": "Pacific/Pago_Pago", "lately": "Pacific/Kiritimati"}


def _times(step: Step, event: _Event, now: float) -> tuple[Any, Any]:
    """Start and end: an hour (or a day, for dates) further from now for each slot.

    Future starts are ten minutes earlier (or a day, for dates) by `earlier`, future ends an hour later by `longer`.
    """
    hours, days = STARTS[step.start]
    hour = datetime.fromtimestamp(now, UTC).replace(minute=0, second=0, microsecond=0)
    if step.time_format == "date":
        start, end = (hour + timedelta(days=_away(offset, event.slot)) for offset in days)
        start -= timedelta(days=min(event.earlier, 1) * (days[0] > 0))
        end += timedelta(days=event.longer * (days[1] > 0))
        return start.strftime("%Y-%m-%d"), end.strftime("%Y-%m-%d")
    slot = event.slot % 3 if step.start in _OFFSETS else event.slot
    start, end = (hour + timedelta(hours=_away(offset, slot)) for offset in hours)
    start -= timedelta(minutes=10 * min(event.earlier, 5) * (hours[0] > 0 and step.start not in _OFFSETS))
    end += timedelta(hours=event.longer * (hours[1] > 0))
    return _moment(start, step), _moment(end, step)


def _away(offset: int, slot: int) -> int:
    return offset + slot if offset > 0 else offset - slot


def _moment(moment: datetime, step: Step) -> Any:
    if step.time_format == "offset":
        return moment.astimezone(_OFFSETS.get(step.start, _WESTERN)).isoformat(timespec="seconds")
    text = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"time": text, "tzid": _ZONES.get(step.start, "Europe/Berlin")} if step.time_format == "tzid" else text
