"""The answers of the reference server, endpoint by endpoint, on a virtual clock."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from reference_probe import DAY, HOUR, ORIGIN, SETTLE, START, Probe, calendar_of, event, explicit

from conformance.reference import INVENTORY
from conformance.reference.server import ReferenceServer
from conformance.reference.timestamps import utc

WORK, BARE, GRAPH, HOME = (calendar_of("default", name) for name in ("Work", "Without Meet", "Graph", "Home"))
ZOOM = INVENTORY.by_name["profiles"].profiles[0]


def conferencing(profile_id: str) -> dict[str, str]:
    return {"profile_id": profile_id}


@pytest.fixture
def probe() -> Probe:
    return Probe()


def settled(probe: Probe, account: str, calendar: str, conferencing: Any, **more: Any) -> Any:
    """The conferencing of a new event in the end."""
    answer = probe.write(account, calendar_of(account, calendar), event("Event", conferencing, **more))
    assert answer.status == 202
    return probe.conferencing("Event", account)


def provider(conferencing: Any) -> str | None:
    return conferencing and conferencing["provider_name"]


def test_a_conference_is_pending_until_it_has_settled(probe: Probe) -> None:
    assert probe.write("default", WORK, event("a", conferencing("default"))).body is None
    assert probe.event("a")["conferencing"] == {"pending": True}
    probe.wait(0.99)
    assert probe.event("a")["conferencing"] == {"pending": True}
    probe.wait(0.02)
    shown = probe.event("a")["conferencing"]
    assert set(shown) == {"provider_name", "join_url"}
    assert shown["join_url"].startswith("https://meet.google.com/")


def test_explicit_conferencing_is_pending_and_then_as_sent(probe: Probe) -> None:
    url = "HTTP://Meet.example.com:8080/Room/%7eA?x=1&y=%2F#Now"
    probe.write("default", HOME, event("a", explicit(url)))
    assert probe.event("a")["conferencing"] == {"pending": True}
    assert probe.conferencing("a") == {"provider_name": None, "join_url": url}


def test_omitted_conferencing_changes_nothing(probe: Probe) -> None:
    before = settled(probe, "default", "Work", conferencing("integrated"))
    for change in ({"summary": "Renamed"}, {"description": "Other"}, {"start": utc(START + 2 * DAY)}):
        probe.write("default", WORK, {**event("Event"), **change})
        assert probe.event("Event")["conferencing"] == before


def test_a_pending_conference_survives_an_update_without_conferencing(probe: Probe) -> None:
    probe.write("default", WORK, event("a", conferencing("integrated")))
    probe.write("default", WORK, event("a", summary="Renamed"))
    assert probe.event("a")["conferencing"] == {"pending": True}
    assert provider(probe.conferencing("a")) == "google_meet"


def test_none_removes_at_once_and_cancels_what_is_pending(probe: Probe) -> None:
    probe.write("default", WORK, event("a", conferencing("integrated")))
    probe.write("default", WORK, event("a", conferencing("none")))
    assert "conferencing" not in probe.event("a")
    assert probe.conferencing("a") is None


def test_a_newer_request_replaces_an_older_one(probe: Probe) -> None:
    probe.write("profiles", calendar_of("profiles", "Work"), event("a", conferencing("integrated")))
    probe.wait(0.5)
    probe.write("profiles", calendar_of("profiles", "Work"), event("a", conferencing(ZOOM.profile_id)))
    assert provider(probe.conferencing("a", "profiles")) == "zoom"


@pytest.mark.parametrize(
    ("account", "calendar", "expected"),
    [
        ("default", "Work", "google_meet"),
        ("default", "Without Meet", None),
        ("default", "Graph", "ms_teams_for_business"),
        ("default", "On-premises", None),
        ("default", "Home", None),
        ("profiles", "Work", "zoom"),
        ("profiles", "Home", "zoom"),
        ("chosen", "Work", "zoom"),
        ("several", "On-premises", "ms_teams"),
    ],
)
def test_default_takes_the_profile_then_the_calendars_own_service_then_nothing(
    probe: Probe, account: str, calendar: str, expected: str | None
) -> None:
    assert provider(settled(probe, account, calendar, conferencing("default"))) == expected


def test_integrated_is_the_calendars_own_service_even_with_a_profile(probe: Probe) -> None:
    assert provider(settled(probe, "profiles", "Graph", conferencing("integrated"))) == "ms_teams_for_business"


def test_a_named_profile_is_not_the_default(probe: Probe) -> None:
    go_to = INVENTORY.by_name["chosen"].profiles[0]
    assert provider(settled(probe, "chosen", "Work", conferencing(go_to.profile_id))) == "go_to"


def test_a_disconnected_profile_stays_pending(probe: Probe) -> None:
    zoom = INVENTORY.by_name["disconnected"].profiles[0]
    assert settled(probe, "disconnected", "Work", conferencing(zoom.profile_id)) == {"pending": True}


def test_8x8_is_accepted_and_generates_nothing(probe: Probe) -> None:
    assert settled(probe, "profiles", "Work", conferencing("8x8")) is None


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (utc(START - 2 * DAY), utc(START - 2 * DAY + HOUR)),
        (utc(START - HOUR), utc(START + HOUR)),
        ({"time": utc(START - HOUR), "tzid": "Asia/Tokyo"}, {"time": utc(START + HOUR), "tzid": "Asia/Tokyo"}),
        (utc(START - 2 * DAY)[:10], utc(START)[:10]),
    ],
)
@pytest.mark.parametrize(
    "requested", [conferencing("default"), conferencing("integrated"), conferencing(ZOOM.profile_id)]
)
def test_an_event_that_has_begun_gets_no_conference(probe: Probe, start: Any, end: Any, requested: Any) -> None:
    assert settled(probe, "profiles", "Work", requested, start=start, end=end) is None


def test_an_update_of_an_event_that_has_begun_keeps_what_it_has(probe: Probe) -> None:
    before = settled(probe, "profiles", "Work", explicit())
    past = {"start": utc(START - 2 * DAY), "end": utc(START - DAY)}
    probe.write("profiles", calendar_of("profiles", "Work"), event("Event", conferencing("default"), **past))
    assert probe.conferencing("Event", "profiles") == before


def test_integrated_is_refused_as_documented_where_it_is_not_available(probe: Probe) -> None:
    probe.write("default", HOME, event("a", explicit()))
    probe.wait(2)
    before = probe.event("a")
    answer = probe.write("default", HOME, event("a", conferencing("integrated"), summary="Changed"))
    assert answer.status == 422
    assert answer.body == {
        "errors": {
            "conferencing.profile_id": [
                {
                    "key": "errors.integrated_conferencing_not_available",
                    "description": "Integrated conferencing is not available on this calendar",
                }
            ]
        }
    }
    assert probe.event("a") == before


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"event_id": ""}, {"event_id"}),
        ({"summary": None}, {"summary"}),
        ({"summary": "x" * 1025}, {"summary"}),
        ({"description": ["text"]}, {"description"}),
        ({"start": None, "end": None}, {"start", "end"}),
        ({"start": "2027-02-30T10:00:00Z"}, {"start"}),
        ({"start": {"time": "2027-02-03T10:00:00Z", "tzid": "Moon/Sea"}}, {"start"}),
        ({"start": 5}, {"start"}),
        ({"start": "1899-12-31"}, {"start"}),
        ({"end": "9999-12-31T23:59:59-12:00"}, {"end"}),
        ({"end": utc(START)}, {"end"}),
        ({"tzid": "Moon/Sea"}, {"tzid"}),
        ({"conferencing": "default"}, {"conferencing"}),
        ({"conferencing": {}}, {"conferencing.profile_id"}),
        ({"conferencing": {"profile_id": "pro_unknown"}}, {"conferencing.profile_id"}),
        ({"conferencing": {"profile_id": "Default"}}, {"conferencing.profile_id"}),
        ({"conferencing": {"profile_id": ["none"]}}, {"conferencing.profile_id"}),
        ({"conferencing": conferencing(ZOOM.profile_id)}, {"conferencing.profile_id"}),
        ({"conferencing": conferencing("explicit")}, {"conferencing.join_url", "conferencing.provider_description"}),
        ({"conferencing": explicit("ftp://example.com/x")}, {"conferencing.join_url"}),
        ({"conferencing": explicit("https://exa mple.com")}, {"conferencing.join_url"}),
        ({"conferencing": explicit("https://[x")}, {"conferencing.join_url"}),
    ],
)
def test_an_invalid_write_is_refused_by_field_and_writes_nothing(
    probe: Probe, change: dict[str, Any], fields: set[str]
) -> None:
    answer = probe.write("default", WORK, {**event("Event"), **change})
    assert answer.status == 422
    assert set(answer.body["errors"]) == fields
    assert all(error["key"].startswith("errors.") for errors in answer.body["errors"].values() for error in errors)
    assert probe.read() == []


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'"text"', b"\xff", b"[" * 100_000, b'{"event_id": NaN}', rb'{"event_id": "\ud800"}']
)
def test_a_body_that_is_no_object_is_refused(probe: Probe, body: bytes) -> None:
    assert probe.write("default", WORK, body).status == 422


def test_a_form_is_read_like_json(probe: Probe) -> None:
    form = {
        "event_id": "Form",
        "summary": "Ätna",
        "start[time]": utc(START + DAY),
        "start[tzid]": "Europe/Rome",
        "end": utc(START + DAY + HOUR),
        "conferencing[profile_id]": "explicit",
        "conferencing[provider_description]": "Room",
        "conferencing[join_url]": "https://meet.example.com/r",
        "attendees[invite][][email]": "a@example.com",
        "attendees[invite][][display_name]": "A",
    }
    content_type = "application/x-www-form-urlencoded; charset=utf-8"
    assert probe.write("default", WORK, urlencode(form).encode(), content_type=content_type).status == 202
    shown = probe.event("Form", localized_times="true")
    assert shown["summary"] == "Ätna"
    assert shown["start"]["tzid"] == "Europe/Rome"
    assert shown["attendees"] == {"invite": [{"email": "a@example.com", "display_name": "A"}]}
    assert probe.conferencing("Form")["join_url"] == "https://meet.example.com/r"


@pytest.mark.parametrize("form", [b"a[=1", b"a=1&a[b]=2", b"a[b]=1&a[]=2", b"a[]=1&a[b]=2"])
def test_a_form_that_does_not_nest_is_refused(probe: Probe, form: bytes) -> None:
    answer = probe.write("default", WORK, form, content_type="application/x-www-form-urlencoded")
    assert answer.status == 422
    assert set(answer.body["errors"]) == {"body"}


def test_an_update_keeps_the_optional_fields_that_it_omits(probe: Probe) -> None:
    probe.write("default", WORK, event("a", location={"description": "Room 1"}))
    body = event("a", summary="Renamed")
    del body["description"]
    probe.write("default", WORK, body)
    shown = probe.event("a")
    assert (shown["summary"], shown["description"], shown["location"]["description"]) == (
        "Renamed",
        "About the plan",
        "Room 1",
    )


def test_a_blank_location_shows_the_url_where_the_host_has_no_conferencing_field(probe: Probe) -> None:
    for calendar, name in ((HOME, "home"), (WORK, "work")):
        probe.write("default", calendar, event(name, explicit("https://meet.example.com/r")))
    probe.wait(2)
    assert probe.event("home")["location"] == {"description": "https://meet.example.com/r"}
    assert "location" not in probe.event("work")


def test_a_deleted_event_is_not_listed_and_its_id_can_be_used_again(probe: Probe) -> None:
    probe.write("default", WORK, event("a", explicit()))
    probe.wait(2)
    assert probe.delete("default", WORK, "a").status == 202
    assert probe.read() == []
    (deleted,) = probe.read("default", include_deleted="true")
    assert (deleted["event_id"], deleted["deleted"]) == ("a", True)
    assert probe.write("default", WORK, event("a")).status == 202
    assert probe.conferencing("a") is None


def test_deleting_an_unknown_event_is_accepted_and_without_an_id_refused(probe: Probe) -> None:
    assert probe.delete("default", WORK, "unknown").status == 202
    assert probe.call("DELETE", f"/v1/calendars/{WORK.calendar_id}/events", body={}).status == 422


def test_a_deletion_without_a_body_is_refused(probe: Probe) -> None:
    assert probe.call("DELETE", f"/v1/calendars/{WORK.calendar_id}/events").status == 422


def test_a_url_is_kept(probe: Probe) -> None:
    probe.write("default", WORK, event("a", url="https://example.com/a"))
    assert probe.event("a")["url"] == "https://example.com/a"


def test_userinfo_is_answered_on_request(probe: Probe) -> None:
    answer = probe.write("default", WORK, event("a", include_userinfo=True))
    assert (answer.status, answer.body["cronofy.type"]) == (202, "userinfo")


def test_managed_events_are_listed_only_with_a_flag(probe: Probe) -> None:
    probe.write("default", WORK, event("a"))
    without = [each.get("event_id") for each in probe.read("default", only_managed="false")]
    both = [each.get("event_id") for each in probe.read("default", only_managed="false", include_managed="True")]
    assert (without, both) == ([None, None, None], [None, None, "a", None])


def test_managed_events_are_listed_at_any_time(probe: Probe) -> None:
    for number, days in enumerate((-900, -1, 1, 900)):
        probe.write("default", WORK, event(f"a{number}", starts_in=days * DAY))
    assert len(probe.read()) == 4


def test_from_and_to_keep_events_that_end_after_and_start_before(probe: Probe) -> None:
    for number in range(4):
        probe.write("default", WORK, event(f"a{number}", starts_in=number * DAY))
    window = {"from": utc(START + DAY + HOUR), "to": utc(START + 3 * DAY)}
    assert [each["event_id"] for each in probe.read("default", **window)] == ["a1", "a2"]


def test_include_moved_lists_events_that_were_in_the_window_before(probe: Probe) -> None:
    probe.write("default", WORK, event("a", starts_in=DAY))
    probe.write("default", WORK, event("a", starts_in=9 * DAY))
    window = {"from": utc(START), "to": utc(START + 3 * DAY)}
    assert probe.read("default", **window) == []
    assert [each["event_id"] for each in probe.read("default", include_moved="true", **window)] == ["a"]


def test_last_modified_lists_what_was_written_or_has_settled_since(probe: Probe) -> None:
    probe.write("default", WORK, event("plain"))
    probe.write("default", WORK, event("settling", explicit()))
    probe.wait(2)
    since = {"last_modified": utc(START + SETTLE / 2)}
    assert [each["event_id"] for each in probe.read("default", **since)] == ["settling"]


def test_calendar_ids_choose_calendars(probe: Probe) -> None:
    for calendar, name in ((WORK, "work"), (HOME, "home"), (GRAPH, "graph")):
        probe.write("default", calendar, event(name))
    chosen = probe.read("default", calendar_ids=(HOME.calendar_id, GRAPH.calendar_id))
    assert {each["event_id"] for each in chosen} == {"home", "graph"}


def test_localized_times_show_the_zone(probe: Probe) -> None:
    start = {"time": "2027-07-01T10:00:00", "tzid": "America/New_York"}
    probe.write("default", WORK, event("a", start=start, end="2027-07-01T18:00:00+02:00"))
    assert (probe.event("a")["start"], probe.event("a")["end"]) == ("2027-07-01T14:00:00Z", "2027-07-01T16:00:00Z")
    shown = probe.event("a", localized_times="true")
    assert shown["start"] == {"time": "2027-07-01T10:00:00-04:00", "tzid": "America/New_York"}


def test_a_date_reads_back_as_a_date(probe: Probe) -> None:
    probe.write("default", WORK, event("a", start="2027-07-01", end="2027-07-02"))
    assert (probe.event("a")["start"], probe.event("a")["end"]) == ("2027-07-01", "2027-07-02")
    assert probe.event("a", localized_times="true")["start"] == {"time": "2027-07-01", "tzid": "Etc/UTC"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"tzid": ""}, "tzid"),
        ({"tzid": "Moon/Sea"}, "tzid"),
        ({"include_deleted": "perhaps"}, "include_deleted"),
        ({"from": "soon"}, "from"),
        ({"to": "2027-13-01"}, "to"),
        ({"calendar_ids": ("cal_unknown",)}, "calendar_ids"),
    ],
)
def test_an_invalid_query_is_refused_by_field(probe: Probe, query: dict[str, Any], field: str) -> None:
    probe.read("default", **query)
    status, body = probe.answers[-1]
    assert (status, set(body["errors"])) == (422, {field})


def test_pages_are_a_snapshot_at_the_servers_own_origin() -> None:
    probe = Probe(page_size=2)
    for number in range(5):
        probe.write("default", WORK, event(f"a{number}", starts_in=number * DAY))
    first = probe.call("GET", "/v1/events", query={"tzid": "Etc/UTC", "only_managed": "true"}).body
    assert (first["pages"]["current"], first["pages"]["total"]) == (1, 3)
    link = first["pages"]["next_page"]
    assert link.startswith(f"{ORIGIN}/v1/events/pages/")
    probe.delete("default", WORK, "a2")
    second = probe.call("GET", link.removeprefix(ORIGIN)).body
    assert [each["event_id"] for each in second["events"]] == ["a2", "a3"]
    third = probe.call("GET", second["pages"]["next_page"].removeprefix(ORIGIN)).body
    assert third["pages"] == {"current": 3, "total": 3}
    assert probe.call("GET", link.removeprefix(ORIGIN), "profiles").status == 404
    assert probe.call("GET", link.removeprefix(ORIGIN), None).status == 401


def test_a_page_with_a_query_is_found_by_the_whole_address_only() -> None:
    probe = Probe(page_size=1, variations=("next-page-with-query",))
    link = probe.call("GET", "/v1/events", query={"tzid": "Etc/UTC"}).body["pages"]["next_page"]
    path, _, query = link.removeprefix(ORIGIN).partition("?")
    assert [probe.call("GET", path, query=each).status for each in (query, "", query + "&tzid=Etc/UTC")] == [
        200,
        404,
        200,
    ]


def test_old_pages_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ReferenceServer, "CURSORS", 2)
    probe = Probe(page_size=1)
    links = [
        probe.call("GET", "/v1/events", query={"tzid": "Etc/UTC"}).body["pages"]["next_page"].removeprefix(ORIGIN)
        for _ in range(2)
    ]
    assert [probe.call("GET", link).status for link in links] == [404, 200]


@pytest.mark.parametrize("token", [None, "", "unknown", "<default>"])
def test_without_a_known_token_every_call_is_answered_401(probe: Probe, token: str | None) -> None:
    for method, path in (
        ("GET", "/v1/events"),
        ("GET", "/v1/calendars"),
        ("GET", "/v1/userinfo"),
        ("GET", "/v1/events/pages/x"),
        ("POST", f"/v1/calendars/{WORK.calendar_id}/events"),
        ("DELETE", f"/v1/calendars/{WORK.calendar_id}/events"),
    ):
        assert probe.call(method, path, None, event("a"), token=token).status == 401
    assert probe.read() == []


def test_unknown_and_foreign_calendars_are_404(probe: Probe) -> None:
    for calendar in ("cal_unknown", calendar_of("profiles", "Work")):
        assert probe.write("default", calendar, event("a")).status == 404
        assert probe.delete("default", calendar, "a").status == 404


@pytest.mark.parametrize("name", ["Holidays", "Old project"])
def test_read_only_and_deleted_calendars_take_no_writes(probe: Probe, name: str) -> None:
    assert probe.write("default", calendar_of("default", name), event("a")).status == 422
    assert probe.delete("default", calendar_of("default", name), "a").status == 422


def test_unknown_paths_are_404(probe: Probe) -> None:
    assert [probe.call(*each).status for each in (("GET", "/"), ("GET", "/v1/else"), ("GET", "/v1/calendars/x"))] == [
        404,
        404,
        404,
    ]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("PUT", "/v1/userinfo", "GET"), ("GET", "/v1/calendars/x/events", "POST, DELETE")],
)
def test_other_methods_are_405_and_named(probe: Probe, method: str, path: str, allowed: str) -> None:
    answer = probe.call(method, path)
    assert (answer.status, answer.headers) == (405, (("allow", allowed),))


def test_accounts_calendars_and_ids_are_separate(probe: Probe) -> None:
    targets = [("default", WORK), ("default", HOME), ("profiles", calendar_of("profiles", "Work"))]
    for number, (account, calendar) in enumerate(targets):
        probe.write(account, calendar, event("Same", explicit(f"https://meet.example.com/{number}")))
    probe.write("default", WORK, event("Same", conferencing("none")))
    probe.wait(2)
    shown = {
        (account, each["calendar_id"]): each.get("conferencing", {}).get("join_url")
        for account in ("default", "profiles")
        for each in probe.read(account)
    }
    assert shown == {
        ("default", WORK.calendar_id): None,
        ("default", HOME.calendar_id): "https://meet.example.com/1",
        ("profiles", targets[2][1].calendar_id): "https://meet.example.com/2",
    }


def test_calendar_list_and_userinfo_show_whether_integrated_is_available(probe: Probe) -> None:
    key = "calendar_integrated_conferencing_available"
    listed = {each["calendar_id"]: each[key] for each in probe.call("GET", "/v1/calendars").body["calendars"]}
    data = probe.call("GET", "/v1/userinfo").body["cronofy.data"]
    shown = {each["calendar_id"]: each[key] for profile in data["profiles"] for each in profile["profile_calendars"]}
    assert (
        listed == shown == {each.calendar_id: each.integrated is not None for each in INVENTORY.accounts[0].calendars}
    )


def test_userinfo_shows_conferencing_profiles_and_relink_urls(probe: Probe) -> None:
    body = probe.call("GET", "/v1/userinfo", "disconnected").body
    shown = body["cronofy.data"]["conferencing_profiles"]
    assert [(each["provider_name"], each["profile_connected"], "profile_relink_url" in each) for each in shown] == [
        ("zoom", False, True),
        ("ms_teams", True, False),
    ]
    assert probe.call("GET", "/v1/userinfo").body["cronofy.data"]["conferencing_profiles"] == []


def test_two_servers_share_nothing_and_the_seed_changes_urls(probe: Probe) -> None:
    other, seeded = Probe(), Probe(seed=1)
    urls = [settled(each, "default", "Work", conferencing("default"))["join_url"] for each in (probe, other, seeded)]
    assert urls[0] == urls[1] != urls[2]


def test_every_answer_is_json(probe: Probe) -> None:
    probe.write("default", WORK, event("a", conferencing("default")))
    probe.read()
    assert json.loads(json.dumps(probe.answers)) == [list(each) for each in probe.answers]


def test_a_batch_is_answered_entry_by_entry(probe: Probe) -> None:
    path = f"/v1/calendars/{WORK.calendar_id}/events"
    bodies = event("a", explicit()), event("b", {"profile_id": "explicit"})
    writes = [{"method": "POST", "relative_url": path, "data": body} for body in bodies]
    entries = [*writes, {"method": "DELETE", "relative_url": path, "data": {"event_id": "a"}}]
    entries += [{"method": "GET", "relative_url": "/v1/nothing"}, {"method": "POST", "relative_url": "/v1/batch"}]
    answer = probe.call("POST", "/v1/batch", "default", {"batch": entries})
    assert answer.status == 207
    assert [each["status"] for each in answer.body["batch"]] == [202, 422, 202, 404, 404]
    assert set(answer.body["batch"][1]["data"]["errors"]) == {
        "conferencing.provider_description",
        "conferencing.join_url",
    }
    assert probe.read() == []


@pytest.mark.parametrize("body", [{}, {"batch": {}}, {"batch": [{"method": "POST"}]}, {"batch": [{}] * 51}, b"{"])
def test_a_batch_of_another_form_is_refused(probe: Probe, body: object) -> None:
    assert probe.call("POST", "/v1/batch", "default", body).status == 422
