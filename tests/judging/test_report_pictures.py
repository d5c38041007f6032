"""The picture of a time line: what is wrong stands out, lasts as long as it was seen, and can be told from the rest."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

import pytest
from report_samples import JSON_HEADERS, Violation

from conformance.facts import Evidence
from conformance.http.exchange import Request
from conformance.judging.formats.picture import picture, rows
from conformance.judging.timeline import timeline

API = "https://api.example.com/v1"


def written(label: str, at: float, join_url: str) -> Evidence:
    body = {"event_id": "e", "conferencing": {"profile_id": "explicit", "join_url": join_url}}
    request = Request("POST", f"{API}/calendars/cal_1/events", JSON_HEADERS, json.dumps(body).encode())
    return Evidence(label, request, 202, at=at)


def read(label: str, at: float, shown: Any = None, until: float | None = None, path: str = "events") -> Evidence:
    request = Request("GET", f"{API}/{path}?tzid=Etc/UTC", JSON_HEADERS)
    return Evidence(label, request, 200, shown, at=at, until=until)


def assigned(join_url: str) -> dict[str, Any]:
    return {"state": "assigned", "conferencing": {"join_url": join_url}}


def drawn(*evidence: Evidence, shown_by: str | None = None, event: str | None = "e") -> str:
    return picture(timeline(Violation("x", "/a", event, evidence, shown_by=shown_by)))


def test_what_was_still_so_later_is_a_wide_band_that_says_when_and_is_outlined() -> None:
    svg = drawn(written("1", 0, "a"), read("2", 0.2, assigned("b"), until=39.2), shown_by="2")
    [(start, width)] = re.findall(r'<rect class="assigned wrong" x="([\d.]+)%" y="24" width="([\d.]+)%"', svg)
    assert float(width) >= 25
    assert float(start) + float(width) == pytest.approx(97, abs=0.1)
    assert "still at 39.2 s" in svg


def test_a_conference_of_before_the_write_is_told_from_another() -> None:
    svg = drawn(
        written("1", 0, "a"),
        read("2", 1, assigned("a")),
        written("3", 2, "b"),
        read("4", 3, assigned("a")),
        read("5", 4, assigned("b")),
    )
    assert re.findall(r'<rect class="(\w+)', svg) == ["assigned", "old", "assigned"]


def test_a_write_that_is_answered_wrongly_is_marked() -> None:
    svg = drawn(written("1", 0, "a"), read("2", 1, {"state": "missing"}), shown_by="1")
    assert '<line class="broken"' in svg
    assert ">1 ✗</text>" in svg


def test_no_label_is_on_another_one_however_near_the_readings_are() -> None:
    near = [read(f"{number}", number / 1000, assigned("b")) for number in range(2, 22)]
    svg = drawn(written("1", 0, "a"), *near, read("22", 900, assigned("b")), shown_by="12")
    below = sorted(float(x) for x in re.findall(r'<text class="\w+" x="([\d.]+)%" y="60"', svg))
    assert ">12 ✗</text>" in svg
    assert min(right - left for left, right in pairwise(below)) >= 6


def test_pending_with_more_in_it_is_pending() -> None:
    [_, entry] = timeline(
        Violation(
            "x",
            "/a",
            "e",
            (written("1", 0, "a"), read("2", 1, {"conferencing": {"pending": True, "provider_name": "b"}})),
        )
    )
    assert entry.look == "pending"


def test_of_pages_that_contradict_one_another_the_last_is_wrong_and_there_is_no_picture() -> None:
    evidence = (read("1", 0), read("2", 1, path="events/pages/abc"))
    entries = timeline(Violation("x", "/listing/duplicated", None, evidence))
    assert [entry.is_broken for entry in entries] == [False, True]
    assert picture(entries) == ""


def test_the_run_is_drawn_for_two_events_or_more_and_each_has_one_row() -> None:
    one, two = (
        Violation("x", "/a", event, (written("1", 0, "a"), read("2", 1, assigned("b"))), shown_by="2") for event in "ef"
    )
    of_a_reading = Violation("x", "/a", None, (read("3", 5),), shown_by="3")
    assert rows([one, one, of_a_reading]) == ""
    assert re.findall(r"<text x=\"0\" y=\"\d+\">(.*?)</text>", rows([one, of_a_reading, one, two])) == [
        "1, 3. e",
        "4. f",
    ]
