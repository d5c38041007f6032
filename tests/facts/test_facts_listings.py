"""What a listing has too much or too little of, how its pages hang together, and what the directories say."""

from __future__ import annotations

from typing import Any

import pytest
from facts_traffic import CALENDAR, READ, Traffic, event, explicit, item
from msgspec import structs

from conformance.http.exchange import bearer

BASE = "http://127.0.0.1/v1/events?tzid=Etc%2FUTC"
A = {"join_url": "https://a.example/1", "provider_name": None}

OTHERS = {**{name: value for name, value in item(None).items() if name != "event_id"}, "event_uid": "uid_1"}


def readings(traffic: Traffic) -> list[dict[str, Any]]:
    return [facts.document for facts in traffic.facts() if facts.about == "reading"]


def written() -> Traffic:
    """An event that was written and is quiet."""
    traffic = Traffic().read(0).write(1, event(conferencing=explicit("https://a.example/1")))
    return traffic.read(2, item(A)).read(6, item(A))


def listing(traffic: Traffic) -> dict[str, list[str]]:
    """The headings of the newest reading that are not empty."""
    return {name: ids for name, ids in readings(traffic)[-1]["listing"].items() if ids}


@pytest.mark.parametrize(
    ("query", "items", "expected"),
    [
        ("&only_managed=true", [item(A)], {}),
        ("", [], {}),
        ("", [item(A)], {"managed_unexpected": ["e1"]}),
        ("", [item(A, event_id="e9"), {"event_uid": "uid_1"}], {"event_id_unexpected": ["e9"]}),
        (
            "",
            [item(A, event_id="e9", deleted=True), {"event_uid": "uid_1", "event_id": None}],
            {"deleted_unexpected": ["e9"]},
        ),
        ("&include_managed=true", [item(A), item(A, event_id="e9")], {}),
        ("&only_managed=true", [], {"missing": ["e1"]}),
        ("&include_managed=1", [], {"missing": ["e1"]}),
        ("&only_managed=true&calendar_ids[]=cal_A", [], {"missing": ["e1"]}),
        ("&only_managed=true&calendar_ids[]=cal_B", [], {}),
        ("&only_managed=true&calendar_ids[]=cal_B", [item(A)], {"other_calendars": ["e1"]}),
        ("&only_managed=true&from=2026-10-01&to=2026-11-30", [], {"missing": ["e1"]}),
        ("&only_managed=true&from=2026-10-21", [], {}),
        ("&only_managed=true&from=2026-11-21", [item(A)], {"outside_window": ["e1"]}),
        ("&only_managed=true&to=2026-10-01", [item(A)], {"outside_window": ["e1"]}),
        ("&only_managed=true&from=whenever", [item(A)], {}),
        ("&from=2026-11-21", [OTHERS], {"outside_window": ["uid_1"]}),
        ("&from=2026-11-21", [{**OTHERS, "event_uid": None}], {}),
        ("&calendar_ids[]=cal_B", [OTHERS], {"other_calendars": ["uid_1"]}),
        ("", [{**OTHERS, "deleted": True}], {"deleted_unexpected": ["uid_1"]}),
        ("&only_managed=true&last_modified=2026-10-01", [], {}),
        ("&only_managed=true", [item(A), item(A)], {"duplicated": ["e1"]}),
        ("&only_managed=true", [item(A), {"event_uid": "uid_1"}], {"unmanaged": ["uid_1"]}),
        ("&only_managed=true", [item(A, deleted=True)], {"deleted_unexpected": ["e1"]}),
        ("&only_managed=true&include_deleted=true", [item(A, deleted=True)], {}),
        ("&only_managed=true&include_deleted=true", [item(A, event_id="e9", deleted=True), item(A)], {}),
        ("&only_managed=true&localized_times=true", [item(A)], {}),  # no time zone of it is known
        ("&only_managed=true", [item(A), {**item(A), "calendar_id": "cal_B"}], {"wrong_calendar": ["e1"]}),
        ("&only_managed=true", [{k: v for k, v in item(A).items() if k != "calendar_id"}], {}),
    ],
)
def test_a_listing_is_compared_with_what_is_known(
    query: str, items: list[dict[str, Any]], expected: dict[str, list[str]]
) -> None:
    assert listing(written().read(20, *items, url=BASE + query)) == expected


