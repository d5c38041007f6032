"""The laws of observing, one at a time, on traffic made by hand."""

from __future__ import annotations

from typing import Any

import pytest
from facts_traffic import ASSIGNED, Traffic, event, explicit, item
from msgspec import structs

from conformance.facts import Settings
from conformance.http.exchange import NOT_RECORDED

A, B = "https://a.example/1", "https://b.example/2"
READ_A = {"join_url": A, "provider_name": None}
READ_B = {"join_url": B, "provider_name": None}


def states(after: dict[str, Any]) -> list[str]:
    return [shown["state"] for shown in after["observed"]]


def created(body: dict[str, Any]) -> Traffic:
    """A first complete reading that lists nothing, and a creation."""
    return Traffic().read(0).write(1, body)


def settled(traffic: Traffic, shown: dict[str, Any], start: float, count: int = 12, step: float = 2.0) -> Traffic:
    for number in range(count):
        traffic.read(start + number * step, shown)
    return traffic


def test_what_the_first_complete_reading_does_not_list_does_not_exist() -> None:
    (write,) = created(event()).writes()
    assert (write["before"], write["is_create"]) == ({"state": "nonexistent"}, True)


@pytest.mark.parametrize(
    "url", ["", "&only_managed=true&from=2026-01-01", "&only_managed=true&last_modified=2026-01-01"]
)
def test_an_incomplete_reading_says_nothing_of_what_it_does_not_list(url: str) -> None:
    traffic = Traffic().read(0, url=f"http://127.0.0.1/v1/events?tzid=Etc/UTC{url}").write(1, event())
    (write,) = traffic.writes()
    assert "before" not in write
    assert "is_create" not in write


def test_a_reading_that_overlaps_a_write_says_nothing_about_it() -> None:
    traffic = created(event(conferencing=explicit(A)))
    traffic.read(1.05, item(READ_B)).read(3, item(READ_A))
    (write,) = traffic.writes()
    assert [shown["conferencing"] for shown in write["after"]["observed"]] == [READ_A]


def test_a_reading_that_a_later_write_overlaps_says_nothing_about_the_earlier_one() -> None:
    traffic = created(event(conferencing=explicit(A)))
    traffic.read(3, item(READ_B), took=2.0).write(4, event(summary="other"), took=3.0)
    first, _ = traffic.writes()
    assert first["after"] == {"closed_by": "next-write", "read_count": 0, "window_elapsed": False, "observed": []}


def test_a_value_shown_before_is_no_evidence_until_quiet() -> None:
    traffic = settled(created(event(conferencing=explicit(A))), item(READ_A), 2, count=3)
    traffic.write(10, event(conferencing=explicit(B))).read(11, item(READ_A))
    _, write = traffic.writes()
    assert write["after"]["observed"] == []
    assert write["after"]["latest"]["join_url_as_sent"] == "different"
    assert "stable" not in write["after"]


def test_a_new_value_is_evidence_at_once_if_the_write_before_ended_quiet() -> None:
    traffic = settled(created(event(conferencing=explicit(A))), item(READ_A), 2, count=3)
    traffic.write(10, event()).read(11, item(READ_B))
    _, write = traffic.writes()
    assert [(shown["state"], shown["join_url_as_before"]) for shown in write["after"]["observed"]] == [
        ("assigned", False)
    ]


def test_nothing_is_evidence_at_once_if_the_write_before_did_not_end_quiet() -> None:
    traffic = created(event(conferencing=explicit(A))).write(2, event(conferencing=explicit(B))).read(3, item(READ_B))
    _, write = traffic.writes()
    assert write["before"] == {"state": "in_progress", "pending_request": "explicit", "start": "future"}
    assert "observed" not in write["after"]


def test_quiet_takes_two_equal_readings_over_the_quiet_time() -> None:
    body = event(conferencing=explicit(A))
    (once,) = created(body).read(2, item(READ_A)).writes()
    (soon,) = created(body).read(2, item(READ_A)).read(3, item(READ_A)).writes()
    (late,) = created(body).read(2, item(READ_A)).read(4.2, item(READ_A)).writes()
    assert ["stable" in write["after"] for write in (once, soon, late)] == [False, False, True]


