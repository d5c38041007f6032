"""`check --follow` judges a growing recording: failures as they come, in bounded memory, until it ends."""

from __future__ import annotations

import gzip
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import IO, Any

import pytest
from msgspec import structs

from conformance.contract.rules import load
from conformance.facts import Settings
from conformance.http.exchange import Exchange, Request, Response, bearer
from conformance.judging.check import examine
from conformance.judging.unending import UnendingJudge
from conformance.judging.verdict import Verdict
from conformance.recordings import InvalidRecordingError, SkippedWarning, following, read
from conformance.recordings.following import follow

RULES = load()
NOW = 1_795_363_057.0
HEADERS = (("Authorization", bearer("default")), ("Content-Type", "application/json"))
READ = "https://api.cronofy.com/v1/events?tzid=Etc%2FUTC&only_managed=true"
WRITE = "https://api.cronofy.com/v1/calendars/cal_1/events"
JSON = (("Content-Type", "application/json"),)
EXPLICIT = {"profile_id": "explicit", "provider_description": "Rooms", "join_url": "https://rooms.example/1"}


def event(number: int, conferencing: object) -> dict[str, Any]:
    times = {"start": "2026-12-02T10:00:00Z", "end": "2026-12-02T11:00:00Z"}
    return {"event_id": f"e{number}", "summary": "s", "description": "", **times, "conferencing": conferencing}


def written(number: int, at: float) -> Exchange:
    url = f"https://rooms.example/{number}"
    body = json.dumps(event(number, {**EXPLICIT, "join_url": url})).encode()
    return Exchange(
        Request("POST", WRITE, HEADERS, body), Response(202), f"w{number}", at, at + 0.1, headers_complete=True
    )


def shown(numbers: range, at: float, url: str = "https://rooms.example/{}") -> Exchange:
    events = [
        event(number, {"join_url": url.format(number), "provider_name": None})
        | {"calendar_id": "cal_1", "event_uid": f"u{number}", "deleted": False}
        for number in numbers
    ]
    body = json.dumps({"pages": {"current": 1, "total": 1}, "events": events}).encode()
    reading = Request("GET", READ, HEADERS)
    return Exchange(reading, Response(200, JSON, body), f"r{at:.1f}", at, at + 0.1, headers_complete=True)


def pending_as_text(at: float) -> Exchange:
    reading = shown(range(9, 10), at)
    assert reading.response is not None
    body = re.sub(rb'"conferencing": {[^}]*}', b'"conferencing": {"pending": "yes"}', reading.response.body)
    return structs.replace(reading, response=structs.replace(reading.response, body=body))


def line(exchange: Exchange) -> str:
    request, response = exchange.request, exchange.response
    assert response is not None
    return (
        json.dumps(
            {
                "sent_at": exchange.sent_at,
                "answered_at": exchange.answered_at,
                "request": {
                    "method": request.method,
                    "url": request.url,
                    "headers": [["Authorization", "Bearer CRN_a-very-secret-token1"], ["Content-Type", JSON[0][1]]],
                    "body": request.body.decode(),
                },
                "response": {"status": response.status, "headers": response.headers, "body": response.body.decode()},
            }
        )
        + "\n"
    )


WRONG = [
    written(1, NOW),
    *(shown(range(1, 2), NOW + seconds, "https://elsewhere.example/{}") for seconds in (2, 40, 80, 3600)),
]


