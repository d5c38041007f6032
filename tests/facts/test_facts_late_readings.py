"""What one reading long after a write tells, and what the last one before a write does."""

from __future__ import annotations

from typing import Any

import pytest
from facts_traffic import Traffic, event, explicit, item
from test_facts_before import dated

from conformance.facts import Observer, Settings

A, B = "https://a.example/1", "https://b.example/2"
ZOOM = {"join_url": "https://zoom.example/1", "provider_name": "zoom"}
SETTINGS = Settings(quiet=10.0)


def at(seconds: float) -> str:
    """A time of the server, in seconds after `NOW`, which is 14:13:20."""
    minutes, second = divmod(20 + int(seconds), 60)
    return f"2026-09-21T14:{13 + minutes:02}:{second:02}Z"


def link(url: str) -> dict[str, Any]:
    return {"join_url": url, "provider_name": None}


def is_late(*readings: tuple[float, Any], second: Any = None) -> bool:
    """Whether the newest of readings of the event, after a write at 0 and of another at 90, is late."""
    traffic = Traffic().write(-60, event(conferencing=explicit(A))).read(-30, item(link(A), updated=at(-60)))
    traffic.write(0, second or event(conferencing=explicit(B), summary="Two"))
    for seconds, row in readings:
        traffic.read(seconds, *(() if row is None else (row,)))
    facts = dated(traffic.write(90, event())).writes(SETTINGS)[1]
    return bool(facts["after"].get("latest_is_late", False))


def row(updated: float | None, url: str = A, **fields: Any) -> dict[str, Any]:
    times = {} if updated is None else {"updated": at(updated)}
    return item(link(url), **{"summary": "Two", **times, **fields})


@pytest.mark.parametrize(
    ("readings", "late"),
    [
        ([(20, row(0))], True),
        ([(2, item({"pending": True}, summary="Two", updated=at(0))), (20, row(2))], True),
        ([(20, row(0, B))], True),  # right ones are late as well
        ([(20, row(0, summary="Three"))], True),
        ([(20, None)], True),  # it was listed before
        ([(10, row(0))], False),  # a server may be slow
        ([(20, row(-60))], False),  # a reading that is stale
        ([(20, row(None))], False),
        ([(80, row(75))], False),  # somebody else may have written it
        ([(5, row(1, B)), (20, row(1))], False),  # readings that disagree
        ([(20, item({"pending": True}, summary="Two", updated=at(0)))], False),
        ([], False),
    ],
)
def test_one_reading_long_after_a_write_is_late_in_a_row_that_the_write_updated(readings: Any, late: bool) -> None:
    assert is_late(*readings) is late


def test_an_event_that_was_never_listed_is_not_missing_late() -> None:
    traffic = Traffic().write(0, event(conferencing=explicit(A))).read(30).write(90, event())
    assert "latest_is_late" not in dated(traffic).writes(SETTINGS)[0]["after"]


def test_while_an_episode_is_open_nothing_is_late() -> None:
    traffic = dated(Traffic().write(0, event(conferencing=explicit(A))).read(30, item(updated=at(0))))
    observer = Observer(SETTINGS)
    for exchange in traffic.exchanges:
        observer.add(exchange)
    observer.advance()
    [facts] = [one.document for one in observer.changed() if one.about == "write"]
    assert "latest_is_late" not in facts["after"]


def last_before(traffic: Traffic) -> dict[str, Any]:
    before = dated(traffic.write(80, event(summary="Two"))).writes(SETTINGS)[-1]["before"]
    return {name: before[name] for name in ("conferencing", "shown", "listed") if name in before}


@pytest.mark.parametrize(
    ("read_before", "requested", "shown", "known"),
    [
        (True, explicit(A), link(A), {"conferencing": link(A), "listed": True}),
        (False, explicit(A), link(A), {"conferencing": link(A), "listed": True}),
        (False, explicit(A), link(B), {"listed": True}),
        (True, {"profile_id": "default"}, ZOOM, {"conferencing": ZOOM, "listed": True}),
        (False, {"profile_id": "default"}, ZOOM, {"listed": True}),  # it may have been there before
        (True, {"profile_id": "default"}, {"pending": True}, {"listed": True}),
        (True, {"profile_id": "none"}, None, {"listed": True}),
    ],
)
def test_the_last_reading_tells_what_a_request_led_to_before_it_is_stable(
    read_before: bool, requested: Any, shown: Any, known: dict[str, Any]
) -> None:
    traffic = Traffic().read(-1) if read_before else Traffic()
    traffic.write(0, event(conferencing=requested)).read(2, item(shown, updated=at(1)))
    assert last_before(traffic) == known


def test_a_conference_of_an_event_that_created_alone_tells_to_be_new_is_known_with_less_weight() -> None:
    traffic = Traffic().write(0, event(conferencing={"profile_id": "default"}))
    traffic.read(2, item(ZOOM, updated=at(1), created=at(0)))
    assert last_before(traffic) == {"shown": ZOOM, "listed": True}


def test_a_conference_is_known_through_writes_that_leave_conferencing_out() -> None:
    traffic = Traffic().read(-1).write(0, event(conferencing={"profile_id": "default"})).read(2, item(ZOOM))
    traffic.write(10, event(summary="One")).read(12, item(ZOOM, summary="One"))
    assert last_before(traffic) == {"conferencing": ZOOM, "listed": True}


def test_a_row_from_before_the_write_does_not_tell_what_the_next_one_finds() -> None:
    traffic = Traffic().write(0, event(conferencing=explicit(A), summary="One")).read(2, item(link(A), summary="Old"))
    assert last_before(traffic) == {}
