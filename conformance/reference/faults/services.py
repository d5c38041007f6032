"""Which service generates: `default`, `integrated`, named profiles, 8x8, past events and stray fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.reference.conferencing import (
    ASKED,
    GENERATES,
    TIMELINE,
    conference,
    default_service,
    integrated_service,
    profile_service,
)
from conformance.reference.decisions import Alteration, at, fault
from conformance.reference.faults.parts import (
    GENERATED,
    as_explicit,
    asks,
    assigned,
    drops_problem,
    ignored,
    refused,
    reshaped,
    served_by,
)
from conformance.reference.model import Phase, Service, Timeline, Write
from conformance.reference.validation import PROBLEMS, Errors

__all__ = ["SERVICES"]

_DAY = 86400.0
_EIGHT = Service("8x8", "8x8")


def _default(write: Write) -> bool:
    return write.kind == "default"


def _integrated(write: Write) -> bool:
    return write.kind == "integrated"


def _named(write: Write) -> bool:
    return write.kind == "profile"


def _eight(write: Write) -> bool:
    return write.kind == "8x8"


def _generated(write: Write) -> bool:
    return write.kind in GENERATED


def _to_integrated(write: Write) -> Service | None:
    return integrated_service(write) or write.service or default_service(write)


def _nothing(_: Write) -> None:
    return None


def _made_up(write: Write) -> Service:
    return default_service(write) or Service("zoom", "made-up")


def _first_profile(write: Write) -> Service | None:
    profiles = write.store.profiles(write.account)
    return profile_service(profiles[0]) if profiles else None


def _profile_or_integrated(write: Write) -> Service | None:
    return _first_profile(write) or integrated_service(write)


def _by_turns(write: Write) -> Service | None:
    profiles = write.store.profiles(write.account)
    earlier = sum(each.kind == "default" for each in write.store.writes if each.account == write.account)
    return profile_service(profiles[earlier % len(profiles)])


def _resolved_first(write: Write) -> Service | None:
    for each in write.store.writes:
        if each.kind == "default" and each.account == write.account:
            return each.service
    return default_service(write)


def _of_the_primary_calendar(write: Write) -> Service | None:
    primary = next(calendar for calendar in write.account.calendars if calendar.primary)
    return Service(primary.integrated, "integrated") if primary.integrated else None


def _of_another_account(write: Write) -> Service | None:
    others = (each.default_profile for each in write.store.world.accounts if each != write.account)
    return next((profile_service(profile) for profile in others if profile), None)


def _foreign_profile(write: Write) -> Service | None:
    asked = (write.asked or {}).get("profile_id")
    for account in write.store.world.accounts:
        for profile in write.store.profiles(account):
            if profile.profile_id == asked:
                return profile_service(profile)
    return None


def _unknown(write: Write) -> bool:
    own = {profile.profile_id for profile in write.store.profiles(write.account)}
    asked = (write.asked or {}).get("profile_id")
    return _named(write) and isinstance(asked, str) and asked not in own and asked != ""


def _disconnected(write: Write) -> bool:
    asked = (write.asked or {}).get("profile_id")
    profiles = write.store.profiles(write.account)
    return _named(write) and any(each.profile_id == asked and not each.connected for each in profiles)


def _another_connected(write: Write) -> Service | None:
    connected = (each for each in write.store.profiles(write.account) if each.connected)
    return next(map(profile_service, connected), None)


def _eight_generates(write: Write) -> Service:
    return _EIGHT


def _form(write: Write, form: str) -> bool:
    return write.start.form == form


def _in_past(when: Any) -> Alteration:
    """A conference is generated for an event that has begun."""
    return at(GENERATES, lambda right, write: True if write.in_past and when(write) else right)


def _not_in_future(when: Any) -> Alteration:
    """No conference is generated for an event that is still to come."""
    return at(GENERATES, lambda right, write: False if not write.in_past and when(write) else right)


def _past_then(*phases: float) -> Alteration:
    """A conference turns up for an event that has begun, some settling times later, and goes where two are given."""

    def alter(right: Timeline, write: Write) -> Timeline:
        if not (write.in_past and _generated(write) and write.service and write.service.connected):
            return right
        values = (conference(write.service, write), None)
        later = zip(phases, values, strict=False)
        return (Phase(write.at, None), *(Phase(write.at + times * write.settle, shows) for times, shows in later))

    return at(TIMELINE, alter)


def _another_name(value: dict[str, Any], _: Write) -> dict[str, Any]:
    return {**value, "provider_name": "zoom" if value["provider_name"] != "zoom" else "go_to"}


def _without_id(right: Errors, write: Write) -> Errors:
    asked = write.asked
    if asked is None or "profile_id" in asked or not isinstance(asked.get("join_url"), str):
        return right
    return {name: errors for name, errors in right.items() if name != "conferencing.profile_id"}


def _explicit_without_id(right: Mapping[str, Any] | None, _: Write) -> Mapping[str, Any] | None:
    return {**right, "profile_id": "explicit"} if right and "profile_id" not in right else right


def _stray_pair(write: Write) -> bool:
    asked = write.asked or {}
    return _generated(write) and bool(asked.get("join_url")) and bool(asked.get("provider_description"))


def _name_of_stray(value: dict[str, Any], write: Write) -> dict[str, Any]:
    name = (write.asked or {}).get("provider_description")
    return {**value, "provider_name": name} if name and _generated(write) else value


SERVICES = (
    fault(
        "default-prefers-integrated",
        "B1 B2",
        "always",
        "`default` takes the calendar's own service before the user's profile",
        served_by(_default, _to_integrated),
    ),
    fault(
        "default-needs-integrated",
        "B2",
        "case",
        "`default` generates nothing on a calendar without a service of its own, though the user has a profile",
        served_by(lambda write: _default(write) and not write.calendar.integrated, _nothing),
    ),
    fault(
        "default-needs-a-profile",
        "B4",
        "always",
        "`default` generates nothing where the user has no profile",
        served_by(lambda write: _default(write) and not write.store.profiles(write.account), _nothing),
    ),
    fault(
        "default-ignores-the-choice",
        "B3",
        "always",
        "`default` takes the profile authorised first although the user chose another",
        served_by(lambda write: _default(write) and bool(write.account.chosen), _first_profile),
    ),
    fault(
        "default-ignores-the-choice-on-update",
        "B3",
        "case",
        "`default` in an update takes the profile authorised first although the user chose another",
        served_by(lambda write: _default(write) and bool(write.account.chosen) and not write.creates, _first_profile),
    ),
    fault(
        "default-takes-turns",
        "B2 B3",
        "sequence",
        "`default` takes the user's profiles by turns",
        served_by(
            lambda write: _default(write) and len(write.store.profiles(write.account)) > 1 and not write.account.chosen,
            _by_turns,
        ),
    ),
    fault(
        "default-falls-back-to-8x8",
        "B6 B16",
        "case",
        "`default` generates an 8x8 room where nothing else is available",
        served_by(lambda write: _default(write) and default_service(write) is None, _eight_generates),
    ),
    fault(
        "default-resolved-once-per-account",
        "B4 B6",
        "sequence",
        "`default` keeps the service that it resolved to first, on every calendar of the account",
        served_by(_default, _resolved_first),
    ),
    fault(
        "default-of-the-primary-calendar",
        "B4",
        "case",
        "`default` falls to the service of the account's primary calendar",
        served_by(lambda write: _default(write) and not write.store.profiles(write.account), _of_the_primary_calendar),
    ),
    fault(
        "default-of-another-account",
        "B2 B6",
        "case",
        "`default` takes another account's profile where the account has none",
        served_by(lambda write: _default(write) and not write.store.profiles(write.account), _of_another_account),
    ),
    fault(
        "default-keeps-integrated",
        "B2",
        "sequence",
        "`default` after `integrated` stays with the calendar's own service",
        served_by(lambda write: _default(write) and write.origin == "integrated", _to_integrated),
    ),
    fault(
        "default-ignored-after-explicit",
        "B2 B4",
        "sequence",
        "`default` does not replace explicit conferencing",
        ignored(lambda write: _default(write) and write.origin == "explicit"),
    ),
    fault(
        "default-ignored-after-none",
        "B2 B4",
        "sequence",
        "`default` generates nothing once `none` removed what was there",
        ignored(lambda write: _default(write) and write.origin == "none" and write.kinds != ("none",)),
    ),
    fault(
        "default-ignored-on-update",
        "B2 B4 D2",
        "case",
        "`default` generates on creation only",
        ignored(lambda write: _default(write) and not write.creates),
    ),
    fault("default-refused", "B1 A6", "always", "`default` is refused", refused(_default)),
    fault(
        "integrated-uses-profile",
        "B10",
        "always",
        "`integrated` generates with the user's profile where there is one",
        served_by(_integrated, _profile_or_integrated),
    ),
    fault(
        "integrated-uses-profile-on-update",
        "B10",
        "case",
        "`integrated` in an update generates with the user's profile where there is one",
        served_by(lambda write: _integrated(write) and not write.creates, _profile_or_integrated),
    ),
    fault(
        "integrated-keeps-profile",
        "B10",
        "sequence",
        "`integrated` after a conference of the user's profile stays with that profile",
        served_by(
            lambda write: (
                _integrated(write)
                and write.previous is not None
                and write.previous.service is not None
                and write.previous.service.profile_id != "integrated"
            ),
            lambda write: write.previous.service if write.previous else None,
        ),
    ),
    fault("integrated-ignored", "B10", "always", "`integrated` generates nothing", ignored(_integrated)),
    fault(
        "integrated-ignored-on-update",
        "B10 D2",
        "case",
        "`integrated` generates on creation only",
        ignored(lambda write: _integrated(write) and not write.creates),
    ),
    fault(
        "integrated-ignored-after-explicit",
        "B10",
        "sequence",
        "`integrated` does not replace explicit conferencing",
        ignored(lambda write: _integrated(write) and write.origin == "explicit"),
    ),
    fault(
        "integrated-ignored-after-none",
        "B10",
        "sequence",
        "`integrated` generates nothing once `none` removed what was there",
        ignored(lambda write: _integrated(write) and write.origin == "none"),
    ),
    fault(
        "integrated-of-the-primary-calendar",
        "B10 S7",
        "case",
        "`integrated` takes the service of the account's primary calendar",
        served_by(_integrated, _of_the_primary_calendar),
    ),
    fault(
        "named-profile-is-the-default",
        "A6 S3",
        "case",
        "A named profile gives way to the user's default",
        served_by(lambda write: _named(write) and not _disconnected(write), default_service),
    ),
    fault(
        "named-profile-gives-way-to-integrated",
        "A6",
        "case",
        "A named profile gives way to the calendar's own service where there is one",
        served_by(lambda write: _named(write) and bool(write.calendar.integrated), integrated_service),
    ),
    fault("named-profile-ignored", "A6", "always", "A named profile generates nothing", ignored(_named)),
    fault(
        "named-profile-ignored-on-update",
        "A6 D2",
        "case",
        "A named profile generates on creation only",
        ignored(lambda write: _named(write) and not write.creates),
    ),
    fault(
        "named-profile-ignored-after-explicit",
        "A6",
        "sequence",
        "A named profile does not replace explicit conferencing",
        ignored(lambda write: _named(write) and write.origin == "explicit"),
    ),
    fault(
        "named-profile-keeps-former-service",
        "A6",
        "sequence",
        "A named profile leaves the conference with the service that generated it first",
        ignored(
            lambda write: (
                _named(write)
                and write.origin in GENERATED
                and write.previous is not None
                and write.previous.service != write.service
                and assigned(write.settles_before)
            )
        ),
    ),
    fault(
        "named-profile-refused",
        "A6",
        "always",
        "A profile of the account is refused",
        refused(lambda write: _named(write) and not _unknown(write)),
    ),
    fault(
        "named-profile-shows-another-service",
        "A6 S3",
        "case",
        "A named profile generates, and another service's name is shown",
        reshaped(_named, _another_name),
    ),
    fault(
        "foreign-profile-works",
        "A6",
        "case",
        "A profile of another account generates a conference",
        drops_problem(lambda write: _unknown(write) and _foreign_profile(write) is not None, "conferencing.profile_id"),
        served_by(_unknown, _foreign_profile),
    ),
    fault(
        "unknown-profile-asks-default",
        "A6",
        "case",
        "A profile_id that is no built-in value and no profile of the account generates a conference",
        drops_problem(_unknown, "conferencing.profile_id"),
        served_by(_unknown, _made_up),
    ),
    fault(
        "missing-profile-id-is-explicit",
        "A4",
        "case",
        "Conferencing without profile_id sets the join URL beside it",
        at(PROBLEMS, _without_id),
        at(ASKED, _explicit_without_id),
    ),
    fault(
        "disconnected-profile-replaced",
        "A6",
        "case",
        "A named profile that is disconnected is replaced by another one",
        served_by(_disconnected, _another_connected),
    ),
    fault(
        "disconnected-profile-falls-to-integrated",
        "A6",
        "case",
        "A named profile that is disconnected is replaced by the calendar's own service",
        served_by(lambda write: _disconnected(write) and bool(write.calendar.integrated), integrated_service),
    ),
    fault("8x8-refused", "B15", "always", "`8x8` is refused", refused(_eight)),
    fault(
        "8x8-refused-on-update",
        "B15",
        "case",
        "`8x8` is refused in an update",
        refused(lambda write: _eight(write) and not write.creates),
    ),
    fault("8x8-generates", "B16", "always", "`8x8` generates a conference", served_by(_eight, _eight_generates)),
    fault(
        "8x8-generates-on-update",
        "B16",
        "case",
        "`8x8` generates a conference in an update",
        served_by(lambda write: _eight(write) and not write.creates, _eight_generates),
    ),
    fault(
        "8x8-asks-default",
        "B16",
        "always",
        "`8x8` generates what `default` would",
        asks(_eight, {"profile_id": "default"}),
    ),
    fault(
        "past-generates",
        "D5 D6",
        "always",
        "Conferences are generated for events that have begun",
        _in_past(_generated),
    ),
    fault(
        "running-generates",
        "D6",
        "case",
        "A conference is generated for an event that has begun and not ended",
        _in_past(lambda write: write.end.at > write.at),
    ),
    fault(
        "past-generates-for-integrated",
        "D5 D6",
        "case",
        "`integrated` generates for events that have begun",
        _in_past(_integrated),
    ),
    fault(
        "past-generates-for-profiles",
        "D5 D6",
        "case",
        "A named profile generates for events that have begun",
        _in_past(_named),
    ),
    fault(
        "past-generates-for-zoned-starts",
        "D6",
        "case",
        "A start with a time zone is never taken to be past",
        _in_past(lambda write: _form(write, "object")),
    ),
    fault(
        "past-generates-for-dates",
        "D6",
        "case",
        "A start that is a date is never taken to be past",
        _in_past(lambda write: write.start.date is not None),
    ),
    fault(
        "past-generates-on-update",
        "D5",
        "case",
        "An update of an event that has begun generates a conference",
        _in_past(lambda write: not write.creates),
    ),
    fault(
        "past-generates-when-moved-there",
        "D5",
        "sequence",
        "An update that moves an event into the past generates a conference",
        _in_past(lambda write: write.previous is not None and write.previous.fields["start"].at > write.at),
    ),
    fault(
        "past-generates-late",
        "D5 D6",
        "always",
        "The conference of an event that has begun comes late",
        _past_then(2.0),
    ),
    fault(
        "past-generates-for-a-moment",
        "D5 D6",
        "always",
        "The conference of an event that has begun comes, and goes again",
        _past_then(1.0, 3.0),
    ),
    fault(
        "future-zoned-starts-count-as-past",
        "B4 A6",
        "case",
        "A start with a time zone is always taken to be past",
        _not_in_future(lambda write: _form(write, "object")),
    ),
    fault(
        "future-dates-count-as-past",
        "B4 A6",
        "case",
        "A start that is a date is always taken to be past",
        _not_in_future(lambda write: write.start.date is not None),
    ),
    fault(
        "far-future-generates-nothing",
        "B4 A6",
        "case",
        "No conference is generated for an event more than 200 days ahead",
        _not_in_future(lambda write: write.start.at > write.at + 200 * _DAY),
    ),
    fault(
        "past-judged-by-former-start",
        "B4 A6 D6",
        "sequence",
        "An event that is moved out of the past is still taken to be past",
        _not_in_future(lambda write: write.previous is not None and write.previous.fields["start"].at < write.at),
    ),
    fault("stray-url-used-with-default", "F6", "case", "A join URL beside `default` is set", as_explicit(_default)),
    fault(
        "stray-url-used-with-integrated",
        "F6",
        "case",
        "A join URL beside `integrated` is set",
        as_explicit(_integrated),
    ),
    fault("stray-url-used-with-profile", "F6", "case", "A join URL beside a named profile is set", as_explicit(_named)),
    fault(
        "stray-pair-is-explicit",
        "F2 F6",
        "case",
        "A description and a join URL together make any request for generation explicit",
        as_explicit(_stray_pair),
    ),
    fault(
        "stray-description-names-provider",
        "F2 S4",
        "case",
        "A description beside another profile_id is shown as the provider",
        reshaped(_generated, _name_of_stray),
    ),
)
