"""Recordings as ordinary test suites make them decide rules: the right server fails none, faulty ones are found."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from excuses import EXCUSES
from user_scripts import SCRIPTS, examined, found, missed, recorded, shows

from conformance.contract.rules import load
from conformance.facts import Settings, observe
from conformance.judging.judge import Judge
from conformance.judging.strength import strength
from conformance.recordings import read
from conformance.reference import FAULTS

#: Faults that a few writes and readings show, each with a script that shows it.
_SHOWN = {
    "explicit-ignored": "create-and-poll",
    "omitted-removes-explicit": "updates",
    "none-keeps-explicit": "updates",
    "explicit-refused": "crud",
    # one reading each
    "explicit-generates-where-integrated-is-available": "crud",
    "location-is-made-up": "crud",
    "assigned-with-other-keys": "crud",
    "delete-answers-404": "crud",
    "conferencing-hidden-in-every-third-reading": "windows",
    "calendars-of-another-account": "crud",
    "availability-differs-on-microsoft": "crud",
    "conferencing-forbidden": "updates",
    # listed on another calendar, after a reading of a month that lists it nowhere
    "event-appears-on-second-calendar": "windows",
    # an event that is never listed, whatever was before
    "event-id-is-uid": "windows",
}


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_the_right_server_fails_no_rule(script: str) -> None:
    assert found(recorded(script)) == set()


@pytest.mark.parametrize(("fault", "script"), _SHOWN.items())
def test_a_fault_that_a_recording_shows_is_found(fault: str, script: str) -> None:
    interactions = recorded(script, fault)
    assert shows(interactions, recorded(script))
    assert found(interactions)


WHOLE = pytest.mark.skipif(
    not os.environ.get("WHOLE_MATRIX"), reason="plays every script with every fault, which takes minutes"
)


@WHOLE
@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_what_is_not_found_is_protected_by_a_law(script: str) -> None:
    shown, open_ones = missed(script)
    assert [name for name in open_ones if name not in EXCUSES] == []
    assert shown - len(open_ones) >= 0.8 * shown


@pytest.mark.parametrize("fault", ["none-ignored", "settled-vanishes", "explicit-ignored-on-update"])
def test_what_one_late_reading_shows_is_a_weak_finding(fault: str) -> None:
    assert found(recorded("crud", fault)) == {"a-late-reading-shows-what-was-requested"}


def test_what_laws_protect_are_known_faults() -> None:
    assert EXCUSES.keys() <= FAULTS.keys()


@WHOLE
@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_the_strength_of_a_recording_is_off_by_at_most_five_points(script: str) -> None:
    predicted = len(strength(examined(recorded(script)).exercised).caught)
    caught = sum(bool(found(recorded(script, fault))) for fault in FAULTS)
    assert abs(predicted - caught) <= 0.05 * len(FAULTS)


@pytest.mark.parametrize("form", ["vcr", "har"])
@pytest.mark.parametrize(
    ("conferencing", "broken"),
    [
        ({"profile_id": "explicit"}, {"explicit-has-a-join-url", "explicit-names-its-provider"}),
        (
            {"profile_id": "explicit", "provider_description": "C", "join_url": "ftp://x/"},
            {"an-explicit-join-url-is-http"},
        ),
        ({}, {"conferencing-names-a-profile-id"}),
        ("default", {"conferencing-names-a-profile-id"}),
        ({"profile_id": "default"}, set()),
    ],
)
def test_an_entry_of_a_recorded_batch_is_a_write(
    form: str, conferencing: object, broken: set[str], tmp_path: Path
) -> None:
    event = {"event_id": "e", "summary": "S", "start": "2030-01-01T10:00:00Z", "end": "2030-01-01T11:00:00Z"}
    wrong = {**event, "conferencing": conferencing}
    right = {**event, "event_id": "f"}
    path = "/v1/calendars/cal_1/events"
    sent = json.dumps({"batch": [{"method": "POST", "relative_url": path, "data": one} for one in (wrong, right)]})
    answer = json.dumps({"batch": [{"status": 202}, {"status": 202}]})
    url, headers = (
        "https://api.cronofy.com/v1/batch",
        {"Authorization": "Bearer abc", "Content-Type": "application/json"},
    )
    if form == "vcr":
        request: Any = {
            "method": "POST",
            "uri": url,
            "headers": {k: [v] for k, v in headers.items()},
            "body": {"string": sent},
        }
        response: Any = {"status": {"code": 207, "message": ""}, "headers": {}, "body": {"string": answer}}
        recording: Any = {"version": 1, "interactions": [{"request": request, "response": response}]}
    else:
        listed = [{"name": name, "value": value} for name, value in headers.items()]
        request = {
            "method": "POST",
            "url": url,
            "headers": listed,
            "postData": {"mimeType": "application/json", "text": sent},
        }
        response = {"status": 207, "headers": [], "content": {"mimeType": "application/json", "text": answer}}
        recording = {"log": {"version": "1.2", "entries": [{"request": request, "response": response}]}}
    file = tmp_path / "recording.json"
    file.write_text(json.dumps(recording), encoding="utf-8")
    judge = Judge(load())
    verdicts = [verdict for facts in observe(read(file), Settings()) for verdict in judge(facts)]
    failed = {verdict.rule: verdict.violation for verdict in verdicts if verdict.outcome == "failed"}
    assert set(failed) == broken
    assert all(violation and path in violation.message for violation in failed.values())