@pytest.mark.parametrize(
    ("query", "state"),
    [
        ("&from=2026-10-01&to=2026-11-30", "missing"),
        ("&to=2026-11-30", "missing"),
        ("&from=2026-10-21", None),
        ("&from=2026-11-21", None),
        ("&from=2026-10-01&last_modified=2026-09-01", None),
    ],
)
def test_an_event_is_missing_where_its_times_lie_well_within_those_of_the_reading(
    query: str, state: str | None
) -> None:
    traffic = Traffic().read(0).write(1, event())
    for at in (2, 8, 30, 60):
        traffic.read(at, url=f"{BASE}&only_managed=true{query}")
    (facts,) = traffic.writes()
    assert facts["after"].get("settled", {}).get("state") == state


@pytest.mark.parametrize(
    ("query", "timed", "expected"),
    [
        ("", True, ("absent", 1)),
        ("&last_modified=2026-09-20", True, ("given", 0)),
        ("&last_modified=2026-09-22T13:33:20Z", True, ("given", 0)),
        ("&last_modified=2026-09-24", True, ("ahead", 1)),
        ("&last_modified=2026-09-24&last_modified=2026-09-20", True, ("given", 0)),
        ("&last_modified=2026-09-24&calendar_ids[]=cal_B", True, ("ahead", 0)),
        ("&last_modified=2026-09-24", False, (None, 0)),
        ("&last_modified=whenever", True, ("given", 0)),
    ],
)
def test_a_last_modified_excludes_everything_only_where_it_surely_lies_ahead(
    query: str, timed: bool, expected: tuple[str | None, int]
) -> None:
    traffic = written().read(20, url=f"{BASE}&include_managed=true{query}")
    if not timed:
        traffic.exchanges[-1] = structs.replace(traffic.exchanges[-1], sent_at=None, answered_at=None)
    last = readings(traffic)[-1]
    assert (last["flags"].get("last_modified"), last["expected"]) == expected
    assert last["listing"]["missing"] == ([] if query else ["e1"])


@pytest.mark.parametrize(
    ("fields", "status", "found"),
    [
        ({"start": {"time": "2026-10-21T12:00:00", "tzid": "Europe/Vienna"}}, 202, ["e1"]),
        ({"tzid": "Europe/Vienna"}, 202, ["e1"]),
        ({"start": "2026-10-21T12:00:00+02:00"}, 202, []),
        ({"tzid": "Europe/Vienna"}, 422, []),
    ],
)
def test_an_event_that_was_written_with_a_time_zone_is_shown_with_one(fields: Any, status: int, found: Any) -> None:
    traffic = Traffic().write(0, event(**fields), status).read(5, item())
    traffic.read(20, item(), url=f"{BASE}&only_managed=true&localized_times=true")
    assert [one.document for one in traffic.facts() if one.about == "reading"][-1]["listing"]["not_localized"] == found


def test_localized_times_are_objects() -> None:
    times = {
        name: {"time": f"2026-10-21T1{n}:00:00+02:00", "tzid": "Europe/Vienna"}
        for n, name in enumerate(("start", "end"), 2)
    }
    assert listing(written().read(20, item(A, **times), url=f"{BASE}&only_managed=true&localized_times=true")) == {}


def test_what_only_another_account_wrote_is_foreign() -> None:
    traffic = written().read(20).read(21, {**item(A), "calendar_id": "cal_Z"})
    other = (("Authorization", bearer("other")),)
    traffic.exchanges[-2:] = [
        structs.replace(one, request=structs.replace(one.request, headers=other)) for one in traffic.exchanges[-2:]
    ]
    assert listing(traffic) == {"other_account": ["e1"]}


def page(traffic: Traffic, at: float, url: str, answer: Any, status: int = 200) -> Traffic:
    return traffic.add(at, "GET", url, None, status, answer)


