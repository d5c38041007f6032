"""Small faults: one status, one field or one reading is wrong, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.reference.accounts import ReferenceCalendar
from conformance.reference.calls import (
    CALENDAR,
    DELETED,
    MAY_WRITE,
    USERINFO_ANSWER,
    Answer,
    CalendarLookup,
    OwnedCalendar,
)
from conformance.reference.conferencing import SERVICE, conference, default_service
from conformance.reference.event_list import (
    CONFERENCING,
    LOCATION,
    PAGE_BODY,
    PAGES,
    Pages,
    ReadRequest,
    ReferencePage,
    ShownEvent,
)
from conformance.reference.hooks import Override, at, fault
from conformance.reference.model import (
    PENDING,
    STORED,
    Key,
    Phase,
    Removal,
    Service,
    StoredVersions,
    StoredWrite,
    value_at,
)
from conformance.reference.overrides import (
    GENERATED,
    assigned,
    changes_previous,
    is_generated,
    omits,
    pending_names,
    refused,
    reset,
    reshaped,
)

__all__ = ["NARROW"]

#: A service that neither the documentation nor the inventory names.
_OTHER = Service("another_service", "another")


def _extra(name: str) -> Callable[[StoredWrite], Any]:
    return lambda write: write.requested_field(name) if is_generated(write) else None


def _cancelled(origins: tuple[str, ...]) -> Override:
    """An update without conferencing ends what is pending."""
    return reset(
        lambda write: omits(write) and write.shown_before == PENDING and write.origin in origins,
        lambda write: (Phase(write.at, None),),
    )


def _another_service(right: Service | None, write: StoredWrite) -> Service | None:
    named = write.kind == "profile" and right is not None and right.connected
    return _OTHER if named and write.shown_before is None else right


def _url_of_another(value: dict[str, Any], write: StoredWrite) -> dict[str, Any]:
    sent = [
        each.requested_field("join_url")
        for each in write.store.writes
        if each.kind == "explicit" and each.key != write.key and each.account == write.account
    ]
    return {**value, "join_url": sent[-1]} if sent else value


def _written_blank(shown: ShownEvent) -> bool:
    return not shown.version.fields.get("location")


def _meeting_as_location(right: Any, shown: ShownEvent) -> Any:
    return {"description": "Online meeting"} if _written_blank(shown) and assigned(shown.conferencing) else right


def _former_location(right: Any, shown: ShownEvent) -> Any:
    """The URL of the first conference that the event had, if its location is filled."""
    had = [phase.shows for version in shown.record.versions for phase in version.conferencing if assigned(phase.shows)]
    filled = right is not None and _written_blank(shown)
    return {"description": had[0]["join_url"]} if filled and had else right


def _not_kept(right: StoredVersions, write: StoredWrite) -> StoredVersions:
    return {} if write.creates and write.kind == "omitted" else right


def _for_another_account_too(right: StoredVersions, write: StoredWrite) -> StoredVersions:
    if not (write.creates and write.kind == "omitted"):
        return right
    other = next(each for each in write.store.inventory.accounts if each != write.account)
    return {**right, Key(other.name, other.calendars[0].calendar_id, write.event_id): right[write.key]}


def _another_calendars_too(right: Pages, reading: ReadRequest) -> Pages:
    """A managed event of the first page is listed once more, on another calendar of the account."""
    managed = [event for event in right[0] if "event_id" in event]
    if not (reading.query.include_managed and managed):
        return right
    first = managed[0]
    others = [each.calendar_id for each in reading.account.calendars if each.calendar_id != first["calendar_id"]]
    taken = {event["calendar_id"] for page in right for event in page if event.get("event_id") == first["event_id"]}
    free = [calendar_id for calendar_id in others if calendar_id not in taken]
    return ((*right[0], {**first, "calendar_id": free[0]}), *right[1:]) if free else right


def _lost_second_page(right: dict[str, Any], page: ReferencePage) -> dict[str, Any]:
    if page.next_page is None or not page.reading.query.include_managed:
        return right
    return {**right, "pages": {**right["pages"], "next_page": f"{page.next_page}0"}}


def _phantom(right: OwnedCalendar | None, lookup: CalendarLookup) -> OwnedCalendar | None:
    """Writes to another account's calendar are malformed, not unknown."""
    inventory, account, calendar_id = lookup
    theirs = [each.by_id[calendar_id] for each in inventory.accounts if calendar_id in each.by_id]
    return (account, replace(theirs[0], name="")) if right is None and theirs else right


def _nowhere(right: OwnedCalendar | None, lookup: CalendarLookup) -> OwnedCalendar | None:
    """Writes to a calendar that does not exist are malformed, not unknown."""
    inventory, account, calendar_id = lookup
    known = any(calendar_id in each.by_id for each in inventory.accounts)
    return right if right or known else (account, replace(account.calendars[0], name=""))


def _taken(right: Answer | None, calendar: ReferenceCalendar) -> Answer | None:
    return right if calendar.name else Answer(400)


