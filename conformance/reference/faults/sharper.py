"""Deviations that show in a few cases only: refusals for want of access that is there, and values shown too late."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from conformance.reference.accounts import ReferenceProfile
from conformance.reference.calls import REFUSAL, Answer
from conformance.reference.conferencing import GENERATES, SETTLE, TIMELINE
from conformance.reference.event_list import LOCATION, QUERY_PROBLEMS, ShownEvent
from conformance.reference.hooks import Override, at, fault
from conformance.reference.model import PENDING, Service, StoredWrite, Timeline
from conformance.reference.overrides import GENERATED, When, assigned, refused, reshaped, served_by

__all__ = ["SHARPER"]


def _forbidden(when: When) -> tuple[Override, ...]:
    """Some writes are answered 403, as if the account lacked a scope."""
    return (
        refused(when, "conferencing"),
        at(REFUSAL, lambda right, refusal: Answer(403) if when(refusal.write) else right),
    )


def _late(when: When) -> tuple[Override, ...]:
    """A conference takes long, and until it is there the event shows what it showed before instead of pending."""

    def unannounced(right: Timeline, write: StoredWrite) -> Timeline:
        if not when(write):
            return right
        return tuple(replace(phase, shows=write.shown_before) if phase.shows == PENDING else phase for phase in right)

    return at(SETTLE, lambda right, write: 4.0 if when(write) else right), at(TIMELINE, unannounced)


def _requests_any(write: StoredWrite) -> bool:
    return write.kind != "omitted"


def _another_service(write: StoredWrite) -> bool:
    before = write.shown_before
    name = write.calendar.integrated
    return write.kind == "integrated" and assigned(before) and before["provider_name"] != name


def _strays(write: StoredWrite) -> bool:
    stray = isinstance((write.requested or {}).get("join_url"), str)
    return stray and write.kind in GENERATED and assigned(write.settles_before)


def _hostless(conference: dict[str, Any]) -> str:
    parts = urlsplit(conference["join_url"])
    return f"https://{parts.path}?{parts.query}"


def _named(write: StoredWrite) -> list[ReferenceProfile]:
    """The connected profile that a write names, if there is one."""
    requested = (write.requested or {}).get("profile_id")
    return [each for each in write.store.profiles(write.account) if each.profile_id == requested and each.connected]


def _named_without_integrated(write: StoredWrite) -> bool:
    new = write.settles_before is None and not write.calendar.integrated
    return new and bool(_named(write)) and not write.start.date


def _another_documented(write: StoredWrite) -> Service:
    [profile] = _named(write)
    return Service("go_to" if profile.provider_name == "zoom" else "zoom", profile.profile_id)


def _meeting(right: Any, shown: ShownEvent) -> Any:
    is_placed = shown.calendar.holds_conferencing and assigned(shown.conferencing)
    return {"description": "Video meeting"} if is_placed and not shown.version.fields.get("location") else right


SHARPER = (
    fault(
        "conferencing-forbidden",
        "B1 B8 B10 A6",
        "always",
        "Every write that asks for conferencing is answered 403",
        *_forbidden(_requests_any),
    ),
    fault(
        "8x8-forbidden",
        "B15",
        "case",
        "8x8 is answered 403, as the service was terminated",
        *_forbidden(lambda write: write.kind == "8x8"),
    ),
    fault(
        "explicit-forbidden-on-update",
        "B8 D2",
        "case",
        "Explicit conferencing is answered 403 in updates",
        *_forbidden(lambda write: write.kind == "explicit" and not write.creates),
    ),
    fault(
        "default-shows-nothing-until-it-is-there",
        "P1",
        "case",
        "The conference of a new event takes long, and nothing is shown until it is there",
        *_late(lambda write: write.kind == "default" and write.creates),
    ),
    fault(
        "integrated-keeps-another-service-until-it-is-there",
        "P1",
        "sequence",
        "The conference of another service is shown until that of the calendar's own is there, which takes long",
        *_late(_another_service),
    ),
    fault(
        "stray-url-replaces-an-earlier-conference",
        "F6",
        "sequence",
        "A join URL beside another profile_id becomes that of the conference where the event had one before",
        reshaped(_strays, lambda value, write: {**value, "join_url": (write.requested or {})["join_url"]}),
    ),
    fault(
        "explicit-without-provider-is-empty",
        "S3 S8",
        "always",
        "The provider of explicit conferencing is an empty string instead of null",
        reshaped(lambda write: write.kind == "explicit", lambda value, _: {**value, "provider_name": ""}),
    ),
    fault(
        "generated-url-without-host",
        "S2",
        "case",
        "The join URL of a generated conference lacks its host where it was requested as default",
        reshaped(lambda write: write.kind == "default", lambda value, _: {**value, "join_url": _hostless(value)}),
    ),
    fault(
        "generated-url-is-a-script",
        "S2",
        "case",
        "The join URL of the calendar's own service opens a window by a script",
        reshaped(
            lambda write: write.kind == "integrated",
            lambda value, _: {**value, "join_url": f"javascript:open('{value['join_url']}')"},
        ),
    ),
    fault(
        "location-stays-blank-on-apple",
        "E7",
        "case",
        "A blank location stays blank where the host has no field for conferencing",
        at(LOCATION, lambda _, shown: shown.version.fields.get("location")),
    ),
    fault(
        "tzid-optional",
        "2.2",
        "case",
        "A read without tzid is answered as if it were in UTC",
        at(
            QUERY_PROBLEMS,
            lambda right, it: right if it.last("tzid") else {name: right[name] for name in right if name != "tzid"},
        ),
    ),
    fault(
        "no-summary-answers-400",
        "2.8",
        "case",
        "A write whose summary is missing is answered 400",
        at(REFUSAL, lambda right, refusal: replace(right, status=400) if "summary" in refusal.errors else right),
    ),
    fault(
        "running-generates-on-update",
        "D5 D6",
        "case",
        "An update of an event that has begun and is not over generates a conference",
        at(GENERATES, lambda right, write: right or (not write.creates and write.end.at > write.at)),
    ),
    fault(
        "all-day-generates-nothing",
        "B2 B4 A6",
        "case",
        "No conference is generated for an event of whole days",
        at(GENERATES, lambda right, write: right and not write.start.date),
    ),
    fault(
        "profile-names-its-own-product",
        "S3 A6",
        "case",
        "The conference of a named profile has the name of a product that is not listed",
        reshaped(
            lambda write: write.kind == "profile",
            lambda value, _: {**value, "provider_name": f"{value['provider_name']}_meetings"},
        ),
    ),
    fault(
        "integrated-teams-misnamed-after-another",
        "S7",
        "sequence",
        "The calendar's own service has the name of standalone Teams where the event had another conference before",
        reshaped(
            lambda write: write.kind == "integrated" and assigned(write.shown_before),
            lambda value, _: {**value, "provider_name": value["provider_name"].removesuffix("_for_business")},
        ),
    ),
    fault(
        "other-errors-as-text",
        "2.8",
        "case",
        "A 422 for anything but an unavailable service has one text instead of errors by field",
        at(
            REFUSAL,
            lambda right, refusal: (
                right if refusal.write.kind == "integrated" else replace(right, body={"error": "unprocessable"})
            ),
        ),
    ),
    fault(
        "named-profile-gives-another-documented-service",
        "A6",
        "case",
        "A named profile gives Zoom, or GoTo in its place, to an event without conferencing on a plain calendar",
        served_by(_named_without_integrated, _another_documented),
    ),
    fault(
        "integrated-teams-misnamed-on-creation",
        "S7",
        "case",
        "The calendar's own service has the name of standalone Teams on a new event",
        reshaped(
            lambda write: write.kind == "integrated" and write.creates,
            lambda value, _: {**value, "provider_name": value["provider_name"].removesuffix("_for_business")},
        ),
    ),
    fault(
        "named-profile-does-not-replace-a-conference-that-is-shown",
        "D2",
        "sequence",
        "A named profile generates nothing where another generated conference is shown already",
        at(
            GENERATES,
            lambda right, write: (
                right and not (write.kind == "profile" and write.origin in GENERATED and assigned(write.shown_before))
            ),
        ),
    ),
    fault(
        "location-is-meeting-beside-conferencing",
        "E7",
        "case",
        "A location that was left blank reads as words of the server's own where the host has a field for conferencing",
        at(LOCATION, _meeting),
    ),
)
