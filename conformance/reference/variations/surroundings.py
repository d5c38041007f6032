"""Answers, reads, pages, calendars and profiles: the API around conferencing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from conformance.reference.account_lists import CALENDARS, USERINFO, AccountLists
from conformance.reference.accounts import ReferenceAccount, ReferenceCalendar, ReferenceProfile
from conformance.reference.calls import (
    ACCEPTED,
    ADMIT,
    DELETED,
    MAY_WRITE,
    REFUSAL,
    RETAINED_FIELDS,
    UNAUTHORIZED,
    Answer,
    Call,
    RefusedWrite,
)
from conformance.reference.conferencing import FIELDS
from conformance.reference.event_list import (
    AS_OF,
    CONFERENCING,
    EVENT,
    LISTED,
    LOCATION,
    PAGE_BODY,
    PAGE_SIZE,
    PAGES,
    QUERY_PROBLEMS,
    Event,
    Pages,
    ReferencePage,
    ShownEvent,
    StoredView,
    in_pages,
)
from conformance.reference.hooks import Override, at, variation
from conformance.reference.model import PROFILES, value_at
from conformance.reference.overrides import assigned, last_conference
from conformance.reference.validation import error

__all__ = ["SURROUNDINGS"]

JSON = dict[str, Any]
_RENAMED = {"zoom": "whereby", "go_to": "pexip"}


def _accepted(change: Callable[[Answer], Answer]) -> Override:
    return at(ACCEPTED, lambda right, _: change(right) if right.body is None else right)


def _stale(right: float, view: StoredView) -> float:
    return right - view.settle


def _by_turns(right: float, view: StoredView) -> float:
    """Every other reading of an event comes from a copy that lags behind."""
    return right - 2 * view.settle if view.record.reads % 2 else right


def _late(right: float, view: StoredView) -> float:
    created = view.record.versions[0].at
    return right if right >= created + view.settle else created - 1.0


def _null(right: Event, _: ShownEvent) -> Event:
    return right if "conferencing" in right else {**right, "conferencing": None}


def _url(shown: ShownEvent) -> str | None:
    return shown.conferencing["join_url"] if assigned(shown.conferencing) else None


def _blank(shown: ShownEvent) -> bool:
    written = shown.version.fields.get("location")
    return not written or not (isinstance(written, Mapping) and written.get("description"))


def _everywhere(right: Any, shown: ShownEvent) -> Any:
    return {"description": _url(shown)} if _blank(shown) and _url(shown) else right


def _text(right: Any, shown: ShownEvent) -> Any:
    return {"description": f"Join at {_url(shown)} (online)"} if right and _blank(shown) and _url(shown) else right


def _left_behind(right: Any, shown: ShownEvent) -> Any:
    earlier = [version for version in shown.record.versions if version.at <= shown.as_of]
    last = last_conference(tuple(earlier))
    if right or not _blank(shown) or shown.conferencing is not None or not assigned(last):
        return right
    return right if shown.calendar.holds_conferencing else {"description": last["join_url"]}


def _with_query(right: JSON, page: ReferencePage) -> JSON:
    if page.next_page is None:
        return right
    odd = f"{page.next_page}?cursor=a%2Bb%3D%3D&after={page.index}%20%26&flag"
    return {**right, "pages": {**right["pages"], "next_page": odd}}


def _backwards(right: Pages, _: object) -> Pages:
    size = max(len(page) for page in right)
    return in_pages([event for page in reversed(right) for event in reversed(page)], size or 1)


def _renamed(right: tuple[ReferenceProfile, ...], _: ReferenceAccount) -> tuple[ReferenceProfile, ...]:
    return tuple(replace(each, provider_name=_RENAMED.get(each.provider_name, each.provider_name)) for each in right)


def _without_empty_profiles(right: JSON, _: AccountLists) -> JSON:
    data = right["cronofy.data"]
    kept = {name: value for name, value in data.items() if name != "conferencing_profiles" or value}
    return {**right, "cronofy.data": kept}


def _older(right: JSON, _: AccountLists) -> JSON:
    later = ("calendar_attachments_available", "permission_level")
    listed = [{name: value for name, value in each.items() if name not in later} for each in right["calendars"]]
    return {"calendars": listed}


def _more(right: JSON, _: object) -> JSON:
    return {**right, "x_request_id": "4b0e", "links": {"self": "https://reference.invalid/"}}


def _more_in_conference(right: Any, _: ShownEvent) -> Any:
    details = {"profile_id": "shown", "dial_in": [{"number": "+44 20 7946 0000"}], "raw": None}
    return {**details, **right} if assigned(right) else right


def _deleted_too(right: Any, shown: ShownEvent) -> Any:
    return value_at(shown.version.conferencing, shown.as_of) if shown.version.deleted else right


def _external_meets(right: Any, shown: ShownEvent) -> Any:
    meet = {"provider_name": "google_meet", "join_url": f"https://meet.google.com/{shown.record.event_uid[-9:]}"}
    return right if shown.record.managed else meet


def _trimmed(right: Mapping[str, Any], _: object) -> Mapping[str, Any]:
    text = right.get("description")
    return {**right, "description": text.strip()} if isinstance(text, str) else right


def _wordier(right: Answer, refused: RefusedWrite) -> Answer:
    shown = {
        name: [{**each, "description": f"{name}: {each['key']}"} for each in errors] + error("invalid", name)
        for name, errors in refused.errors.items()
    }
    return replace(right, body={"errors": {"event": error("invalid", "the event is invalid"), **shown}})


def _read_only(status: int) -> Override:
    def alter(right: Answer | None, _: ReferenceCalendar) -> Answer | None:
        return Answer(status) if right else None

    return at(MAY_WRITE, alter)


def _every(number: int, answer: Answer) -> Override:
    def alter(right: Answer | None, call: Call) -> Answer | None:
        return answer if call.number % number == 0 else right

    return at(ADMIT, alter)


SURROUNDINGS = (
    variation("null-when-none", "1H", "conferencing is null where there is none", at(EVENT, _null)),
    variation("extra-keys-in-conferencing", "G1", "A conference has more keys", at(CONFERENCING, _more_in_conference)),
    variation(
        "extra-keys",
        "2",
        "Events, pages, calendar lists and userinfo have more keys",
        at(EVENT, _more),
        at(PAGE_BODY, _more),
        at(CALENDARS, _more),
        at(USERINFO, _more),
    ),
    variation(
        "external-events-have-conferencing",
        "1H",
        "External events show conferencing of their own",
        at(CONFERENCING, _external_meets),
    ),
    variation(
        "answers-200",
        "1H",
        "Writes are answered with 200",
        _accepted(lambda right: replace(right, status=200)),
        at(DELETED, lambda right, _: replace(right, status=200)),
    ),
    variation("answers-201", "1H", "Writes are answered with 201", _accepted(lambda right: replace(right, status=201))),
    variation(
        "answers-204",
        "1H",
        "Writes are answered with 204",
        _accepted(lambda right: replace(right, status=204)),
        at(DELETED, lambda right, _: replace(right, status=204) if right.body is None else right),
    ),
    variation(
        "answers-with-object",
        "1H",
        "Writes are answered with an object",
        _accepted(lambda right: replace(right, body={})),
    ),
    variation(
        "answers-with-event",
        "1H",
        "Writes are answered with the event as it was sent",
        at(
            ACCEPTED,
            lambda right, write: right if right.body else replace(right, status=200, body={"event": dict(write.body)}),
        ),
    ),
    variation(
        "omitted-fields-cleared",
        "2.1",
        "Optional fields that an update omits are cleared",
        at(RETAINED_FIELDS, lambda _, __: {}),
    ),
    variation("description-trimmed", "2.1", "White space around a description is dropped", at(FIELDS, _trimmed)),
    variation("stale-reads", "P1", "Reads lag behind by one settling time", at(AS_OF, _stale)),
    variation(
        "every-other-read-is-stale", "P1", "Every other reading lags behind by two settling times", at(AS_OF, _by_turns)
    ),
    variation("late-events", "P1", "A new event is listed one settling time after its creation", at(AS_OF, _late)),
    variation(
        "location-filled-everywhere",
        "E7",
        "A blank location shows the URL on every calendar",
        at(LOCATION, _everywhere),
    ),
    variation("location-is-a-sentence", "E7", "A blank location shows the URL within a sentence", at(LOCATION, _text)),
    variation(
        "none-leaves-url-in-location", "E7 B7", "`none` leaves the URL in the location", at(LOCATION, _left_behind)
    ),
    variation("pages-of-one", "2.2", "A page has one event", at(PAGE_SIZE, lambda _, __: 1)),
    variation("pages-of-two", "2.2", "A page has two events", at(PAGE_SIZE, lambda _, __: 2)),
    variation("one-page", "2.2", "All events are on one page", at(PAGE_SIZE, lambda _, __: 1_000_000)),
    variation(
        "next-page-with-query",
        "2.2",
        "next_page has a query with escapes, which is required",
        at(PAGE_BODY, _with_query),
    ),
    variation("latest-first", "2.2", "Reads list the latest event first", at(PAGES, _backwards)),
    variation(
        "unknown-calendar-ids-ignored",
        "2.2",
        "Unknown calendar_ids[] list nothing",
        at(QUERY_PROBLEMS, lambda right, _: {name: each for name, each in right.items() if name != "calendar_ids"}),
    ),
    variation(
        "deleted-keep-conferencing",
        "2.5",
        "Deleted events show the conferencing that they had",
        at(CONFERENCING, _deleted_too),
    ),
    variation(
        "deleted-purged",
        "2.5",
        "Deleted events are not listed, even with include_deleted",
        at(LISTED, lambda right, item: right and not item.version.deleted),
    ),
    variation(
        "deleting-nothing-answers-404",
        "2.5",
        "The deletion of an unknown event is answered with 404",
        at(DELETED, lambda right, removal: right if removal.found else Answer(404)),
    ),
    variation(
        "read-only-answers-403",
        "2.1",
        "Writes to read-only and deleted calendars are answered with 403",
        _read_only(403),
    ),
    variation(
        "read-only-answers-404",
        "2.1",
        "Writes to read-only and deleted calendars are answered with 404",
        _read_only(404),
    ),
    variation(
        "unauthorized-with-body",
        "E2",
        "A 401 has a body",
        at(UNAUTHORIZED, lambda right, _: replace(right, body={"error": "invalid_token"})),
    ),
    variation("longer-errors", "X3", "Refusals have other texts and more errors", at(REFUSAL, _wordier)),
    variation(
        "empty-profiles-omitted",
        "2.4",
        "Userinfo omits conferencing_profiles if there are none",
        at(USERINFO, _without_empty_profiles),
    ),
    variation(
        "older-calendar-list", "2.3", "Calendar lists lack the fields that were added later", at(CALENDARS, _older)
    ),
    variation(
        "unknown-providers",
        "S9",
        "Profiles belong to services that the documentation does not name",
        at(PROFILES, _renamed),
    ),
    variation(
        "throttled",
        "2.8",
        "Every 29th request is answered with 429 and Retry-After",
        _every(29, Answer(429, None, (("retry-after", "1"),))),
    ),
    variation(
        "throttled-without-retry-after", "2.8", "Every 37th request is answered with 429", _every(37, Answer(429))
    ),
    variation(
        "service-unavailable-at-times", "2.8", "Every 41st request is answered with 503", _every(41, Answer(503))
    ),
)
