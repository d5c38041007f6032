"""Calendar lists, userinfo and access."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.reference.account_lists import AVAILABLE, CALENDARS, USERINFO, AccountLists
from conformance.reference.accounts import ReferenceAccount, ReferenceInventory
from conformance.reference.calls import (
    AUTHENTICATE,
    CALENDAR,
    EXECUTED_FOR,
    UNAUTHORIZED,
    Answer,
    CalendarLookup,
    Call,
    OwnedCalendar,
)
from conformance.reference.hooks import Override, at, fault

__all__ = ["CALENDAR_LISTS"]

JSON = dict[str, Any]
_FLAG = "calendar_integrated_conferencing_available"


def _listed(change: Callable[[JSON], JSON]) -> Override:
    return at(CALENDARS, lambda right, _: {**right, "calendars": [change(dict(each)) for each in right["calendars"]]})


def _profiles(change: Callable[[JSON], JSON]) -> Override:
    """Change each conferencing profile in userinfo."""

    def alter(right: JSON, _: AccountLists) -> JSON:
        data = right["cronofy.data"]
        changed = [change(dict(each)) for each in data.get("conferencing_profiles") or []]
        return {**right, "cronofy.data": {**data, "conferencing_profiles": changed}}

    return at(USERINFO, alter)


def _without(key: str) -> Callable[[JSON], JSON]:
    return lambda each: {name: value for name, value in each.items() if name != key}


def _without_flag_in_userinfo(right: JSON, _: AccountLists) -> JSON:
    data = right["cronofy.data"]
    profiles = [
        {**each, "profile_calendars": [_without(_FLAG)(calendar) for calendar in each["profile_calendars"]]}
        for each in data["profiles"]
    ]
    return {**right, "cronofy.data": {**data, "profiles": profiles}}


def _without_the_last_calendar(right: JSON, _: AccountLists) -> JSON:
    """Userinfo lacks the last calendar of the profile that has most of them."""
    data = right["cronofy.data"]
    most = max(data["profiles"], key=lambda each: len(each["profile_calendars"]))
    profiles = [
        {**each, "profile_calendars": each["profile_calendars"][:-1]} if each is most else each
        for each in data["profiles"]
    ]
    return {**right, "cronofy.data": {**data, "profiles": profiles}}


def _another(directory: AccountLists) -> ReferenceAccount | None:
    others = (each for each in directory.store.inventory.accounts if each != directory.account)
    return next((each for each in others if each.profiles), None)


def _and_another_accounts_calendars(right: JSON, directory: AccountLists) -> JSON:
    other = _another(directory)
    more = [
        {**right["calendars"][0], "calendar_id": each.calendar_id, "calendar_name": each.name}
        for each in (other.calendars if other else ())
    ]
    return {**right, "calendars": [*right["calendars"], *more]}


def _and_another_accounts_profiles(right: JSON, directory: AccountLists) -> JSON:
    other = _another(directory)
    data = right["cronofy.data"]
    own = list(data.get("conferencing_profiles") or [])
    more = [
        {
            "provider_name": each.provider_name,
            "profile_id": each.profile_id,
            "profile_name": each.profile_name,
            "profile_connected": each.connected,
        }
        for each in (other.profiles if other else ())
    ]
    return {**right, "cronofy.data": {**data, "conferencing_profiles": [*own, *more]}}


def _anyones(right: OwnedCalendar | None, lookup: CalendarLookup) -> OwnedCalendar | None:
    inventory, _, calendar_id = lookup
    for account in inventory.accounts:
        if right is None and calendar_id in account.by_id:
            return account, account.by_id[calendar_id]
    return right


def _primary_instead(right: OwnedCalendar | None, lookup: CalendarLookup) -> OwnedCalendar | None:
    inventory, account, calendar_id = lookup
    known = any(calendar_id in each.by_id for each in inventory.accounts)
    return right if right or known else (account, account.calendars[0])


def _of(methods: tuple[str, ...], *, token: bool | None = None) -> Callable[[Call], bool]:
    return lambda call: call.method in methods and token in (None, call.token is not None)


def _accepts(when: Callable[[Call], bool]) -> Override:
    def alter(right: ReferenceAccount | None, situation: tuple[ReferenceInventory, Call]) -> ReferenceAccount | None:
        inventory, call = situation
        return inventory.accounts[0] if right is None and when(call) else right

    return at(AUTHENTICATE, alter)


def _executes(when: Callable[[Call], bool]) -> Override:
    def alter(right: ReferenceAccount | None, situation: tuple[ReferenceInventory, Call]) -> ReferenceAccount | None:
        inventory, call = situation
        owner = next((each for each in inventory.accounts if any(id_ in call.path for id_ in each.by_id)), None)
        return owner if when(call) else right

    return at(EXECUTED_FOR, alter)


CALENDAR_LISTS = (
    fault(
        "availability-as-string",
        "B12",
        "always",
        "The availability flag is a string",
        at(AVAILABLE, lambda right, _: str(right).lower()),
    ),
    fault(
        "availability-as-string-in-userinfo",
        "B12",
        "case",
        "The availability flag is a string in userinfo",
        at(AVAILABLE, lambda right, entry: str(right).lower() if entry.endpoint == "userinfo" else right),
    ),
    fault(
        "availability-missing", "B12", "always", "Calendar lists lack the availability flag", _listed(_without(_FLAG))
    ),
    fault(
        "availability-missing-in-userinfo",
        "B12",
        "always",
        "Userinfo lacks the availability flag",
        at(USERINFO, _without_flag_in_userinfo),
    ),
    fault(
        "availability-differs-in-userinfo",
        "B12",
        "always",
        "Userinfo shows integrated conferencing as available on every calendar",
        at(AVAILABLE, lambda right, entry: True if entry.endpoint == "userinfo" else right),
    ),
    fault(
        "availability-differs-on-microsoft",
        "B12",
        "case",
        "The calendar list and userinfo disagree on Microsoft calendars",
        at(
            AVAILABLE,
            lambda right, entry: (
                False if entry.endpoint == "userinfo" and entry.calendar.provider_name == "exchange" else right
            ),
        ),
    ),
    fault(
        "availability-inverted-in-list",
        "B12",
        "always",
        "The calendar list shows the opposite of each availability flag",
        at(AVAILABLE, lambda right, entry: not right if entry.endpoint == "calendars" else right),
    ),
    fault(
        "availability-always-true",
        "B12 X1",
        "case",
        "The availability flag is always true, even where `integrated` is refused",
        at(AVAILABLE, lambda _, __: True),
    ),
    fault(
        "availability-always-false",
        "B12 B10",
        "case",
        "The availability flag is always false, even where `integrated` works",
        at(AVAILABLE, lambda _, __: False),
    ),
    fault(
        "read-only-as-string",
        "2.3",
        "always",
        "calendar_readonly is a string",
        _listed(lambda each: {**each, "calendar_readonly": str(each["calendar_readonly"]).lower()}),
    ),
    fault(
        "calendars-of-another-account",
        "2.3",
        "always",
        "The calendar list has another account's calendars too",
        at(CALENDARS, _and_another_accounts_calendars),
    ),
    fault(
        "profiles-of-another-account",
        "2.4",
        "always",
        "Userinfo has another account's conferencing profiles too",
        at(USERINFO, _and_another_accounts_profiles),
    ),
    fault(
        "userinfo-lacks-a-calendar",
        "2.3 2.4",
        "always",
        "Userinfo leaves out a calendar that the calendar list has",
        at(USERINFO, _without_the_last_calendar),
    ),
    fault(
        "profile-connected-as-string",
        "2.4",
        "always",
        "profile_connected is a string",
        _profiles(lambda each: {**each, "profile_connected": str(each["profile_connected"]).lower()}),
    ),
    fault(
        "profile-without-id",
        "2.4 A6",
        "always",
        "Conferencing profiles have no profile_id",
        _profiles(_without("profile_id")),
    ),
    fault(
        "profile-id-not-ascii",
        "2.4",
        "always",
        "profile_id has characters beyond ASCII",
        _profiles(lambda each: {**each, "profile_id": each["profile_id"].replace("_", "\u2013", 1)}),
    ),
    fault(
        "userinfo-keys-nested",
        "2.4",
        "always",
        "The dotted keys of userinfo are nested",
        at(
            USERINFO,
            lambda right, _: {
                "sub": right["sub"],
                "cronofy": {"type": right["cronofy.type"], "data": right["cronofy.data"]},
            },
        ),
    ),
    fault("no-token-reads", "2.8", "case", "Reads without a token are answered", _accepts(_of(("GET",), token=False))),
    fault(
        "unknown-token-reads",
        "2.8",
        "case",
        "Reads with an unknown token are answered",
        _accepts(_of(("GET",), token=True)),
    ),
    fault(
        "no-token-writes", "2.8", "case", "Writes without a token are executed", _accepts(_of(("POST",), token=False))
    ),
    fault(
        "unknown-token-deletes",
        "2.8",
        "case",
        "Deletions with an unknown token are executed",
        _accepts(_of(("DELETE",), token=True)),
    ),
    fault(
        "unauthorized-answers-403",
        "2.8",
        "always",
        "Without a known token the answer is 403",
        at(UNAUTHORIZED, lambda right, _: replace(right, status=403)),
    ),
    fault(
        "unauthorized-reads-are-empty",
        "2.8",
        "case",
        "A read with an unknown token is answered with no events",
        at(
            UNAUTHORIZED,
            lambda right, call: (
                Answer(200, {"pages": {"current": 1, "total": 1}, "events": []}) if call.method == "GET" else right
            ),
        ),
    ),
    fault(
        "unauthorized-delete-succeeds",
        "2.8",
        "always",
        "A deletion without a known token is answered with 401 and executed",
        _executes(_of(("DELETE",))),
    ),
    fault(
        "another-accounts-calendar-writable",
        "2.1 2.8",
        "always",
        "Writes to another account's calendar are executed",
        at(CALENDAR, _anyones),
    ),
    fault(
        "unknown-calendar-is-primary",
        "2.8",
        "always",
        "Writes to an unknown calendar go to the account's first one",
        at(CALENDAR, _primary_instead),
    ),
)