@contextmanager
def following_process(path: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "conformance", "check", "--follow", path, *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        watchdog = Timer(60, process.kill)  # a line that never comes ends the test
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def until(stream: IO[str] | None, text: str) -> str:
    assert stream is not None
    for found in stream:
        if text in found:
            return found
    raise AssertionError(f"{text!r} did not come")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGUSR1")
def test_failures_come_while_the_stream_is_open_and_a_summary_when_it_is_asked_for() -> None:
    with following_process("/dev/stdin") as process:
        assert process.stdin is not None
        process.stdin.write("".join(map(line, WRONG)))
        process.stdin.flush()
        failure = until(process.stdout, "failed  ")
        assert "(must)" in failure
        assert "CRN_a-very-secret" not in failure
        process.send_signal(signal.SIGUSR1)
        assert "failed" in until(process.stdout, "Outcome:")
        process.stdin.write(line(shown(range(1, 2), NOW + 4000)))
        process.stdin.close()
        until(process.stdout, "over 6 exchanges")
        assert process.wait() == 1


def test_a_file_is_followed_over_a_rotation_until_sigterm(tmp_path: Path) -> None:
    path = tmp_path / "traffic.ndjson"
    path.write_text(line(WRONG[0]))
    with following_process(str(path)) as process:
        with path.open("a") as stream:
            stream.write("".join(map(line, WRONG[1:])) + "no exchange\n" + line(WRONG[-1])[:50])
        until(process.stdout, "explicit-is-kept (must)")
        path.rename(tmp_path / "traffic.1")
        path.write_text(line(pending_as_text(NOW + 9000)) + line(shown(range(0), NOW + 9100)))
        until(process.stdout, "pending-is-exactly-true (must)")
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 1


def test_a_file_that_is_away_for_a_while_in_a_rotation_is_awaited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "traffic.ndjson"
    path.write_text(line(WRONG[0]))
    monkeypatch.setattr(following, "_POLL", 0)
    rotation = iter(
        [lambda: path.rename(tmp_path / "traffic.1"), lambda: False, lambda: path.write_text(line(WRONG[1]))]
    )

    exchanges = list(follow(path, lambda _: next(rotation, lambda: True)() is True, lambda _: None))
    assert [exchange.label for exchange in exchanges] == [f"{path}#1", f"{path}#3"]


def test_what_is_written_to_a_renamed_file_until_its_writer_opens_the_new_one_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with logrotate's `create`: the new file is there at once, and its writer learns of it later."""
    monkeypatch.setattr(following, "_POLL", 0)
    path, renamed = tmp_path / "traffic", tmp_path / "traffic.1"
    path.write_text(line(WRONG[0]))

    def write(number: int, to: Path) -> None:
        with to.open("a") as stream:
            stream.write(line(WRONG[number]))

    def opened_anew() -> None:
        write(2, renamed)
        write(3, path)

    steps = iter([lambda: path.rename(renamed), path.touch, lambda: write(1, renamed), opened_anew])
    exchanges = follow(path, lambda _: next(steps, lambda: True)() is True, lambda _: None)
    assert [exchange.sent_at for exchange in exchanges] == [one.sent_at for one in WRONG[:4]]


def test_a_file_that_is_cut_in_a_rotation_says_that_its_last_lines_may_be_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_POLL", 0)
    path = tmp_path / "traffic"
    path.write_text(line(WRONG[0]) * 2)
    steps = iter([lambda: path.write_text(line(WRONG[1])), lambda: False])
    with pytest.warns(SkippedWarning, match="cut, and what was written just before may be lost"):
        exchanges = list(follow(path, lambda _: next(steps, lambda: True)() is True, lambda _: None))
    assert len(exchanges) == 3


def test_follow_takes_one_path_and_needs_an_exchange(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with following_process("/dev/stdin", str(tmp_path / "a")) as process:
        until(process.stderr, "--follow takes one NDJSON")
        assert process.wait() == 2
    with following_process("/dev/stdin") as process:
        assert process.stdin is not None
        process.stdin.close()
        until(process.stderr, "no exchange came")
        assert process.wait() == 2


def judged(exchanges: list[Exchange], forget: float = 3600.0) -> tuple[UnendingJudge, list[Verdict]]:
    failed: list[Verdict] = []
    judge = UnendingJudge(RULES, Settings(), forget, failed.append)
    for exchange in exchanges:
        judge.add(exchange)
    return judge, failed


def test_the_report_at_the_end_is_that_of_check() -> None:
    exchanges = sorted(
        [*WRONG, written(2, NOW + 3), shown(range(1, 3), NOW + 5), shown(range(2, 3), NOW + 90)],
        key=lambda exchange: exchange.sent_at or 0,
    )
    late = [exchanges[1], exchanges[0], exchanges[3], exchanges[2], *exchanges[4:]]  # by seconds, as answers come
    judge, failed = judged(late)
    expected = examine(exchanges, RULES, Settings())
    report = judge.close()
    assert {rule: report.tally(rule) for rule in expected.tallies} == dict(expected.tallies)
    assert {verdict.rule for verdict in failed} == {rule for rule, tally in expected.tallies.items() if tally.failed}
    assert judge.late == 0


def test_an_exchange_that_comes_too_late_accuses_nobody() -> None:
    """Its place is over: it may have been about any event."""
    right = [written(1, NOW), *(shown(range(1, 2), NOW + seconds) for seconds in (10, 50, 100))]
    changed = Exchange(
        Request("POST", WRITE, HEADERS, json.dumps(event(1, {"profile_id": "none"})).encode()),
        Response(202),
        "late",
        NOW + 20,
        NOW + 20.1,
        headers_complete=True,
    )
    gone = [shown(range(0), NOW + seconds) for seconds in (200, 300, 400)]
    judge, failed = judged([*right, changed, *gone])
    judge.close()
    assert (judge.late, failed) == (1, [])


def endless(events: int) -> Iterator[Exchange]:
    """Each event is created, read four times as what changed lately, and never seen again."""
    for number in range(events):
        at = NOW + 100 * number
        yield written(number, at)
        for seconds in (10, 30, 50, 70):
            reading = shown(range(number, number + 1), at + seconds)
            changed = structs.replace(reading.request, url=f"{READ}&last_modified=2026-01-01T00%3A00%3A00Z")
            yield structs.replace(reading, request=changed)


def test_what_is_remembered_does_not_grow_with_time() -> None:
    judge, failed = judged(list(endless(200)), forget=2000.0)
    fold = judge._live.observer._fold
    held = [events for account in fold.accounts.values() for events in account.calendars.values()]
    assert sum(map(len, held)) < 30
    assert len(fold._asked) < 30
    assert failed == []
    assert judge.close().tally("explicit-is-kept").passed == 200


def test_tokens_that_were_replaced_are_forgotten() -> None:
    """Each token is used for an hour, as those of OAuth are; its list is read once."""
    exchanges = []
    for number, exchange in enumerate(endless(360)):
        headers = tuple(
            (name, bearer(f"token-{number // 180}") if name == "Authorization" else value)
            for name, value in exchange.request.headers
        )
        exchanges.append(structs.replace(exchange, request=structs.replace(exchange.request, headers=headers)))
    judge, failed = judged(exchanges, forget=2000.0)
    fold = judge._live.observer._fold
    assert set(fold.accounts) == fold.granted == {"token-9"}
    assert {account for account, _ in judge._live._log._dull} <= {"token-9"}
    assert failed == []
    report = judge.close()
    assert report.tally("explicit-is-kept").passed == 360
    assert report.exchanges == len(exchanges)


def test_an_event_that_was_forgotten_and_is_seen_again_accuses_nobody() -> None:
    first = [written(1, NOW), *(shown(range(1, 2), NOW + seconds) for seconds in (10, 50, 100))]
    between = [shown(range(1, 2), NOW + 1000 * count) for count in range(1, 9)]
    again = [shown(range(1, 2), NOW + 20_000 + seconds, "https://moved.example/{}") for seconds in (0, 100, 200)]
    judge, failed = judged([*first, *between, *again, written(1, NOW + 30_000)], forget=2000.0)
    judge.close()
    assert failed == []


def test_what_is_compressed_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson.gz"
    path.write_bytes(gzip.compress(line(WRONG[0]).encode()))
    with pytest.raises(InvalidRecordingError, match="a compressed file, which does not grow; read it without --follow"):
        list(follow(path, lambda _: True, lambda _: None))


def test_the_last_line_counts_without_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(line(WRONG[0]) + line(WRONG[1]).rstrip("\n"))
    assert len(list(follow(path, lambda _: True, lambda _: None))) == 2


def test_lines_come_whole_and_bad_ones_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_PIECE", 7)
    path = tmp_path / "a.ndjson"
    path.write_text('{"conformance": {"tool": "t"}}\n\n' + line(WRONG[0]) + "{}\n" + line(WRONG[1]) + '{"sent_at"')
    described: list[object] = []
    with pytest.warns(SkippedWarning) as caught:
        exchanges = list(follow(path, lambda _: True, lambda _: None, described.append))
    missing, cut_off = (str(warning.message) for warning in caught)
    assert missing.endswith("line 4: request: expected an object, found nothing; left out")
    assert "line 6: broken JSON" in cut_off
    assert [exchange.label for exchange in exchanges] == [f"{path}#3", f"{path}#5"]
    assert len(described) == 1
    assert "CRN_a-very-secret" not in repr(exchanges)
    path.write_text(line(WRONG[0]) + line(WRONG[1]))
    assert [one.request for one in read(path)] == [one.request for one in exchanges]
    with pytest.raises(InvalidRecordingError, match="name a file that can be read"):
        list(follow(tmp_path / "missing", lambda _: True, lambda _: None))
