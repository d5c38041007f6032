"""Faults of the reference server as a report groups them: one defect is one cause, and two are two."""

from __future__ import annotations

from matrix_runs import run_reference

from conformance.contract.selection import contract, select_rules
from conformance.judging.groups import failure_groups
from conformance.judging.summary import RunReport


def causes(*faults: str) -> list[str]:
    """The headlines of the report on the reference server with these faults."""
    report = RunReport(
        run_reference(*faults).report,
        select_rules((), ("server",)),
        subject={"kind": "reference", "name": "reference"},
        run={},
        contract=contract(),
        tool={"name": "test", "version": "0"},
    )
    return [group.headline for group in failure_groups(report)]


def test_two_defects_that_answer_alike_are_two_causes_that_say_where_they_are() -> None:
    assert sorted(causes("description-required", "crash-on-all-day")) == [
        "Wherever the event has no description, requests are answered 422",
        "Wherever the event takes whole days, requests are answered 5xx, or not at all, every time",
    ]


def test_a_defect_of_pages_is_one_cause_beside_a_defect_of_urls() -> None:
    assert sorted(causes("page-loses-last-event", "explicit-url-lower-cased"), key=str.casefold) == [
        "Some events that were written are not listed",
        "Where the join URL has upper case, an event created with explicit conferencing reads back with another join "
        "URL than the one that was sent: only upper and lower case differ",
    ]


def test_defects_of_pending_requests_and_of_batches_are_one_cause_each() -> None:
    assert sorted(causes("update-of-pending-conferencing-ignored", "batch-loses-conferencing")) == [
        "Where an update requests conferencing while an earlier request is pending, within a second after another "
        "write of the event, events keep the conferencing that they had before an update",
        "Where conferencing is requested by an entry of a batch, events read back as if conferencing had not been "
        "requested",
    ]