def test_without_times_nothing_is_quiet() -> None:
    traffic = Traffic(times=False).read(0).write(0, event(conferencing=explicit(A)))
    for _ in range(9):
        traffic.read(0, item(READ_B))
    (write,) = traffic.writes()
    assert "stable" not in write["after"]
    assert "start" not in write


def test_a_wrong_state_is_final_only_after_a_second_window() -> None:
    body = event(conferencing=explicit(A))
    traffic = created(body).read(2, item(READ_B)).read(4.5, item(READ_B)).read(5, item(READ_B))
    (write,) = traffic.writes(Settings(quiet=2.0, window=3.0, settle_timeout=15.0))
    assert "settled" not in write["after"]
    (write,) = traffic.read(8, item(READ_B)).writes(Settings(quiet=2.0, window=3.0, settle_timeout=15.0))
    assert write["after"]["settled"]["join_url_as_sent"] == "different"


def test_a_state_that_has_not_moved_since_the_write_must_hold_for_longer() -> None:
    body = event(conferencing={"profile_id": "default"})
    settings = Settings(quiet=2.0, window=2.0, settle_timeout=15.0)
    (soon,) = settled(created(body), item(), 2, count=6).writes(settings)
    (late,) = settled(created(body), item(), 2, count=9).writes(settings)
    assert ("settled" in soon["after"], "settled" in late["after"]) == (False, True)


def test_pending_is_never_quiet_and_timed_out_in_the_end() -> None:
    traffic = settled(created(event(conferencing={"profile_id": "default"})), item({"pending": True}), 2, count=9)
    (write,) = traffic.writes()
    assert states(write["after"]) == ["pending"]
    assert write["after"]["timed_out"] is True
    assert "stable" not in write["after"]


def test_a_settled_value_that_changes_twice_or_in_the_end_has_not_stayed() -> None:
    base = event(conferencing=explicit(A))
    settings = Settings(quiet=2.0, window=2.0, settle_timeout=15.0)

    def stayed(*shown: dict[str, Any]) -> bool:
        traffic = settled(created(base), item(READ_A), 2, count=6)
        for number, value in enumerate(shown):
            traffic.read(20 + number, item(value))
        (write,) = traffic.writes(settings)
        answer: bool = write["after"]["remained"]
        return answer

    assert stayed(READ_A, READ_A)
    assert stayed(READ_B, READ_A)
    assert not stayed(READ_B)
    assert not stayed(READ_B, READ_A, READ_B, READ_A)


def test_an_unknown_fate_makes_the_next_before_unknown_and_a_repeat_is_one_episode() -> None:
    body = event(conferencing=explicit(A))
    (write,) = Traffic().read(0).write(1, body, None).write(2, body).writes()
    assert write["before"] == {"state": "nonexistent"}
    _, other = Traffic().read(0).write(1, body, 500).write(2, event()).writes()
    assert "before" not in other


def test_429_is_no_write() -> None:
    assert Traffic().read(0).write(1, event(), 429).writes() == []


def test_an_event_that_was_deleted_does_not_exist() -> None:
    traffic = settled(created(event(conferencing=explicit(A))), item(READ_A), 2, count=3).delete(10).write(11, event())
    assert [write["requested"] for write in traffic.writes()] == ["explicit", "delete", "omitted"]
    assert traffic.writes()[2]["before"] == {"state": "nonexistent"}


def test_a_write_that_omits_conferencing_leaves_what_was_known_where_nobody_else_writes() -> None:
    """Of explicit conferencing, and of none; a generated conference may follow a new summary or time."""
    traffic = settled(created(event(conferencing=explicit(A))), item(READ_A), 2, count=3)
    traffic.write(10, event()).write(11, event(summary="other"))
    assert "before" not in traffic.writes()[-1]
    assert traffic.writes(Settings(quiet=2.0, only_writer=True))[-1]["before"] == {
        "state": "assigned", "conferencing": READ_A, "requested_as": "explicit",
    }  # fmt: skip
    nothing = Traffic().read(0).write(1, event()).write(2, event())
    assert nothing.writes(Settings(quiet=2.0, only_writer=True))[-1]["before"] == {"state": "none"}
    assert nothing.writes(Settings(quiet=2.0, complete_recording=True))[-1]["before"]["state"] == "none"
    slow = Traffic().read(0).write(1, event()).write(2, event(conferencing=explicit(A))).read(3)
    assert (
        slow.writes(Settings(quiet=2.0, only_writer=True))[1]["after"]["observed"] == []
    )  # the creation may not be listed yet
    other = Traffic().read(0).write(1, event()).read(2, item(READ_B)).write(3, event())
    assert "before" not in other.writes(Settings(quiet=2.0, only_writer=True))[-1]


