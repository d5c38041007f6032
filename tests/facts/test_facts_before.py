"""What was there before a write: shown by readings, assumed of a complete recording, or told by `created`."""

from __future__ import annotations

from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest
from facts_traffic import Traffic, event, explicit, item
from msgspec import structs

from conformance.facts import Settings

A, B = "https://a.example/1", "https://b.example/2"
SETTINGS = Settings(quiet=2.0, settle_timeout=15.0)
COMPLETE = replace(SETTINGS, complete_recording=True)


def shown(url: str, **fields: Any) -> dict[str, Any]:
    return item({"join_url": url, "provider_name": None}, **fields)


def dated(traffic: Traffic) -> Traffic:
    """The same exchanges, each answered with the server's Date."""
    traffic.exchanges = [
        structs.replace(
            one, response=structs.replace(one.response, headers=(("Date", formatdate(one.answered_at, usegmt=True)),))
        )
        for one in traffic.exchanges
        if one.response is not None and one.answered_at is not None
    ]
    return traffic


def without_tokens(traffic: Traffic) -> Traffic:
    """The same exchanges, of whose headers a recorder kept none."""
    traffic.exchanges = [
        structs.replace(one, request=structs.replace(one.request, headers=()), headers_complete=False)
        for one in traffic.exchanges
    ]
    return traffic


def sparse(conferencing: Any = None, *rows: dict[str, Any]) -> Traffic:
    """A write that no reading came before, and what readings showed each five seconds."""
    body = event() if conferencing is None else event(conferencing=conferencing)
    traffic = Traffic().write(0, body)
    for number, row in enumerate(rows):
        traffic.read(1 + 5 * number, row)
    return traffic


def test_nothing_is_known_before_the_first_write_of_a_recording() -> None:
    [facts] = sparse(explicit(A), shown(A)).writes(SETTINGS)
    assert "before" not in facts
    assert "observed" not in facts["after"]


def test_what_holds_in_the_end_is_known_whatever_was_before() -> None:
    [facts] = sparse(explicit(A), *[shown(B)] * 12).writes(SETTINGS)
    assert facts["after"]["settled"]["join_url_as_sent"] == "different"


def test_a_row_that_does_not_show_the_write_says_nothing_of_it_in_the_end() -> None:
    [facts] = sparse(explicit(A), *[shown(B, summary="Other")] * 12).writes(SETTINGS)
    assert "settled" not in facts["after"]


def test_a_row_that_was_updated_before_the_write_says_nothing_of_it_in_the_end() -> None:
    old, new = "2026-09-21T13:00:00Z", "2026-09-21T14:13:20Z"
    for updated, is_there in ((old, False), (new, True)):
        [facts] = dated(sparse(explicit(A), *[shown(B, updated=updated)] * 12)).writes(SETTINGS)
        assert ("settled" in facts["after"]) == is_there, updated


@pytest.mark.parametrize(
    ("created", "known"),
    [
        ("2026-09-21T14:13:21Z", True),
        ("2026-09-21T14:14:10Z", True),
        ("2026-09-21T14:15:10Z", False),
        ("2026-09-21T14:00:00Z", False),
        ("yesterday", False),
    ],
)
def test_an_event_that_was_created_when_it_was_first_written_was_not_there_before(created: str, known: bool) -> None:
    [facts] = dated(sparse(explicit(A), *[shown(A, created=created)] * 12)).writes(SETTINGS)
    assert facts.get("before") == ({"state": "nonexistent", "known_by": "created"} if known else None)
    assert facts.get("is_create") == (True if known else None)


def test_created_shortly_before_the_write_supports_only_what_is_judged_in_the_end() -> None:
    created = "2026-09-21T14:13:00Z"
    rows = [shown(B, created=created), *[shown(A, created=created)] * 12]
    [facts] = dated(sparse(explicit(A), *rows)).writes(SETTINGS)
    assert [one["join_url_as_sent"] for one in facts["after"]["observed"]] == ["identical"]


SOON = "2026-09-21T14:13:21Z"


@pytest.mark.parametrize("row", [shown(B, updated=SOON), item({"pending": True}, updated=SOON)])
def test_one_new_value_is_no_evidence_where_created_alone_tells_what_was_before(row: Any) -> None:
    """It may be the late effect of a write a second before: by the set-up of a test, which was not recorded."""
    [facts] = dated(sparse(explicit(A), {**row, "created": SOON}, shown(A, created=SOON))).writes(SETTINGS)
    assert facts["before"]["known_by"] == "created"
    assert facts["after"]["observed"] == []


