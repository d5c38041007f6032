"""The facts about one call, from its arguments, its exchanges and the report."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from conformance.clients.cases.driver_call import DriverCall
from conformance.clients.facts.call import CallRecord, call_facts
from conformance.contract.schemas import read, rs_registry
from conformance.http.exchange import Exchange, Request, Response

CALENDAR = "/v1/calendars/cal_1/events"
EVENT = {"event_id": "qT", "summary": "S", "start": "2031-04-28T15:30:00Z", "end": "2031-04-28T17:00:00Z"}
UPSERT = DriverCall("upsert_event", {"calendar_id": "cal_1", "event": EVENT})
DELETE = DriverCall("delete_event", {"calendar_id": "cal_1", "event_id": "qT"})


def exchange(method: str, path: str, body: Any = None, status: int = 202, said: Any = None) -> Exchange:
    sent = b"" if body is None else json.dumps(body).encode()
    answer = b"" if said is None else json.dumps(said).encode()
    headers = (("Authorization", "Bearer <default>"), ("Content-Type", "application/json"))
    return Exchange(Request(method, f"http://127.0.0.1:1{path}", headers, sent), Response(status, (), answer))


def read_call(**params: Any) -> DriverCall:
    return DriverCall("read_events", {"calendar_ids": ["cal_1"], "event_ids": ["qT"], "params": {}, **params})


READ = read_call()
UNSUPPORTED = {"error": {"code": -32601, "message": "no"}}


def raised(message: str, **data: Any) -> dict[str, Any]:
    """The answer of an adapter whose client raised an error."""
    return {"error": {"code": -32000, "message": message, "data": data}}


def document(call: DriverCall, answer: Any, *exchanges: Exchange, **more: Any) -> dict[str, Any]:
    facts = call_facts(CallRecord("a", call, answer, exchanges, **more)).document
    schema = read("facts/call")
    error = next(iter(jsonschema_rs.validator_for(schema, registry=rs_registry()).iter_errors(facts)), None)
    assert error is None, error
    return facts


SENT = {"requests": 1, "unrequested_writes": 0, "repeated_a_refused_write": False, "repeated_an_accepted_write": False}
SAME: dict[str, list[str]] = {"request_missing": [], "request_changed": [], "request_extra": [], "request_emptied": []}
SAME_RESULT: dict[str, list[str]] = {
    "result_missing": [],
    "result_changed": [],
    "result_extra": [],
    "result_emptied": [],
}


def test_a_write_that_was_passed_on() -> None:
    assert document(UPSERT, {"result": {"x": 1}}, exchange("POST", CALENDAR, EVENT)) == {
        "about": "call",
        "operation": "upsert_event",
        "arguments": {"calendar_id": "cal_1", "event": EVENT},
        "valid": True,
        "answered_as_documented": True,
        "statuses": [202],
        "reported": {"ok": {}},
        "report_kind": "ok",
        "event_id": "qT",
        "requested": "omitted",
        "requested_before": False,
        "last_status": 202,
        "raised_without_status": False,
        "sent": SENT,
        "compared": SAME,
    }


def test_nothing_sent_leaves_nothing_to_compare() -> None:
    facts = document(UPSERT, raised("no"), earlier={"profile_id": "none"})
    assert (facts["sent"], facts["compared"]) == ({**SENT, "requests": 0}, {})
    assert (facts["statuses"], facts["requested_before"], facts["previous_conferencing"]) == (
        [],
        True,
        {"profile_id": "none"},
    )
    assert "last_status" not in facts
    assert "raised_without_status" not in facts


def test_what_a_client_cannot_do_is_not_compared_with_what_it_sends() -> None:
    facts = document(UPSERT, UNSUPPORTED, exchange("POST", CALENDAR, {}))
    assert "sent" not in facts
    assert facts["compared"] == {}


def test_a_write_by_the_batch_endpoint_is_not_judged() -> None:
    facts = document(UPSERT, {"result": {}}, exchange("POST", "/v1/batch", {"batch": []}, 207))
    assert "sent" not in facts


def test_every_attempt_is_compared_and_a_refused_one_counts_when_it_is_repeated() -> None:
    wrong = {**EVENT, "summary": "T"}
    refused = exchange("POST", CALENDAR, wrong, 422, {"errors": {}})
    facts = document(UPSERT, {"result": {}}, refused, refused, exchange("POST", CALENDAR, EVENT))
    assert facts["compared"] == {**SAME, "request_changed": ["/summary"]}
    assert facts["sent"] == {**SENT, "requests": 3, "repeated_a_refused_write": True}
    assert facts["statuses"] == [422, 422, 202]


@pytest.mark.parametrize("status", [401, 408, 409, 423, 425, 429, 499, 500, 503])
def test_an_answer_that_passes_may_be_tried_again(status: int) -> None:
    passing = exchange("POST", CALENDAR, EVENT, status)
    facts = document(UPSERT, {"result": {}}, passing, passing, exchange("POST", CALENDAR, EVENT))
    assert facts["sent"] == {**SENT, "requests": 3}


def test_writes_of_other_events_are_unrequested() -> None:
    other = exchange("POST", CALENDAR, {**EVENT, "event_id": "other"})
    gone = exchange("DELETE", CALENDAR, {"event_id": "qT"})
    facts = document(UPSERT, {"result": {}}, gone, exchange("POST", CALENDAR, EVENT), other)
    assert facts["sent"] == {**SENT, "unrequested_writes": 2}
    assert document(READ, {"result": {"events": []}}, other)["sent"] == {**SENT, "requests": 0, "unrequested_writes": 1}


def test_ids_in_the_path_the_body_and_the_query_are_compared() -> None:
    elsewhere = exchange("POST", "/v1/calendars/CAL_1/events", {**EVENT, "event_id": "qt"})
    assert document(UPSERT, {"result": {}}, elsewhere)["compared"]["request_changed"] == [
        "/calendar_id",
        "/event_id",
    ]
    queried = exchange("DELETE", f"{CALENDAR}?event_id=qT")
    assert document(DELETE, {"result": {}}, queried)["compared"] == SAME
    assert document(DELETE, {"result": {}}, exchange("DELETE", CALENDAR))["compared"]["request_missing"] == [
        "/event_id"
    ]


def events(*entries: tuple[str, str, Any]) -> Any:
    said = [{"calendar_id": c, "event_id": e, "conferencing": v} for c, e, v in entries]
    return {"pages": {"current": 1, "total": 1}, "events": said}


ZOOM = {"join_url": "https://zoom.us/1", "provider_name": "zoom"}


def test_events_are_compared_by_calendar_where_the_client_tells_it() -> None:
    said = exchange("GET", "/v1/events", None, 200, events(("cal_1", "qT", {"pending": True}), ("cal_2", "qT", ZOOM)))
    call = read_call(calendar_ids=["cal_1", "cal_2"])
    right = [
        {"event_id": "qT", "calendar_id": "cal_2", "conferencing": ZOOM},
        {"event_id": "qT", "conferencing": {"pending": True}},
    ]
    answer = {"result": {"events": right}}
    assert document(call, answer, said)["returned"] == {
        "pending": {"events": 1, "altered": []},
        "assigned": {"events": 1, "altered": []},
    }
    swapped = [{**entry, "calendar_id": "cal_1"} for entry in right]
    assert document(call, {"result": {"events": swapped}}, said)["compared"]["result_missing"] == ["/events/qT"]


def test_events_of_calendars_that_were_not_called_for_need_not_come_back() -> None:
    said = exchange("GET", "/v1/events", None, 200, events(("cal_2", "qT", ZOOM)))
    assert document(READ, {"result": {"events": []}}, said)["compared"] == SAME_RESULT


def test_lost_altered_and_made_up_events_are_named() -> None:
    call = read_call(event_ids=["a", "b", "c"])
    said = exchange("GET", "/v1/events", None, 200, events(("cal_1", "a", None), ("cal_1", "b", ZOOM)))
    answer = {"result": {"events": [{"event_id": "b", "conferencing": {}}, {"event_id": "c"}, {"event_id": "other"}]}}
    facts = document(call, answer, said)
    assert facts["compared"]["result_missing"] == [
        "/events/a",
        "/events/b/conferencing/join_url",
        "/events/b/conferencing/provider_name",
    ]
    assert facts["compared"]["result_extra"] == ["/events/c"]
    assert [event["event_id"] for event in facts["reported"]["ok"]["events"]] == ["b", "c"]


@pytest.mark.parametrize(
    ("conferencing", "state"),
    [
        (None, "absent"),
        ({"pending": True}, "pending"),
        (ZOOM, "assigned"),
        ({**ZOOM, "provider_name": None}, "assigned_without_provider"),
        ({**ZOOM, "provider_name": "holo"}, "assigned_by_unknown_provider"),
        ({"pending": "true"}, "undefined"),
    ],
)
def test_what_was_said_has_a_name(conferencing: Any, state: str) -> None:
    said = exchange("GET", "/v1/events", None, 200, events(("cal_1", "qT", conferencing)))
    answer = {"result": {"events": [{"event_id": "qT", "conferencing": conferencing}]}}
    assert list(document(READ, answer, said)["returned"]) == [state]


def test_pages_that_were_not_fetched_are_missed_for_what_is_only_there() -> None:
    page = {"fetched": True, "event_ids": ["x"]}
    last = {"fetched": False, "event_ids": ["qT"]}
    facts = document(READ, {"result": {"events": []}}, readings=[{"pages": [page, last], "excluded": []}])
    assert facts["read"] == {
        "page_count": 2,
        "pages_read": 1,
        "missed": ["qT"],
        "calendars_left_out": [],
        "excluded": [],
    }
    again = [{"pages": [page, end], "excluded": []} for end in (last, {**last, "fetched": True})]
    assert document(READ, {"result": {"events": []}}, readings=again)["read"]["missed"] == []


def test_calendars_and_their_flags_are_compared() -> None:
    flag = "calendar_integrated_conferencing_available"
    listed = [{"calendar_id": "a", flag: True}, {"calendar_id": "b", flag: False}, {"calendar_id": "c", flag: False}]
    said = exchange("GET", "/v1/calendars", None, 200, {"calendars": listed})
    answer = {"result": {"calendars": [{"calendar_id": "a"}, {"calendar_id": "b", flag: True}, {"calendar_id": "d"}]}}
    assert document(DriverCall("list_calendars"), answer, said)["compared"] == {
        "result_missing": ["/calendars/a/" + flag, "/calendars/c"],
        "result_changed": ["/calendars/b/" + flag],
        "result_extra": ["/calendars/d"],
        "result_emptied": [],
    }


def test_an_error_is_compared_with_what_was_answered() -> None:
    refused = exchange("POST", CALENDAR, EVENT, 422, {"errors": {"summary": [{"key": "errors.required"}]}})
    facts = document(UPSERT, raised("", status=422), refused)
    assert (facts["raised_without_status"], facts["reported_status_seen"]) == (False, True)
    assert facts["compared"] == {**SAME, **SAME_RESULT, "result_missing": ["/errors"]}
    facts = document(UPSERT, raised("", status=500), refused)
    assert (facts["reported_status_seen"], facts["compared"]) == (False, SAME)
    assert document(UPSERT, raised("KeyError"), exchange("POST", CALENDAR, EVENT))["raised_without_status"]


@pytest.mark.parametrize(
    ("queries", "left_out"),
    [
        ([], []),
        (["tzid=Etc/UTC"], []),
        (["calendar_ids[]=cal_1"], []),
        (["calendar_ids[]=cal_2"], ["cal_1"]),
        (["calendar_ids[]=cal_2", "calendar_ids[]=cal_1"], []),
        (["calendar_ids[]=cal_2", ""], []),
        (["calendar_ids=cal_1"], []),
    ],
    ids=str,
)
def test_a_reading_covers_less_where_all_its_requests_do(queries: list[str], left_out: list[str]) -> None:
    reads = [exchange("GET", f"/v1/events?{query}", status=200, said={"events": []}) for query in queries]
    assert document(READ, {"result": {"events": []}}, *reads)["read"]["calendars_left_out"] == left_out


@pytest.mark.parametrize(
    ("excluded", "params", "found"),
    [
        ([], {}, []),
        ([["qT", "other"]], {}, ["qT"]),
        ([["qT"], []], {}, []),
        ([["qT"], ["qT"]], {}, ["qT"]),
        ([["other"]], {}, []),
        ([["qT"]], {"from": "2031-01-01"}, []),
    ],
    ids=str,
)
def test_only_what_was_asked_for_and_every_reading_excludes_is_excluded(
    excluded: list[list[str]], params: dict[str, str], found: list[str]
) -> None:
    readings = [{"pages": [], "excluded": one} for one in excluded]
    facts = document(read_call(params=params), {"result": {"events": []}}, readings=readings)
    assert facts["read"]["excluded"] == found


def test_one_id_on_two_calendars_may_be_given_back_once_but_not_altered() -> None:
    said = exchange("GET", "/v1/events", None, 200, events(("cal_1", "qT", {"pending": True}), ("cal_2", "qT", ZOOM)))
    call = read_call(calendar_ids=["cal_1", "cal_2"])

    def compared(*given: dict[str, Any]) -> dict[str, Any]:
        answer = {"result": {"events": [{"event_id": "qT", **one} for one in given]}}
        return {name: found for name, found in document(call, answer, said)["compared"].items() if found}

    assert compared({"conferencing": ZOOM}) == {}
    assert compared({"conferencing": ZOOM, "calendar_id": "cal_2"}) == {}
    assert compared() == {"result_missing": ["/events/qT"]}
    assert (
        "/events/qT/conferencing/provider_name"
        in compared({"conferencing": {**ZOOM, "provider_name": "Z"}})["result_changed"]
    )
    assert compared({"conferencing": ZOOM, "calendar_id": "cal_1"}) != {}


@pytest.mark.parametrize(
    ("statuses", "repeated"), [([202, 202], True), ([202, 422], True), ([429, 202], False), ([503, 202], False)]
)
def test_what_was_accepted_is_repeated_and_what_was_not_is_tried_again(statuses: list[int], repeated: bool) -> None:
    deletions = [exchange("DELETE", CALENDAR, {"event_id": "qT"}, status) for status in statuses]
    assert document(DELETE, {"result": {}}, *deletions)["sent"]["repeated_an_accepted_write"] is repeated


@pytest.mark.parametrize(
    ("account", "other"), [("default", {"other_tokens": 0}), ("a", {"other_tokens": 1}), (None, {})]
)
def test_another_token_is_counted_where_one_was_given(account: str | None, other: dict[str, int]) -> None:
    facts = document(UPSERT, {"result": {}}, exchange("POST", CALENDAR, EVENT), account=account)
    assert facts["sent"] == SENT | other
