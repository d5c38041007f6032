"""What an account's lists say is known of a write only where they said it all the time since."""

from __future__ import annotations

from typing import Any

import pytest
from facts_traffic import CALENDAR, READ, Traffic, event, explicit, item
from msgspec import structs

from conformance.facts.directory import compare_service
from conformance.http.exchange import bearer

LIST = "http://127.0.0.1/v1/calendars"
USERINFO = "http://127.0.0.1/v1/userinfo"
ZOOM = {"profile_id": "pro_1", "provider_name": "zoom", "profile_connected": True}
GO_TO = {"profile_id": "pro_2", "provider_name": "go_to", "profile_connected": True}
A = {"join_url": "https://a.example/1", "provider_name": None}


def calendars(*, sub: str = "acc_1", calendar_id: str = CALENDAR, **more: Any) -> dict[str, Any]:
    entry = {"calendar_id": calendar_id, "provider_name": "google", **more}
    return {"sub": sub, "calendars": [{"calendar_integrated_conferencing_available": True, **entry}]}


def userinfo(*profiles: dict[str, Any], sub: str = "acc_1") -> dict[str, Any]:
    return {"sub": sub, "cronofy.data": {"profiles": [], "conferencing_profiles": list(profiles)}}


def told(traffic: Traffic, at: float, body: Any, url: str = LIST) -> Traffic:
    return traffic.add(at, "GET", url, None, 200, body)


def by(traffic: Traffic, account: str) -> Traffic:
    """The last exchange, sent with another token."""
    last = traffic.exchanges[-1]
    headers = (("Authorization", bearer(account)), *last.request.headers[1:])
    traffic.exchanges[-1] = structs.replace(last, request=structs.replace(last.request, headers=headers))
    return traffic


@pytest.mark.parametrize(
    ("later", "known"),
    [
        ({}, {"provider_name": "google", "integrated_conferencing_available": True}),
        ({"calendar_integrated_conferencing_available": False}, {"provider_name": "google"}),
        ({"provider_name": "exchange"}, {"integrated_conferencing_available": True}),
        ({"calendar_readonly": True}, {"provider_name": "google", "integrated_conferencing_available": True}),
    ],
)
def test_what_a_list_said_before_a_write_and_not_after_it_is_not_known(
    later: dict[str, Any], known: dict[str, Any]
) -> None:
    traffic = told(Traffic(), 0, calendars()).write(1, event(conferencing={"profile_id": "integrated"}))
    (write,) = told(traffic, 600, calendars(**later)).writes()
    assert write["calendar"] == {"calendar_id": CALENDAR, **known}
    assert ("resolution" in write) == ("integrated_conferencing_available" in known)


def test_what_only_a_later_list_says_is_known() -> None:
    traffic = Traffic().write(1, event(conferencing={"profile_id": "integrated"}))
    (write,) = told(traffic, 2, calendars()).writes()
    assert write["resolution"]["source"] == "integrated"


def test_what_changed_before_a_write_is_known_as_it_was_then() -> None:
    traffic = told(told(Traffic(), 0, calendars()), 1, calendars(calendar_integrated_conferencing_available=False))
    (write,) = traffic.write(2, event(conferencing={"profile_id": "integrated"})).writes()
    assert write["resolution"]["source"] == "unavailable"


@pytest.mark.parametrize("available", [True, False])
def test_a_removal_that_comes_at_once_is_told_what_the_request_before_it_resolves_to(available: bool) -> None:
    traffic = told(Traffic(), 0, calendars(calendar_integrated_conferencing_available=available))
    told(traffic, 1, userinfo(), USERINFO).write(2, event(conferencing={"profile_id": "default"}))
    _, removal = traffic.write(3, event(conferencing={"profile_id": "none"}), status=422).writes()
    assert removal["resolution"]["source"] == ("integrated" if available else "nothing")


@pytest.mark.parametrize(("later", "known"), [((ZOOM,), True), ((ZOOM, GO_TO), False), ((), False)])
def test_profiles_that_came_or_went_since_leave_open_what_default_means(
    later: tuple[dict[str, Any], ...], known: bool
) -> None:
    traffic = told(Traffic(), 0, userinfo(ZOOM), USERINFO).write(1, event(conferencing={"profile_id": "default"}))
    traffic = told(traffic, 2, userinfo(*later), USERINFO).write(3, event(summary="other"))
    first, second = traffic.writes()
    assert ("resolution" in first, "resolution" in second) == (known, known)


def test_a_list_that_cannot_be_read_is_no_empty_one() -> None:
    traffic = told(told(Traffic(), 0, calendars()), 1, {"calendars": "none"}).write(2, event())
    assert traffic.writes()[0]["calendar"]["provider_name"] == "google"


