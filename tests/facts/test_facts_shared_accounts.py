"""Somebody else may write to the account, and who is who may not be recorded: then nothing is missing."""

from __future__ import annotations

from typing import Any

import pytest
from facts_traffic import READ, Traffic, event, explicit, item
from msgspec import structs

from conformance.facts import Settings
from conformance.http.exchange import bearer

SETTINGS = Settings(quiet=2.0, settle_timeout=15.0)
NEXT = "http://127.0.0.1/v1/events/pages/2"


def pages(traffic: Traffic, at: float, first: list[str], second: list[str], total: int = 2, later: int = 2) -> None:
    """A reading of two pages; `total` and `later` are how many pages each of them says that there are."""
    one = {"pages": {"current": 1, "total": total, "next_page": NEXT}, "events": rows(first)}
    two = {"pages": {"current": 2, "total": later}, "events": rows(second)}
    traffic.add(at, "GET", READ, None, 200, one)
    traffic.add(at + 0.2, "GET", NEXT, None, 200, two)


def rows(names: list[str]) -> list[dict[str, Any]]:
    return [item(event_id=name) for name in names]


def listings(traffic: Traffic) -> list[tuple[list[str], list[str]]]:
    """What each reading lacks, and what it lists twice."""
    found = [facts.document["listing"] for facts in traffic.facts(SETTINGS) if facts.about == "reading"]
    return [(listing["missing"], listing["duplicated"]) for listing in found]


def known() -> Traffic:
    """Two events that were listed for long."""
    traffic = Traffic().read(0).write(1, event(event_id="a")).write(2, event(event_id="b"))
    for number in range(6):
        pages(traffic, 10 + 5 * number, ["a"], ["b"])
    return traffic


def test_a_row_that_moves_between_pages_once_is_not_missing() -> None:
    traffic = known()
    pages(traffic, 60, ["x"], ["b"])
    pages(traffic, 65, ["a"], ["b"])
    assert listings(traffic)[-2:] == [([], []), ([], [])]


def test_a_row_that_is_lacking_twice_in_a_row_is_missing() -> None:
    traffic = known()
    pages(traffic, 60, ["x"], ["b"])
    pages(traffic, 65, ["x"], ["b"])
    assert listings(traffic)[-2:] == [([], []), (["a"], [])]


def test_on_a_single_page_no_row_can_move() -> None:
    traffic = known().read(60, item(event_id="b"))
    assert listings(traffic)[-1] == (["a"], [])


def test_nothing_is_missing_where_the_number_of_pages_changed_between_pages() -> None:
    traffic = known()
    pages(traffic, 60, ["x"], ["b"], later=3)
    pages(traffic, 65, ["x"], ["b"], later=3)
    assert listings(traffic)[-2:] == [([], []), ([], [])]


def test_a_row_on_two_pages_counts_the_second_time() -> None:
    traffic = known()
    pages(traffic, 60, ["a"], ["a", "b"])
    pages(traffic, 65, ["a"], ["a", "b"])
    assert listings(traffic)[-2:] == [([], []), ([], ["a"])]


def test_a_row_twice_on_a_page_counts_at_once() -> None:
    traffic = known()
    pages(traffic, 60, ["a", "a"], ["b"])
    assert listings(traffic)[-1] == ([], ["a"])


def filtered(traffic: Traffic) -> Traffic:
    """The same exchanges as a recorder keeps them that filters Authorization out."""
    traffic.exchanges = [
        structs.replace(one, headers_complete=False, request=structs.replace(one.request, headers=()))
        for one in traffic.exchanges
    ]
    return traffic


def test_who_is_who_is_not_recorded_and_another_calendars_event_is_not_missing() -> None:
    traffic = Traffic().read(0).write(1, event())
    for number in range(8):
        traffic.read(5 + 5 * number, {**item(event_id="other"), "calendar_id": "cal_B"})
    assert listings(filtered(traffic))[-1] == ([], [])


def test_who_is_who_is_not_recorded_but_a_reading_of_the_same_calendar_tells() -> None:
    traffic = Traffic().read(0).write(1, event())
    for number in range(6):
        traffic.read(5 + 5 * number, item(), item(event_id="z"))
    traffic.read(60, item(event_id="z"))
    assert listings(filtered(traffic))[-1] == (["e1"], [])


@pytest.mark.parametrize(
    ("subs", "shared"), [((None, None), None), (("acc_1", "acc_1"), None), (("acc_1", "acc_2"), "explicit")]
)
def test_an_event_that_is_written_with_a_renewed_token_is_the_same_event(subs: Any, shared: str | None) -> None:
    url = "https://a.example/1"
    traffic = Traffic()
    for number, sub in enumerate(subs):
        held = len(traffic.exchanges)
        if sub is not None:
            traffic.add(0, "GET", "http://127.0.0.1/v1/userinfo", None, 200, {"sub": sub, "cronofy.data": {}})
        body = event() if number else event(conferencing=explicit(url))
        traffic.write(1 + 20 * number, body)
        traffic.read(2 + 20 * number, item({"join_url": url, "provider_name": None}))
        renewed = (("Authorization", bearer(f"token {number}")), ("Content-Type", "application/json"))
        traffic.exchanges[held:] = [
            structs.replace(one, request=structs.replace(one.request, headers=renewed))
            for one in traffic.exchanges[held:]
        ]
    latest = traffic.writes(SETTINGS)[-1]["after"]["latest"]
    assert latest.get("join_url_shared_with") == shared
