"""A request that is refused is sound where every reader takes it (2.8.f)."""

from __future__ import annotations

from typing import Any

import pytest
from facts_traffic import READ, Traffic, event, item

ASSIGNED = {"join_url": "https://a.example/1", "provider_name": None}


def _sound(traffic: Traffic) -> Any:
    [facts] = [facts.document for facts in traffic.facts() if facts.about == "exchange"]
    return facts.get("request_is_sound")


@pytest.mark.parametrize(
    ("body", "sound"),
    [
        (event(), True),
        (event(summary=None), True),
        (event(summary="half a \ud83d"), False),
        (event(priority=float("nan")), False),
        ([event()], False),
    ],
)
def test_a_write_is_sound_if_it_is_an_object_of_whole_characters_and_finite_numbers(body: Any, sound: bool) -> None:
    assert _sound(Traffic().write(0, body, 400)) is sound


@pytest.mark.parametrize(("query", "sound"), [("tzid=Mars%2FOlympus", True), ("tzid=%FF", False)])
def test_a_reading_is_sound_if_its_query_has_whole_characters(query: str, sound: bool) -> None:
    assert _sound(Traffic().add(0, "GET", f"{READ}&{query}", None, 400, None)) is sound


def test_of_requests_that_are_answered_nothing_is_said() -> None:
    assert _sound(Traffic().write(0, event())) is None


@pytest.mark.parametrize(
    ("fields", "shows"),
    [
        ({}, False),
        ({"location": {"description": "Join at https://a.example/1"}}, True),
        ({"location": "https://A.example/1"}, True),
        ({"url": "https://a.example/1"}, True),
        ({"meeting_url": "https://b.example/1"}, False),
    ],
)
def test_the_join_url_is_in_an_event_whose_location_or_other_field_holds_it(fields: Any, shows: bool) -> None:
    traffic = Traffic().write(0, event()).read(1, item(ASSIGNED, **fields))
    [facts] = traffic.writes()
    assert facts["after"]["latest"]["join_url_in_event"] is shows


ZONE = {"time": "2026-12-01T10:00:00", "tzid": "Europe/London"}
LATER = {"time": "2026-12-01T11:00:00", "tzid": "Europe/London"}


@pytest.mark.parametrize(
    ("fields", "valid"),
    [
        ({"start": "2026-12-01T10:00:00Z", "end": "2026-12-01T11:00:00+01:00"}, False),
        ({"start": "2026-12-01T10:00:00Z", "end": "2026-12-01T11:00:00Z"}, True),
        ({"start": "2026-12-01", "end": "2026-12-02"}, True),
        ({"start": ZONE, "end": LATER}, True),
        ({"start": "2026-12-01T10", "end": "2026-12-01T11"}, False),
        ({"start": {**ZONE, "tzid": ""}, "end": {**LATER, "tzid": ""}}, False),
        ({"start": {"time": ZONE["time"]}, "end": {"time": LATER["time"]}}, False),
        ({"start": "2026-12-01T10:00:00Z", "end": "2026-12-01T11:00:00Z", "tzid": ""}, False),
    ],
)
def test_a_write_is_otherwise_valid_only_with_times_of_a_documented_form(fields: dict[str, Any], valid: bool) -> None:
    [facts] = Traffic().write(0, event(**fields)).writes()
    assert facts["otherwise_valid"] is valid
