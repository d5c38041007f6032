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