def _was_bare(removal: Removal) -> bool:
    """Whether the event that is gone now had no conferencing."""
    return value_at(removal.store.records[removal.key].versions[-1].conferencing, removal.at) is None


NARROW = (
    fault(
        "location-is-made-up",
        "E7",
        "case",
        "A blank location of an event with a conference shows a made-up text",
        at(LOCATION, _meeting_as_location),
    ),
    fault(
        "location-keeps-first-url",
        "E7",
        "sequence",
        "A location that was filled keeps the URL of the first conference",
        at(LOCATION, _former_location),
    ),
    fault(
        "delete-answers-404",
        "2.5",
        "always",
        "A deletion is executed and answered with 404",
        at(DELETED, lambda right, removal: Answer(404) if removal.found else right),
    ),
    fault(
        "delete-without-conferencing-answers-404",
        "2.5",
        "case",
        "The deletion of an event without conferencing is executed and answered with 404",
        at(DELETED, lambda right, removal: Answer(404) if removal.found and _was_bare(removal) else right),
    ),
    fault(
        "userinfo-not-found", "2.4", "always", "Userinfo is not found", at(USERINFO_ANSWER, lambda _, __: Answer(404))
    ),
    fault(
        "named-profile-uses-another-service-at-first",
        "A5 A6",
        "case",
        "A named profile gives a conference of another service to an event that has none",
        at(SERVICE, _another_service),
    ),
    fault(
        "pending-names-requested-kind",
        "S4",
        "case",
        "Pending conferencing names the built-in value as its provider",
        pending_names(lambda write: write.kind if write.kind in ("default", "integrated") else None),
    ),
    fault(
        "extra-url-replaces-generated-url",
        "F6",
        "case",
        "A join URL sent with another profile_id replaces the generated one",
        reshaped(
            lambda write: isinstance(_extra("join_url")(write), str),
            lambda value, write: {**value, "join_url": _extra("join_url")(write)},
        ),
    ),
    fault(
        "created-without-conferencing-is-lost",
        "2.1",
        "case",
        "An event that is created without conferencing is accepted and lost",
        at(STORED, _not_kept),
    ),
    fault(
        "created-for-another-account-too",
        "2.8",
        "case",
        "An event that is created without conferencing is listed in another account too",
        at(STORED, _for_another_account_too),
    ),
    fault(
        "listed-on-another-calendar-too",
        "2.1",
        "case",
        "A reading with include_managed lists an event on another calendar too",
        at(PAGES, _another_calendars_too),
    ),
    fault(
        "next-page-not-found",
        "2.2",
        "case",
        "The next page of a reading with include_managed is not found",
        at(PAGE_BODY, _lost_second_page),
    ),
    fault(
        "unknown-calendar-answers-400",
        "2.8",
        "always",
        "Writes to an unknown calendar are answered with 400",
        at(CALENDAR, _nowhere),
        at(MAY_WRITE, _taken),
    ),
    fault(
        "another-accounts-calendar-answers-400",
        "2.8",
        "always",
        "Writes to another account's calendar are answered with 400",
        at(CALENDAR, _phantom),
        at(MAY_WRITE, _taken),
    ),
    fault(
        "pending-as-text-for-explicit",
        "P2 S1",
        "case",
        "Explicit conferencing is a string while it is pending",
        at(
            CONFERENCING,
            lambda right, shown: "pending" if right == PENDING and shown.version.origin == "explicit" else right,
        ),
    ),
    fault(
        "default-refused-where-nothing-is-available",
        "B6",
        "case",
        "`default` is refused where no conferencing is available",
        refused(lambda write: write.kind == "default" and default_service(write) is None),
    ),
    fault(
        "default-refused-where-there-is-a-service",
        "B1 B2",
        "case",
        "`default` is refused where conferencing is available",
        refused(lambda write: write.kind == "default" and default_service(write) is not None),
    ),
    fault(
        "generated-url-of-another-event",
        "B8",
        "sequence",
        "A generated conference has the join URL that was sent for another event",
        reshaped(is_generated, _url_of_another),
    ),
    fault(
        "third-write-takes-the-url-of-another-event",
        "B8",
        "sequence",
        "A conference generated by the third write of an event, or a later one, has the join URL of another event",
        reshaped(lambda write: is_generated(write) and len(write.kinds) > 1, _url_of_another),
    ),
    fault(
        "omitted-moves-to-another-service",
        "D3 D4",
        "case",
        "An update of summary or time without conferencing moves a generated conference to another service",
        changes_previous(
            lambda write: omits(write) and write.origin in GENERATED and write.changes("summary", "start", "end"),
            lambda _, write: conference(_OTHER, write),
        ),
    ),
    fault(
        "omitted-cancels-pending-generation",
        "D3",
        "sequence",
        "An update without conferencing cancels a pending generation",
        _cancelled(GENERATED),
    ),
    fault(
        "omitted-cancels-pending-explicit",
        "D3",
        "sequence",
        "An update without conferencing cancels pending explicit conferencing",
        _cancelled(("explicit",)),
    ),
)
