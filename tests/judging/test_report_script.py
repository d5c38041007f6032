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
    assert re.findall(r"(?m)^EVENT.*", found) == ['EVENT1="ev-One-$NOW"', 'EVENT2="ev-one-$NOW"']
    assert re.findall(r"(?m)^ *(?:settle|call DELETE) .*?(cal_.|EVENT.)", found) == [
        "cal_1", "cal_2", "cal_1", "EVENT1", "EVENT2",
    ]  # fmt: skip


def test_an_id_that_a_shell_would_read_is_replaced() -> None:
    found = script("x", [written("cal_1", 'a"$(reboot)')], {}).whole
    assert re.findall(r"(?m)^EVENT.*", found) == ['EVENT1="reproduction-event1-$NOW"']
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
    functions = found.whole.partition("\nclean_up")[0]
    done = subprocess.run(
        ["sh", "-eu"], input=f"{functions}\nat {seconds}", capture_output=True, text=True, check=True, env=ENVIRONMENT
    )
    told = datetime.fromisoformat(done.stdout.strip()).replace(tzinfo=UTC)
    assert abs((told - datetime.now(UTC)).total_seconds() - seconds) < 30
    assert f'"start":"\'"$(at {seconds})"\'{tail}"' in found.whole


def test_the_end_of_an_event_is_as_near_as_its_start() -> None:
    [*_, sending] = script(
        "x", [written("cal_1", "e", start="2026-04-29T11:00:00Z", end="2026-04-29T12:00:00Z")], {}
    ).commands[:-1]
    assert re.findall(r"\$\((\S+ \d+)\)", sending) == ["at 91800", "at 95400"]


def test_what_ran_in_memory_has_no_address_until_it_is_set() -> None:
    settings = [script("x", [written("cal_1", "e")], {}, where).settings[0] for where in ("", "It ran in memory.")]
    assert settings == ["API=${API:-http://127.0.0.1}", ': "${API:?set it to the address of the server}"']


def test_other_times_keep_their_time_of_day() -> None:
    found = script("x", [written("cal_1", "e", start={"time": "2026-05-28T09:00:00", "tzid": "Asia/Tokyo"})], {}).whole
    assert '"start":{"time":"\'"$(day 30)"\'T09:00:00","tzid":"Asia/Tokyo"}' in found
    assert "at() {" not in found


def test_the_end_says_what_was_expected_and_what_came_in_the_run() -> None:
    end = script("x", [written("cal_1", "e")], {}, expected="It's refused", got="202").commands[-1]
    told = "'It'\\''s refused' '202 (in the run; what came now is above)'"
    assert end == f"printf '\\nexpected: %s\\ngot:      %s\\n' {told}"


def read(query: str, path: str = "/v1/events") -> Evidence:
    """A reading of events, as evidence."""
    return Evidence("#2", Request("GET", f"http://127.0.0.1{path}?{query}", JSON_HEADERS), 200, at=SENT_AT.timestamp())


def test_a_reading_that_is_wrong_itself_is_sent_with_its_dates_as_far_from_now() -> None:
    exchanges = [written("cal_1", "e"), read("tzid=Etc/UTC&from=2026-04-29&last_modified=2026-05-05T00:00:00Z")]
    commands = script("x", exchanges, {}, about="request").commands
    assert [line.partition(" ")[0] for line in commands[-3:]] == ["send", "sleep", "curl"]
    assert commands[-1].endswith("""from='"$(day 1)"'&last_modified='"$(day 7)"'T00:00:00Z'""")


def test_what_the_subject_offers_is_not_read_again_for_one_event() -> None:
    exchanges = [read("", "/v1/calendars"), written("cal_1", "e"), read("tzid=Etc/UTC&only_managed=true")]
    commands = script("x", exchanges, {}).commands
    assert [line.partition(" ")[0] for line in commands[4:]] == ["send", "settle"]


def test_a_long_body_stands_in_several_lines_and_is_the_same_body() -> None:
    one = written("cal_1", "e", description="d" * 300, conferencing={"profile_id": "none"})
    [sending] = [line for line in script("x", [one], {}).commands if line.startswith("send 202 POST")]
    shown = 'send() { printf %s "$5"; }\nEVENT1=e\n' + sending
    done = subprocess.run(["sh", "-u"], input=shown, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert sending.count("\n") > 3
    assert json.loads(done.stdout) == json.loads(one.request.body)
