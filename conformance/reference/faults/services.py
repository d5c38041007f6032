"""Which service generates: `default`, `integrated` and named profiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.reference.conferencing import (
    REQUESTED,
    default_service,
    integrated_service,
    profile_service,
)
from conformance.reference.hooks import at, fault
from conformance.reference.model import Service, StoredWrite
from conformance.reference.overrides import (
    GENERATED,
    SERVICE_8X8,
    assigned,
    drops_problem,
    first_connected,
    ignored,
    is_default,
    is_integrated,
    is_named_profile,
    refused,
    reshaped,
    served_by,
)
from conformance.reference.validation import PROBLEMS, Errors

__all__ = ["SERVICES"]


def _to_integrated(write: StoredWrite) -> Service | None:
    return integrated_service(write) or write.service or default_service(write)


def _made_up(write: StoredWrite) -> Service:
    return default_service(write) or Service("zoom", "made-up")


def _first_profile(write: StoredWrite) -> Service | None:
    profiles = write.store.profiles(write.account)
    return profile_service(profiles[0]) if profiles else None


def _profile_or_integrated(write: StoredWrite) -> Service | None:
    return _first_profile(write) or integrated_service(write)


def _by_turns(write: StoredWrite) -> Service | None:
    profiles = write.store.profiles(write.account)
    earlier = sum(each.kind == "default" for each in write.store.writes if each.account == write.account)
    return profile_service(profiles[earlier % len(profiles)])


def _resolved_first(write: StoredWrite) -> Service | None:
    for each in write.store.writes:
        if each.kind == "default" and each.account == write.account:
            return each.service
    return default_service(write)


def _of_the_primary_calendar(write: StoredWrite) -> Service | None:
    primary = next(calendar for calendar in write.account.calendars if calendar.primary)
    return Service(primary.integrated, "integrated") if primary.integrated else None


def _of_another_account(write: StoredWrite) -> Service | None:
    others = (each.default_profile for each in write.store.inventory.accounts if each != write.account)
    return next((profile_service(profile) for profile in others if profile), None)


def _foreign_profile(write: StoredWrite) -> Service | None:
    profile_id = write.requested_field("profile_id")
    for account in write.store.inventory.accounts:
        for profile in write.store.profiles(account):
            if profile.profile_id == profile_id:
                return profile_service(profile)
    return None


def _unknown(write: StoredWrite) -> bool:
    own = {profile.profile_id for profile in write.store.profiles(write.account)}
    profile_id = write.requested_field("profile_id")
    return is_named_profile(write) and isinstance(profile_id, str) and profile_id not in own and profile_id != ""


def _disconnected(write: StoredWrite) -> bool:
    profile_id = write.requested_field("profile_id")
    profiles = write.store.profiles(write.account)
    return is_named_profile(write) and any(each.profile_id == profile_id and not each.connected for each in profiles)


def _another_name(value: dict[str, Any], _: StoredWrite) -> dict[str, Any]:
    return {**value, "provider_name": "zoom" if value["provider_name"] != "zoom" else "go_to"}


def _without_id(right: Errors, write: StoredWrite) -> Errors:
    requested = write.requested
    if requested is None or "profile_id" in requested or not isinstance(requested.get("join_url"), str):
        return right
    return {name: errors for name, errors in right.items() if name != "conferencing.profile_id"}


def _explicit_without_id(right: Mapping[str, Any] | None, _: StoredWrite) -> Mapping[str, Any] | None:
    return {**right, "profile_id": "explicit"} if right and "profile_id" not in right else right


SERVICES = (
    fault(
        "default-prefers-integrated",
        "B1 B2",
        "always",
        "`default` takes the calendar's own service before the user's profile",
        served_by(is_default, _to_integrated),
    ),
    fault(
        "default-needs-integrated",
        "B2",
        "case",
        "`default` generates nothing on a calendar without a service of its own, though the user has a profile",
        served_by(lambda write: is_default(write) and not write.calendar.integrated, lambda _: None),
    ),
    fault(
        "default-needs-a-profile",
        "B4",
        "always",
        "`default` generates nothing where the user has no profile",
        served_by(lambda write: is_default(write) and not write.store.profiles(write.account), lambda _: None),
    ),
    fault(
        "default-needs-a-profile-on-creation",
        "B4",
        "case",
        "`default` generates nothing for a new event where the user has no profile",
        served_by(
            lambda write: is_default(write) and write.creates and not write.store.profiles(write.account),
            lambda _: None,
        ),
    ),
    fault(
        "default-ignores-the-chosen-profile",
        "B3",
        "always",
        "`default` takes the profile authorised first although the user chose another",
        served_by(lambda write: is_default(write) and bool(write.account.chosen), _first_profile),
    ),
    fault(
        "default-ignores-the-chosen-profile-on-update",
        "B3",
        "case",
        "`default` in an update takes the profile authorised first although the user chose another",
        served_by(lambda write: is_default(write) and bool(write.account.chosen) and not write.creates, _first_profile),
    ),
    fault(
        "default-alternates-between-profiles",
        "B2 B3",
        "sequence",
        "`default` alternates between the user's profiles",
        served_by(
            lambda write: (
                is_default(write) and len(write.store.profiles(write.account)) > 1 and not write.account.chosen
            ),
            _by_turns,
        ),
    ),
    fault(
        "default-falls-back-to-8x8",
        "B6 B16",
        "case",
        "`default` generates an 8x8 room where nothing else is available",
        served_by(lambda write: is_default(write) and default_service(write) is None, lambda _: SERVICE_8X8),
    ),
    fault(
        "default-falls-back-to-8x8-on-creation",
        "B6 B16",
        "case",
        "`default` generates an 8x8 room for a new event where nothing else is available",
        served_by(
            lambda write: is_default(write) and write.creates and default_service(write) is None, lambda _: SERVICE_8X8
        ),
    ),
    fault(
        "default-resolved-once-per-account",
        "B4 B6",
        "sequence",
        "`default` keeps the service that it resolved to first, on every calendar of the account",
        served_by(is_default, _resolved_first),
    ),
    fault(
        "default-of-another-account",
        "B2 B6",
        "case",
        "`default` takes another account's profile where the account has none",
        served_by(lambda write: is_default(write) and not write.store.profiles(write.account), _of_another_account),
    ),
    fault(
        "default-keeps-integrated",
        "B2",
        "sequence",
        "`default` after `integrated` stays with the calendar's own service",
        served_by(lambda write: is_default(write) and write.origin == "integrated", _to_integrated),
    ),
    fault(
        "default-ignored-after-explicit",
        "B2 B4",
        "sequence",
        "`default` does not replace explicit conferencing",
        ignored(lambda write: is_default(write) and write.origin == "explicit"),
    ),
    fault(
        "default-ignored-on-update",
        "B2 B4 D2",
        "case",
        "`default` generates on creation only",
        ignored(lambda write: is_default(write) and not write.creates),
    ),
    fault("default-refused", "B1 A6", "always", "`default` is refused", refused(is_default)),
    fault(
        "integrated-uses-profile",
        "B10",
        "always",
        "`integrated` generates with the user's profile where there is one",
        served_by(is_integrated, _profile_or_integrated),
    ),
    fault(
        "integrated-uses-profile-on-update",
        "B10",
        "case",
        "`integrated` in an update generates with the user's profile where there is one",
        served_by(lambda write: is_integrated(write) and not write.creates, _profile_or_integrated),
    ),
    fault(
        "integrated-uses-profile-on-creation",
        "B10",
        "case",
        "`integrated` in a creation generates with the user's profile where there is one",
        served_by(lambda write: is_integrated(write) and write.creates, _profile_or_integrated),
    ),
    fault(
        "integrated-keeps-profile",
        "B10",
        "sequence",
        "`integrated` after a conference of the user's profile stays with that profile",
        served_by(
            lambda write: (
                is_integrated(write)
                and write.previous is not None
                and write.previous.service is not None
                and write.previous.service.profile_id != "integrated"
            ),
            lambda write: write.previous.service if write.previous else None,
        ),
    ),
    fault("integrated-ignored", "B10", "always", "`integrated` generates nothing", ignored(is_integrated)),
    fault(
        "integrated-ignored-after-explicit",
        "B10",
        "sequence",
        "`integrated` does not replace explicit conferencing",
        ignored(lambda write: is_integrated(write) and write.origin == "explicit"),
    ),
    fault(
        "integrated-of-the-primary-calendar",
        "B10 S7",
        "case",
        "`integrated` takes the service of the account's primary calendar",
        served_by(is_integrated, _of_the_primary_calendar),
    ),
    fault(
        "named-profile-replaced-by-default",
        "A6 S3",
        "case",
        "A named profile is replaced by the user's default",
        served_by(lambda write: is_named_profile(write) and not _disconnected(write), default_service),
    ),
    fault(
        "named-profile-replaced-by-integrated",
        "A6",
        "case",
        "A named profile is replaced by the calendar's own service where there is one",
        served_by(lambda write: is_named_profile(write) and bool(write.calendar.integrated), integrated_service),
    ),
    fault("named-profile-ignored", "A6", "always", "A named profile generates nothing", ignored(is_named_profile)),
    fault(
        "named-profile-keeps-former-service",
        "A6",
        "sequence",
        "A named profile leaves the conference with the service that generated it first",
        ignored(
            lambda write: (
                is_named_profile(write)
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
        refused(lambda write: is_named_profile(write) and not _unknown(write)),
    ),
    fault(
        "named-profile-shows-another-service",
        "A6 S3",
        "case",
        "A named profile generates, and another service's name is shown",
        reshaped(is_named_profile, _another_name),
    ),
    fault(
        "another-accounts-profile-generates",
        "A6",
        "case",
        "A profile of another account generates a conference",
        drops_problem(lambda write: _unknown(write) and _foreign_profile(write) is not None, "conferencing.profile_id"),
        served_by(_unknown, _foreign_profile),
    ),
    fault(
        "unknown-profile-generates",
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
        "Conferencing without profile_id sets the join URL that it has",
        at(PROBLEMS, _without_id),
        at(REQUESTED, _explicit_without_id),
    ),
    fault(
        "disconnected-profile-replaced",
        "A6",
        "case",
        "A named profile that is disconnected is replaced by another one",
        served_by(_disconnected, first_connected),
    ),
    fault(
        "disconnected-profile-replaced-by-integrated",
        "A6",
        "case",
        "A named profile that is disconnected is replaced by the calendar's own service",
        served_by(lambda write: _disconnected(write) and bool(write.calendar.integrated), integrated_service),
    ),
)
