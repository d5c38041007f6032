"""What a subject offers: accounts with their calendars and conferencing profiles, as its own responses list them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = ["Account", "Calendar", "Inventory", "Profile", "Target"]


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar as listed; `integrated` is None where the flag is no Boolean, `named` if the user named it."""

    calendar_id: str
    provider_name: str | None = None
    integrated: bool | None = None
    readonly: bool = False
    deleted: bool = False
    named: bool = False

    @property
    def writable(self) -> bool:
        """Whether the documentation allows writes to it."""
        return not (self.readonly or self.deleted)

    @property
    def kind(self) -> tuple[str, bool | None]:
        """What distinguishes calendars as far as conferencing goes: provider and integrated conferencing."""
        return (self.provider_name or "", self.integrated)


@dataclass(frozen=True, slots=True)
class Profile:
    """A conferencing profile as userinfo lists it."""

    profile_id: str
    provider_name: str | None = None
    connected: bool | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """An account: all of its calendars, those to write to, and its profiles (None: userinfo cannot be read).

    `lists_profiles`: whether userinfo has a list of profiles, be it empty.
    """

    name: str
    calendars: tuple[Calendar, ...] = ()
    target_calendars: tuple[Calendar, ...] = ()
    profiles: tuple[Profile, ...] | None = None
    default_profile: str | None = None
    lists_profiles: bool = False

    @property
    def not_writable(self) -> tuple[Calendar, ...]:
        """The calendars that the documentation forbids writes to."""
        return tuple(calendar for calendar in self.calendars if not calendar.writable)

    @classmethod
    def from_responses(
        cls,
        name: str,
        calendar_list: Any,
        userinfo: Any,
        *,
        named: Iterable[str] = (),
        only_named: bool = False,
        default_profile: str | None = None,
        of_a_kind: int = 2,
    ) -> Account:
        """An account from the bodies of its calendar list and its userinfo; malformed entries are left out.

        Where the calendar list is unusable, the calendars are those in userinfo.  `named` are the ids of calendars that
        the user named: if the account has one of them, or with `only_named`, nothing else is written to.  Otherwise at
        most `of_a_kind` calendars of one kind are.
        """
        chosen = frozenset(named)
        entries = _entries(_get(calendar_list, "calendars"), "calendar_id") or _calendars_in_userinfo(userinfo)
        calendars = tuple(_calendar(entry, chosen) for entry in entries)
        data = _get(userinfo, "cronofy.data")
        profiles = tuple(_profile(entry) for entry in _entries(_get(data, "conferencing_profiles"), "profile_id"))
        return cls(
            name,
            calendars,
            _target_calendars(calendars, only_named or any(calendar.named for calendar in calendars), of_a_kind),
            profiles if isinstance(data, dict) else None,
            default_profile,
            isinstance(_get(data, "conferencing_profiles"), list),
        )


class Target(NamedTuple):
    """A calendar to write to, and its account."""

    account: Account
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Inventory:
    """All accounts of a subject, in the order given; `shows_time` if its responses carry the right time."""

    accounts: tuple[Account, ...] = ()
    shows_time: bool = False
    by_name: Mapping[str, Account] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {account.name: account for account in self.accounts})

    @property
    def targets(self) -> tuple[Target, ...]:
        """Every account with each calendar to write to."""
        return tuple(Target(account, calendar) for account in self.accounts for calendar in account.target_calendars)


def _target_calendars(calendars: tuple[Calendar, ...], only_named: bool, of_a_kind: int) -> tuple[Calendar, ...]:
    count = Counter[tuple[str, bool | None]]()
    targets = []
    for calendar in calendars:
        if not calendar.writable or (only_named and not calendar.named):
            continue
        count[calendar.kind] += 1
        if calendar.named or count[calendar.kind] <= of_a_kind:
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


def _calendars_in_userinfo(userinfo: Any) -> list[Mapping[str, Any]]:
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
