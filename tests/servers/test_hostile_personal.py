"""Personal data stays out of all that is written, and verdicts and `verify` stay the same."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from conformance.cli.evidence import verify
from conformance.cli.output import write_reports
from conformance.cli.run_command import run, subject_of
from conformance.cli.status_line import StatusLine
from conformance.clients.certificate import CertifyOptions
from conformance.clients.watch import watch
from conformance.contract.rules import load
from conformance.http.exchange import Exchange, Request, Response
from conformance.http.redaction import Redactor
from conformance.http.redaction.personal import PersonalData
from conformance.servers.run_options import RunOptions


def redacted(body: Any, data: PersonalData | None = None) -> Any:
    content = json.dumps(body).encode()
    exchange = Exchange(Request("GET", "http://localhost/"), Response(200, (), content))
    response = (data or PersonalData()).exchange(exchange).response
    assert response is not None
    return json.loads(response.body)


EVENT = {
    "event_id": "ada@example.com",
    "summary": "Lunch with Ada Lovelace",
    "description": "Ask her: https://conference.example.com/x of the engine",
    "location": {"description": "12 St James's Square", "lat": "51.5074", "long": "-0.1278"},
    "attendees": [{"email": "ada@example.com", "display_name": "Ada", "status": "accepted"}],
    "conferencing": {"provider_name": "Zoom", "join_url": "https://zoom.example/1"},
    "created": "2026-04-28T09:00:00Z",
}


def test_what_is_personal_is_replaced_and_what_the_api_works_with_is_not() -> None:
    text = json.dumps(redacted(EVENT))
    for word in ("Lunch", "Lovelace", "Ask her", "engine", "James", "51.5074", "-0.1278", '"Ada"', '"email": "ada@'):
        assert word not in text
    shown = redacted(EVENT)
    assert [shown[name] for name in ("event_id", "conferencing", "created")] == [
        EVENT[name] for name in ("event_id", "conferencing", "created")
    ]
    assert "https://conference.example.com/x" in shown["description"]
    assert len(shown["summary"]) == len("Lunch with Ada Lovelace")


@given(st.text(min_size=1), st.text(min_size=1))
def test_equal_texts_stay_equal_and_different_ones_differ(one: str, other: str) -> None:
    data = PersonalData(b"key")
    stand_ins = [redacted({"summary": text}, data)["summary"] for text in (one, other)]
    assert (stand_ins[0] == stand_ins[1]) == (one == other)
    assert bool(stand_ins[0].strip()) == bool(one.strip())


def test_stand_ins_of_two_runs_differ() -> None:
    assert redacted(EVENT)["summary"] != redacted(EVENT)["summary"]


def outcome(folder: Path, **options: Any) -> dict[str, Any]:
    """The tallies of a run of the broken reference server, whose report and evidence are in `folder`."""
    chosen = RunOptions(
        faults=("update-of-summary-ignored",), shrink=False, max_requests=350, evidence=folder / "e.ndjson", **options
    )
    subject = subject_of(chosen)
    redactor = Redactor(subject.tokens)
    run_report, _ = run(chosen, subject, redactor, StatusLine(shown=False))
    write_reports(run_report, [str(folder / "r.json")], redactor, quiet=True)
    return {
        rule["id"]: (rule["outcome"], rule["counts"]) for rule in json.loads((folder / "r.json").read_text())["rules"]
    }


def test_verdicts_and_verify_stay_the_same(tmp_path: Path) -> None:
    plain, hidden = tmp_path / "plain", tmp_path / "hidden"
    assert outcome(plain) == outcome(hidden, redact_personal=True)
    for name in ("r.json", "e.ndjson"):
        assert "Planning" not in (hidden / name).read_text()
    assert "Planning" in (plain / "e.ndjson").read_text()
    assert verify(hidden / "r.json", hidden / "e.ndjson") == ()


PROGRAM = """
import os, urllib.request
url, token = os.environ["CRONOFY_API_URL"], os.environ["CRONOFY_ACCESS_TOKEN"]
request = urllib.request.Request(url + "/v1/calendars/cal_x/events", b'{"event_id": "e", "summary": "Planning"}')
request.add_header("Authorization", "Bearer " + token)
try:
    urllib.request.urlopen(request)
except OSError:
    pass
"""


def test_what_a_watched_client_sends_is_kept_with_stand_ins() -> None:
    seen: list[Exchange] = []
    options = CertifyOptions(watched=(sys.executable, "-S", "-c", PROGRAM), redact_personal=True)
    asyncio.run(watch(options, load(), echo=lambda line: None, sink=seen.append))
    [exchange] = seen
    assert json.loads(exchange.request.body)["event_id"] == "e"
    assert b"Planning" not in exchange.request.body
