"""Events, their conferencing over time, and the writes and deletions that change them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from conformance.reference.accounts import (
    ReferenceAccount,
    ReferenceCalendar,
    ReferenceInventory,
    ReferenceProfile,
    opaque,
)
from conformance.reference.hooks import Hook, Hooks
from conformance.reference.timestamps import Moment

__all__ = [
    "BUILT_IN",
    "PENDING",
    "PROFILES",
    "REMOVED",
    "STORED",
    "Key",
    "Phase",
    "Removal",
    "Service",
    "Store",
    "StoredEvent",
    "StoredVersions",
    "StoredWrite",
    "Subscription",
    "Timeline",
    "Version",
    "value_at",
]

PENDING: Mapping[str, Any] = {"pending": True}
BUILT_IN = ("none", "explicit", "default", "integrated", "8x8")


class Key(NamedTuple):
    """What an event is stored under: `event_id` is the event_uid for one that is not managed."""

    account: str
    calendar_id: str
    event_id: str


@dataclass(frozen=True)
class Phase:
    """From `since` on an event's conferencing reads as `shows`: JSON, None for no conferencing."""

    since: float
    shows: Any


Timeline = tuple[Phase, ...]


#: The versions of several events.
StoredVersions = Mapping["Key", tuple["Version", ...]]


def value_at(timeline: Timeline, now: float) -> Any:
    """What a timeline shows at that time; None before its first phase."""
    shown: Any = None
    for phase in timeline:
        if phase.since <= now:
            shown = phase.shows
    return shown


@dataclass(frozen=True)
class Version:
    """An event after one write.

    `kind` is what the write requested (a built-in value, ``profile``, ``omitted`` or ``delete``), `origin` the kind of
    the request that the event's conferencing comes from, `service` the one that generates it.
    """

    at: float
    serial: int
    fields: Mapping[str, Any]
    conferencing: Timeline
    kind: str
    origin: str
    service: Service | None = None
    deleted: bool = False


@dataclass(frozen=True)
class Service:
    """A conferencing service; `profile_id` is ``integrated`` for the calendar's own."""

    provider_name: str
    profile_id: str
    connected: bool = True


@dataclass(frozen=True)
class Subscription:
    """A webhook that is told of interactions with an event's conferencing."""

    uri: str
    interactions: tuple[str, ...]


@dataclass
class StoredEvent:
    """All versions of one event, in order of time, and how often it was read."""

    key: Key
    event_uid: str
    managed: bool
    versions: tuple[Version, ...] = ()
    reads: int = 0

    def at(self, now: float) -> Version | None:
        """The version that holds at that time."""
        found = None
        for version in self.versions:
            if version.at <= now:
                found = version
        return found

    def add(self, versions: tuple[Version, ...], now: float) -> None:
        """Add versions, in place of those that lie in the future."""
        self.versions = (*(version for version in self.versions if version.at <= now), *versions)


@dataclass
class Store:
    """The state of a server: its inventory, the events by key, and the hooks that decide."""

    inventory: ReferenceInventory
    hooks: Hooks
    settle: float
    seed: int = 0
    records: dict[Key, StoredEvent] = field(default_factory=dict)
    writes: list[StoredWrite] = field(default_factory=list)
    subscriptions: dict[Key, tuple[Subscription, ...]] = field(default_factory=dict)

    def profiles(self, account: ReferenceAccount) -> tuple[ReferenceProfile, ...]:
        """The conferencing profiles of an account, in the order of authorisation."""
        return self.hooks(PROFILES, account.profiles, account)

    def of_account(self, name: str) -> Iterable[StoredEvent]:
        """The events of an account, in the order of their creation."""
        return (record for key, record in self.records.items() if key.account == name)

    def existing(self, key: Key, now: float) -> Version | None:
        """The version of an event that exists and is not deleted; None otherwise."""
        record = self.records.get(key)
        version = record.at(now) if record else None
        return None if version is None or version.deleted else version

    def apply(self, write: StoredWrite, versions: tuple[Version, ...]) -> None:
        """Store the versions that a write makes."""
        stored: StoredVersions = {write.key: versions}
        for key, made in self.hooks(STORED, stored, write).items():
            record = self.records.get(key)
            if record is None:
                record = self.records[key] = StoredEvent(key, opaque("evt", *key), managed=True)
            record.add(made, write.at)


@dataclass(frozen=True)
class StoredWrite:
    """One upsert: what was sent, and what the server has decided about it so far."""

    store: Store
    account: ReferenceAccount
    calendar: ReferenceCalendar
    event_id: str
    body: Mapping[str, Any]
    at: float
    serial: int
    history: tuple[Version, ...] = ()
    requested: Mapping[str, Any] | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    settle: float = 0.0
    service: Service | None = None
    generates: bool = True

    @property
    def key(self) -> Key:
        return Key(self.account.name, self.calendar.calendar_id, self.event_id)

    @property
    def previous(self) -> Version | None:
        """The version that this write updates; None where it creates the event."""
        return self.history[-1] if self.history and not self.history[-1].deleted else None

    @property
    def creates(self) -> bool:
        return self.previous is None

    @property
    def before(self) -> Timeline:
        """The conferencing that the event has without this write."""
        return self.previous.conferencing if self.previous else ()

    @property
    def shown_before(self) -> Any:
        return value_at(self.before, self.at)

    @property
    def settles_before(self) -> Any:
        """What the conferencing would show in the end without this write."""
        return self.before[-1].shows if self.before else None

    def requested_field(self, name: str) -> Any:
        """A field of the conferencing that is requested; None where it is not sent."""
        return (self.requested or {}).get(name)

    @property
    def kind(self) -> str:
        """What is requested: a built-in value, ``profile`` or ``omitted``."""
        if self.requested is None:
            return "omitted"
        profile_id = self.requested_field("profile_id")
        return profile_id if isinstance(profile_id, str) and profile_id in BUILT_IN else "profile"

    @property
    def origin(self) -> str:
        """The kind of the request that the conferencing before this write comes from."""
        return self.previous.origin if self.previous else "omitted"

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the writes before this one, since the event's creation."""
        kinds: tuple[str, ...] = ()
        for version in self.history:
            kinds = () if version.deleted else (*kinds, version.kind)
        return kinds

    @property
    def start(self) -> Moment:
        moment: Moment = self.fields["start"]
        return moment

    @property
    def end(self) -> Moment:
        moment: Moment = self.fields["end"]
        return moment

    @property
    def in_past(self) -> bool:
        """Whether the event has begun."""
        return self.start.at < self.at

    def changes(self, *names: str) -> bool:
        """Whether one of these fields differs from the event's previous version."""
        old = self.previous.fields if self.previous else {}
        return any(_plain(self.fields.get(name)) != _plain(old.get(name)) for name in names)


@dataclass(frozen=True)
class Removal:
    """One deletion; `found` says whether there is such an event."""

    store: Store
    account: ReferenceAccount
    calendar: ReferenceCalendar
    event_id: str
    at: float
    serial: int
    found: bool

    @property
    def key(self) -> Key:
        return Key(self.account.name, self.calendar.calendar_id, self.event_id)


#: The conferencing profiles of an account.
PROFILES: Hook[ReferenceAccount, tuple[ReferenceProfile, ...]] = Hook("profiles")
#: The versions that a write stores.
STORED: Hook[StoredWrite, StoredVersions] = Hook("stored")
#: The versions that a deletion stores.
REMOVED: Hook[Removal, StoredVersions] = Hook("removed")


def _plain(value: Any) -> Any:
    return (value.at, value.tzid, value.date) if isinstance(value, Moment) else value
