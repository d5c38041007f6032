"""The entries of a batch are writes with answers of their own."""

from __future__ import annotations

from typing import Any

import pytest
from facts_traffic import ASSIGNED, CALENDAR, Traffic, event, explicit, item
from msgspec import structs

from conformance.contract.rules import load
from conformance.http.exchange import Request
from conformance.judging.judge import Judge

BATCH = "http://127.0.0.1/v1/batch"
PATH = f"/v1/calendars/{CALENDAR}/events"
ROOM = "https://meet.example/abc"
SHOWN = {"join_url": ROOM, "provider_name": None}


def entry(data: Any, method: str = "POST", path: str = PATH) -> dict[str, Any]:
    return {"method": method, "relative_url": path, "data": data}


def batch(traffic: Traffic, at: float, *entries: Any, status: int | None = 207, answers: Any = ...) -> Traffic:
    if answers is ...:
        answers = [{"status": 202} for _ in entries]
    return traffic.add(at, "POST", BATCH, {"batch": list(entries)}, status, {"batch": answers})


def documents(traffic: Traffic, about: str) -> list[dict[str, Any]]:
    return [facts.document for facts in traffic.facts() if facts.about == about]


def failed(traffic: Traffic, *about: str) -> set[str]:
    """The rules that fail, or those of them that are about such facts."""
    return {rule for rule, outcome in outcomes(traffic, *about) if outcome == "failed"}


def outcomes(traffic: Traffic, *about: str) -> set[tuple[str, str]]:
    judge = Judge([rule for rule in load() if not about or rule.about in about])
    return {(verdict.rule, verdict.outcome) for facts in traffic.facts() for verdict in judge(facts)}


def watched(traffic: Traffic, *items: dict[str, Any], since: float = 1.0) -> Traffic:
    for seconds in (0.0, 3.0, 6.0, 18.0, 30.0):
        traffic.read(since + seconds, *items)
    return traffic


def test_an_entry_has_the_outcome_of_its_own_status() -> None:
    invalid = event(event_id="e2", conferencing={"profile_id": "explicit"})
    errors = {"errors": {"conferencing.join_url": [{"key": "errors.required", "description": "required"}]}}
    traffic = batch(
        Traffic().read(-1),
        0,
        entry(event(conferencing=explicit(ROOM))),
        entry(invalid),
        entry({"event_id": "e3"}, "DELETE"),
        answers=[{"status": 202}, {"status": 422, "data": errors}, {"status": 500}],
    )
    found = documents(watched(traffic, item(SHOWN)), "batched_write")
    assert {one["event_id"]: (one["requested"], one["outcome"], one["response"]) for one in found} == {
        "e1": ("explicit", "accepted", {"status": 202}),
        "e2": ("invalid", "refused", {"status": 422, "json": errors}),
        "e3": ("delete", "unknown", {"status": 500}),
    }
    assert documents(traffic, "write") == []


def test_entries_are_requests_of_the_client_each_with_the_evidence_of_the_batch() -> None:
    traffic = batch(Traffic(), 0, entry(event()), entry({"event_id": "e2"}, "DELETE"))
    facts = [facts for facts in traffic.facts() if facts.about == "exchange"]
    assert [one.document["operation"] for one in facts] == ["batch", "write", "delete"]
    assert [one.document["request"]["json"] for one in facts[1:]] == [event(), {"event_id": "e2"}]
    assert [[one.url for one in (evidence.request for evidence in each.evidence)] for each in facts] == [[BATCH]] * 3
    assert ["response" in one.document for one in facts] == [True, False, False]
    assert len({one.key for one in facts}) == 3


def test_client_rules_apply_to_entries() -> None:
    wrong = event(conferencing={"profile_id": "explicit", "provider_description": "C", "join_url": "ftp://x/"})
    assert failed(batch(Traffic(), 0, entry(event(conferencing={"profile_id": "explicit"})), entry(wrong))) == {
        "explicit-has-a-join-url",
        "explicit-names-its-provider",
        "an-explicit-join-url-is-http",
    }


