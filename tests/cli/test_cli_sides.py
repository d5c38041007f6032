"""One side judged alone, recordings that are complete, and what is advised where either would help."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_samples import EXPLICIT, call, error

from conformance import Settings, judge, observe, read
from conformance.cli.baseline_file import KnownFailures
from conformance.cli.certify_command import run_proxy
from conformance.cli.files import Artefacts
from conformance.clients.proxy import ProxyOptions
from conformance.contract.rules import load
from conformance.contract.selection import of_side
from conformance.judging.summary import Policy

_SIDES = {rule.id: rule.applies_to for rule in load()}
_READ = "/v1/events?tzid=Etc/UTC&only_managed=true"
_WRITE = "/v1/calendars/cal_1/events"
_EVENT = {"event_id": "evt-1", "summary": "Board", "start": "2031-05-05T10:00:00Z", "end": "2031-05-05T11:00:00Z"}
_CONFERENCE = {"provider_name": None, "join_url": EXPLICIT["join_url"]}
INVALID = (
    "POST",
    _WRITE,
    {**_EVENT, "event_id": "evt-2", "conferencing": {}},
    422,
    {"errors": {"conferencing": [{"key": "errors.x", "description": "x"}]}},
)
OMITTED = ("POST", _WRITE, {**_EVENT}, 202, None)
UNSEEN = ("GET", _READ, None, 200, {"pages": {"current": 1, "total": 1}, "events": []})


def har(path: Path, *steps: Any) -> Path:
    """A HAR of steps (method, path, body, status, answer), a quarter of a minute apart."""
    entries = [_entry(15 * number, *step) for number, step in enumerate(steps)]
    log = {"version": "1.2", "creator": {"name": "t", "version": "1"}, "entries": entries}
    path.write_text(json.dumps({"log": log}))
    return path


def _entry(second: int, method: str, path: str, body: Any, status: int, answer: Any) -> dict[str, Any]:
    headers = [
        {"name": "Authorization", "value": "Bearer a-token-of-nobody"},
        *([{"name": "Content-Type", "value": "application/json"}] if body is not None else []),
    ]
    text = {} if body is None else {"postData": {"mimeType": "application/json", "text": json.dumps(body)}}
    return {
        "startedDateTime": f"2030-01-01T10:{second // 60:02}:{second % 60:02}.000Z",
        "time": 100,
        "request": {"method": method, "url": f"https://api.cronofy.com{path}", "headers": headers, **text},
        "response": {
            "status": status,
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": {"mimeType": "application/json", "text": "" if answer is None else json.dumps(answer)},
        },
    }


def reading(**fields: Any) -> Any:
    row = {"calendar_id": "cal_1", "event_uid": "u", "deleted": False, **_EVENT, **fields}
    return ("GET", _READ, None, 200, {"pages": {"current": 1, "total": 1}, "events": [row]})


def judged(path: Path, *options: str) -> tuple[int, dict[str, str], dict[str, Any], str]:
    """Exit code, what became of each rule, the subject, and all that was printed."""
    report = path.with_suffix(".report.json")
    result = call("check", path, "--report", report, *options)
    said = json.loads(report.read_text())
    return result.exit_code, {rule["id"]: rule["outcome"] for rule in said["rules"]}, said["subject"], result.output


def test_a_side_is_judged_alone_and_the_subject_says_so(tmp_path: Path) -> None:
    path = har(tmp_path / "suite.har", UNSEEN, INVALID)
    code, rules, subject, _ = judged(path)
    assert (code, rules["conferencing-names-a-profile-id"], {_SIDES[rule] for rule in rules}) == (
        *(1, "failed"),
        {"server", "client"},
    )
    assert "side" not in subject
    for side, expected in (("server", 0), ("client", 1)):
        code, rules, subject, _ = judged(path, "--side", side)
        assert (code, {_SIDES[rule] for rule in rules}) == (expected, {side})
        assert subject["side"] == side
        assert subject["name"] == f"{path.as_posix()} (its {side} side alone)"
    assert f"recording {path.as_posix()} (its server side alone)\n" in call("check", path, "--side", "server").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--side", "both"), "'both' is unknown"),
        (("--side", "client", "--rule", "explicit-is-kept"), "--side client leaves nothing to judge by"),
    ],
)
def test_a_side_that_there_is_not_or_that_leaves_nothing_is_refused(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    assert said in error("check", har(tmp_path / "a.har", UNSEEN), *arguments)


def test_the_option_is_named_where_what_broke_rules_on_clients_was_refused(tmp_path: Path) -> None:
    refused = har(tmp_path / "refused.har", INVALID)
    accepted = har(tmp_path / "accepted.har", (*INVALID[:3], 202, None))
    line = "1 rule failed for requests that the server refused: if they were invalid on purpose, --side server"
    assert line in judged(refused)[3]
    assert line in call("check", refused).stdout
    assert "--side" not in judged(refused, "--side", "client")[3]
    assert "--side" not in judged(accepted)[3]


def test_a_complete_recording_decides_what_a_reading_before_would(tmp_path: Path) -> None:
    steps = [OMITTED, *[reading()] * 8]
    bare, seen = har(tmp_path / "bare.har", *steps), har(tmp_path / "seen.har", UNSEEN, *steps)
    _, without, _, told = judged(bare, "--window", "20")
    _, complete, _, silent = judged(bare, "--window", "20", "--complete-recording")
    _, before, _, nothing = judged(seen, "--window", "20")
    decided = {rule for rule, outcome in complete.items() if outcome == "passed" and without[rule] != "passed"}
    assert decided
    assert decided <= {rule for rule, outcome in before.items() if outcome == "passed"}
    expected = (
        f"{len(decided)} rule{'s' * (len(decided) > 1)} stayed open because it is not known what was there before "
        "1 event was first written: a complete reading before, or --complete-recording"
    )
    assert expected in " ".join(told.split())
    assert "stayed open" not in silent
    assert "stayed open" not in nothing


def test_the_advice_is_in_every_report_for_people_and_is_no_warning(tmp_path: Path) -> None:
    path = har(tmp_path / "bare.har", OMITTED, *[reading()] * 8)
    reports = [tmp_path / "report.md", tmp_path / "report.html", tmp_path / "report.json", tmp_path / "report.xml"]
    result = call("check", path, "--window", "20", *(arg for report in reports for arg in ("--report", report)))
    assert result.exit_code == 0
    assert "Warning" not in result.stderr
    told = {report.suffix: "stayed open" in report.read_text() for report in reports}
    assert told == {".md": True, ".html": True, ".json": False, ".xml": False}


def test_a_complete_recording_decides_as_much_without_tokens(tmp_path: Path) -> None:
    path = har(tmp_path / "bare.har", OMITTED, *[reading()] * 8)
    document = json.loads(path.read_text())
    for entry in document["log"]["entries"]:
        entry["request"]["headers"] = entry["request"]["headers"][1:]
    path.write_text(json.dumps(document))
    _, without, _, told = judged(path, "--window", "20")
    _, complete, _, silent = judged(path, "--window", "20", "--complete-recording")
    decided = {rule for rule, outcome in complete.items() if outcome == "passed" and without[rule] != "passed"}
    assert f"{len(decided)} rule" in told
    assert "omitted-adds-nothing" in decided
    assert "stayed open" not in silent


@pytest.mark.parametrize("side", ["server", "client"])
def test_tests_of_a_team_judge_one_side(side: Any, tmp_path: Path) -> None:
    facts = list(observe(read(har(tmp_path / "suite.har", UNSEEN, INVALID)), Settings()))
    both = [verdict for one in facts for verdict in judge(one)]
    alone = [verdict for one in facts for verdict in judge(one, side)]
    assert alone == [verdict for verdict in both if _SIDES[verdict.rule] == side]
    assert ("failed" in {verdict.outcome for verdict in alone}) is (side == "client")


@pytest.mark.parametrize("side", ["server", "client"])
def test_the_proxy_judges_one_side(side: str) -> None:
    options = ProxyOptions("http://127.0.0.1:1", duration=0.01)
    known = KnownFailures(None, write=False)
    statement, _ = run_proxy(
        options, of_side(load(), side), None, Policy(), None, lambda _: None, side, known, Artefacts()
    )
    assert {rule.applies_to for rule in statement.rules} == {side}
    assert statement.subject == {
        "kind": "observed",
        "name": f"http://127.0.0.1:1 (its {side} side alone)",
        "side": side,
    }
    both, _ = run_proxy(options, of_side(load(), None), None, Policy(), None, lambda _: None, None, known, Artefacts())
    assert {rule.applies_to for rule in both.rules} == {"server", "client"}


def test_every_command_that_judges_traffic_of_others_takes_a_side() -> None:
    assert "--side SIDE" in call("proxy", "--help").stdout
    assert "--side SIDE" in call("check", "--help").stdout
    assert "--complete-recording" in call("check", "--help").stdout