@pytest.mark.parametrize(("readings", "observed"), [(2, []), (12, ["different"])])
def test_a_stable_value_is_no_evidence_before_it_is_settled_where_created_alone_tells_what_was_before(
    readings: int, observed: list[str]
) -> None:
    """A set-up that was not recorded asked for it a second before, and the recorded write waits its turn."""
    rows = [shown(B, created="2026-09-21T14:13:19Z", updated=SOON)] * readings
    [facts] = dated(sparse(explicit(A), *rows)).writes(SETTINGS)
    assert facts["before"]["known_by"] == "created"
    assert [one["join_url_as_sent"] for one in facts["after"]["observed"]] == observed


def test_created_says_nothing_of_a_write_that_leaves_conferencing_out() -> None:
    [facts] = dated(sparse(None, *[item(created="2026-09-21T14:13:20Z")] * 12)).writes(SETTINGS)
    assert "before" not in facts


def test_created_that_varies_says_nothing() -> None:
    rows = [shown(A, created=f"2026-09-21T14:13:2{number % 2}Z") for number in range(12)]
    [facts] = dated(sparse(explicit(A), *rows)).writes(SETTINGS)
    assert "before" not in facts


def test_without_the_servers_own_clock_created_says_nothing() -> None:
    [facts] = sparse(explicit(A), *[shown(A, created="2026-09-21T14:13:20Z")] * 12).writes(SETTINGS)
    assert "before" not in facts


def test_created_says_nothing_of_the_second_write() -> None:
    traffic = sparse(explicit(A), shown(A, created="2026-09-21T14:13:20Z"))
    traffic.write(8, event(conferencing=explicit(B), summary="Two"))
    traffic.read(9, shown(B, summary="Two", created="2026-09-21T14:13:20Z"))
    first, second = dated(traffic).writes(SETTINGS)
    assert first["before"]["known_by"] == "created"
    assert "known_by" not in second.get("before", {})


def test_in_a_complete_recording_the_first_write_of_an_event_creates_it() -> None:
    [facts] = sparse(explicit(A), shown(A)).writes(COMPLETE)
    assert (facts["before"], facts["is_create"]) == ({"state": "nonexistent"}, True)
    assert len(facts["after"]["observed"]) == 1


def test_whoever_sends_it_the_first_write_of_an_event_creates_it_in_a_complete_recording() -> None:
    [facts] = without_tokens(sparse(explicit(A), shown(A), shown(A))).writes(COMPLETE)
    assert (facts["account"], facts["before"], facts["is_create"]) == ("unknown", {"state": "nonexistent"}, True)
    assert len(facts["after"]["observed"]) == 1


@pytest.mark.parametrize("settings", [SETTINGS, COMPLETE])
def test_without_tokens_an_event_on_another_calendar_may_be_that_of_somebody_else(settings: Settings) -> None:
    traffic = without_tokens(sparse(explicit(A), shown(A), shown(A, calendar_id="cal_other")))
    [*_, listing] = [facts.document["listing"] for facts in traffic.facts(settings) if facts.about == "reading"]
    assert not listing.get("wrong_calendar"), listing


def test_an_older_event_was_there_before_a_recording_that_is_said_to_be_complete() -> None:
    [facts] = dated(sparse(explicit(A), *[shown(A, created="2026-09-20T00:00:00Z")] * 3)).writes(COMPLETE)
    assert "before" not in facts


def test_what_readings_showed_goes_before_what_is_assumed() -> None:
    traffic = Traffic()
    for number in range(3):
        traffic.read(5 * number, shown(B))
    traffic.write(20, event(conferencing=explicit(A)))
    [facts] = traffic.writes(COMPLETE)
    assert facts["before"]["state"] == "assigned"


def test_no_conferencing_that_was_stable_counts_once_a_conference_comes() -> None:
    traffic = Traffic().read(0).write(1, event(conferencing={"profile_id": "default"}))
    for number in range(4):
        traffic.read(2 + 2 * number, item())
    for number in range(4):
        traffic.read(12 + 2 * number, shown(A))
    [facts] = traffic.writes(SETTINGS)
    assert [one["state"] for one in facts["after"]["observed"]] == ["none", "assigned"]


def test_a_conference_that_replaces_one_that_was_stable_after_the_write_is_late() -> None:
    traffic = Traffic()
    for number in range(4):
        traffic.read(2 * number, shown(B))
    traffic.write(10, event(conferencing={"profile_id": "default"}, summary="Two"))
    for number in range(4):
        traffic.read(11 + 2 * number, shown(B, summary="Two"))
    for number in range(4):
        traffic.read(20 + 2 * number, shown(A, summary="Two"))
    [facts] = traffic.writes(SETTINGS)
    assert facts["after"]["replaced_late"] is True