def test_a_token_that_stands_for_two_accounts_tells_nothing() -> None:
    traffic = told(Traffic(), 0, calendars()).read(1).write(2, event(conferencing={"profile_id": "integrated"}))
    traffic = told(traffic.read(3, item(A)).read(9, item(A)), 10, calendars(sub="acc_2", calendar_id="cal_B"))
    facts = traffic.read(20).read(30).write(40, event(event_id="e2")).facts()
    (write, new) = [one.document for one in facts if one.about == "write"]
    assert "resolution" not in write
    assert [entry["state"] for entry in write["after"]["observed"]] == ["assigned"]
    assert "before" not in new or "state" not in new["before"]
    assert [one.document["listing"]["missing"] for one in facts if one.about == "reading"] == [[]] * 5


def test_two_tokens_of_one_account_write_to_the_same_events() -> None:
    traffic = told(Traffic(), 0, calendars()).read(1).write(2, event(conferencing=explicit(A["join_url"])))
    traffic = by(told(traffic.read(3, item(A)).read(9, item(A)), 10, calendars()), "other")
    traffic = by(traffic.write(11, event(conferencing={"profile_id": "none"})), "other")
    first, second = traffic.read(12, item()).read(20, item()).writes()
    assert (first["after"]["closed_by"], first["after"]["latest"]["state"]) == ("next-write", "assigned")
    assert second["account"] == "other"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"/v1/calendars/{CALENDAR}/events", {"event_uid": "evt_1", "summary": "Other"}),
        ("DELETE", f"/v1/calendars/{CALENDAR}/events", {"event_uid": "evt_1"}),
        ("POST", "/v1/profiles/pro_1/revoke", None),
    ],
)
def test_after_what_may_have_changed_any_event_nothing_is_held_against_readings(
    method: str, path: str, body: dict[str, Any] | None
) -> None:
    traffic = Traffic().read(0).write(1, event(conferencing=explicit(A["join_url"]))).read(2, item(A)).read(9, item(A))
    traffic.add(10, method, f"http://127.0.0.1{path}", body, 202, None)
    facts = traffic.read(12).read(20).read(40).facts()
    (write,) = [one.document for one in facts if one.about == "write"]
    assert (write["after"]["closed_by"], write["after"]["latest"]["state"]) == ("next-write", "assigned")
    assert [one.document["listing"]["missing"] for one in facts if one.about == "reading"] == [[]] * 6


def test_a_calendar_that_was_made_since_is_not_called_unknown() -> None:
    traffic = told(Traffic(), 0, calendars()).add(1, "POST", LIST, {"name": "New"}, 200, {"calendar": {}})
    facts = traffic.add(2, "POST", "http://127.0.0.1/v1/calendars/cal_new/events", event(), 202, None).facts()
    (written,) = [one.document for one in facts if one.about == "exchange" and one.document["operation"] == "write"]
    assert written["calendar"] == {"calendar_id": "cal_new"}


@pytest.mark.parametrize(("answered", "crossed"), [(0.5, False), (3.0, True)])
def test_of_two_writes_under_way_at_once_either_may_be_the_last(answered: float, crossed: bool) -> None:
    traffic = Traffic().read(0).write(1, event(conferencing=explicit(A["join_url"])), took=answered)
    traffic.write(2, event(conferencing=explicit("https://b.example/2"))).read(6, item(A)).read(10, item(A))
    writes = traffic.writes()
    assert len(writes) == (1 if crossed else 2)
    assert writes[0]["after"]["closed_by"] == "next-write"


def test_a_refused_write_leaves_no_doubt_which_was_the_last() -> None:
    traffic = Traffic().read(0).write(1, event(conferencing={"profile_id": "x"}), status=422, took=3.0)
    traffic.write(2, event(conferencing=explicit(A["join_url"]))).read(6, item(A)).read(10, item(A))
    assert len(traffic.writes()) == 2


def test_a_number_of_more_digits_than_python_reads_is_json() -> None:
    traffic = Traffic().read(0)
    (exchange,) = traffic.exchanges
    assert exchange.response is not None
    body = b'{"events": [], "pages": {"current": 1, "total": 1}, "n": ' + b"9" * 5000 + b"}"
    traffic.exchanges[0] = structs.replace(exchange, response=structs.replace(exchange.response, body=body))
    (reading,) = [one.document for one in traffic.facts() if one.about == "reading"]
    assert (READ, reading["all_pages_read"]) == (exchange.request.url, True)


