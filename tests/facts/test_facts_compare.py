"""What counts as the same URL, the same time, the same text; and what is past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from facts_traffic import Traffic, event, explicit, item
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from conformance.facts.comparisons import (
    _NORMAL,
    _normal,
    compare_urls,
    normal_url,
    parse_api_time,
    same_text,
    same_time,
    time_relation,
)
from conformance.facts.reading import next_page_kind
from conformance.facts.requested import field_as_sent
from conformance.facts.routes import account_name, body_json, form_json, route
from conformance.http.exchange import Response

NOW = datetime(2026, 9, 21, 12, tzinfo=UTC)


@given(st.from_regex(_NORMAL, fullmatch=True))
def test_what_looks_normal_at_a_glance_is(url: str) -> None:
    assert _normal(url) == url


@pytest.mark.parametrize(
    ("sent", "shown", "expected"),
    [
        ("https://a.example/x", "https://a.example/x", "identical"),
        ("HTTPS://A.Example/x", "https://a.example/x", "equivalent"),
        ("https://a.example:443/x", "https://a.example/x", "equivalent"),
        ("http://a.example:80", "http://a.example/", "equivalent"),
        ("https://a.example/%7ex", "https://a.example/~x", "equivalent"),
        ("https://a.example/%c3%a4", "https://a.example/\u00e4", "equivalent"),
        ("https://b\u00fccher.example/", "https://xn--bcher-kva.example/", "equivalent"),
        ("https://a.example/a/./b/../c", "https://a.example/a/c", "equivalent"),
        ("https://a.example/a/..", "https://a.example/", "equivalent"),
        ("https://u:p@a.example/x y", "https://u:p@a.example/x%20y", "equivalent"),
        ("https://a.example/X", "https://a.example/x", "different"),
        ("https://a.example/x", "http://a.example/x", "different"),
        ("https://a.example/x?a=1", "https://a.example/x", "different"),
        ("https://a.example/x?", "https://a.example/x", "different"),
        ("https://a.example/x#y", "https://a.example/x", "different"),
        ("https://a.example:8443/x", "https://a.example/x", "different"),
        ("https://a.example/%2F", "https://a.example//", "different"),
        ("https://a.example/x", None, "different"),
        ("http://[", "http://[/", "different"),
    ],
)
def test_urls_are_the_same_as_rfc_3986_has_it(sent: str, shown: object, expected: str) -> None:
    assert compare_urls(sent, shown) == expected


@given(st.text(max_size=40) | st.from_regex(r"https?://[a-z.]{1,8}(:[0-9]{1,3})?(/[!-~]{0,8})?", fullmatch=True))
def test_a_normal_form_is_its_own_normal_form(url: str) -> None:
    assert normal_url(normal_url(url)) == normal_url(url)


@pytest.mark.parametrize(
    ("sent", "shown", "tzid", "expected"),
    [
        ("2026-10-01T10:00:00Z", "2026-10-01T12:00:00+02:00", None, True),
        ("2026-10-01T10:00:00Z", "2026-10-01T10:00:00.000Z", None, True),
        ({"time": "2026-10-01T12:00:00", "tzid": "Europe/Vienna"}, "2026-10-01T10:00:00Z", None, True),
        ("2026-10-01T12:00:00", "2026-10-01T10:00:00Z", "Europe/Vienna", True),
        ("2026-10-01T10:00:00Z", "2026-10-01T11:00:00Z", None, False),
        ("2026-10-01", "2026-10-01", None, True),
        ("2026-10-01", "2026-10-02", None, False),
        ("2026-10-01", "2026-10-01T00:00:00Z", None, False),
        ("2026-10-01T10:00:00", "2026-10-01T11:00:00Z", None, None),
        ("2026-10-01T10:00:00Z", "soon", None, None),
        ("2026-10-01T10:00:00Z", 7, None, None),
    ],
)
def test_times_are_compared_as_instants(sent: object, shown: object, tzid: object, expected: bool | None) -> None:
    assert same_time(sent, shown, tzid) is expected


def test_what_is_no_time_is_no_instant() -> None:
    assert [
        parse_api_time(value) for value in ("x", None, {"time": 7}, {"time": "2026-10-01T10:00:00", "tzid": "No/Zone"})
    ] == [None] * 4
    assert parse_api_time("0001-01-01T00:00:00", "Asia/Tokyo") is None


@pytest.mark.parametrize(
    ("sent", "shown", "expected"),
    [("a", "a ", True), ("a\r\nb", "a\nb", True), ("a", "b", False), (1, 1, True), ("a", 1, False)],
)
def test_texts_are_compared_without_white_space_at_the_ends(sent: object, shown: object, expected: bool) -> None:
    assert same_text(sent, shown) is expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (25, 26, "future"),
        (23, 24, None),
        (-25, -24, "past"),
        (-25, 1, "past"),
        (-25, 25, "running"),
        (-23, 25, None),
    ],
)
def test_an_event_is_past_or_future_by_more_than_a_day(start: int, end: int, expected: str | None) -> None:
    times = {name: (NOW + timedelta(hours=hours)).isoformat() for name, hours in (("start", start), ("end", end))}
    assert time_relation(times, NOW.timestamp()) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-09-21T17:00:00Z", "2026-09-21T18:00:00Z", "future"),
        ("2026-09-21T06:00:00-11:00", {"time": "2026-09-21T18:00:00Z", "tzid": "Europe/Vienna"}, "future"),
        ("2026-09-21T16:00:00Z", "2026-09-21T18:00:00Z", None),
        ("2026-09-21T17:00:00", "2026-09-21T18:00:00Z", None),
        ({"time": "2026-09-21T19:00:00", "tzid": "Europe/Vienna"}, "2026-09-21T18:00:00Z", None),
        ({"time": "2026-09-21T20:00:00", "tzid": "Europe/Vienna"}, "2026-09-21T19:00:00Z", "future"),
        ({"time": "2026-09-21T11:00:00", "tzid": "Europe/Vienna"}, "2026-09-21T09:30:00Z", "past"),
        ("2026-09-21T22:00:00+13:00", "2026-09-21T09:30:00Z", "past"),
        ("2026-09-21T22:00:00+13:00", "2026-09-21T17:00:00Z", "running"),
        ("2026-09-20", "2026-09-21", None),
    ],
)
def test_where_the_server_tells_its_time_three_hours_are_far_enough(start: Any, end: Any, expected: str | None) -> None:
    now = datetime(2026, 9, 21, 13, 33, tzinfo=UTC).timestamp()
    assert time_relation({"start": start, "end": end}, now, server_clock_verified=True) == expected
    assert time_relation({"start": start, "end": end}, now) is None


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Mon, 21 Sep 2026 14:13:21 GMT", "future"),
        ("Mon, 21 Sep 2026 13:59:00 -0000", "future"),
        ("Mon, 21 Sep 2026 13:58:00 GMT", None),
        ("Mon, 21 Sep 2026 14:30:00 GMT", None),
        ("now", None),
        ("Mon, 21 Sep 99999 14:13:21 GMT", None),
        (None, None),
    ],
)
def test_an_answer_tells_whether_the_server_s_clock_is_right(date: str | None, expected: str | None) -> None:
    times = {"start": "2026-09-21T18:00:00Z", "end": "2026-09-21T19:00:00Z"}
    traffic = Traffic().write(1, event(**times))
    (exchange,) = traffic.exchanges
    headers = () if date is None else (("date", date),)
    traffic.exchanges[0] = structs.replace(exchange, response=Response(202, headers))
    (write,) = traffic.writes()
    assert write.get("start") == expected


def test_without_a_time_nothing_is_past() -> None:
    assert time_relation({"start": "2020-01-01", "end": "2020-01-02"}, None) is None
    assert time_relation({"start": "x", "end": "2020-01-02"}, NOW.timestamp()) is None
    assert time_relation({"start": "2020-01-01", "end": "2020-01-02"}, NOW.timestamp()) == "past"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "absent"),
        ("", "malformed"),
        (7, "malformed"),
        ("http://[", "malformed"),
        ("/v1/events/pages/2", "relative"),
        ("http://localhost:80/v1/events/pages/2", "same-origin"),
        ("https://127.0.0.1:80/v1/events/pages/2", "other-origin"),
        ("http://a.example/v1/events/pages/2", "other-origin"),
        ("http://127.0.0.1:80/seen", "repeated"),
    ],
)
def test_a_next_page_is_told_by_where_it_leads(value: object, expected: str) -> None:
    here = route("GET", "http://127.0.0.1:80/v1/events")
    assert next_page_kind(value, here, {"http://127.0.0.1:80/seen"}) == expected


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/v1/calendars/cal%201/events", "write"),
        ("DELETE", "/v1/calendars/cal_1/events/", "delete"),
        ("PUT", "/v1/calendars/cal_1/events", "other"),
        ("GET", "/prefix/v1/events", "read"),
        ("GET", "/v1/events/pages/1", "page"),
        ("GET", "/v1/calendars", "calendars"),
        ("GET", "/v1/userinfo", "userinfo"),
        ("GET", "/v1/batch", "other"),
        ("POST", "/v1/batch", "batch"),
        ("DELETE", "/v1/events", "bulk"),
        ("GET", "/", "other"),
    ],
)
def test_an_operation_is_told_by_method_and_path(method: str, path: str, name: str) -> None:
    assert route(method, f"https://api.example{path}").name == name


def test_a_request_without_authorization_is_nobodys_only_where_all_headers_were_kept() -> None:
    from conformance.http.exchange import Request

    assert account_name(Request("GET", "http://a.example/"), whole=True) is None
    assert account_name(Request("GET", "http://a.example/"), whole=False) == "unknown"
    basic = Request("GET", "http://a.example/", (("Authorization", "Basic x"),))
    assert account_name(basic, whole=False) is None


def test_a_form_that_contradicts_itself_is_no_body() -> None:
    from conformance.http.exchange import Request

    with pytest.raises(ValueError, match="both a value and an object"):
        form_json(b"start=1&start[time]=2")
    form = (("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),)
    assert body_json(Request("POST", "http://a.example/", form, b"event_id=e1")) == {"event_id": "e1"}


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00Z", "0001-01-01"])
def test_the_tense_of_an_event_at_the_edge_of_time_is_known(start: str) -> None:
    now = 1_790_000_000.0
    assert time_relation({"start": start, "end": start}, now) == "past"
    assert time_relation({"start": start, "end": "9999-12-31T23:59:59Z"}, now) == "running"
    assert time_relation({"start": "9999-12-31T23:00:00Z", "end": "9999-12-31T23:59:59Z"}, now) == "future"


@pytest.mark.parametrize(
    ("sent", "shown", "left_over"),
    [
        ("https://meet.example/x", {"provider_name": "zoom"}, True),
        ("https://meet.example/x", {"provider_name": None}, False),
        ("https://meet.example/x", {"provider_name": "Custom"}, False),
        ("https://zoom.example/x", {"provider_name": "zoom"}, None),  # a server may go by the URL
        ("https://meet.example/x", {"join_url": "https://zoom.example/1", "provider_name": "zoom"}, None),
    ],
)
def test_the_service_that_explicit_replaces_is_told_where_it_is_left_over(
    sent: str, shown: dict[str, Any], left_over: bool | None
) -> None:
    traffic = Traffic().read(0).write(1, event(conferencing={"profile_id": "default"}))
    for at in range(2, 30, 3):
        traffic.read(at, item({"join_url": "https://zoom.example/1", "provider_name": "zoom"}))
    traffic.write(40, event(conferencing=explicit(sent)))
    for at in range(42, 70, 3):
        traffic.read(at, item({"join_url": sent, **shown}))
    _, second = traffic.writes()
    assert second["after"]["stable"].get("provider_name_is_stale") is left_over


def test_the_service_stays_where_explicit_sends_the_conference_s_own_url() -> None:
    own = {"join_url": "https://meet.example/1", "provider_name": "zoom"}
    traffic = Traffic().read(0).write(1, event(conferencing={"profile_id": "default"}))
    for at in range(2, 30, 3):
        traffic.read(at, item(own))
    traffic.write(40, event(conferencing=explicit("https://meet.example/1")))
    for at in range(42, 70, 3):
        traffic.read(at, item(own))
    _, second = traffic.writes()
    assert "provider_name_is_stale" not in second["after"]["stable"]


@pytest.mark.parametrize(
    ("sent", "shown", "expected"),
    [
        ("default", {"provider_name": "Stray"}, True),
        ("default", {"provider_name": "zoom"}, None),
        ("default", {}, None),
        ("explicit", {"provider_name": "Stray"}, None),
    ],
)
def test_what_is_pending_may_bear_a_stray_description(sent: str, shown: dict[str, str], expected: bool | None) -> None:
    stray = {"profile_id": sent, "provider_description": "Stray", "join_url": "https://meet.example/x"}
    profile = {"profile_id": "pro_1", "provider_name": "zoom", "profile_name": "A", "profile_connected": True}
    account = {"sub": "acc_1", "cronofy.data": {"profiles": [], "conferencing_profiles": [profile]}}
    traffic = Traffic().add(-1, "GET", "http://127.0.0.1/v1/userinfo", None, 200, account).read(0)
    traffic.write(1, event(conferencing=stray)).read(2, item({"pending": True, **shown}))
    (write,) = traffic.writes()
    assert write["after"]["latest"].get("provider_name_as_sent") is expected


@pytest.mark.parametrize(
    ("shown", "same"),
    [("Plans", True), ("Plans\n\nJoin: https://a.example/1", None), ("Plan", False), ("Other plans of ours", False)],
)
def test_a_description_may_be_followed_by_how_to_join(shown: str, same: bool | None) -> None:
    assert field_as_sent({"description": "Plans"}, {"description": shown}, "description") is same
    assert field_as_sent({"summary": "Plans"}, {"summary": "Plans for today"}, "summary") is False