RULE = "an-entry-of-a-batch-has-the-effect-of-a-single-write"
CALENDARS = {
    "calendars": [
        {
            "provider_name": "google",
            "calendar_id": CALENDAR,
            "calendar_readonly": False,
            "calendar_deleted": False,
            "calendar_integrated_conferencing_available": True,
        }
    ]
}
PROFILE = {"provider_name": "zoom", "profile_id": "pro_1", "profile_connected": True}
MEET = {"join_url": "https://meet.google.com/x", "provider_name": "google_meet"}
ZOOM = {"join_url": "https://zoom.example/1", "provider_name": "zoom"}
GONE: Any = "gone"


def known(profiles: list[Any], *, integrated: bool = True) -> Traffic:
    """Traffic of an account whose calendar and profiles are known, and that has no events."""
    [calendar] = CALENDARS["calendars"]
    listed = {"calendars": [{**calendar, "calendar_integrated_conferencing_available": integrated}]}
    userinfo = {"sub": "acc_1", "cronofy.data": {"conferencing_profiles": profiles, "profiles": []}}
    traffic = Traffic().add(-99, "GET", "http://127.0.0.1/v1/calendars", None, 200, listed)
    return traffic.add(-98, "GET", "http://127.0.0.1/v1/userinfo", None, 200, userinfo).read(-97)


@pytest.mark.parametrize(
    ("profiles", "before", "requested", "status", "right", "wrong"),
    [
        ([], ..., explicit(ROOM), 202, SHOWN, None),
        ([], SHOWN, {"profile_id": "none"}, 202, None, SHOWN),
        ([], SHOWN, ..., 202, SHOWN, None),
        ([], ..., ..., 202, None, MEET),
        ([PROFILE], ..., {"profile_id": "default"}, 202, ZOOM, MEET),
        ([], ..., {"profile_id": "default"}, 202, MEET, None),
        ([PROFILE], ..., {"profile_id": "integrated"}, 202, MEET, ZOOM),
        ([PROFILE], ..., {"profile_id": "pro_1"}, 202, ZOOM, MEET),
        ([PROFILE], ..., {"profile_id": "8x8"}, 202, None, ZOOM),
        ([], ..., {"profile_id": "explicit"}, 422, GONE, None),
        ([], SHOWN, {"profile_id": "explicit"}, 422, SHOWN, None),
        ([], SHOWN, "delete", 202, GONE, SHOWN),
    ],
)
def test_what_a_server_does_with_an_entry_is_held_against_it_as_inferred(
    profiles: list[Any], before: Any, requested: Any, status: int, right: Any, wrong: Any
) -> None:
    body = event(summary="Later") if requested is ... else event(summary="Later", conferencing=requested)
    one = entry({"event_id": "e1"}, "DELETE") if requested == "delete" else entry(body)
    summary = "Board" if status == 422 or requested == "delete" else "Later"
    for shown, expected in ((right, "passed"), (wrong, "failed")):
        traffic = known(profiles)
        if before is not ...:
            watched(traffic.write(-90, event(conferencing=explicit(ROOM))), item(before), since=-89)
        batch(traffic, 0, one, answers=[{"status": status}])
        watched(traffic, *([] if shown is GONE else [item(shown, summary=summary)]))
        assert outcomes(traffic, "batched_write") == {(RULE, expected)}


def test_integrated_in_a_batch_is_refused_where_it_is_not_available() -> None:
    for status, expected in ((422, "passed"), (202, "failed")):
        traffic = known([], integrated=False)
        batch(traffic, 0, entry(event(conferencing={"profile_id": "integrated"})), answers=[{"status": status}])
        watched(traffic, *([item()] if status == 202 else []))
        assert outcomes(traffic, "batched_write") == {(RULE, expected)}


def test_a_notification_of_an_entry_is_held_against_nobody() -> None:
    """That an entry generates nothing follows from a conclusion, and the rule on notifications is none."""
    hook = {"type": "webhook", "uri": "https://t.example.io/cronofy-conformance/notifications/run/a"}
    hook["interactions"] = [{"type": "conferencing_assigned"}]  # type: ignore[assignment]
    batch(traffic := known([]), 0, entry(event(conferencing={"profile_id": "none"}, subscriptions=[hook])))
    traffic.add(1, "POST", str(hook["uri"]), {}, 204, None)
    [told] = documents(watched(traffic, item(), since=2), "notification")
    assert (told["arrived"], "generates" in told) == (1, False)
    assert failed(traffic, "notification") == set()


