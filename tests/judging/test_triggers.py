"""What brings failures about: traits that all of them have and no pass has, in words."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from report_samples import WRITE

from conformance.facts import Evidence, Facts
from conformance.http.exchange import Request
from conformance.judging.context import context
from conformance.judging.history import history
from conformance.judging.triggers import Contrast, after

NOW = 1_777_420_800.0  # 2026-04-29T00:00:00Z


def sent(at: float, kind: str | None = "default", status: int = 202, **fields: Any) -> Evidence:
    """A write of the event; None deletes it."""
    body: dict[str, Any] = {"event_id": "e"}
    if kind is not None:
        times = {"start": "2026-05-10T10:00:00Z", "end": "2026-05-10T11:00:00Z"}
        conferencing = {} if kind == "omitted" else {"conferencing": {"profile_id": kind, **fields.pop("extra", {})}}
        body = {**body, "summary": "s", **times, **conferencing, **fields}
    request = Request("DELETE" if kind is None else "POST", WRITE.url, WRITE.headers, json.dumps(body).encode())
    return Evidence(f"#{at}", request, status, at=NOW + at)


def of(now: Evidence, *earlier: Evidence, **document: Any) -> set[str]:
    return history(Facts("write", (), {"event_id": "e", **document}, (now,), closed=True, earlier=earlier))


URL = {"provider_description": "d", "join_url": "https://a.example/1"}
OTHER = {**URL, "join_url": "https://a.example/2"}


@pytest.mark.parametrize(
    ("found", "trait"),
    [
        (of(sent(9, "omitted"), sent(0), sent(5, None)), "after delete"),
        (of(sent(9), sent(0, "none")), "right after none"),
        (of(sent(9, requested="none"), sent(0, "none"), sent(5), requested="default"), "after none"),
        (of(sent(9), sent(0), requested="default"), "again"),
        (of(sent(0.5), sent(0, "explicit", extra=URL)), "at once"),
        (
            of(sent(9, "explicit", extra=URL), sent(0, "explicit", extra=URL), sent(5, "explicit", extra=OTHER)),
            "sends an earlier join_url",
        ),
        (of(sent(9, start="2026-04-20T10:00:00Z"), sent(0)), "moved into the past"),
        (of(sent(9), sent(0, start="2026-04-20T10:00:00Z")), "moved out of the past"),
        (of(sent(0, start="2026-04-28T20:00:00Z")), "started within a day"),
        (of(sent(0, start="2027-04-28T20:00:00Z")), "starts far ahead"),
        (
            of(
                sent(9, "omitted"),
                sent(0, "explicit", extra=URL),
                requested="omitted",
                before={"requested_as": "explicit"},
            ),
            "omitted over explicit conferencing",
        ),
        (of(sent(0), requested="default", resolution={"source": "integrated"}), "default without a profile"),
        (
            of(sent(0), requested="default", start="past", resolution={"source": "profile"}),
            "generates after the start",
        ),
    ],
)
def test_what_was_done_before_is_a_trait(found: set[str], trait: str) -> None:
    assert trait in found
    assert "=" not in after([trait], "It is wrong")


def test_what_was_refused_was_not_done() -> None:
    assert of(sent(9), sent(0, "none", status=422)) == set()


USUAL = [frozenset({f"n{number}"}) for number in range(99)] + [frozenset({"event.location", "again", "at once"})]


def contrast(common: set[str], *passed: set[str], said: str = "", count: int = 3) -> tuple[str, ...]:
    its = [frozenset(one) for one in passed]
    return Contrast(frozenset(common), its, frozenset({said} - {""}), count, [*USUAL, *its]).trigger


def test_the_trigger_is_what_all_failures_have_and_no_pass_has() -> None:
    assert contrast({"event.location", "again"}, {"again"}) == ("event.location",)
    assert contrast({"event.location", "again"}, {"again", "event.location"}) == ()
    assert contrast({"raw=x"}, {"again"}) == ()


def test_where_no_single_trait_tells_two_together_do() -> None:
    assert contrast({"again", "at once"}, {"again"}, {"at once"}) == ("again", "at once") or (
        contrast({"again", "at once"}, {"again"}, {"at once"}) == ("at once", "again")
    )


def test_nothing_is_needed_where_no_pass_has_what_is_said() -> None:
    assert contrast({"again", "due=none"}, {"due=default"}, said="due=none") == ()
    assert contrast({"again", "due=none"}, {"due=none"}, said="due=none") == ("again",)


def test_what_most_have_is_no_trigger_of_a_single_failure() -> None:
    usual = [frozenset({"again"})] * 50 + [frozenset({"x"})] * 50
    assert Contrast(frozenset({"again"}), [frozenset({"x"})], count=1, usual=usual).trigger == ()
    assert Contrast(frozenset({"again"}), [frozenset({"x"})], count=9, usual=usual).trigger == ("again",)


def test_how_what_is_missing_is_shown_tells_nothing() -> None:
    assert contrast({"shown on a later page"}, {"reads as missing"}) == ()
    assert contrast({"shown on a later page"}, {"shown as usual"}) == ("shown on a later page",)


def test_a_trigger_stands_before_what_is_wrong() -> None:
    assert after(["event.location", "again"], "An event is odd") == (
        "Wherever the event has a location, when the same conferencing is requested twice in a row, an event is odd"
    )
    assert (
        after(["event.location"], "GET /v1/events is odd") == "Wherever the event has a location, GET /v1/events is odd"
    )
    assert after([], "An event is odd") == "An event is odd"
    assert after(["event.location", "event.location.description"], "It is odd") == (
        "Wherever the event has a location, it is odd"
    )


class _OfStart:
    def part(self, name: str) -> dict[str, Any]:
        known = {"properties": {"start": {"const": "past"}}, "required": ["resolution", "calendar"]}
        return known if name == "if" else {}


def test_a_rule_on_times_shows_the_times_of_the_event() -> None:
    facts = Facts("write", (), {"event_id": "e"}, (sent(0),), closed=True)
    assert list(context(_OfStart(), facts, ["after", "settled", "state"])) == [  # type: ignore[arg-type]
        ("times", "from 2026-05-10T10:00:00Z to 2026-05-10T11:00:00Z, written at 2026-04-29T00:00:00Z")
    ]


def test_a_rule_on_pages_shows_how_they_are_counted() -> None:
    pages = [
        {"events": 8, "current": 1, "total": 2, "next_page": "absent"},
        {"events": 0, "status": 404, "next_page": "absent"},
    ]
    facts = Facts("reading", (), {"pages": pages}, (), closed=True)
    [(name, told)] = context(_OfStart(), facts, ["page_numbers_consistent"])  # type: ignore[arg-type]
    assert name == "pages"
    assert re.split("; ", told) == [
        "page 1: 8 events, current 1, total 2, next_page absent",
        "page 2: 0 events, current absent, total absent, next_page absent, answered 404",
    ]


@pytest.mark.parametrize(
    ("requested", "resolution", "told"),
    [
        ("profile", {"source": "profile", "provider_names": ["zoom"]}, "zoom, by the profile pro_1"),
        ("default", {"source": "integrated", "provider_names": ["a", "b"]}, "a or b, integrated in the calendar"),
        (
            "default",
            {"source": "nothing"},
            "none: the account has no conferencing profile, and the calendar no integrated service",
        ),
    ],
)
def test_a_request_for_a_conference_shows_its_calendar_and_its_service(
    requested: str, resolution: dict[str, Any], told: str
) -> None:
    calendar = {"calendar_id": "cal_1", "provider_name": "google", "integrated_conferencing_available": False}
    write = sent(0, "pro_1" if requested == "profile" else requested)
    document = {"event_id": "e", "requested": requested, "calendar": calendar, "resolution": resolution}
    facts = Facts("write", (), document, (write,), closed=True)
    assert list(context(_OfStart(), facts, ["after", "settled", "state"]))[1:] == [  # type: ignore[arg-type]
        ("calendar", "cal_1: google, without integrated conferencing"),
        ("service", told),
    ]