def test_a_refused_write_leaves_what_was_known() -> None:
    traffic = settled(created(event(conferencing=explicit(A))), item(READ_A), 2, count=3)
    traffic.write(10, event(summary="other", conferencing={"profile_id": "integrated"}), 422)
    traffic.read(11, item(READ_A)).read(14, item(READ_A)).write(15, event())
    _, refused, after = traffic.writes()
    assert refused["outcome"] == "refused"
    assert refused["after"]["stable"]["fields_changed_since_before"] == []
    assert (after["before"]["state"], after["before"]["requested_as"]) == ("assigned", "explicit")


def test_a_generated_conference_has_the_request_behind_it_as_its_origin() -> None:
    traffic = settled(created(event(conferencing={"profile_id": "default"})), item(ASSIGNED), 2, count=3)
    traffic.write(10, event(description="new"))
    settled(traffic, item(ASSIGNED, description="new"), 11, count=3).write(20, event())
    origins = [write["before"].get("requested_as") for write in traffic.writes()]
    assert origins == [None, "default", "default"]


def test_an_event_written_elsewhere_is_seen_on_another_calendar() -> None:
    traffic = created(event()).read(3, item(), {**item(), "calendar_id": "cal_B"})
    readings = [facts.document for facts in traffic.facts() if facts.about == "reading"]
    assert readings[-1]["listing"]["wrong_calendar"] == ["e1"]


def test_a_write_whose_body_was_not_recorded_leaves_nothing_known() -> None:
    traffic = settled(created(event(conferencing=explicit(A))), item(READ_A), 2, count=3)
    traffic.write(10, event())
    traffic.exchanges[-1] = structs.replace(traffic.exchanges[-1], notes=(("request-body", NOT_RECORDED),))
    traffic.read(11, item(READ_B)).write(12, event())
    assert [write.get("before") for write in traffic.writes()] == [{"state": "nonexistent"}, None]


def test_form_fields_are_a_body_too() -> None:
    from conformance.facts.routes import form_json

    body = (
        b"event_id=e1&start[time]=2026-01-01T00:00:00Z&start[tzid]=Etc/UTC&calendar_ids[]=a&calendar_ids[]=b"
        b"&subscriptions[][type]=webhook&subscriptions[][interactions][][type]=one"
        b"&subscriptions[][interactions][][type]=two&subscriptions[][type]=webhook"
    )
    numbered = (
        b"event_id=e1&start[time]=2026-01-01T00:00:00Z&start[tzid]=Etc/UTC&calendar_ids[0]=a&calendar_ids[1]=b"
        b"&subscriptions[0][type]=webhook&subscriptions[0][interactions][0][type]=one"
        b"&subscriptions[0][interactions][1][type]=two&subscriptions[1][type]=webhook"
    )
    assert form_json(numbered) == form_json(body)
    assert form_json(body) == {
        "event_id": "e1",
        "start": {"time": "2026-01-01T00:00:00Z", "tzid": "Etc/UTC"},
        "calendar_ids": ["a", "b"],
        "subscriptions": [
            {"type": "webhook", "interactions": [{"type": "one"}, {"type": "two"}]},
            {"type": "webhook"},
        ],
    }


def test_a_deletion_that_is_repeated_after_a_5xx_may_find_that_it_is_done() -> None:
    traffic = Traffic().write(0, event()).read(1, item()).read(4, item())
    written = traffic.delete(5, 502).delete(6, 404).writes()
    assert [write.get("before") for write in written if write["requested"] == "delete"] == [None]


