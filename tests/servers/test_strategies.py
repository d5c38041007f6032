"""The public strategies: what they make is valid or invalid as they say, and shrinks to what is most usual."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from conformance import Exchange, Request, Response, Settings, judge, observe, strategies
from conformance.contract import schemas
from conformance.http.exchange import bearer
from conformance.servers.inventory import Account, Calendar, Inventory, Profile
from conformance.servers.scenarios import KINDS, RunContext, Scenario, Step, write_requests
from conformance.servers.scenarios.sampling import sample
from conformance.servers.scenarios.scenario_values import (
    DEFECTS,
    EXTRA_FIELDS,
    STARTS,
    TEXT_VARIANTS,
    TIME_FORMATS,
    TIMINGS,
    URL_VARIANTS,
)

FEW = settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
ACCOUNT = Account("default", profiles=(Profile("pro_1", "zoom", True), Profile("pro_2", "go_to", True)))
CALENDAR = Calendar("cal_1", "google", True)
SMALL = Inventory((Account("default", (CALENDAR,), (CALENDAR,), ACCOUNT.profiles),))
RUN = RunContext("abcdefgh", 1777366800.0, SMALL)


def shape(name: str, definition: str = "") -> Any:
    """A validator of ``schemas/api/NAME.json``, or of one of its definitions."""
    uri = schemas.uri(f"api/{name}") + (f"#/$defs/{definition}" if definition else "")
    return jsonschema_rs.validator_for({"$ref": uri}, registry=schemas.rs_registry())


VALID = {
    "conferencing": (strategies.conferencing(("pro_1",)), "conferencing-as-written", ""),
    "event_ids": (strategies.event_ids().map(lambda event_id: {"event_id": event_id}), "delete", ""),
    "events": (strategies.events(), "event-as-written", ""),
    "managed events": (strategies.events(), "event-as-written", "managed"),
    "join_urls": (strategies.join_urls(), "http-uri", ""),
    "times": (strategies.times(), "times", ""),
    "conferencing_as_read": (strategies.conferencing_as_read(), "conferencing-as-read", ""),
    "events_as_read": (strategies.events_as_read(), "event-as-read", ""),
    "events_pages": (strategies.events_pages(), "events-page", ""),
    "calendar_lists": (strategies.calendar_lists(), "calendars", ""),
    "userinfos": (strategies.userinfos(), "userinfo", ""),
    "refusals": (strategies.refusals(), "errors", ""),
}

INVALID = {
    "invalid_conferencing": (strategies.invalid_conferencing(), "conferencing-as-written"),
    "invalid_join_urls": (strategies.invalid_join_urls(), "http-uri"),
    "malformed_events": (strategies.malformed_events(), "event-as-written"),
}


@pytest.mark.parametrize("name", VALID)
def test_what_is_valid_keeps_its_schema(name: str) -> None:
    values, file, definition = VALID[name]
    validator = shape(file, definition)

    @FEW
    @given(values)
    def check(value: Any) -> None:
        assert validator.is_valid(value), list(map(str, validator.iter_errors(value)))

    check()


@pytest.mark.parametrize("name", INVALID)
def test_what_is_invalid_breaks_its_schema(name: str) -> None:
    values, file = INVALID[name]
    validator = shape(file)

    @FEW
    @given(values)
    def check(value: Any) -> None:
        assert json.loads(json.dumps(value)) == value
        assert not validator.is_valid(value)

    check()


def test_an_invalid_join_url_is_none_however_kindly_it_is_read() -> None:
    validator = shape("http-uri", "certainly-not-http-uri")

    @FEW
    @given(strategies.invalid_join_urls())
    def check(value: Any) -> None:
        assert validator.is_valid(value)

    check()


@FEW
@given(strategies.malformed_bodies())
def test_a_malformed_body_is_no_valid_event(body: bytes) -> None:
    try:
        value = json.loads(body)
    except ValueError:
        return
    assert not shape("event-as-written").is_valid(value)


@FEW
@given(strategies.periods())
def test_a_period_does_not_end_before_it_starts(period: tuple[Any, Any]) -> None:
    start, end = (time["time"] if isinstance(time, dict) else time for time in period)
    assert start <= end  # written alike, they sort by time


@pytest.mark.parametrize(
    ("values", "smallest"),
    [
        (strategies.conferencing(), {"profile_id": "default"}),
        (strategies.event_ids(), "0"),
        (
            strategies.events(),
            {
                "event_id": "0",
                "summary": "Planning",
                "start": "2031-01-06T09:00:00Z",
                "end": "2031-01-06T09:00:00Z",
            },
        ),
        (strategies.invalid_conferencing(), {"profile_id": "explicit", "provider_description": "Rooms"}),
        (strategies.join_urls(), "https://conference.example.com"),
        (
            strategies.malformed_events(),
            {"event_id": "0", "start": "2031-01-06T09:00:00Z", "end": "2031-01-06T09:00:00Z"},
        ),
        (strategies.conferencing_as_read(), None),
        (strategies.events_pages(), {"pages": {"current": 1, "total": 1}, "events": []}),
        (strategies.calendar_lists(), {"calendars": []}),
        (strategies.steps(ACCOUNT), Step("explicit")),
        (strategies.scenarios(SMALL), Scenario("x", "default", "cal_1", (Step("explicit"),), "explored")),
    ],
)
def test_everything_shrinks_to_what_is_most_usual(values: st.SearchStrategy[Any], smallest: Any) -> None:
    assert find(values, lambda _: True, settings=FEW) == smallest


def test_steps_have_every_dimension_of_the_core_table() -> None:
    drawn = sample(strategies.steps(ACCOUNT), 1200, 1, lambda step: step)
    changes = ("summary", "time", "start", "end", "location", "description", "bare")
    dimensions = {
        "kind": {*KINDS, "invalid"},
        "start": set(STARTS),
        "time_format": set(TIME_FORMATS),
        "text_variant": set(TEXT_VARIANTS),
        "url_variant": {*URL_VARIANTS, "again", "room"},
        "extra_fields": {"", *EXTRA_FIELDS},
        "defect": {"", *DEFECTS},
        "timing": set(TIMINGS),
        "profile": {0, 1},
        "charset": {True, False},
    }
    assert {name: {getattr(step, name) for step in drawn} for name in dimensions} == dimensions
    assert {changed for step in drawn for changed in step.changed_fields} == set(changes)


@FEW
@given(strategies.scenarios(SMALL, steps=lambda account: st.just(Step("none"))))
def test_scenarios_take_a_teams_own_steps(scenario: Scenario) -> None:
    assert {step.kind for step in scenario.steps} == {"none"}


@FEW
@given(strategies.scenarios(SMALL))
def test_a_scenario_can_be_sent(scenario: Scenario) -> None:
    requests = write_requests(scenario, RUN)
    assert requests[0].method == "POST"
    for before, after in pairwise(requests):
        assert (before.method, after.method) != ("DELETE", "DELETE")
    valid = shape("event-as-written")
    for request in requests:
        if request.method == "POST" and not request.step.defect:
            assert valid.is_valid(request.body)


def test_an_inventory_without_calendars_has_no_scenarios() -> None:
    with pytest.raises(ValueError, match="no calendar to write to"):
        strategies.scenarios(Inventory((Account("default"),)))


def test_any_recording_can_be_judged_and_keeps_or_breaks_rules() -> None:
    outcomes = set()

    @settings(FEW, phases=[Phase.generate])
    @given(strategies.recordings(max_size=8))
    def check(recording: tuple[Any, ...]) -> None:
        facts = list(observe(recording, Settings()))
        writes = sum(one.request.method == "POST" for one in recording)
        assert 0 < sum(one.about == "write" for one in facts) <= writes
        outcomes.update(verdict.outcome for one in facts for verdict in judge(one))

    check()
    assert outcomes == {"passed", "failed", "inconclusive"}


def test_a_server_may_refuse_every_malformed_event() -> None:
    """What a kind server may accept is not malformed: refusing it could be held against a right one."""
    listed = {
        "calendars": [
            {
                "calendar_id": "cal_1",
                "calendar_name": "a",
                "calendar_readonly": False,
                "calendar_deleted": False,
                "provider_name": "google",
                "profile_id": "pro_1",
                "calendar_integrated_conferencing_available": True,
            }
        ]
    }
    plain = {"event_id": "a", "summary": "s", "start": "2031-01-06T09:00:00Z", "end": "2031-01-06T09:00:00Z"}
    why = {"errors": {"event": [{"key": "errors.invalid", "description": "invalid"}]}}
    failed = set()
    for value in sample(strategies.malformed_events(), 500, 5, json.dumps):
        recording = [
            _answered("GET", "/v1/calendars", 200, None, listed, 0),
            _answered("POST", "/v1/calendars/cal_1/events", 202, {**plain, "event_id": "b"}, None, 1),
            _answered("POST", "/v1/calendars/cal_1/events", 422, value, why, 2),
            _answered("POST", "/v1/calendars/cal_1/events", 202, {**plain, "event_id": "c"}, None, 3),
        ]
        verdicts = (verdict for one in observe(recording, Settings()) for verdict in judge(one, "server"))
        failed |= {(verdict.rule, json.dumps(value)) for verdict in verdicts if verdict.outcome == "failed"}
    assert failed == set()


def _answered(method: str, path: str, status: int, sent: Any, answer: Any, number: int) -> Exchange:
    headers = (("Authorization", bearer("default")), ("Content-Type", "application/json; charset=utf-8"))
    body, content = (b"" if value is None else json.dumps(value).encode() for value in (sent, answer))
    at = 1777366800.0 + number
    request = Request(method, f"https://api.cronofy.com{path}", headers, body)
    response = Response(status, (("Date", "Tue, 28 Apr 2026 09:00:00 GMT"), headers[1]), content)
    return Exchange(request, response, f"#{number}", at, at + 0.1, headers_complete=True)