def paged(next_page: Any, current: int = 1, total: int = 2, *items: dict[str, Any]) -> dict[str, Any]:
    more = {} if next_page is None else {"next_page": next_page}
    return {"pages": {"current": current, "total": total, **more}, "events": list(items)}


PAGE_2 = "http://127.0.0.1/v1/events/pages/2"


def test_pages_are_one_reading() -> None:
    traffic = page(page(written(), 20, READ, paged(PAGE_2)), 21, PAGE_2, paged(None, 2, 2, item(A)))
    (*_, last) = readings(traffic)
    assert (last["all_pages_read"], last["page_numbers_consistent"], last["items"], last["listing"]["missing"]) == (
        True,
        True,
        1,
        [],
    )
    assert [one["next_page"] for one in last["pages"]] == ["same-origin", "absent"]


@pytest.mark.parametrize(
    "url", [f"{READ}&page=2", "http://127.0.0.1/v1/events?cursor=abc", "http://127.0.0.1/pages/abc"]
)
def test_a_next_page_is_opaque(url: str) -> None:
    traffic = page(page(written(), 20, READ, paged(url)), 21, url, paged(None, 2, 2, item(A)))
    (*_, last) = readings(traffic)
    assert (last["all_pages_read"], last["items"], last["listing"]["missing"]) == (True, 1, [])
    followed = [facts.document for facts in traffic.facts() if facts.about == "exchange"][-1]
    assert followed["operation"] == "page"


def test_a_client_may_add_parameters_to_a_page() -> None:
    traffic = page(page(written(), 20, READ, paged(PAGE_2)), 21, f"{PAGE_2}?tzid=Etc/UTC", paged(None, 2, 2, item(A)))
    assert readings(traffic)[-1]["all_pages_read"] is True


def test_a_write_between_two_pages_leaves_open_what_is_missing_though_the_clock_stands_still() -> None:
    traffic = page(written(), 20, READ, paged(PAGE_2)).write(20, event(event_id="e2"), took=0.0)
    traffic = page(traffic, 20, PAGE_2, paged(None, 2, 2))
    traffic.exchanges[-3:] = [structs.replace(one, answered_at=one.sent_at) for one in traffic.exchanges[-3:]]
    assert readings(traffic)[-1]["listing"]["missing"] == []


def test_a_reading_that_is_not_read_to_its_end_is_told_at_last() -> None:
    (*_, last) = readings(page(written(), 20, READ, paged(PAGE_2, 1, 3)))
    assert (last["all_pages_read"], last["page_numbers_consistent"]) == (False, False)


@pytest.mark.parametrize(
    ("answer", "status", "expected"),
    [
        (paged("http://other.example/v1/events/pages/2"), 200, {"next_page": "other-origin", "events": 0}),
        ({"events": []}, 200, {"next_page": "absent", "events": 0, "pages": "absent"}),
        ({"events": [], "pages": 3}, 200, {"next_page": "absent", "events": 0, "pages": "malformed"}),
        ({"events": {}, "pages": {}}, 200, {"next_page": "absent", "events": "malformed"}),
        ([], 200, {"next_page": "absent", "events": "malformed", "pages": "absent"}),
        (None, 200, {"next_page": "absent", "events": "malformed", "unreadable": True}),
        ({}, 404, {"next_page": "absent", "events": 0}),
    ],
)
def test_a_page_is_stated_as_it_is(answer: Any, status: int, expected: dict[str, Any]) -> None:
    (*_, last) = readings(page(written(), 20, READ, answer, status))
    (only,) = last["pages"]
    assert {name: value for name, value in only.items() if name not in ("current", "total", "status")} == expected
    assert (last["all_pages_read"], only["status"]) == (
        status == 200 and isinstance(answer, dict) and answer.get("pages", 0) in (0, 3),
        status,
    )


