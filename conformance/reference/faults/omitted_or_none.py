"""Omitted conferencing, and `none`."""

from __future__ import annotations

import re
from dataclasses import replace

from conformance.reference.conferencing import VERSIONS, conference, scheduled
from conformance.reference.hooks import at, fault
from conformance.reference.model import PENDING, Phase, StoredWrite, Timeline
from conformance.reference.overrides import (
    GENERATED,
    as_explicit,
    assigned,
    changes_previous,
    generated_by_default,
    ignored,
    is_none,
    last_conference,
    means_default,
    omits,
    refused,
    removed,
    reset,
    then_later,
)

__all__ = ["OMITTED_OR_NONE"]


def _only_description(write: StoredWrite) -> bool:
    return write.changes("description") and not write.changes("summary", "start", "end")


def _same_service(write: StoredWrite) -> Timeline:
    service = write.previous.service if write.previous else None
    return scheduled(write, conference(service, write)) if service else write.before


def _changes_to_or_from_whole_days(write: StoredWrite) -> bool:
    former = write.previous.fields.get("start") if write.previous else None
    return omits(write) and former is not None and (former.date is None) is not (write.start.date is None)


def _leaves_the_past(write: StoredWrite) -> bool:
    """Whether an event for which generated conferencing was requested in vain is moved out of the past."""
    former = write.previous
    wished = write.kind == "omitted" and write.settles_before is None and not set(GENERATED).isdisjoint(write.kinds)
    return wished and former is not None and former.fields["start"].at < former.at


def _follows_removal(write: StoredWrite) -> bool:
    """Whether conferencing is omitted before an earlier `none` can have settled."""
    last = write.previous
    soon = last is not None and last.kind == "none" and write.at - last.at < write.settle
    return write.kind == "omitted" and soon and len(write.kinds) > 1


_LINK = re.compile(r"https://\S*zoom\S*")


def _link(write: StoredWrite) -> str | None:
    """The link to a conference in the description of a write that omits conferencing."""
    found = _LINK.search(str(write.body.get("description"))) if write.kind == "omitted" else None
    return found and found[0]


def _is_bare(write: StoredWrite) -> bool:
    return not {"description", "location"} & write.body.keys()


