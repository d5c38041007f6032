"""What `conferencing` looks like in reads: pending, and after generation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from conformance.reference.conferencing import TIMELINE, conference
from conformance.reference.event_list import CONFERENCING, ShownEvent
from conformance.reference.hooks import Override, at, fault
from conformance.reference.model import PENDING, Phase, StoredWrite, Timeline
from conformance.reference.overrides import GENERATED, assigned, is_explicit, is_generated, reset, reshaped, then_later

__all__ = ["SHAPES"]


def _integrated_at(name: str) -> Callable[[StoredWrite], bool]:
    return lambda write: write.kind == "integrated" and write.calendar.integrated == name


def _pending_as(value: Any, when: Callable[[ShownEvent], bool] = lambda _: True) -> Override:
    return at(CONFERENCING, lambda right, shown: value if right == PENDING and when(shown) else right)


def _named(name: str, when: Callable[[StoredWrite], bool]) -> Override:
    return reshaped(when, lambda value, _: {**value, "provider_name": name})


def _url(change: Callable[[str], Any], when: Callable[[StoredWrite], bool] = is_generated) -> Override:
    return reshaped(when, lambda value, _: {**value, "join_url": change(value["join_url"])})


def _without(key: str, when: Callable[[StoredWrite], bool] = is_generated) -> Override:
    return reshaped(when, lambda value, _: {name: each for name, each in value.items() if name != key})


def _another_conference(right: Any, write: StoredWrite) -> Any:
    return conference(write.service, write, "again") if write.service and assigned(right) else right


def _pending(right: Any, _: StoredWrite) -> Any:
    return dict(PENDING) if assigned(right) else right


def _nothing(right: Any, _: StoredWrite) -> Any:
    return None if assigned(right) else right


def _shows_generated(shown: ShownEvent) -> bool:
    return shown.version.origin in GENERATED


def _rerolled(right: Any, shown: ShownEvent) -> Any:
    if not (assigned(right) and _shows_generated(shown)):
        return right
    joint = "&" if urlsplit(right["join_url"]).query else "?"
    return {**right, "join_url": f"{right['join_url']}{joint}reading={shown.reads}"}


def _one_url(value: dict[str, Any], write: StoredWrite) -> dict[str, Any]:
    shared = replace(write, event_id="shared", serial=0)
    return conference(write.service, shared) if write.service else value


def _pending_for_ever(right: Timeline, write: StoredWrite) -> Timeline:
    return (Phase(write.at, PENDING),) if len(right) == 2 and right[0].shows == PENDING else right


SHAPES = (
    fault("pending-as-string", "P1", "always", 'Pending is the string "true"', _pending_as({"pending": "true"})),
    fault(
        "pending-is-false",
        "P1",
        "always",
        "Pending is false while the conference is generated",
        _pending_as({"pending": False}),
    ),
    fault(
        "pending-as-empty-object",
        "P1",
        "always",
        "Conferencing is an empty object while it is generated",
        _pending_as({}),
    ),
    fault(
        "pending-as-status", "P1", "always", "Pending is shown under another key", _pending_as({"status": "pending"})
    ),
    fault(
        "pending-as-string-for-explicit",
        "P1 P2",
        "case",
        'Pending is the string "true" for explicit conferencing',
        _pending_as({"pending": "true"}, lambda shown: shown.version.origin == "explicit"),
    ),
    fault(
        "pending-shown-with-url",
        "S1",
        "always",
        "The conference is merged into what was there: pending stays true",
        reshaped(is_generated, lambda value, _: {**PENDING, **value}),
    ),
    fault(
        "pending-shown-with-explicit-url",
        "S1 P2",
        "case",
        "Explicit conferencing keeps pending: true",
        reshaped(is_explicit, lambda value, _: {**PENDING, **value}),
    ),
    fault(
        "null-provider-for-a-first-conference",
        "S3 S8",
        "case",
        "The provider of a conference is null where the event had none before",
        reshaped(
            lambda write: is_generated(write) and write.settles_before is None,
            lambda value, _: {**value, "provider_name": None},
        ),
    ),
    fault(
        "null-provider-after-explicit",
        "S3 S8",
        "sequence",
        "A conference that replaces explicit conferencing keeps its null provider",
        reshaped(
            lambda write: is_generated(write) and write.origin == "explicit",
            lambda value, _: {**value, "provider_name": None},
        ),
    ),
    fault(
        "pending-for-ever",
        "S1",
        "always",
        "No conference is ever generated: it stays pending",
        at(TIMELINE, lambda right, write: _pending_for_ever(right, write) if is_generated(write) else right),
        endless=True,
    ),
    fault(
        "pending-for-ever-on-update",
        "S1 D2",
        "case",
        "A conference requested in an update stays pending",
        at(
            TIMELINE,
            lambda right, write: (
                _pending_for_ever(right, write) if is_generated(write) and not write.creates else right
            ),
        ),
        endless=True,
    ),
    fault(
        "pending-for-ever-when-requested-while-pending",
        "S1",
        "sequence",
        "A request that is sent while an earlier one is pending stays pending",
        reset(
            lambda write: (is_generated(write) or is_explicit(write)) and write.shown_before == PENDING,
            lambda write: (Phase(write.at, PENDING),),
        ),
        endless=True,
    ),
    fault(
        "explicit-pending-for-ever",
        "P2 B8",
        "case",
        "Explicit conferencing stays pending",
        at(TIMELINE, lambda right, write: _pending_for_ever(right, write) if is_explicit(write) else right),
        endless=True,
    ),
    fault(
        "settled-turns-pending-again",
        "S1",
        "always",
        "A settled conference turns pending again by itself",
        then_later(is_generated, _pending),
    ),
    fault(
        "settled-vanishes",
        "S1",
        "always",
        "A settled conference vanishes by itself",
        then_later(is_generated, _nothing),
    ),
    fault(
        "settled-url-changes-by-itself",
        "S1 S2",
        "always",
        "A settled conference gets another URL by itself",
        then_later(is_generated, _another_conference),
    ),
    fault(
        "url-changes-with-each-reading", "S2", "always", "Each reading shows another URL", at(CONFERENCING, _rerolled)
    ),
    fault(
        "conferencing-hidden-in-every-third-reading",
        "S1",
        "sequence",
        "Every third reading of an event shows no conferencing",
        at(CONFERENCING, lambda right, shown: None if assigned(right) and shown.reads % 3 == 0 else right),
    ),
    fault(
        "assigned-without-provider",
        "S3",
        "always",
        "A generated conference has no provider_name",
        _without("provider_name"),
    ),
    fault("assigned-without-url", "S2", "always", "A generated conference has no join_url", _without("join_url")),
    fault(
        "assigned-with-null-provider",
        "S3 S8",
        "always",
        "A generated conference has a null provider_name",
        reshaped(is_generated, lambda value, _: {**value, "provider_name": None}),
    ),
    fault(
        "assigned-with-null-provider-for-profiles",
        "S3 S8",
        "case",
        "A conference of a named profile has a null provider_name",
        reshaped(lambda write: write.kind == "profile", lambda value, _: {**value, "provider_name": None}),
    ),
    fault("assigned-with-null-url", "S2", "always", "A generated conference has a null join_url", _url(lambda _: None)),
    fault(
        "assigned-with-relative-url",
        "S2",
        "always",
        "A generated join_url is a path",
        _url(lambda url: urlsplit(url).path),
    ),
    fault(
        "assigned-with-url-without-scheme",
        "S2",
        "always",
        "A generated join_url has no scheme",
        _url(lambda url: url.partition("://")[2]),
    ),
    fault(
        "assigned-with-app-scheme",
        "S2",
        "case",
        "A Zoom conference has a URL that only an application opens",
        reshaped(
            lambda write: is_generated(write) and write.service is not None and write.service.provider_name == "zoom",
            lambda value, _: {**value, "join_url": value["join_url"].replace("https:", "zoommtg:", 1)},
        ),
    ),
    fault(
        "assigned-with-other-keys",
        "S2 S3",
        "always",
        "A generated conference has its details under joinUrl and providerName",
        reshaped(is_generated, lambda value, _: {"joinUrl": value["join_url"], "providerName": value["provider_name"]}),
    ),
    fault(
        "provider-is-default",
        "S4",
        "case",
        '`default` is shown as provider "default"',
        _named("default", lambda write: write.kind == "default"),
    ),
    fault(
        "provider-is-integrated",
        "S4 S6",
        "case",
        '`integrated` is shown as provider "integrated"',
        _named("integrated", lambda write: write.kind == "integrated"),
    ),
    fault(
        "provider-of-default-is-integrated",
        "S4",
        "case",
        '`default` that falls to the calendar\'s own service is shown as provider "integrated"',
        _named(
            "integrated",
            lambda write: (
                write.kind == "default" and write.service is not None and write.service.profile_id == "integrated"
            ),
        ),
    ),
    fault(
        "provider-is-profile-id",
        "S3 A6",
        "case",
        "The provider of a named profile is shown as its profile_id",
        reshaped(
            lambda write: write.kind == "profile",
            lambda value, write: {**value, "provider_name": write.requested_field("profile_id")},
        ),
    ),
    fault(
        "provider-capitalised",
        "S5 A6",
        "always",
        "Providers are shown by their display names",
        reshaped(
            is_generated,
            lambda value, _: {**value, "provider_name": str(value["provider_name"]).replace("_", " ").title()},
        ),
    ),
    fault(
        "google-shown-as-hangouts",
        "S6",
        "case",
        "`integrated` on a Google calendar is shown as google_hangouts",
        _named("google_hangouts", _integrated_at("google_meet")),
    ),
    fault(
        "microsoft-shown-as-ms-teams",
        "S7",
        "case",
        "`integrated` on a Microsoft calendar is shown as ms_teams",
        _named("ms_teams", _integrated_at("ms_teams_for_business")),
    ),
    fault(
        "microsoft-shown-as-ms-teams-on-update",
        "S7",
        "case",
        "`integrated` in an update on a Microsoft calendar is shown as ms_teams",
        _named("ms_teams", lambda write: _integrated_at("ms_teams_for_business")(write) and not write.creates),
    ),
    fault(
        "one-url-for-all-events",
        "2.6",
        "always",
        "All conferences that a service generates in a calendar have the same URL",
        reshaped(is_generated, _one_url),
    ),
    fault(
        "conferencing-hidden-in-mixed-reads",
        "S1 2.2",
        "case",
        "Reads with include_managed show no conferencing, those with only_managed do",
        at(CONFERENCING, lambda right, shown: right if shown.query.only_managed else None),
    ),
    fault(
        "conferencing-hidden-with-localized-times",
        "S1 2.2",
        "case",
        "Reads with localized_times show no conferencing",
        at(CONFERENCING, lambda right, shown: None if shown.query.localized_times else right),
    ),
)
