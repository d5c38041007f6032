"""The inventory of the reference server: accounts with their calendars, profiles and external events."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

__all__ = [
    "INVENTORY",
    "External",
    "ReferenceAccount",
    "ReferenceCalendar",
    "ReferenceInventory",
    "ReferenceProfile",
    "opaque",
]


def opaque(prefix: str, *names: object) -> str:
    """An opaque id in mixed case, always the same for the same names."""
    digest = hashlib.sha256("\0".join(map(str, names)).encode()).digest()
    return f"{prefix}_{base64.urlsafe_b64encode(digest[:15]).decode().replace('-', 'A').replace('_', 'b')}"


@dataclass(frozen=True)
class ReferenceProfile:
    """A conferencing profile that the user authorised; userinfo and events show `provider_name`."""

    profile_id: str
    provider_name: str
    profile_name: str
    connected: bool = True


@dataclass(frozen=True)
class ReferenceCalendar:
    """A calendar; `integrated` is the provider name of its own conferencing service, None if it has none."""

    calendar_id: str
    name: str
    provider_name: str
    provider_service: str
    integrated: str | None = None
    primary: bool = False
    readonly: bool = False
    deleted: bool = False

    @property
    def writable(self) -> bool:
        return not (self.readonly or self.deleted)

    @property
    def holds_conferencing(self) -> bool:
        """Whether the calendar host has its own fields for conferencing details."""
        return self.provider_name != "apple"


@dataclass(frozen=True)
class External:
    """An event that is not managed over the API; it starts `starts_in` seconds after the server does."""

    event_uid: str
    calendar_id: str
    summary: str
    starts_in: float
    lasts: float
    tzid: str = "Etc/UTC"


@dataclass(frozen=True)
class ReferenceAccount:
    """An account; `profiles` in the order of authorisation, `chosen` is the profile_id of the chosen default."""

    name: str
    calendars: tuple[ReferenceCalendar, ...]
    profiles: tuple[ReferenceProfile, ...] = ()
    chosen: str | None = None
    external: tuple[External, ...] = ()

    @property
    def token(self) -> str:
        return f"reference-{self.name}-token"

    @property
    def sub(self) -> str:
        return opaque("acc", self.name)

    @cached_property
    def by_id(self) -> Mapping[str, ReferenceCalendar]:
        return {calendar.calendar_id: calendar for calendar in self.calendars}

    @property
    def default_profile(self) -> ReferenceProfile | None:
        """The profile that the user chose, else the one authorised first."""
        for profile in self.profiles:
            if profile.profile_id == self.chosen:
                return profile
        return self.profiles[0] if self.profiles else None


@dataclass(frozen=True)
class ReferenceInventory:
    """All accounts of a server, by name."""

    accounts: tuple[ReferenceAccount, ...]

    @cached_property
    def by_name(self) -> Mapping[str, ReferenceAccount]:
        return {account.name: account for account in self.accounts}

    @cached_property
    def by_token(self) -> Mapping[str, ReferenceAccount]:
        return {account.token: account for account in self.accounts}


_KINDS = {
    "google_meet": ("google", "gmail", "google_meet"),
    "google_workspace": ("google", "google_workspace", "google_meet"),
    "google_bare": ("google", "google_workspace", None),
    "microsoft": ("exchange", "office365", "ms_teams_for_business"),
    "exchange": ("exchange", "exchange_ews", None),
    "apple": ("apple", "icloud", None),
}


def _calendar(
    account: str, name: str, kind: str, *, primary: bool = False, readonly: bool = False, deleted: bool = False
) -> ReferenceCalendar:
    provider_name, service, integrated = _KINDS[kind]
    return ReferenceCalendar(
        opaque("cal", account, name), name, provider_name, service, integrated, primary, readonly, deleted
    )


def _profile(account: str, provider_name: str, *, connected: bool = True) -> ReferenceProfile:
    return ReferenceProfile(opaque("pro", account, provider_name), provider_name, f"{account}@example.com", connected)


def _account(
    name: str,
    calendars: tuple[ReferenceCalendar, ...],
    profiles: tuple[ReferenceProfile, ...] = (),
    chosen: str | None = None,
) -> ReferenceAccount:
    hour = 3600.0
    first, last = calendars[0].calendar_id, calendars[-1].calendar_id
    external = (
        External(opaque("evt", name, 1), first, "Dentist", 26 * hour, hour),
        External(opaque("evt", name, 2), first, "Conference week", -30 * hour, 72 * hour, "Europe/Berlin"),
        External(opaque("evt", name, 3), last, "Lunch", 75 * hour, hour, "America/New_York"),
    )
    return ReferenceAccount(name, calendars, profiles, chosen, external)


def _inventory() -> ReferenceInventory:
    zoom, go_to = _profile("chosen", "zoom"), _profile("chosen", "go_to")
    return ReferenceInventory(
        (
            _account(
                "default",
                (
                    _calendar("default", "Work", "google_workspace", primary=True),
                    _calendar("default", "Without Meet", "google_bare"),
                    _calendar("default", "Graph", "microsoft"),
                    _calendar("default", "On-premises", "exchange"),
                    _calendar("default", "Home", "apple"),
                    _calendar("default", "Holidays", "google_meet", readonly=True),
                    _calendar("default", "Old project", "google_meet", deleted=True),
                ),
            ),
            _account(
                "profiles",
                (
                    _calendar("profiles", "Work", "google_meet", primary=True),
                    _calendar("profiles", "Without Meet", "google_bare"),
                    _calendar("profiles", "Graph", "microsoft"),
                    _calendar("profiles", "Home", "apple"),
                ),
                (_profile("profiles", "zoom"),),
            ),
            _account(
                "chosen",
                (_calendar("chosen", "Work", "google_meet", primary=True), _calendar("chosen", "Home", "apple")),
                (go_to, zoom),
                zoom.profile_id,
            ),
            _account(
                "several",
                (
                    _calendar("several", "Work", "google_meet", primary=True),
                    _calendar("several", "On-premises", "exchange"),
                ),
                (_profile("several", "ms_teams"), _profile("several", "go_to")),
            ),
            _account(
                "disconnected",
                (
                    _calendar("disconnected", "Work", "google_meet", primary=True),
                    _calendar("disconnected", "Home", "apple"),
                ),
                (_profile("disconnected", "zoom", connected=False), _profile("disconnected", "ms_teams")),
            ),
        )
    )


#: The inventory of the reference server.
INVENTORY = _inventory()