@pytest.mark.parametrize("url", [PAGE_2, f"{READ}&page=2", f"{READ}&cursor=abc"])
def test_a_page_that_nothing_led_to_is_a_reading_of_its_own_that_proves_nothing(url: str) -> None:
    (*_, last) = readings(page(written(), 20, url, paged(None)))
    assert (last["all_pages_read"], last["listing"]["missing"]) == (False, [])


@pytest.mark.parametrize("status", [429, 503])
def test_a_page_that_could_not_be_read_for_now_is_no_reading(status: int) -> None:
    before = len(readings(written()))
    assert len(readings(page(written(), 20, PAGE_2, {}, status))) == before
    assert len(readings(page(written(), 20, READ, {}, status))) == before


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/batch"), ("DELETE", "/v1/events")])
def test_what_facts_do_not_follow_leaves_nothing_known(method: str, path: str) -> None:
    traffic = written().add(20, method, f"http://127.0.0.1{path}", {}, 202, None).write(30, event())
    assert [write.get("before", {}).get("state") for write in traffic.writes()] == ["nonexistent", None]


def directory(traffic: Traffic, at: float, listed: bool | None, told: bool | None) -> Traffic:
    flag = "calendar_integrated_conferencing_available"
    calendar = {"calendar_id": CALENDAR, "provider_name": "google"}
    if listed is not None:
        traffic.add(at, "GET", "http://127.0.0.1/v1/calendars", None, 200, {"calendars": [{**calendar, flag: listed}]})
    if told is not None:
        profile = {"profile_id": "pro_1", "provider_name": "google", "profile_calendars": [{**calendar, flag: told}]}
        data = {"cronofy.data": {"profiles": [profile], "conferencing_profiles": []}}
        traffic.add(at, "GET", "http://127.0.0.1/v1/userinfo", None, 200, data)
    return traffic


def conflicting(*said: tuple[bool | None, bool | None]) -> list[str]:
    traffic = Traffic()
    for at, (listed, told) in enumerate(said):
        directory(traffic, at, listed, told)
    (*_, last) = [
        facts.document for facts in traffic.facts() if "calendars" in facts.document or "userinfo" in facts.document
    ]
    found: list[str] = last["availability"]["disagreeing"]
    return found


def test_the_evidence_of_lists_that_disagree_says_what_each_shows() -> None:
    traffic = Traffic()
    for at in range(3):
        directory(traffic, at, listed=True, told=False)
    *_, last, _ = [facts for facts in traffic.facts() if facts.about == "directory"]
    shown = {one.request.path: one.shown for one in last.evidence}
    flag = "calendar_integrated_conferencing_available"
    assert shown == {
        "/v1/calendars": {CALENDAR: {flag: True}},
        "/v1/userinfo": {CALENDAR: {flag: False}},
    }


def test_the_two_lists_disagree_if_one_differs_from_the_other_before_and_after() -> None:
    assert conflicting((True, False)) == []  # an administrator may have changed it in between
    assert conflicting((True, False), (True, None)) == [CALENDAR]
    assert conflicting((True, True), (False, False), (True, True)) == []


def test_a_flag_on_which_the_lists_do_not_agree_is_not_known() -> None:
    traffic = (
        directory(Traffic(), 0, True, False).read(1).write(2, event(conferencing={"profile_id": "integrated"}), 422)
    )
    (write,) = traffic.writes()
    assert "integrated_conferencing_available" not in write["calendar"]
    assert "resolution" not in write


@pytest.mark.parametrize(
    ("query", "found"),
    [("&from=2026-10-01&to=2026-11-30", ["e1"]), ("&from=2026-11-21", None), ("&calendar_ids[]=cal_B", None)],
)
def test_an_event_that_came_to_another_calendar_is_known_by_a_reading_of_its_time(query: str, found: Any) -> None:
    traffic = Traffic().read(0, url=f"{BASE}&only_managed=true{query}").write(1, event())
    traffic.read(2, item(), {**item(), "calendar_id": "cal_B"}, url=f"{BASE}&only_managed=true&from=2026-10-01")
    [listing] = [one.document["listing"] for one in traffic.facts() if one.about == "reading"][1:]
    assert listing.get("wrong_calendar") == found