OMITTED_OR_NONE = (
    fault("omitted-removes", "D3", "always", "An update without conferencing removes it", reset(omits, removed)),
    fault(
        "omitted-removes-when-description-changes",
        "D3",
        "case",
        "An update of the description alone removes the conferencing",
        reset(lambda write: omits(write) and _only_description(write), removed),
    ),
    fault(
        "omitted-takes-the-link-in-the-description",
        "D3",
        "case",
        "A write without conferencing takes it from a link in the description",
        reset(
            lambda write: _link(write) is not None,
            lambda write: (Phase(write.at, {"join_url": _link(write), "provider_name": "zoom"}),),
        ),
    ),
    fault(
        "omitted-removes-when-summary-changes",
        "D3 D4",
        "case",
        "An update of the summary removes the conferencing",
        reset(lambda write: omits(write) and write.changes("summary"), removed),
    ),
    fault(
        "omitted-removes-when-time-changes",
        "D3 D4",
        "case",
        "An update of the start or end removes the conferencing",
        reset(lambda write: omits(write) and write.changes("start", "end"), removed),
    ),
    fault(
        "omitted-removes-when-moved-into-past",
        "D3",
        "case",
        "An event that is moved into the past loses the conferencing that it has",
        reset(lambda write: omits(write) and write.in_past, removed),
    ),
    fault(
        "omitted-removes-when-whole-days-change",
        "D3",
        "case",
        "An update that turns times into whole days, or days into times, removes the conferencing",
        reset(_changes_to_or_from_whole_days, removed),
    ),
    fault(
        "omitted-grants-what-was-requested-in-the-past",
        "D3 A3",
        "sequence",
        "An event that requested conferencing in the past gets it when it is moved out of the past",
        reset(lambda write: _leaves_the_past(write) and not write.in_past, generated_by_default),
    ),
    fault(
        "omitted-removes-explicit",
        "D3",
        "case",
        "An update without conferencing removes explicit conferencing",
        reset(lambda write: omits(write) and write.origin == "explicit", removed),
    ),
    fault(
        "omitted-removes-generated",
        "D3",
        "case",
        "An update without conferencing removes a generated conference",
        reset(lambda write: omits(write) and write.origin in GENERATED, removed),
    ),
    fault(
        "omitted-removes-without-native-support",
        "D3",
        "case",
        "An update without conferencing removes it on hosts that have no field for it",
        reset(lambda write: omits(write) and not write.calendar.holds_conferencing, removed),
    ),
    fault(
        "omitted-removes-at-second-update",
        "D3",
        "sequence",
        "The second update without conferencing in a row removes it",
        reset(lambda write: omits(write) and write.kinds[-1:] == ("omitted",), removed),
    ),
    fault(
        "omitted-cancels-pending-conferencing",
        "D3 S1",
        "sequence",
        "An update without conferencing cancels conferencing that is pending",
        reset(lambda write: omits(write) and write.shown_before == PENDING, removed),
    ),
    fault(
        "omitted-means-default-on-creation",
        "D3 A3",
        "case",
        "An event created without conferencing gets the default",
        means_default(lambda write: write.creates and write.kind == "omitted"),
    ),
    fault(
        "omitted-means-default-on-update",
        "D3 A3",
        "case",
        "An event that never had conferencing gets the default with its first update",
        means_default(lambda write: not write.creates and write.kind == "omitted" and set(write.kinds) == {"omitted"}),
    ),
    fault(
        "omitted-restores-what-none-removed",
        "D3 B7",
        "sequence",
        "An update after `none` brings the removed conferencing back",
        reset(
            lambda write: (
                write.kind == "omitted" and write.origin == "none" and assigned(last_conference(write.history))
            ),
            lambda write: (Phase(write.at, last_conference(write.history)),),
        ),
    ),
    fault(
        "omitted-changes-generated-url",
        "D3",
        "case",
        "An update that changes neither summary nor times gives the conference another URL",
        reset(
            lambda write: omits(write) and write.origin in GENERATED and not write.changes("summary", "start", "end"),
            _same_service,
        ),
    ),
    fault(
        "omitted-turns-integrated-into-default",
        "D3 D4",
        "case",
        "A change of time replaces an `integrated` conference by one of the default service",
        reset(
            lambda write: omits(write) and write.origin == "integrated" and write.changes("start", "end"),
            generated_by_default,
        ),
    ),
    fault(
        "omitted-turns-explicit-into-generated",
        "D3 B8",
        "case",
        "A change of summary replaces explicit conferencing by a generated conference",
        reset(
            lambda write: omits(write) and write.origin == "explicit" and write.changes("summary"), generated_by_default
        ),
    ),
    fault(
        "omitted-loses-provider",
        "D3 S3",
        "case",
        "An update without conferencing leaves a generated conference with a null provider",
        changes_previous(
            lambda write: omits(write) and write.origin in GENERATED, lambda value, _: {**value, "provider_name": None}
        ),
    ),
    fault(
        "omitted-leaves-pending-for-ever",
        "D3 S1",
        "always",
        "After an update without conferencing the conference is pending and never comes back",
        reset(omits, lambda write: (Phase(write.at, PENDING),)),
        endless=True,
    ),
    fault(
        "omitted-cancels-removal",
        "D3 B7",
        "sequence",
        "An update without conferencing soon after `none` brings back what was removed",
        reset(_follows_removal, lambda write: write.history[-2].conferencing),
    ),
    fault("none-ignored", "B7", "always", "`none` leaves the conferencing as it was", ignored(is_none)),
    fault(
        "none-keeps-explicit",
        "B7",
        "case",
        "`none` does not remove explicit conferencing",
        ignored(lambda write: is_none(write) and write.origin == "explicit"),
    ),
    fault(
        "none-keeps-generated",
        "B7",
        "case",
        "`none` removes explicit conferencing only",
        ignored(lambda write: is_none(write) and write.origin in GENERATED),
    ),
    fault(
        "none-ignored-without-native-support",
        "B7",
        "case",
        "`none` removes nothing on hosts that have no field for conferencing",
        ignored(lambda write: is_none(write) and not write.calendar.holds_conferencing),
    ),
    fault(
        "none-ignored-second-time",
        "B7",
        "sequence",
        "`none` works only once for each event",
        ignored(lambda write: is_none(write) and "none" in write.kinds),
    ),
    fault(
        "none-ignored-after-update",
        "B7 D3",
        "sequence",
        "`none` does not remove conferencing that an update without conferencing kept",
        ignored(lambda write: is_none(write) and write.kinds[-1:] == ("omitted",)),
    ),
    fault(
        "none-keeps-provider",
        "B7 S2",
        "always",
        "`none` removes the URL and leaves the provider behind",
        changes_previous(is_none, lambda value, _: {"provider_name": value["provider_name"]}),
    ),
    fault(
        "none-is-undone-later",
        "B7",
        "always",
        "What `none` removed comes back some time later",
        then_later(
            lambda write: is_none(write) and assigned(write.settles_before), lambda _, write: write.settles_before
        ),
    ),
    fault(
        "none-means-default-on-creation",
        "B7",
        "case",
        "`none` on creation is treated as no choice, which gets the default",
        means_default(lambda write: write.creates and is_none(write)),
    ),
    fault(
        "none-means-default-without-conferencing",
        "B7",
        "case",
        "`none` on an event without conferencing generates a conference",
        means_default(lambda write: not write.creates and is_none(write) and write.settles_before is None),
    ),
    fault(
        "none-with-extra-url-is-explicit", "F6 B7", "case", "A join URL sent with `none` is set", as_explicit(is_none)
    ),
    fault(
        "none-deletes-event",
        "B7",
        "always",
        "`none` deletes the whole event",
        at(
            VERSIONS,
            lambda right, write: (
                tuple(replace(version, deleted=True) for version in right)
                if is_none(write) and write.settles_before is not None
                else right
            ),
        ),
    ),
    fault("none-refused", "B7 A6", "always", "`none` is refused", refused(is_none)),
    fault(
        "none-refused-where-there-is-conferencing",
        "B7 A6",
        "case",
        "`none` is refused while the event has conferencing",
        refused(lambda write: is_none(write) and write.settles_before is not None),
    ),
    fault(
        "none-refused-where-there-is-nothing",
        "B7 A6",
        "case",
        "`none` is refused where there is no conferencing to remove",
        refused(lambda write: is_none(write) and write.settles_before is None),
    ),
    fault(
        "omitted-removes-generated-when-moved-into-past",
        "D3",
        "sequence",
        "A generated conference is removed when its event is moved into the past",
        reset(lambda write: omits(write) and write.in_past and write.origin in GENERATED, removed),
    ),
    fault(
        "omitted-removes-explicit-at-the-tenth-update",
        "D3",
        "sequence",
        "Explicit conferencing is removed by the tenth update in a row that omits it",
        reset(
            lambda write: omits(write) and write.origin == "explicit" and write.kinds[-9:] == ("omitted",) * 9, removed
        ),
    ),
    fault(
        "omitted-removes-explicit-with-description-and-location",
        "D3",
        "case",
        "Explicit conferencing is removed by an update that omits description and location",
        reset(lambda write: omits(write) and write.origin == "explicit" and _is_bare(write), removed),
    ),
)
