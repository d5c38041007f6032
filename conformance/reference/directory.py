"""The calendar list and userinfo of an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from conformance.reference.decisions import Point
from conformance.reference.model import Store
from conformance.reference.world import Account, Calendar, Profile, opaque

__all__ = [
    "AVAILABLE",
    "CALENDARS",
    "USERINFO",
    "Directory",
    "Entry",
    "calendars",
    "userinfo",
]

Place = Literal["calendars", "userinfo"]


@dataclass(frozen=True)
class Directory:
    """An account whose directory is shown."""

    store: Store
    account: Account


@dataclass(frozen=True)
class Entry:
    """A calendar where it is shown."""

    account: Account
    calendar: Calendar
    place: Place


#: What is shown of a calendar's integrated conferencing: whether it is available.
AVAILABLE: Point[Entry, Any] = Point("available")
#: The body of a calendar list.
CALENDARS: Point[Directory, dict[str, Any]] = Point("calendars")
#: The body of userinfo.
USERINFO: Point[Directory, dict[str, Any]] = Point("userinfo")


def _profile_id(account: Account, calendar: Calendar) -> str:
    return opaque("pro", "calendar", account.name, calendar.provider_service)


def _calendar(directory: Directory, calendar: Calendar, place: Place) -> dict[str, Any]:
    entry = Entry(directory.account, calendar, place)
    return {
        "calendar_id": calendar.calendar_id,
        "calendar_name": calendar.name,
        "calendar_readonly": calendar.readonly,
        "calendar_deleted": calendar.deleted,
        "calendar_primary": calendar.primary,
        "calendar_integrated_conferencing_available": directory.store.decide(
            AVAILABLE, calendar.integrated is not None, entry
        ),
        "calendar_attachments_available": calendar.provider_name == "google",
        "permission_level": "sandbox" if calendar.readonly else "unrestricted",
    }


def calendars(directory: Directory) -> dict[str, Any]:
    """The answer to ``GET /v1/calendars``."""
    account = directory.account
    listed = [
        {
            "provider_name": calendar.provider_name,
            "profile_id": _profile_id(account, calendar),
            "profile_name": f"{account.name}@example.com",
            **_calendar(directory, calendar, "calendars"),
        }
        for calendar in account.calendars
    ]
    return directory.store.decide(CALENDARS, {"sub": account.sub, "calendars": listed}, directory)


def _conferencing_profile(profile: Profile) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "provider_name": profile.provider_name,
        "profile_id": profile.profile_id,
        "profile_name": profile.profile_name,
        "profile_connected": profile.connected,
    }
    if not profile.connected:
        shown["profile_relink_url"] = f"https://app.cronofy.example/conferencing_services/relink/{profile.profile_id}"
    return shown


def userinfo(directory: Directory) -> dict[str, Any]:
    """The answer to ``GET /v1/userinfo``."""
    account = directory.account
    profiles: dict[str, dict[str, Any]] = {}
    for calendar in account.calendars:
        profile = profiles.setdefault(
            _profile_id(account, calendar),
            {
                "provider_name": calendar.provider_name,
                "provider_service": calendar.provider_service,
                "profile_id": _profile_id(account, calendar),
                "profile_name": f"{account.name}@example.com",
                "profile_connected": True,
                "profile_initial_sync_required": False,
                "profile_calendars": [],
            },
        )
        profile["profile_calendars"].append(_calendar(directory, calendar, "userinfo"))
    body = {
        "sub": account.sub,
        "cronofy.type": "userinfo",
        "cronofy.data": {
            "authorization": {
                "scope": "create_event delete_event list_calendars read_events read_write",
                "status": "active",
            },
            "profiles": list(profiles.values()),
            "conferencing_profiles": [_conferencing_profile(profile) for profile in directory.store.profiles(account)],
        },
    }
    return directory.store.decide(USERINFO, body, directory)