def test_what_a_lagging_reading_still_shows_of_a_deleted_event_may_be_missing_later() -> None:
    traffic = Traffic().read(-5).write(0, event()).read(1, item()).read(4, item()).delete(5)
    traffic.read(6, item()).read(9, item()).read(12)
    missing = [facts.document["listing"]["missing"] for facts in traffic.facts() if facts.about == "reading"]
    assert missing == [[]] * 6


def test_an_event_that_was_shown_for_long_enough_is_missed_where_it_is_not_listed() -> None:
    traffic = Traffic().read(-5).write(0, event()).read(1, item()).read(4, item()).read(30)
    missing = [facts.document["listing"]["missing"] for facts in traffic.facts() if facts.about == "reading"]
    assert missing == [[], [], [], ["e1"]]


def test_pending_that_comes_again_long_after_the_conference_is_no_staying() -> None:
    traffic = created(event(conferencing=explicit(A))).read(2, item({"pending": True})).read(3, item(READ_A))
    for at in (4, 5, 20, 30):
        traffic.read(at, item({"pending": True}))
    (write,) = traffic.writes()
    assert write["after"]["remained"] is False
    assert "settled" not in write["after"]


def test_pending_that_is_read_soon_after_the_conference_may_be_stale() -> None:
    traffic = created(event(conferencing=explicit(A))).read(2, item(READ_A))
    for at in (2.5, 3, 3.5, 4):
        traffic.read(at, item({"pending": True}))
    (write,) = traffic.writes()
    assert "remained" not in write["after"]


def test_pending_after_the_conference_may_be_that_of_the_request_that_overtook_another() -> None:
    traffic = created(event(conferencing=explicit(A))).write(1.2, event(conferencing={"profile_id": "default"}))
    traffic.read(3, item({"join_url": B, "provider_name": "zoom"}))
    for at in (20, 30, 40):
        traffic.read(at, item({"pending": True}))
    _, second = traffic.writes()
    assert "remained" not in second["after"]


def test_the_last_reading_alone_counts_only_with_what_was_never_shown_before() -> None:
    """Law remains: what was shown or asked for before may be a stale reading."""

    def remained(last: str) -> bool:
        traffic = Traffic()
        for number in range(3):
            traffic.read(3 * number, item({"join_url": "https://a.example/1", "provider_name": None}))
        traffic.write(10, event(conferencing=explicit("https://b.example/2")))
        for number in range(12):
            traffic.read(11 + 3 * number, item({"join_url": "https://b.example/2", "provider_name": None}))
        traffic.read(60, item({"join_url": last, "provider_name": None}))
        [facts] = traffic.writes()
        found: bool = facts["after"]["remained"]
        return found

    assert not remained("https://c.example/3")
    assert remained("https://a.example/1")


@pytest.mark.parametrize(
    ("shown", "ended"),
    [
        ({"summary": "Hers", "updated": "2026-11-22T10:05:00Z"}, True),
        ({"summary": "Hers", "updated": "2026-11-22T09:55:00Z"}, False),
        ({"updated": "2026-11-22T10:05:00Z"}, True),
        ({"updated": "2026-11-22T10:00:05Z"}, False),  # so soon it is more likely the server's own work
        ({}, False),
    ],
)
def test_what_somebody_else_wrote_later_says_nothing_about_this_write(shown: dict[str, Any], ended: bool) -> None:
    traffic = created(event(conferencing=explicit(A)))
    traffic.read(2, item(READ_A, updated="2026-11-22T10:00:00Z")).read(14, item(READ_A, updated="2026-11-22T10:00:00Z"))
    for at in range(30, 200, 20):
        traffic.read(at, item(READ_B, **shown))
    (write,) = traffic.writes()
    assert (write["after"]["closed_by"] == "next-write") == ended
    assert ("different" in str(write["after"])) == (not ended)
    for alone in (Settings(quiet=2.0, complete_recording=True), Settings(quiet=2.0, only_writer=True)):
        (write,) = traffic.writes(alone)
        assert "different" in str(write["after"])


LINK = {"join_url": "https://zoom.example/1", "provider_name": "zoom"}


