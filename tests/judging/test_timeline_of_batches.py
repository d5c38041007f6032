"""A batch in the time line and the script of a failure."""

from __future__ import annotations

import json

import pytest
from report_samples import JSON_HEADERS, Violation

from conformance.facts import Evidence
from conformance.http.exchange import Request
from conformance.judging.formats.script import script
from conformance.judging.timeline import timeline

_PATH = "/v1/calendars/cal_1/events"
_EVENT = {"event_id": "e", "summary": "S", "start": "2030-01-01T10:00:00Z", "end": "2030-01-01T11:00:00Z"}
_NONE = {**_EVENT, "conferencing": {"profile_id": "none"}}


@pytest.mark.parametrize(
    ("sent", "summary"),
    [
        (
            {"batch": [{"method": "POST", "relative_url": _PATH, "data": _NONE}]},
            "writes the event with the profile_id none",
        ),
        ({"batch": [{"method": "DELETE", "relative_url": _PATH, "data": {"event_id": "e"}}]}, "deletes the event"),
        ({"batch": [7, {"method": "POST"}, {"relative_url": _PATH, "data": "e"}]}, None),
        ({"batch": "all"}, None),
        ([], None),
    ],
)
def test_a_batch_is_told_as_its_entry_about_the_event(sent: object, summary: str | None) -> None:
    request = Request("POST", "http://127.0.0.1/v1/batch", JSON_HEADERS, json.dumps(sent).encode())
    [told] = timeline(Violation("It is wrong", event="e", evidence=(Evidence("#1", request, 207),)))
    assert told.summary == ("POST /v1/batch" if summary is None else f"{summary} in a batch")
    written = script("It is wrong", (Evidence("#1", request, 207),), {}).whole
    assert ("EVENT1" in written) is (summary is not None)
