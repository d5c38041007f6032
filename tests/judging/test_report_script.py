"""A script of curl has ids and times that are to each other, and to now, as those of the failure were."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime

import pytest
from report_samples import JSON_HEADERS

from conformance.facts import Evidence
from conformance.http.exchange import Request
from conformance.judging.formats.script import script

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "CRONOFY_ACCESS_TOKEN": "a token"}
SENT_AT = datetime(2026, 4, 28, 9, 30, tzinfo=UTC)


def written(calendar: str, event_id: str, **fields: object) -> Evidence:
    """A write to a calendar, as evidence."""
    url = f"http://127.0.0.1/v1/calendars/{calendar}/events"
    body = json.dumps({"event_id": event_id, "summary": "s", **fields}).encode()
    return Evidence("#1", Request("POST", url, JSON_HEADERS, body), 202, at=SENT_AT.timestamp())


def test_one_id_on_two_calendars_is_one_id_and_other_letters_are_another() -> None:
    found = script("x", [written("cal_1", "ev-One"), written("cal_2", "ev-One"), written("cal_1", "ev-one")], {}).whole
    assert re.findall(r"(?m)^EVENT.*", found) == ['EVENT1="ev-One-$(date +%s)"', 'EVENT2="ev-one-$(date +%s)"']
    assert re.findall(r"(?m)^(?:settle|call DELETE) .*?(cal_.|EVENT.)", found) == [
        "EVENT1", "EVENT2", "cal_1", "cal_2", "cal_1",
    ]  # fmt: skip


def test_an_id_that_a_shell_would_read_is_replaced() -> None:
    found = script("x", [written("cal_1", 'a"$(reboot)')], {}).whole
    assert re.findall(r"(?m)^EVENT.*", found) == ['EVENT1="reproduction-event1-$(date +%s)"']
    assert "reboot" not in found


@pytest.mark.parametrize(
    ("start", "seconds", "tail"),
    [
        ("2026-04-28T08:30:00Z", -3600, "Z"),
        ("2026-04-28T11:30:00+02:00", 7200, "+02:00"),
        ("2026-04-27T23:00:00.000Z", -37_800, ".000Z"),
    ],
)
def test_a_time_that_is_near_stays_as_near(start: str, seconds: int, tail: str) -> None:
    found = script("x", [written("cal_1", "e", start=start)], {})
    functions = found.whole.partition("\nsend POST")[0]
    done = subprocess.run(
        ["sh", "-eu"], input=f"{functions}\nat {seconds}", capture_output=True, text=True, check=True, env=ENVIRONMENT
    )
    told = datetime.fromisoformat(done.stdout.strip()).replace(tzinfo=UTC)
    assert abs((told - datetime.now(UTC)).total_seconds() - seconds) < 30
    assert f'"start":"\'"$(at {seconds})"\'{tail}"' in found.whole


def test_other_times_keep_their_time_of_day() -> None:
    found = script("x", [written("cal_1", "e", start={"time": "2026-05-28T09:00:00", "tzid": "Asia/Tokyo"})], {}).whole
    assert '"start":{"time":"\'"$(day 30)"\'T09:00:00","tzid":"Asia/Tokyo"}' in found
    assert "at() {" not in found


def test_the_end_says_what_was_expected_and_what_came() -> None:
    sent = [written("cal_1", "e")]
    ends = [
        script("x", exchanges, {}, expected="It's refused", got=got).commands[-1]
        for exchanges, got in ((sent, "answer"), (sent, "event"), (sent, "page"))
    ]
    assert all(end.startswith("printf '\\nexpected: %s\\ngot:      %s\\n' 'It'\\''s refused' ") for end in ends)
    assert ["$answer" in ends[0], '"$now"' in ends[1], "the answer above" in ends[2]] == [True] * 3


def test_a_long_body_stands_in_several_lines_and_is_the_same_body() -> None:
    one = written("cal_1", "e", description="d" * 300, conferencing={"profile_id": "none"})
    [sending] = [line for line in script("x", [one], {}).commands if line.startswith("send POST")]
    shown = 'send() { printf %s "$4"; }\nEVENT1=e\n' + sending
    done = subprocess.run(["sh", "-u"], input=shown, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert sending.count("\n") > 3
    assert json.loads(done.stdout) == json.loads(one.request.body)
