"""What was asked against what was sent, what was answered against what was reported."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.clients.cases.case_values import shown
from conformance.clients.cases.driver_call import ABSENT
from conformance.clients.cases.generated_cases import KINDS, cases
from conformance.clients.driver.driver_session import fixture
from conformance.clients.facts.differences import (
    Differences,
    compare_conferencing,
    compare_errors,
    compare_event,
    compare_event_form,
)

EVENT: dict[str, Any] = {
    "event_id": "qT",
    "summary": "Board",
    "start": "2031-04-28T15:30:00Z",
    "end": "2031-04-28T17:00:00Z",
    "conferencing": {"profile_id": "explicit", "provider_description": "Room", "join_url": "https://conf.example/A"},
}


def changed(**fields: Any) -> dict[str, Any]:
    return {**EVENT, **fields}


def pairs(value: Any, name: str = "") -> list[tuple[str, str]]:
    """An event as the form fields that a Rails-like client makes of it."""
    if isinstance(value, dict):
        return [pair for key, inner in value.items() for pair in pairs(inner, f"{name}[{key}]" if name else key)]
    if isinstance(value, list):
        return [pair for inner in value for pair in pairs(inner, f"{name}[]")]
    if isinstance(value, bool):
        return [(name, "true" if value else "false")]
    return [(name, "" if value is None else str(value))]


@pytest.mark.parametrize(
    ("asked", "sent", "differences"),
    [
        (EVENT, EVENT, Differences()),
        (EVENT, changed(start="2031-04-28T17:30:00+02:00"), Differences()),
        (EVENT, changed(start="2031-04-28T15:30:00.000Z"), Differences()),
        (EVENT, changed(start={"time": "2031-04-28T15:30:00Z", "tzid": "Etc/UTC"}), Differences()),
        (EVENT, changed(tzid="UTC"), Differences()),
        (EVENT, changed(location=None), Differences()),
        (EVENT, changed(include_userinfo=True), Differences()),
        (EVENT, changed(conferencing={**EVENT["conferencing"], "extra": None}), Differences()),
        (
            EVENT,
            changed(conferencing={**EVENT["conferencing"], "join_url": "HTTPS://Conf.Example:443/A"}),
            Differences(),
        ),
        (
            changed(conferencing={"profile_id": "none", "join_url": None}),
            changed(conferencing={"profile_id": "none"}),
            Differences(),
        ),
        (changed(description=""), EVENT, Differences(emptied=("/description",))),
        (changed(description=None), changed(description=""), Differences(emptied=("/description",))),
        (EVENT, changed(description=""), Differences(extra=("/description",))),
        (changed(x={"a": None}), changed(x={}), Differences()),
        (changed(x={"a": {}, "b": []}), changed(x={}), Differences(missing=("/x/a", "/x/b"))),
        (changed(reminders=[{"minutes": 5}]), changed(reminders=[{"minutes": 5.0}]), Differences()),
        (EVENT, changed(tzid="Europe/London"), Differences(extra=("/tzid",))),
        (EVENT, changed(start="2031-04-28"), Differences(changed=("/start",))),
        (EVENT, changed(end="2031-04-28T17:00:01Z"), Differences(changed=("/end",))),
        (EVENT, changed(conferencing=None), Differences(missing=("/conferencing",))),
        (EVENT, changed(conferencing="explicit"), Differences(changed=("/conferencing",))),
        (
            EVENT,
            changed(conferencing={"profile_id": "explicit"}),
            Differences(missing=("/conferencing/join_url", "/conferencing/provider_description")),
        ),
        (
            EVENT,
            changed(conferencing={**EVENT["conferencing"], "join_url": "https://conf.example/a"}),
            Differences(changed=("/conferencing/join_url",)),
        ),
        (changed(event_private=True), changed(event_private=1), Differences(changed=("/event_private",))),
        (changed(x={"a/b": [1, 2]}), changed(x={"a/b": [1, 3]}), Differences(changed=("/x/a~1b/1",))),
        (changed(x=[1, 2]), changed(x=[1]), Differences(changed=("/x",))),
        (EVENT, changed(color="#000000"), Differences(extra=("/color",))),
        (
            {"event_id": "a", "start": {"time": "2031-01-01T00:00:00Z", "tzid": "Asia/Tokyo"}},
            {"event_id": "a", "start": "2031-01-01T00:00:00Z", "tzid": "Asia/Tokyo"},
            Differences(),
        ),
        (
            {"event_id": "a", "start": {"time": "2031-01-01T00:00:00Z", "tzid": "Asia/Tokyo"}},
            {"event_id": "a", "start": "2031-01-01T00:00:00Z"},
            Differences(missing=("/start/tzid",)),
        ),
        (
            {"event_id": "a", "start": "2031-01-01T00:00:00Z", "tzid": "Asia/Tokyo"},
            {"event_id": "a", "start": "2031-01-01T00:00:00Z", "tzid": "Asia/Seoul"},
            Differences(changed=("/tzid",)),
        ),
        ({"event_id": "a"}, {"event_id": "a", "conferencing": None}, Differences(extra=("/conferencing",))),
        (
            {"event_id": "a", "start": "2031-01-01"},
            {"event_id": "a", "end": "2031-01-02"},
            Differences(missing=("/start",), extra=("/end",)),
        ),
    ],
)
def test_what_is_sent_is_compared_by_its_meaning(asked: Any, sent: Any, differences: Differences) -> None:
    assert compare_event(asked, sent) == differences


@given(st.sampled_from(KINDS).flatmap(lambda kind: cases(fixture(), kind)))
@settings(max_examples=60, deadline=None)
def test_an_event_that_is_passed_on_is_never_found_altered_in_json_or_forms(case: Any) -> None:
    for step in case.steps:
        event = step.call.params.get("event")
        if event is not None:
            assert compare_event(event, event) == Differences()
            for body in (urlencode(pairs(event)), urlencode(pairs(event), quote_via=quote)):
                assert compare_event_form(event, body.encode()) == Differences()


@pytest.mark.parametrize(
    ("alter", "differences"),
    [
        (lambda p: p[:-1], Differences(missing=("/conferencing/join_url",))),
        (lambda p: p[:4], Differences(missing=("/conferencing",))),
        (
            lambda p: [*p[:-1], ("conferencing[join_url]", "https://x")],
            Differences(changed=("/conferencing/join_url",)),
        ),
        (lambda p: [*p, ("color", "#000000")], Differences(extra=("/color",))),
        (lambda p: [*p, ("tzid", "Asia/Tokyo")], Differences(extra=("/tzid",))),
        (lambda p: [("event_id", "qt"), *p[1:]], Differences(changed=("/event_id",))),
        (lambda p: [pair for pair in p if pair[0] != "end"], Differences(missing=("/end",))),
    ],
)
def test_form_fields_are_compared_as_pairs(alter: Any, differences: Differences) -> None:
    assert compare_event_form(EVENT, urlencode(alter(pairs(EVENT))).encode()) == differences


def test_lists_and_numbers_in_forms_keep_their_meaning() -> None:
    asked = {"event_id": "a", "reminders": [{"minutes": 5}, {"minutes": 10}], "event_private": True, "note": None}
    body = "event_id=a&reminders[0][minutes]=5&reminders[1][minutes]=10.0&event_private=1"
    assert compare_event_form(asked, body.encode()) == Differences()
    wrong = "event_id=a&reminders[][minutes]=5&event_private=no"
    assert compare_event_form(asked, wrong.encode()) == Differences(changed=("/event_private", "/reminders/0/minutes"))


def test_conferencing_added_to_a_form_is_one_addition() -> None:
    extra = compare_event_form({"event_id": "a"}, b"event_id=a&conferencing[profile_id]=default")
    assert extra == Differences(extra=("/conferencing",))


ZOOM = {"join_url": "https://zoom.us/1", "provider_name": "zoom"}


@pytest.mark.parametrize(
    ("said", "told", "differences"),
    [
        ({"pending": True}, {"pending": True, "join_url": None, "provider_name": None}, Differences()),
        (
            {"pending": True},
            {"pending": True, "provider_name": ""},
            Differences(emptied=("/conferencing/provider_name",)),
        ),
        (
            {**ZOOM, "provider_name": ""},
            {**ZOOM, "provider_name": None},
            Differences(emptied=("/conferencing/provider_name",)),
        ),
        (ZOOM, {**ZOOM, "pending": False, "extra": 1}, Differences()),
        ({**ZOOM, "provider_name": None}, {"join_url": "https://zoom.us/1"}, Differences()),
        (None, {}, Differences()),
        (None, {"pending": False, "join_url": None}, Differences()),
        (None, {"pending": True}, Differences(extra=("/conferencing/pending",))),
        ({"pending": True}, None, Differences(missing=("/conferencing/pending",))),
        ({"pending": True}, {"pending": 1}, Differences(changed=("/conferencing/pending",))),
        (ZOOM, {**ZOOM, "provider_name": "Zoom"}, Differences(changed=("/conferencing/provider_name",))),
        (ZOOM, {"provider_name": "zoom"}, Differences(missing=("/conferencing/join_url",))),
        (ZOOM, {**ZOOM, "join_url": "https://zoom.us/2"}, Differences(changed=("/conferencing/join_url",))),
        (ZOOM, "https://zoom.us/1", Differences(changed=("/conferencing",))),
    ],
)
def test_what_is_given_back_is_compared_by_its_meaning(said: Any, told: Any, differences: Differences) -> None:
    assert compare_conferencing(said, told) == differences


@given(shown())
@settings(max_examples=60, deadline=None)
def test_conferencing_that_is_given_back_is_never_found_altered(said: Any) -> None:
    conferencing = None if said is ABSENT else said
    assert compare_conferencing(conferencing, conferencing) == Differences()


def test_the_fields_and_keys_of_a_422_are_compared() -> None:
    said = {"start": [{"key": "errors.required", "description": "x"}], "end": [{"key": "errors.invalid"}]}
    assert compare_errors(said, said) == Differences()
    assert compare_errors(said, None) == Differences(missing=("/errors",))
    assert compare_errors(said, None, "start: errors.required") == Differences(missing=("/errors",))
    assert compare_errors(said, None, "start: errors.required, end: errors.invalid") == Differences()
    told = {"start": [{"key": "errors.other"}], "summary": []}
    assert compare_errors(said, told) == Differences(
        missing=("/errors/end", "/errors/start/errors.required"), extra=("/errors/summary",)
    )