def test_profiles_that_are_left_out_are_none_where_another_account_has_the_list() -> None:
    listed = {"sub": "a", "cronofy.data": {"conferencing_profiles": [{"profile_id": "p", "provider_name": "zoom"}]}}
    bare = {"sub": "b", "cronofy.data": {"profiles": []}}

    def profiles(*accounts: tuple[str, dict[str, Any]]) -> int | None:
        traffic = Traffic()
        for number, (account, body) in enumerate(accounts):
            traffic.add(number, "GET", "http://127.0.0.1/v1/userinfo", None, 200, body)
            headers = (("Authorization", f"Bearer <{account}>"),)
            request = structs.replace(traffic.exchanges[-1].request, headers=headers)
            traffic.exchanges[-1] = structs.replace(traffic.exchanges[-1], request=request)
        traffic.write(10, event(conferencing={"profile_id": "default"}))
        [facts] = traffic.writes()
        found = facts.get("profiles")
        return found if found is None else int(found)

    assert profiles(("default", bare)) is None
    assert profiles(("default", bare), ("second", listed)) == 0
    assert profiles(("second", listed)) is None


@pytest.mark.parametrize(
    ("resolved", "shown", "compared"),
    [
        (["zoom"], "zoom", "identical"),
        (["google_meet_api"], "google_meet", "equivalent"),
        (["zoom"], "go_to", "different"),
        (["zoom"], "whereby", "different"),
        (["zoom"], "zoom_meetings", "undocumented"),
    ],
)
def test_a_service_is_another_where_it_is_documented_or_listed(resolved: list[str], shown: str, compared: str) -> None:
    assert compare_service(resolved, shown, frozenset({"zoom", "whereby"})) == compared


def listed_in_userinfo(*entries: dict[str, Any]) -> dict[str, Any]:
    profile = {"profile_id": "pro_9", "provider_name": "google", "profile_calendars": list(entries)}
    return {"sub": "acc_1", "cronofy.data": {"profiles": [profile]}}


FLAG = "calendar_integrated_conferencing_available"


@pytest.mark.parametrize(
    ("entry", "after", "differing", "unknown"),
    [
        ({"calendar_id": CALENDAR, FLAG: True}, 3, [], []),
        ({"calendar_id": CALENDAR, FLAG: False}, 3, [CALENDAR], []),
        ({"calendar_id": CALENDAR}, 3, [], []),
        ({"calendar_id": "cal_B", FLAG: True}, 3, [], [CALENDAR]),
        ({"calendar_id": CALENDAR, FLAG: False}, 60, None, None),  # it may have been switched off since
    ],
)
def test_lists_that_are_read_within_seconds_are_compared_at_once(
    entry: dict[str, Any], after: float, differing: Any, unknown: Any
) -> None:
    traffic = told(told(Traffic(), 0, listed_in_userinfo(entry), USERINFO), after, calendars(calendar_deleted=False))
    newest = [one.document for one in traffic.facts() if one.about == "directory"][-1]["availability"]
    assert (newest.get("differing_at_once"), newest.get("unknown_to_userinfo")) == (differing, unknown)


def test_a_deleted_calendar_that_userinfo_lacks_may_be_listed() -> None:
    entry = {"calendar_id": "cal_B", FLAG: True}
    traffic = told(told(Traffic(), 0, listed_in_userinfo(entry), USERINFO), 1, calendars(calendar_deleted=True))
    newest = [one.document for one in traffic.facts() if one.about == "directory"][-1]["availability"]
    assert newest["unknown_to_userinfo"] == []


@pytest.mark.parametrize("last", [True, False])
def test_what_one_list_says_before_and_after_the_other_is_better_known_than_what_differs_at_once(last: bool) -> None:
    traffic = told(Traffic(), 0, calendars())
    told(traffic, 1, listed_in_userinfo({"calendar_id": CALENDAR, FLAG: False}), USERINFO)
    traffic = told(traffic, 2, calendars(**{FLAG: last}))
    documents = [one.document["availability"] for one in traffic.facts() if one.about == "directory"]
    assert [one.get("disagreeing") for one in documents] == [[], [], [CALENDAR] if last else [], None]
    assert [one.get("differing_at_once") for one in documents] == [None, None, None, []]


def test_a_calendar_that_was_made_between_the_lists_is_not_called_unknown() -> None:
    traffic = told(Traffic(), 0, listed_in_userinfo({"calendar_id": "cal_B", FLAG: True}), USERINFO)
    traffic.add(1, "POST", LIST, {"name": "New"}, 200, {"calendar": {}})
    traffic = told(traffic, 2, calendars(calendar_deleted=False))
    documents = [one.document["availability"] for one in traffic.facts() if one.about == "directory"]
    assert not any("unknown_to_userinfo" in one for one in documents)


def test_several_accounts_on_one_token_say_nothing_of_their_lists_at_once() -> None:
    traffic = told(Traffic(), 0, listed_in_userinfo({"calendar_id": CALENDAR, FLAG: False}), USERINFO)
    traffic = told(told(traffic, 1, calendars()), 2, calendars(sub="acc_2"))
    documents = [one.document.get("availability", {}) for one in traffic.facts() if one.about == "directory"]
    assert not any("differing_at_once" in one for one in documents)