def test_two_entries_for_one_event_leave_its_state_unknown() -> None:
    traffic = batch(
        Traffic().read(-1),
        0,
        entry(event(conferencing=explicit(ROOM))),
        entry(event(conferencing={"profile_id": "none"})),
    )
    watched(traffic, item(SHOWN))
    assert documents(traffic, "batched_write") == []
    [later] = documents(
        watched(traffic.write(40, event(summary="Later")), item(SHOWN, summary="Later"), since=41), "write"
    )
    assert later["before"] == {"state": "assigned", "conferencing": SHOWN}


@pytest.mark.parametrize("status", [401, 404, 422, 429])
def test_a_batch_that_is_refused_is_no_write(status: int) -> None:
    traffic = batch(
        watched(Traffic().write(-60, event()), item(), since=-50),
        0,
        entry(event(conferencing=explicit(ROOM))),
        status=status,
    )
    watched(traffic, item(), since=1)
    [written] = traffic.writes()
    assert (written["after"]["closed_by"], written["after"]["read_count"]) == ("stable", 10)
    assert documents(traffic, "batched_write") == []


@pytest.mark.parametrize(
    ("status", "answers"),
    [(None, None), (500, None), (207, [{"status": 202}] * 2), (207, [{}]), (207, "done"), (302, [])],
)
def test_an_entry_without_an_answer_of_its_own_may_have_been_done(status: int | None, answers: Any) -> None:
    traffic = batch(Traffic().read(-1), 0, entry(event(conferencing=explicit(ROOM))), status=status, answers=answers)
    [written] = documents(watched(traffic, item()), "batched_write")
    assert (written["outcome"], written["response"]) == ("unknown", {})
    assert failed(traffic) <= {"a-batch-has-one-answer-an-entry"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"batch": "all"},
        {"batch": [7, {"method": "POST"}]},
        [],
        {"batch": [entry({"name": "c"}, "DELETE", "/v1/events")]},
    ],
)
def test_a_batch_that_is_not_followed_leaves_nothing_known(body: Any) -> None:
    traffic = watched(Traffic().write(-60, event(conferencing=explicit(ROOM))), item(SHOWN), since=-50)
    traffic.add(0, "POST", BATCH, body, 207, {"batch": [{"status": 202}]})
    first, later = traffic.write(1, event(summary="Later")).writes()
    assert (first["after"]["closed_by"], "before" in later) == ("next-write", False)


def test_an_entry_that_is_not_seen_to_be_done_leaves_nothing_known_to_the_next_write() -> None:
    for data, method in ((event(conferencing=explicit(ROOM)), "POST"), ({"event_id": "e1"}, "DELETE")):
        traffic = batch(watched(Traffic().read(-61).write(-60, event()), item(), since=-50), 0, entry(data, method))
        _, later = traffic.write(1, event(summary="Later")).writes()
        assert "before" not in later


def test_an_entry_for_another_origin_or_of_no_url_is_no_write() -> None:
    traffic = batch(Traffic(), 0, entry(event(), path="http://["), entry(event(), "GET", "/v1/events"), entry(None))
    assert [one["operation"] for one in documents(traffic, "exchange")] == ["batch", "other", "read", "write"]
    assert documents(traffic, "batched_write") == []


def test_whether_each_entry_was_answered_is_told_of_a_207_alone() -> None:
    one = entry(event())
    for status, answers, expected in ((207, [{"status": 202}], True), (207, [], False), (202, [], None)):
        document = documents(batch(Traffic(), 0, one, status=status, answers=answers), "exchange")[0]
        assert document.get("entries_answered") is expected


def test_a_batch_whose_body_is_not_recorded_may_have_been_about_any_event() -> None:
    traffic = batch(Traffic().write(-60, event()).read(-50, item(ASSIGNED)), 0, entry(event()))
    traffic.exchanges[-1] = structs.replace(
        traffic.exchanges[-1],
        request=Request("POST", BATCH, traffic.exchanges[-1].request.headers),
        notes=(("request-body", "not-recorded"),),
    )
    [written] = traffic.read(1, item(ASSIGNED)).writes()
    assert written["after"]["closed_by"] == "next-write"
