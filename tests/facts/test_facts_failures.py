"""A request that fails every time while others like it succeed is no temporary outage (law failed-writes)."""

from __future__ import annotations

from facts_traffic import CALENDAR, Traffic, event
from msgspec import structs

from conformance.facts import Observer, Settings
from conformance.http.exchange import Response


def failures(traffic: Traffic) -> list[int]:
    """How often each request had failed by then, as the facts of exchanges say."""
    return [facts.document.get("failures", 0) for facts in traffic.facts() if facts.about == "exchange"]


def other(number: int) -> dict[str, object]:
    return event(event_id="e2", summary=f"Other {number}")


def test_failures_with_good_answers_between_are_counted() -> None:
    traffic = Traffic().write(0, other(0))
    for number in range(1, 4):
        traffic.write(number * 10, event(), 500).write(number * 10 + 5, other(number))
    assert failures(traffic) == [0, 1, 0, 2, 0, 3, 0]
    written = [write for write in traffic.writes() if write["event_id"] == "e1"]
    assert [(write["outcome"], write["failures"]) for write in written] == [("unknown", 3)]


def test_where_requests_fail_and_recover_all_the_time_failures_in_a_row_are_chance() -> None:
    traffic = Traffic().write(0, other(0))
    for number in range(1, 4):
        traffic.write(number, other(number), 503).write(number + 0.5, other(number))
    for number in range(10, 14):
        traffic.write(number, event(), 500).write(number + 0.5, other(number))
    assert failures(traffic)[7::2] == [1, 1, 1, 1]


def test_a_failure_now_and_then_does_not_hide_one_that_stays() -> None:
    traffic = Traffic()
    for number in range(100):
        traffic.write(number, other(number), 503 if number % 25 == 0 else 202).write(number + 0.5, other(number))
    for number in range(200, 204):
        traffic.write(number, event(), 500).write(number + 0.5, other(number))
    assert failures(traffic)[200::2] == [1, 2, 3, 4]


def test_what_a_server_error_says_is_kept_with_it() -> None:
    traffic = Traffic().write(0, other(0)).write(10, event(), 500)
    body = b"The application raised ValueError" + bytes(1000)
    traffic.exchanges[-1] = structs.replace(traffic.exchanges[-1], response=Response(500, body=body))
    [failed] = [facts for facts in traffic.facts() if facts.about == "exchange" and facts.evidence[0].status == 500]
    assert str(failed.evidence[0].shown).startswith("The application raised ValueError")
    assert len(str(failed.evidence[0].shown)) <= 300


def test_failures_while_all_fails_count_once() -> None:
    traffic = Traffic().write(0, other(0))
    for number in range(1, 5):
        traffic.write(number * 10, event(), 503).write(number * 10 + 5, other(1), 503)
    assert failures(traffic) == [0, 1, 1, 1, 1, 1, 1, 1, 1]


def test_what_succeeds_on_another_calendar_says_nothing_of_this_one() -> None:
    traffic = Traffic().write(0, other(0))
    aliases = f"http://127.0.0.1/v1/calendars/{CALENDAR}_2/events"
    for number in range(1, 4):
        traffic.write(number * 10, event(), 500).add(number * 10 + 5, "POST", aliases, other(number), 202, None)
    assert failures(traffic) == [0, 1, 0, 1, 0, 1, 0]


def test_an_answer_ends_the_count() -> None:
    traffic = Traffic().write(0, other(0)).write(1, event(), 500).write(2, other(1)).write(3, event(), 422)
    traffic.write(4, other(2)).write(5, event(), 500)
    assert failures(traffic) == [0, 1, 0, 0, 0, 1]


def test_another_body_is_another_request() -> None:
    traffic = Traffic().write(0, other(0)).write(1, event(), 500).write(2, other(1)).write(3, event(summary="B"), 500)
    assert failures(traffic) == [0, 1, 0, 1]


def test_no_answer_counts_where_it_is_known_that_there_was_none() -> None:
    traffic = Traffic().write(0, other(0)).write(1, event(), None)
    assert failures(traffic) == [0, 0]
    traffic.exchanges[1] = structs.replace(traffic.exchanges[1], notes=(("no-answer", "RemoteProtocolError: gone"),))
    assert failures(traffic) == [0, 1]


def test_before_anything_was_granted_nothing_counts() -> None:
    assert failures(Traffic().write(0, event(), 500).write(1, event(), 500)) == [0, 0]


def test_what_is_remembered_of_failures_does_not_grow() -> None:
    traffic = Traffic().write(0, other(0))
    for number in range(600):
        traffic.write(1 + number, event(event_id=f"f{number}"), 500)
    observer = Observer(Settings())
    for exchange in traffic.exchanges:
        observer.add(exchange)
    traffic.write(1000, other(1)).write(1001, event(event_id="f0"), 500)
    assert failures(traffic)[-1] == 1, "the oldest are forgotten first"


def test_to_hang_is_no_failure() -> None:
    traffic = Traffic().write(0, other(0))
    traffic.write(1, event(), None, took=30)
    traffic.exchanges[1] = structs.replace(
        traffic.exchanges[1], notes=(("no-answer", "no complete answer within 30 s"),)
    )
    assert failures(traffic) == [0, 0]


def test_a_write_that_hung_may_be_done_after_those_that_follow_it() -> None:
    traffic = Traffic().read(-1).write(0, event(), None, took=30).write(40, event(summary="B")).read(41).read(60)
    traffic.write(70, event(summary="C")).read(80)
    assert [written.get("before") for written in traffic.writes()][1:] == [None, None]