def test_the_old_conference_in_a_row_from_before_the_write_is_a_stale_reading() -> None:
    traffic = Traffic()
    for number in range(4):
        traffic.read(2 * number, shown(B))
    traffic.write(10, event(conferencing={"profile_id": "default"}, summary="Two"))
    for number in range(4):
        traffic.read(11 + 2 * number, shown(B))
    traffic.read(20, shown(A, summary="Two"))
    [facts] = traffic.writes(SETTINGS)
    assert "replaced_late" not in facts["after"]


@pytest.mark.parametrize("rows", [(), (item(),)], ids=["missing", "none"])
def test_what_readings_show_until_an_accepted_request_is_read_is_not_what_the_next_write_finds(rows: Any) -> None:
    """Readings that lag by some seconds: what was asked for may still come, and was not asked by the next write."""
    traffic = Traffic()
    for number in range(4):
        traffic.read(2 * number, *rows)
    traffic.write(10, event(conferencing={"profile_id": "integrated"}))
    for number in range(3):
        traffic.read(11 + 1.5 * number, *rows)
    traffic.write(16, event())
    facts = traffic.writes(SETTINGS)[-1]
    assert facts["before"]["state"] == "in_progress"


def test_what_is_shown_for_long_after_a_request_is_what_the_next_write_finds() -> None:
    traffic = Traffic()
    for number in range(4):
        traffic.read(2 * number, item())
    traffic.write(10, event(conferencing={"profile_id": "integrated"}))
    for number in range(12):
        traffic.read(11 + 2 * number, item())
    traffic.write(40, event())
    facts = traffic.writes(SETTINGS)[-1]
    assert facts["before"]["state"] == "none"


def test_an_event_that_is_missing_after_two_writes_in_a_row_may_not_be_read_yet() -> None:
    traffic = Traffic().read(0).write(1, event(conferencing={"profile_id": "default"}))
    traffic.write(1.2, event(conferencing={"profile_id": "none"}))
    for number in range(4):
        traffic.read(2 + 2 * number)
    for number in range(12):
        traffic.read(10 + 2 * number, item())
    facts = traffic.writes(SETTINGS)[-1]
    assert facts["after"]["settled"]["state"] == "none"


@pytest.mark.parametrize(("day", "before"), [("2026-09-01", "none"), ("2026-10-21", "in_progress")])
def test_a_request_for_a_past_event_leaves_nothing_on_its_way(day: str, before: str) -> None:
    times = {"start": f"{day}T10:00:00Z", "end": f"{day}T11:00:00Z"}
    traffic = Traffic().read(0).write(1, event(**times)).read(2, item(**times)).read(6, item(**times))
    traffic.write(8, event(**times, conferencing={"profile_id": "default"}))
    traffic.read(9, item(**times)).read(13, item(**times)).write(14, event())
    assert traffic.writes(SETTINGS)[-1]["before"]["state"] == before


@pytest.mark.parametrize(
    ("start", "created", "lies"),
    [
        ("2026-09-21T15:30:00Z", "2026-09-21T14:13:21Z", "future"),
        ("2026-09-21T18:30:00+03:00", "2026-09-21T14:13:21Z", "future"),
        ("2026-09-21T13:00:00Z", "2026-09-21T14:13:21Z", "running"),
        ("2026-09-21T15:00:00Z", "2026-09-21T14:13:21Z", None),  # within the hour
        ("2026-09-21T15:30:00", "2026-09-21T14:13:21Z", None),  # in whose time zone?
        ("2026-09-21T15:30:00Z", "2026-09-21T14:13:10Z", None),  # somebody else's clock, or writing
        ("2026-09-21T15:30:00Z", "2026-09-21T14:13:40Z", None),
    ],
)
def test_the_event_that_a_write_created_shows_the_servers_clock_to_the_hour(
    start: str, created: str, lies: str | None
) -> None:
    times = {"start": start, "end": start.replace("2026-09-21", "2026-09-23")}
    traffic = Traffic().write(0, event(**times, conferencing=explicit(A))).read(1, shown(A, **times, created=created))
    [facts] = dated(traffic).writes(SETTINGS)
    assert facts.get("start") == lies


@pytest.mark.parametrize(("settings", "name"), [(COMPLETE, "conferencing"), (SETTINGS, "shown")])
def test_a_conference_that_was_shown_once_is_known_where_every_write_is_recorded(settings: Settings, name: str) -> None:
    row = item({"join_url": A, "provider_name": "zoom"}, created=SOON, updated=SOON)
    traffic = dated(sparse({"profile_id": "default"}, row).write(9, event(summary="other")).read(10))
    before = traffic.writes(settings)[1]["before"]
    assert before.get(name) == row["conferencing"]
    assert len({"conferencing", "shown"} & before.keys()) == 1
