"""Deliberate deviations from the documentation, by name."""

from __future__ import annotations

from conformance.reference.faults.batches import BATCHES
from conformance.reference.faults.calendar_lists import CALENDAR_LISTS
from conformance.reference.faults.crashes import CRASHES
from conformance.reference.faults.event_reads import READS
from conformance.reference.faults.events import EVENTS
from conformance.reference.faults.explicit import EXPLICIT
from conformance.reference.faults.limits import LIMITS
from conformance.reference.faults.narrow import NARROW
from conformance.reference.faults.notifying import NOTIFIED
from conformance.reference.faults.omitted_or_none import OMITTED_OR_NONE
from conformance.reference.faults.pages import PAGING
from conformance.reference.faults.races import RACES
from conformance.reference.faults.refusals import REFUSALS
from conformance.reference.faults.services import SERVICES
from conformance.reference.faults.shapes import SHAPES
from conformance.reference.faults.sharper import SHARPER
from conformance.reference.hooks import Fault

__all__ = ["FAULTS"]

#: Every fault by its name.
FAULTS: dict[str, Fault] = {
    fault.name: fault
    for area in (
        OMITTED_OR_NONE,
        EXPLICIT,
        SERVICES,
        LIMITS,
        SHAPES,
        REFUSALS,
        EVENTS,
        RACES,
        READS,
        PAGING,
        CALENDAR_LISTS,
        NARROW,
        CRASHES,
        SHARPER,
        BATCHES,
        NOTIFIED,
    )
    for fault in area
}
