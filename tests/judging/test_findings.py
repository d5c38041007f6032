"""What is wrong with what a test did, as the text that fails it."""

from __future__ import annotations

import json
import re

from conformance.contract.selection import of_side, select_rules
from conformance.facts import Settings
from conformance.http.exchange import Exchange, Request, Response, bearer
from conformance.judging.findings import broken_rules, judged, text_of_failure


def test_failures_of_several_rules_are_numbered_as_those_of_one_report() -> None:
    body = {
        "event_id": "a", "summary": "s", "start": "2031-01-01T10:00:00Z", "end": "2031-01-01T11:00:00Z",
        "conferencing": {"profile_id": "explicit", "join_url": "ftp://x"},
    }  # fmt: skip
    headers = (("Authorization", bearer("default")), ("Content-Type", "application/json"))
    url = "https://api.cronofy.com/v1/calendars/cal_1/events"
    sent = Exchange(Request("POST", url, headers, json.dumps(body).encode()), Response(422), "#1", 0.0, 0.1)
    run_report = judged([sent], of_side(select_rules(()), "client"), Settings())
    text = text_of_failure(run_report)
    assert set(broken_rules(run_report)) == {"an-explicit-join-url-is-http", "explicit-names-its-provider"}
    assert re.findall(r"^(\d)\. ", text, re.MULTILINE) == ["1", "2"]
    assert all(rule in text for rule in broken_rules(run_report))
