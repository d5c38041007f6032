"""What a subject offers: accounts with their calendars and conferencing profiles, as they tell it themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Account", "Calendar", "Inventory", "Profile", "account_from_responses"]


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar as listed; `integrated` is None where no Boolean tells, `named` if the user named it."""

    calendar_id: str
    provider_name: str | None = None
    integrated: bool | None = None
    readonly: bool = False
    deleted: bool = False
    named: bool = False

    @property
    def writable(self) -> bool:
        """Whether the documentation allows to write to it."""
        return not (self.readonly or self.deleted)

    @property
    def sort(self) -> tuple[str, bool | None]:
        """What tells calendars apart for conferencing: the host and its own service."""
        return (self.provider_name or "", self.integrated)


@dataclass(frozen=True, slots=True)
class Profile:
    """A conferencing profile as userinfo shows it."""

    profile_id: str
    provider_name: str | None = None
    connected: bool | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """An account: all of its calendars, those of them to write to, its profiles (None: userinfo did not tell)."""

    name: str
    calendars: tuple[Calendar, ...] = ()
    targets: tuple[Calendar, ...] = ()
    profiles: tuple[Profile, ...] | None = None
    default_profile: str | None = None

    @property
    def not_writable(self) -> tuple[Calendar, ...]:
        """The calendars that the documentation forbids to write to."""
        return tuple(calendar for calendar in self.calendars if not calendar.writable)


@dataclass(frozen=True, slots=True)
class Inventory:
    """All accounts of a subject, in the order given; `shows_time` if its answers show the time, and it is right."""

    accounts: tuple[Account, ...] = ()
    shows_time: bool = False
    by_name: Mapping[str, Account] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {account.name: account for account in self.accounts})

    @property
    def targets(self) -> tuple[tuple[Account, Calendar], ...]:
        """Every account with each calendar to write to."""
        return tuple((account, calendar) for account in self.accounts for calendar in account.targets)


def account_from_responses(
    name: str,
    listed: Any,
    userinfo: Any,
    *,
    named: Iterable[str] = (),
    only_named: bool = False,
    default_profile: str | None = None,
    alike: int = 2,
) -> Account:
    """An account from the bodies of its calendar list and its userinfo; what is malformed there is left out.

    Userinfo tells the calendars where the list does not.  `named` calendars are those that the user named; with
    `only_named` nothing else is written to.  Otherwise at most `alike` calendars of one sort are.
    """
    chosen = frozenset(named)
    entries = _entries(_get(listed, "calendars"), "calendar_id") or _of_userinfo(userinfo)
    calendars = tuple(_calendar(entry, chosen) for entry in entries)
    profiles = _get(_get(userinfo, "cronofy.data"), "conferencing_profiles")
    told = isinstance(_get(userinfo, "cronofy.data"), dict)
    return Account(
        name,
        calendars,
        _places(calendars, only_named or bool(chosen & {calendar.calendar_id for calendar in calendars}), alike),
        tuple(_profile(entry) for entry in _entries(profiles, "profile_id")) if told else None,
        default_profile,
    )


def _places(calendars: tuple[Calendar, ...], only_named: bool, alike: int) -> tuple[Calendar, ...]:
    seen: dict[tuple[str, bool | None], int] = {}
    targets = []
    for calendar in calendars:
        if not calendar.writable or (only_named and not calendar.named):
            continue
        seen[calendar.sort] = seen.get(calendar.sort, 0) + 1
        if calendar.named or seen[calendar.sort] <= alike:
            targets.append(calendar)
    return tuple(targets)


def _calendar(entry: Mapping[str, Any], named: frozenset[str]) -> Calendar:
    provider, flag = entry.get("provider_name"), entry.get("calendar_integrated_conferencing_available")
    return Calendar(
        entry["calendar_id"],
        provider if isinstance(provider, str) else None,
        flag if isinstance(flag, bool) else None,
        readonly=entry.get("calendar_readonly") is True,
        deleted=entry.get("calendar_deleted") is True,
        named=entry["calendar_id"] in named,
    )


def _profile(entry: Mapping[str, Any]) -> Profile:
    provider, connected = entry.get("provider_name"), entry.get("profile_connected")
    return Profile(
        entry["profile_id"],
        provider if isinstance(provider, str) else None,
        connected if isinstance(connected, bool) else None,
    )


def _of_userinfo(userinfo: Any) -> list[Mapping[str, Any]]:
    """The calendars that userinfo lists by profile, each with the provider of its profile."""
    profiles = _get(_get(userinfo, "cronofy.data"), "profiles")
    return [
        {"provider_name": profile.get("provider_name"), **entry}
        for profile in (profiles if isinstance(profiles, list) else [])
        if isinstance(profile, dict)
        for entry in _entries(profile.get("profile_calendars"), "calendar_id")
    ]


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _entries(value: Any, name: str) -> list[Mapping[str, Any]]:
    if not isinstance(value, list):
        return []
    return [entry for entry in value if isinstance(entry, dict) and isinstance(entry.get(name), str) and entry[name]]
