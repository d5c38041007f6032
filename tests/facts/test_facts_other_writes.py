"""Writes in the documented ways that are seldom taken: by event_uid, answered with userinfo, form-encoded."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from facts_traffic import CALENDAR, Traffic, event, explicit, item
from msgspec import structs

from conformance.contract.rules import load
from conformance.judging.judge import Judge

URL = f"http://127.0.0.1/v1/calendars/{CALENDAR}/events"
ROOM = "https://meet.example/abc"
SHOWN = {"join_url": ROOM, "provider_name": None}
RULES = Judge(load())


def failed(traffic: Traffic) -> set[str]:
    return {verdict.rule for facts in traffic.facts() for verdict in RULES(facts) if verdict.outcome == "failed"}


def watched(traffic: Traffic, *items: dict[str, object]) -> Traffic:
    for seconds in (1.0, 4.0, 7.0, 20.0, 32.0):
        traffic.read(seconds, *items)
    return traffic


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_write_by_event_uid_makes_nothing_known_of_any_event(method: str) -> None:
    traffic = Traffic().read(-61).write(-60, event()).read(-50, item()).read(-40, item())
    traffic.add(0, method, URL, {"event_uid": "evt_1", "summary": "Theirs"}, 202, None)
    first, later = watched(traffic.write(0.5, event(summary="Later")), item()).writes()
    assert (first["after"]["closed_by"], "before" in later) == ("next-write", False)
    assert failed(traffic) <= {"an-event-reads-back-as-written"}


def test_an_event_id_goes_before_an_event_uid() -> None:
    traffic = Traffic().read(-1).write(0, event(conferencing=explicit(ROOM), event_uid="evt_1"))
    [written] = watched(traffic, item(SHOWN)).writes()
    assert (written["event_id"], written["after"]["settled"]["join_url_as_sent"]) == ("e1", "identical")


@pytest.mark.parametrize("answer", [{"sub": "acc_1", "cronofy.type": "account", "cronofy.data": {}}, [], "done"])
def test_what_a_write_is_answered_with_makes_no_difference(answer: object) -> None:
    body = event(conferencing=explicit(ROOM), include_userinfo=True)
    traffic = watched(Traffic().read(-1).add(0, "POST", URL, body, 202, answer), item(SHOWN))
    [written] = traffic.writes()
    assert (written["outcome"], written["requested"], written["response"]) == ("accepted", "explicit", {"status": 202})
    assert failed(traffic) == set()


def test_a_form_is_followed_like_json() -> None:
    fields = {f"conferencing[{name}]": value for name, value in explicit(ROOM).items()}
    times = {"start[time]": "2026-10-21T10:00:00Z", "start[tzid]": "Etc/UTC"}
    times |= {"end[time]": "2026-10-21T11:00:00Z", "end[tzid]": "Etc/UTC"}
    traffic = Traffic().read(-1).write(0, event())
    sent = traffic.exchanges[1].request
    form = urlencode({"event_id": "e1", "summary": "Board", **times, **fields}).encode()
    headers = (sent.headers[0], ("Content-Type", "application/x-www-form-urlencoded"))
    traffic.exchanges[1] = structs.replace(
        traffic.exchanges[1], request=structs.replace(sent, headers=headers, body=form)
    )
    [written] = watched(traffic, item(SHOWN)).writes()
    assert (written["requested"], written["after"]["settled"]["join_url_as_sent"]) == ("explicit", "identical")
    assert written["request"]["json"]["start"] == {"time": "2026-10-21T10:00:00Z", "tzid": "Etc/UTC"}
    assert failed(traffic) == set()
