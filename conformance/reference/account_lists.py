"""The calendar list and userinfo of an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from conformance.reference.accounts import ReferenceAccount, ReferenceCalendar, ReferenceProfile, opaque
from conformance.reference.hooks import Hook
from conformance.reference.model import Store

__all__ = [
    "AVAILABLE",
    "CALENDARS",
    "USERINFO",
    "AccountLists",
    "ListEntry",
    "calendars",
    "userinfo",
]

Endpoint = Literal["calendars", "userinfo"]


@dataclass(frozen=True)
class AccountLists:
    """An account whose calendar list or userinfo is read."""

    store: Store
    account: ReferenceAccount


@dataclass(frozen=True)
class ListEntry:
    """A calendar in the answer of one endpoint."""

    account: ReferenceAccount
    calendar: ReferenceCalendar
    endpoint: Endpoint


#: Whether a calendar is shown as having integrated conferencing.
AVAILABLE: Hook[ListEntry, Any] = Hook("available")
#: The body of a calendar list.
CALENDARS: Hook[AccountLists, dict[str, Any]] = Hook("calendars")
#: The body of userinfo.
USERINFO: Hook[AccountLists, dict[str, Any]] = Hook("userinfo")


def _profile_id(account: ReferenceAccount, calendar: ReferenceCalendar) -> str:
    return opaque("pro", "calendar", account.name, calendar.provider_service)


def _calendar(directory: AccountLists, calendar: ReferenceCalendar, endpoint: Endpoint) -> dict[str, Any]:
    entry = ListEntry(directory.account, calendar, endpoint)
    return {
        "calendar_id": calendar.calendar_id,
        "calendar_name": calendar.name,
        "calendar_readonly": calendar.readonly,
        "calendar_deleted": calendar.deleted,
        "calendar_primary": calendar.primary,
        "calendar_integrated_conferencing_available": directory.store.hooks(
            AVAILABLE, calendar.integrated is not None, entry
        ),
        "calendar_attachments_available": calendar.provider_name == "google",
        "permission_level": "sandbox" if calendar.readonly else "unrestricted",
    }


def calendars(directory: AccountLists) -> dict[str, Any]:
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
    return directory.store.hooks(CALENDARS, {"sub": account.sub, "calendars": listed}, directory)


def _conferencing_profile(profile: ReferenceProfile) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "provider_name": profile.provider_name,
        "profile_id": profile.profile_id,
        "profile_name": profile.profile_name,
        "profile_connected": profile.connected,
    }
    if not profile.connected:
        shown["profile_relink_url"] = f"https://app.cronofy.example/conferencing_services/relink/{profile.profile_id}"
    return shown


def userinfo(directory: AccountLists) -> dict[str, Any]:
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
    return directory.store.hooks(USERINFO, body, directory)
