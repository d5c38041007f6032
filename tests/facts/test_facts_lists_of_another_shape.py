"""Calendars that are no list tell nothing of a write's calendar, as if they had not been read."""

from __future__ import annotations

from typing import Any

import pytest
from facts_traffic import CALENDAR, Traffic, event

ENTRY = {"calendar_id": CALENDAR, "calendar_integrated_conferencing_available": True}


def listed(profiles: Any) -> tuple[str, Any]:
    return "userinfo", {"sub": "acc_1", "cronofy.data": {"profiles": profiles, "conferencing_profiles": []}}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("calendars", {"sub": "acc_1", "calendars": {CALENDAR: ENTRY}}),
        ("calendars", {"sub": "acc_1", "calendars": None}),
        listed({"provider_name": "google", "profile_calendars": [ENTRY]}),
        listed([{"provider_name": "google", "profile_calendars": ENTRY}]),
    ],
)
def test_what_is_no_list_says_nothing_of_a_calendar(path: str, body: Any) -> None:
    requested = event(conferencing={"profile_id": "integrated"})
    (write,) = Traffic().add(0, "GET", f"http://127.0.0.1/v1/{path}", None, 200, body).write(1, requested).writes()
    (unlisted,) = Traffic().write(1, requested).writes()
    assert {**write, "profiles": None} == {**unlisted, "profiles": None}