@pytest.mark.parametrize(
    ("requested", "first", "then", "ended"),
    [
        (explicit(A), READ_A, None, True),
        (explicit(A), READ_A, {"pending": True}, False),
        (explicit(A), READ_B, READ_A, False),  # what was there before gives way to what was requested
        ({"profile_id": "none"}, None, LINK, True),
        ({"profile_id": "default"}, LINK, READ_B, True),
        ({"profile_id": "default"}, None, LINK, False),
        (None, None, LINK, True),
    ],
)
def test_conferencing_that_had_come_and_changes_much_later_may_be_the_work_of_somebody_else(
    requested: Any, first: Any, then: Any, ended: bool
) -> None:
    traffic = created(event() if requested is None else event(conferencing=requested))
    traffic.read(2, item(first, updated="2026-11-22T10:00:00Z")).read(40, item(then, updated="2026-11-22T10:00:30Z"))
    (write,) = traffic.writes()
    assert (write["after"]["closed_by"] == "next-write") == ended
    assert (write["after"].get("remained") is False) == ended


@pytest.mark.parametrize("ended", [True, False])
def test_an_update_without_conferencing_keeps_what_somebody_else_may_change_later(ended: bool) -> None:
    traffic = settled(created(event(conferencing=explicit(A))), item(READ_A, updated="2026-11-22T10:00:00Z"), 2)
    traffic.write(100, event()).read(102, item(READ_A if ended else READ_B, updated="2026-11-22T10:02:00Z"))
    traffic.read(140, item(updated="2026-11-22T10:02:30Z"))
    write = traffic.writes()[-1]
    assert (write["after"]["closed_by"] == "next-write") == ended


@pytest.mark.parametrize(
    ("versions", "until", "remained"),
    [
        ((1, 1), 60, False),
        ((0, 1), 60, None),  # a replica that is behind
        ((None, None), 60, None),
        ((1, 1), 10, None),  # for some seconds readings may go back in time
    ],
)
def test_a_version_that_shows_now_this_and_now_that_does_not_remain(
    versions: Any, until: int, remained: bool | None
) -> None:
    traffic = created(event(conferencing={"profile_id": "none"}))
    for at in range(2, until, 4):
        for number, (shown, version) in enumerate(zip((ASSIGNED, None), versions, strict=True)):
            updated = {} if version is None else {"updated": f"2026-11-22T10:00:0{version}Z"}
            traffic.read(at + 2 * number, item(shown, **updated))
    (write,) = traffic.writes(Settings())
    assert write["after"].get("remained") is remained


@pytest.mark.parametrize(
    ("service", "moves"), [("zoom", True), ("go_to", False)], ids=["the same service", "another service"]
)
def test_where_links_change_by_themselves_another_link_proves_nothing_against_a_write(
    service: str, moves: bool
) -> None:
    """A provider may move its conferences some seconds after they were made, whoever writes or not."""
    first, later = ({"join_url": f"https://zoom.example/{n}", "provider_name": "zoom"} for n in (1, 2))
    traffic = Traffic().read(0).write(1, event(event_id="other", conferencing={"profile_id": "default"}))
    traffic.write(1.5, event(conferencing={"profile_id": "default"}))
    other = ({"join_url": f"https://o.example/{n}", "provider_name": name} for n, name in ((1, "zoom"), (2, service)))
    others = [item(one, event_id="other") for one in other]
    for at in (2, 5):
        traffic.read(at, item(first), others[0])
    traffic.write(6, event(description="Changed"))
    for at in (7, 10, 13, 16, 19, 22):
        traffic.read(at, item(later, description="Changed"), others[1])
    last = traffic.writes()[-1]
    assert last["before"]["state"] == "assigned"
    latest = last["after"]["latest"]
    assert ("join_url_may_move" in latest, "join_url_as_before" in latest) == (moves, not moves)
    assert [one["state"] for one in last["after"]["observed"]] == ([] if moves else ["assigned"])
    explicit_after = traffic.write(30, event(conferencing=explicit(A))).read(31, item(later)).writes()[-1]
    assert "join_url_may_move" not in explicit_after["after"]["latest"]
