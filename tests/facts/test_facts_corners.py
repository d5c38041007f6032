"""Corners of the core that ordinary traffic does not turn: each is something that a recording may hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from facts_traffic import ASSIGNED, CALENDAR, HEADERS, NOW, READ, Traffic, event, explicit, item
from msgspec import structs

from conformance.contract.rules import Rule, load, load_clauses
from conformance.facts import Facts, Observer, Settings, observe
from conformance.facts.account_state import _WRITES, AccountState
from conformance.facts.comparisons import normal_url, parse_api_time
from conformance.facts.directory import Directory
from conformance.facts.reading import Reading
from conformance.facts.requested import requested_conferencing
from conformance.facts.routes import route
from conformance.http.exchange import (
    NOT_RECORDED,
    Exchange,
    Headers,
    Request,
    Response,
    bearer,
    load_json,
    redact_authorization,
)
from conformance.judging.check import examine
from conformance.judging.judge import Judge

BASE = "http://127.0.0.1/v1"


def exchange_documents(traffic: Traffic) -> list[dict[str, Any]]:
    return [facts.document for facts in traffic.facts() if facts.about == "exchange"]


def readings(traffic: Traffic) -> list[dict[str, Any]]:
    return [facts.document for facts in traffic.facts() if facts.about == "reading"]


def test_credentials_that_are_no_bearer_token_are_redacted_too() -> None:
    kept = redact_authorization((("Authorization", "Basic dTpw"), ("authorization", "lonely"), ("Authorization", "")))
    values = [value for _, value in kept]
    assert values[0].startswith("Basic <token-")
    assert values[1:] == ["<redacted>", ""]


def test_json_that_is_nested_too_deep_is_no_json() -> None:
    with pytest.raises(ValueError, match="too deep"):
        load_json(b"[" * 100_000)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ([], "undefined"),
        (event(), "omitted"),
        (event(conferencing="default"), "undefined"),
        (event(conferencing={}), "undefined"),
        (event(conferencing=explicit("https://a.example/") | {"provider_description": ""}), "undefined"),
        (event(conferencing={"profile_id": "explicit", "provider_description": "x", "join_url": 8}), "invalid"),
        (event(conferencing=explicit("https://a.example/")), "explicit"),
        (event(conferencing=explicit("https://a.example/"), summary=None), "undefined"),
        (event(conferencing=explicit("https://a.example/"), end="2026-10-21T09:00:00Z"), "undefined"),
        (event(conferencing=explicit("https://a.example/"), end="2026-10-21T10:00:00Z"), "explicit"),
        (event(start="tomorrow"), "undefined"),
        ({"event_id": "e1", "summary": "Board", "start": "2026-10-21T10:00:00Z"}, "undefined"),
    ],
)
def test_what_is_asked_for_has_a_name_where_the_event_has_what_every_event_needs(body: Any, kind: str) -> None:
    assert requested_conferencing(body).kind == kind


@pytest.mark.parametrize(
    ("start", "all_day"),
    [
        ("2026-10-21", True),
        ({"time": "2026-10-21", "tzid": "Europe/Berlin"}, True),
        ("2026-10-21T10:00:00Z", False),
        ({"time": "2026-10-21T10:00:00", "tzid": "Europe/Berlin"}, False),
        ("tomorrow", None),
    ],
)
def test_an_event_of_whole_days_starts_on_a_date(start: Any, all_day: bool | None) -> None:
    [facts] = Traffic().write(0, event(start=start)).writes()
    assert facts.get("all_day") is all_day


def test_rows_that_say_they_were_updated_after_last_modified_are_modified() -> None:
    url, ahead = f"{READ}&last_modified=2026-12-01", "2026-12-02T00:00:00Z"
    [facts] = readings(Traffic().read(0, item(), item(event_id="e2", updated=ahead), url=url))
    assert (facts["items"], facts["unmodified_items"]) == (2, 1)


def test_a_host_that_idna_has_no_name_for_is_kept() -> None:
    assert normal_url("https://" + "ä" * 80 + ".example/") == "https://" + "ä" * 80 + ".example/"


def test_a_time_beyond_the_calendar_is_no_instant() -> None:
    assert parse_api_time("0001-01-01T00:00:00+23:59") is None or parse_api_time("9999-12-31T23:59:59-23:59") is None


@pytest.mark.parametrize(
    ("url", "name"), [(f"{BASE}/batch", "batch"), (f"{BASE}/events", "bulk"), (f"{BASE}/elsewhere", "other")]
)
def test_what_changes_many_events_is_told_apart(url: str, name: str) -> None:
    assert route("DELETE" if url.endswith("events") else "POST", url).name == name


def test_a_body_that_is_no_json_is_said_to_be_unreadable() -> None:
    traffic = Traffic().write(0, event()).add(1, "POST", f"{BASE}/calendars/{CALENDAR}/events", None, 422, None)
    request = structs.replace(traffic.exchanges[1].request, body=b"{")
    traffic.exchanges[1] = structs.replace(traffic.exchanges[1], request=request, response=Response(422, (), b"<html>"))
    document = exchange_documents(traffic)[1]
    assert (document["request"]["unreadable"], document["response"]["unreadable"]) == (True, True)


def test_a_refusal_that_is_no_json_is_said_to_be_unreadable() -> None:
    traffic = Traffic().write(0, event(), 422)
    traffic.exchanges[0] = structs.replace(traffic.exchanges[0], response=Response(422, (), b"<html>"))
    [written] = traffic.writes()
    assert written["response"] == {"status": 422, "unreadable": True}


def test_a_request_without_its_body_may_have_been_about_any_event() -> None:
    traffic = Traffic().read(-1).write(0, event(conferencing=explicit("https://a.example/"))).read(1, item(ASSIGNED))
    traffic.write(5, event()).read(6, item(ASSIGNED))
    traffic.exchanges[3] = structs.replace(traffic.exchanges[3], notes=(("request-body", NOT_RECORDED),))
    [written] = traffic.writes()
    assert written["after"]["closed_by"] == "next-write"


def test_a_read_without_its_body_is_passed_over() -> None:
    traffic = Traffic().read(0)
    traffic.exchanges[0] = structs.replace(traffic.exchanges[0], notes=(("request-body", NOT_RECORDED),))
    assert exchange_documents(traffic) == []


def test_what_is_no_event_is_passed_over() -> None:
    page = {"pages": {"current": 1, "total": 1}, "events": ["x", None, item()]}
    [document] = readings(Traffic().add(0, "GET", READ, None, 200, page))
    assert document["items"] == 1


def test_times_that_are_none_are_neither_within_nor_without() -> None:
    url = f"{READ}&from=2026-10-01&to=never"
    page = {"pages": {"current": 1, "total": 1}, "events": [item(start="soon"), {**item(), "event_id": "e2"}]}
    [document] = readings(Traffic().add(0, "GET", url, None, 200, page))
    assert document["listing"]["outside_window"] == []


def test_what_a_listing_should_not_have_is_entered_once_and_not_for_ever() -> None:
    stray = [{**item(), "event_id": f"e{n}", "calendar_id": "cal_B"} for n in range(100)]
    page = {"pages": {"current": 1, "total": 1}, "events": [*stray, *stray]}
    [document] = readings(Traffic().add(0, "GET", f"{READ}&calendar_ids[]={CALENDAR}", None, 200, page))
    assert 0 < len(document["listing"]["other_calendars"]) < 50


def test_a_managed_event_is_entered_where_its_last_write_was_accepted_only() -> None:
    traffic = Traffic().read(0).write(1, event(), 422).read(5, item(), url=f"{BASE}/events?tzid=Etc%2FUTC")
    assert readings(traffic)[-1]["listing"]["managed_unexpected"] == []


def test_an_event_of_another_account_at_the_same_place_is_entered() -> None:
    other = (("Authorization", bearer("second")),)
    traffic = Traffic().read(0).write(1, event()).read(5, item())
    page = {"pages": {"current": 1, "total": 1}, "events": []}
    for at, events in ((6, []), (9, [{**item(), "calendar_id": "cal_Z"}]), (12, [item()])):
        traffic.add(at, "GET", READ, None, 200, {**page, "events": events})
        last = traffic.exchanges[-1]
        traffic.exchanges[-1] = structs.replace(last, request=structs.replace(last.request, headers=other))
    foreign = [
        document["listing"].get("other_account") for document in readings(traffic) if document["account"] == "second"
    ]
    assert foreign == [None, ["e1"], []], "at the same place it may be a calendar that both have"


def test_an_event_shown_after_a_write_that_overlaps_is_not_missed() -> None:
    traffic = Traffic().read(0).write(1, event()).write(2, event(event_id="e2"), took=3).read(3, item())
    assert [written["after"]["read_count"] for written in traffic.writes() if written["event_id"] == "e2"] == [0]


def test_numbers_of_writes_are_not_remembered_for_ever() -> None:
    account = AccountState("default", Directory("default"))
    for number in range(5 * _WRITES):
        account.wrote(number)
    assert len(account.writes) <= 2 * _WRITES
    reading = Reading(1, "default", route("GET", READ), {}, 0.0, 0.0, [])
    reading.first, reading.last = 5 * _WRITES, 5 * _WRITES + 1
    assert account.alone(reading)
    account.wrote(5 * _WRITES + 1)
    assert not account.alone(reading)


def test_a_profile_that_has_no_name_resolves_to_no_service() -> None:
    profile = {"profile_id": "pro_1", "profile_connected": True}
    userinfo = {"cronofy.data": {"conferencing_profiles": [profile], "profiles": []}}
    traffic = Traffic().add(0, "GET", f"{BASE}/userinfo", None, 200, userinfo)
    [written] = traffic.write(1, event(conferencing={"profile_id": "pro_1"})).writes()
    assert written["resolution"] == {"source": "profile", "candidates": 1, "connected": True}


def test_the_window_is_told() -> None:
    assert Observer(Settings(quiet=2.0)).window == 2.0
    assert Observer(Settings(quiet=2.0, window=7.0)).window == 7.0


def test_observing_gives_the_closed_facts_as_they_close() -> None:
    traffic = Traffic().read(0).write(1, event()).write(2, event(summary="Other"))
    assert [facts.about for facts in observe(traffic.exchanges, Settings())].count("write") == 2


def test_an_event_that_was_never_written_has_no_revision() -> None:
    observer = Observer(Settings())
    for exchange in Traffic().read(0, item()).read(3, item()).exchanges:
        observer.add(exchange)
    observer.advance()
    assert [facts.about for facts in observer.changed()].count("write") == 0


def test_a_write_that_closed_while_a_read_was_held_back_is_judged_once() -> None:
    traffic = Traffic().read(0).write(1, event(conferencing=explicit("https://a.example/"))).delete(2).read(3)
    traffic.read(6).read(20).read(40)
    report = examine(traffic.exchanges, load(), Settings(quiet=2.0))
    assert report.tallies["explicit-is-accepted"].outcome == "untested"
    assert report.exchanges == len(traffic.exchanges)


def test_half_a_surrogate_pair_is_judged_as_text() -> None:
    judge = Judge(tuple(rule for rule in load() if rule.about == "conferencing"))
    value = {"join_url": "https://a.example/\ud800", "provider_name": "zoom", "more": [{"\udc00": 1}]}
    document = {"about": "conferencing", "conferencing": value}
    outcomes = {
        verdict.rule: verdict.outcome for verdict in judge(Facts("conferencing", ("x",), document, (), closed=True))
    }
    assert outcomes["assigned-conferencing-has-a-provider-name"] == "passed"


def test_rules_that_look_anywhere_are_judged_all_the_same() -> None:
    schema = {
        "$id": "urn:x", "title": "T", "x-applies-to": "server", "x-level": "must", "x-facts": "conferencing",
        "x-clauses": ["P1"], "if": {"minProperties": 1}, "then": True,
    }  # fmt: skip
    judge = Judge((Rule("x", "T", "server", "must", "conferencing", ("P1",), (), schema),))
    [verdict] = judge(Facts("conferencing", ("x",), {"about": "conferencing"}, (), closed=True))
    assert (verdict.rule, verdict.outcome) == ("x", "passed")
    assert judge(Facts("account", ("x",), {"about": "account"}, (), closed=True)) == ()


def test_what_is_nested_too_deep_to_be_remembered_is_judged_all_the_same() -> None:
    deep: Any = {}
    for _ in range(3000):
        deep = {"x": deep}
    judge = Judge(tuple(rule for rule in load() if rule.id == "conferencing-is-an-object"))
    document = {"about": "conferencing", "conferencing": [1]}
    assert judge(Facts("conferencing", ("x",), {**document, "account": deep}, (), closed=True))[0].outcome == "failed"


def test_what_is_remembered_does_not_grow_without_end() -> None:
    judge = Judge(tuple(rule for rule in load() if rule.id == "conferencing-is-an-object"))
    for number in range(10_000):
        judge(Facts("conferencing", ("x",), {"conferencing": {"n": number}}, (), closed=True))
    assert max(len(table._answers) for table in judge._tables.values()) <= 4096


def test_clauses_are_found_by_their_ids() -> None:
    assert load_clauses()["P1"]["applies_to"] == "server"


def test_a_write_at_a_known_time_says_so() -> None:
    [exchange] = Traffic().write(0, event()).exchanges
    assert isinstance(exchange, Exchange)
    assert (exchange.sent_at, exchange.request.headers) == (NOW, HEADERS)
    assert json.loads(exchange.request.body)["event_id"] == "e1"


def test_a_bearer_token_becomes_a_name() -> None:
    assert redact_authorization((("Authorization", "Bearer <default>"),)) == (("Authorization", bearer("default")),)
    request = Request("GET", f"{BASE}/events?tzid=Etc%2FUTC&x=")
    assert (request.path, request.query) == ("/v1/events", (("tzid", "Etc/UTC"), ("x", "")))


@pytest.mark.parametrize(
    ("traffic", "headers", "are_told"),
    [
        (Traffic().read(0), (("User-Agent", "x"),), False),
        (Traffic().read(0), HEADERS[:1], True),
        (Traffic().write(0, event()), HEADERS[:1], False),
        (Traffic().write(0, event()), HEADERS, True),
    ],
)
def test_headers_that_a_recording_may_have_left_out_are_not_told(
    traffic: Traffic, headers: Headers, are_told: bool
) -> None:
    request = structs.replace(traffic.exchanges[0].request, headers=headers)
    traffic.exchanges[0] = structs.replace(traffic.exchanges[0], request=request, headers_complete=False)
    [document] = exchange_documents(traffic)
    assert ("headers" in document["request"]) is are_told


def test_a_calendar_list_that_says_the_same_again_is_remembered_once() -> None:
    calendar = {"calendar_id": CALENDAR, "calendar_integrated_conferencing_available": True}
    traffic = Traffic()
    for at in range(3):
        traffic.add(at, "GET", f"{BASE}/calendars", None, 200, {"calendars": [calendar, {"calendar_id": "cal_B"}]})
    told = [facts.document for facts in traffic.facts() if facts.about == "directory"]
    assert [document.get("availability", {}).get("disagreeing") for document in told] == [[], [], []]


def test_readings_that_wait_for_a_page_for_ever_are_let_go() -> None:
    traffic = Traffic()
    for number in range(80):
        page = {"current": 1, "total": 2, "next_page": f"{BASE}/events/pages/{number}"}
        traffic.add(number, "GET", READ, None, 200, {"pages": page, "events": []})
    assert len(readings(traffic)) == 80
    assert not any(document["all_pages_read"] for document in readings(traffic))


def test_where_the_location_comes_from_is_told() -> None:
    url = "https://a.example/1"
    located = [
        (item({"pending": True}, location={"description": f"Join: {url}"}), "join_url"),
        (item({"join_url": url, "provider_name": None}, location={"description": "https://A.example/1"}), "join_url"),
        (item({"join_url": url, "provider_name": None}, location={"description": "Room 7"}), "other"),
    ]
    for shown, expected in located:
        traffic = Traffic().read(-1).write(0, event(conferencing=explicit(url))).read(5, shown)
        assert traffic.writes()[0]["after"]["latest"]["location"] == expected
    other = item({"join_url": "https://a.example/2", "provider_name": None}, location={"description": f"at {url}"})
    traffic = Traffic().read(-1).write(0, event(conferencing=explicit(url)))
    traffic.write(20, event(summary="B", conferencing=explicit("https://a.example/2"))).read(25, other)
    assert traffic.writes()[1]["after"]["latest"]["location"] == "earlier_url"


def test_a_value_that_is_no_object_is_malformed() -> None:
    traffic = Traffic().read(-1).write(0, event(conferencing=explicit("https://a.example/"))).read(5, item("zoom"))
    assert traffic.writes()[0]["after"]["latest"]["state"] == "malformed"


def test_values_that_come_and_go_are_evidence_of_bounded_size() -> None:
    traffic = Traffic().read(-1).write(0, event(conferencing=explicit("https://a.example/")))
    shown = item({"join_url": "https://a.example/", "provider_name": None})
    for at in range(5, 60, 5):
        traffic.read(at, shown)
    for at in range(60, 100, 5):
        traffic.read(at, item({"join_url": f"https://a.example/{at}", "provider_name": None}))
    [written] = traffic.writes()
    assert written["after"]["remained"] is False


def test_an_undefined_request_is_the_origin_of_nothing() -> None:
    traffic = Traffic().read(-1).write(0, event(conferencing=8)).read(5, item(ASSIGNED)).read(9, item(ASSIGNED))
    after = traffic.write(10, event(summary="B")).writes()[1]
    assert after["before"]["state"] == "assigned"
    assert "requested_as" not in after["before"]


def test_a_write_that_settles_may_lie_at_a_time_that_is_not_known() -> None:
    requested = event(conferencing={"profile_id": "default"}, start="2026-09-21T14:00:00Z", end="2026-09-21T15:00:00Z")
    traffic = Traffic().read(-1).write(0, requested).write(1, event())
    assert "start" not in traffic.writes()[1]["before"]


def test_progress_is_told_now_and_then() -> None:
    told: list[int] = []
    traffic = Traffic()
    for at in range(2_001):
        traffic.read(at)
    examine(traffic.exchanges, (), Settings(), progress=told.append)
    assert told == [1000, 2000]


def test_an_event_that_nobody_wrote_has_no_origin() -> None:
    traffic = Traffic().read(0, item(ASSIGNED)).read(5, item(ASSIGNED)).write(6, event(summary="B"))
    [written] = traffic.writes()
    assert written["before"]["state"] == "assigned"
    assert "requested_as" not in written["before"]


def test_an_event_that_is_missing_from_a_reading_that_a_write_overlaps_is_not_missed() -> None:
    page = {"pages": {"current": 1, "total": 1}, "events": []}
    traffic = Traffic().read(0).write(1, event(), took=0.1)
    traffic.add(0.5, "GET", READ, None, 200, page, took=5)
    assert [written["after"]["read_count"] for written in traffic.writes()] == [0]


def test_an_id_that_two_accounts_use_on_one_calendar_is_nobodys_alone() -> None:
    other = (("Authorization", bearer("second")),)
    traffic = Traffic().write(0, event()).read(5)
    traffic.exchanges[1] = structs.replace(traffic.exchanges[1], request=Request("GET", READ, other))
    traffic.read(9, item())
    traffic.exchanges[2] = structs.replace(traffic.exchanges[2], request=Request("GET", READ, other))
    assert [document["listing"].get("other_account") for document in readings(traffic)] == [None, []]


def test_a_body_that_is_nested_too_deep_to_be_remembered_is_judged() -> None:
    deep: Any = {}
    for _ in range(3000):
        deep = {"x": deep}
    judge = Judge(tuple(rule for rule in load() if rule.id == "a-missing-token-is-answered-401"))
    document = {"about": "exchange", "operation": "write", "token": "missing", "response": {"status": 401}}
    [verdict] = judge(Facts("exchange", ("x",), {**document, "more": deep}, (), closed=True))
    assert verdict.outcome == "passed"


def test_values_that_nobody_has_thought_of_take_no_room() -> None:
    judge = Judge(tuple(rule for rule in load() if rule.about == "write"))
    for number in range(200):
        judge(Facts("write", ("x",), {"requested": f"kind-{number}"}, (), closed=True))
    assert len(judge._tables["write"]._by_value) == 64


def test_a_schema_that_is_true_looks_at_nothing_and_admits_all() -> None:
    schema = {"$id": "urn:x", "if": True, "then": {"not": False}}
    judge = Judge((Rule("x", "T", "server", "must", "exchange", ("P1",), (), schema),))
    [verdict] = judge(Facts("exchange", ("x",), {"operation": "write"}, (), closed=True))
    assert verdict.outcome == "passed"


def test_an_event_on_a_calendar_that_it_was_not_written_to_is_entered_at_first_sight() -> None:
    stray = {**item(), "calendar_id": "cal_B"}
    traffic = Traffic().read(0).write(1, event()).read(5, item(), stray).read(9, item(), stray)
    assert [document["listing"].get("wrong_calendar") for document in readings(traffic)] == [None, ["e1"], []]


def test_a_time_line_has_every_write_from_the_first_and_the_newest_readings() -> None:
    traffic = Traffic()
    for number in range(40):
        traffic.write(10.0 * number, event(summary=f"Board {number}")).read(10.0 * number + 1, item())
    last = [facts for facts in traffic.facts() if facts.about == "write"][-1]
    methods = [one.request.method for one in last.earlier]
    assert methods.count("POST") == 39
    assert methods[-24:] == ["POST", "GET"] * 12
    assert last.earlier[0].label == "#1"
