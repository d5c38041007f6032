"""Notifications belong to the write that subscribed their address, until the event's next write."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest
from facts_traffic import ASSIGNED, NOW, Traffic, event, explicit, item

from conformance.http.exchange import Exchange, Request, Response
from conformance.http.webhooks import NOTIFICATIONS, address, is_public, signature, with_checked_signature

BASE = f"https://tunnel.example.io{NOTIFICATIONS}run/"
USERINFO = {
    "sub": "acc_1",
    "cronofy.data": {"conferencing_profiles": [], "profiles": []},
}
CALENDARS = {
    "calendars": [
        {
            "provider_name": "google",
            "calendar_id": "cal_A",
            "calendar_readonly": False,
            "calendar_deleted": False,
            "calendar_integrated_conferencing_available": True,
        }
    ]
}
DEFAULT = {"profile_id": "default"}


def webhook(name: str, *interactions: str) -> dict[str, Any]:
    return {"type": "webhook", "uri": BASE + name, "interactions": [{"type": one} for one in interactions]}


def subscribed(name: str, conferencing: Any = ..., **fields: Any) -> dict[str, Any]:
    body = event(subscriptions=[webhook(name, "conferencing_assigned")], **fields)
    return body if conferencing is ... else {**body, "conferencing": conferencing}


def known() -> Traffic:
    """Traffic of an account whose calendars and profiles are known, and that has no events."""
    traffic = Traffic().add(-10, "GET", "http://127.0.0.1/v1/calendars", None, 200, CALENDARS)
    return traffic.add(-9, "GET", "http://127.0.0.1/v1/userinfo", None, 200, USERINFO).read(-8)


def notify(traffic: Traffic, at: float, name: str, header: str | None = None) -> Traffic:
    headers = () if header is None else (("Cronofy-HMAC-SHA256", header),)
    request = Request("POST", BASE + name, headers, b"{}")
    label = f"#{len(traffic.exchanges) + 1}"
    traffic.exchanges.append(Exchange(request, Response(204), label, NOW + at, NOW + at, headers_complete=True))
    return traffic


def watched(traffic: Traffic, *items: dict[str, Any], since: float = 2.0) -> Traffic:
    for seconds in (0.0, 3.0, 6.0, 18.0, 30.0):
        traffic.read(since + seconds, *items)
    return traffic


def documents(traffic: Traffic) -> list[dict[str, Any]]:
    return [facts.document for facts in traffic.facts() if facts.about == "notification"]


def test_a_notification_is_counted_for_the_write_that_subscribed_its_address() -> None:
    traffic = notify(known().write(0, subscribed("a", DEFAULT)), 1, "a")
    assert documents(watched(traffic, item(ASSIGNED))) == [
        {
            "about": "notification",
            "account": "default",
            "event_id": "e1",
            "requested": "default",
            "outcome": "accepted",
            "is_create": True,
            "interactions": ["conferencing_assigned"],
            "generates": True,
            "generated": True,
            "reachable": True,
            "arrived": 1,
            "shown": "assigned",
            "window_elapsed": True,
            "timed_out": True,
        }
    ]


def test_evidence_is_the_write_and_what_came() -> None:
    traffic = notify(notify(known().write(0, subscribed("a", DEFAULT)), 1, "a"), 1.5, "a")
    [facts] = [facts for facts in watched(traffic, item(ASSIGNED)).facts() if facts.about == "notification"]
    assert [one.request.method + one.request.url.rpartition("/")[2] for one in facts.evidence] == [
        "POSTevents",
        "POSTa",
        "POSTa",
    ]


def test_each_address_has_facts_of_its_own() -> None:
    both = [webhook("a", "conferencing_assigned"), webhook("b", "conferencing_failing")]
    traffic = notify(known().write(0, event(conferencing=DEFAULT, subscriptions=both)), 1, "a")
    found = documents(watched(traffic, item(ASSIGNED)))
    assert [(one["interactions"], one["arrived"]) for one in found] == [
        (["conferencing_assigned"], 1),
        (["conferencing_failing"], 0),
    ]


def test_what_comes_after_the_next_write_is_about_nothing_that_is_known() -> None:
    traffic = watched(known().write(0, subscribed("a", DEFAULT)), item(ASSIGNED))
    traffic = notify(traffic.write(40, event(summary="Later")), 41, "a")
    [found] = documents(watched(traffic, item(ASSIGNED, summary="Later"), since=42))
    assert (found["arrived"], found["reachable"]) == (0, False)


def test_an_address_that_two_events_have_tells_of_neither() -> None:
    traffic = known().write(0, subscribed("a", DEFAULT)).write(0.5, subscribed("a", DEFAULT, event_id="e2"))
    assert documents(watched(notify(traffic, 1, "a"), item(ASSIGNED))) == []


def test_the_same_address_twice_in_a_write_is_one() -> None:
    both = [webhook("a", "conferencing_assigned"), webhook("a", "conferencing_failing")]
    [found] = documents(watched(known().write(0, event(conferencing=DEFAULT, subscriptions=both)), item(ASSIGNED)))
    assert found["interactions"] == ["conferencing_assigned", "conferencing_failing"]


@pytest.mark.parametrize(
    ("conferencing", "fields", "generates"),
    [
        (DEFAULT, {}, True),
        ({"profile_id": "integrated"}, {}, True),
        ({"profile_id": "none"}, {}, False),
        ({"profile_id": "8x8"}, {}, False),
        (..., {}, False),
        (explicit("https://a.example/"), {}, None),
        ({"profile_id": "pro_unlisted"}, {}, None),
        (DEFAULT, {"start": "2020-10-21T10:00:00Z", "end": "2020-10-21T11:00:00Z"}, None),
    ],
)
def test_whether_a_conference_is_generated(conferencing: Any, fields: dict[str, str], generates: bool | None) -> None:
    [found] = documents(watched(known().write(0, subscribed("a", conferencing, **fields)), item()))
    assert found.get("generates") is generates


def test_nothing_is_known_of_what_follows_an_event_that_is_pending() -> None:
    traffic = known().write(0, event(conferencing=DEFAULT)).read(1, item({"pending": True}))
    [found] = documents(watched(traffic.write(1.5, subscribed("a", {"profile_id": "none"})), item()))
    assert "generates" not in found


def test_what_is_shown_counts_long_after_a_notification_and_a_join_url_at_once() -> None:
    pending = item({"pending": True})
    early = notify(known().write(0, subscribed("a", DEFAULT)).read(0.5, pending), 1, "a").read(2, pending)
    assert "shown" not in documents(early)[0]
    assert documents(watched(early, pending, since=3))[0]["shown"] == "pending"
    assert documents(notify(known().write(0, subscribed("a", DEFAULT)), 1, "a").read(2, item(ASSIGNED)))[0]["shown"]


@pytest.mark.parametrize(
    ("header", "unsigned"),
    [("<valid>", 0), ("<invalid>, <valid>", 0), ("<invalid>", 1), (None, None), ("not checked", None)],
)
def test_signatures_count_where_they_were_checked(header: str | None, unsigned: int | None) -> None:
    traffic = notify(known().write(0, subscribed("a", DEFAULT)), 1, "a", header)
    assert documents(watched(traffic, item(ASSIGNED)))[0].get("unsigned") == unsigned


@pytest.mark.parametrize(
    "subscriptions",
    [None, "webhook", [7], [{"type": "webhook"}], [{"type": "push", "uri": BASE + "a"}], [webhook("a")], []],
)
def test_subscriptions_of_any_form_are_borne(subscriptions: Any) -> None:
    [written] = watched(known().write(0, event(subscriptions=subscriptions)), item()).writes()
    assert written.get("subscriptions") in (None, "public")


@pytest.mark.parametrize(
    ("uris", "reach"),
    [
        ([BASE + "a"], "public"),
        ([f"http://127.0.0.1:81{NOTIFICATIONS}run/a"], "local"),
        ([BASE + "a", f"http://[::1]{NOTIFICATIONS}run/a"], "local"),
        (["https://app.example.io/hook"], None),
        ([BASE + "a", "https://app.example.io/hook"], None),
    ],
)
def test_a_write_tells_where_its_subscriptions_go(uris: list[str], reach: str | None) -> None:
    hooks = [{**webhook("", "conferencing_assigned"), "uri": uri} for uri in uris]
    [written] = known().write(0, event(subscriptions=hooks)).read(1, item()).writes()
    assert written.get("subscriptions") == reach


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("8.8.8.8", True),
        ("hooks.example.io", True),
        ("10.0.0.1", False),
        ("localhost", False),
        ("machine", False),
        ("a.localhost", False),
        ("hooks.example.com", False),
        ("[::1]", False),
        ("[bad", False),
        ("receiver.conformance.invalid", True),
    ],
)
def test_a_host_is_public_as_far_as_its_name_tells(host: str, public: bool) -> None:
    assert is_public(f"https://{host}/x") is public


def test_a_signature_is_right_in_one_of_its_parts() -> None:
    body = b'{"a": 1}'
    right = base64.b64encode(hmac.digest(b"secret", body, hashlib.sha256)).decode()
    other = base64.b64encode(hmac.digest(b"another", body, hashlib.sha256)).decode()
    for header, expected in (
        (right, True),
        (f"{other}, {right}", True),
        (f"{right},{other}", True),
        (other, False),
        ("", False),
        ("ä?", False),
    ):
        checked = with_checked_signature((("cronofy-hmac-sha256", header), ("X", "y")), body, "secret")
        assert (signature(checked), checked[1]) == (expected, ("X", "y"))
    assert signature((("X", "y"),)) is None


def test_an_address_is_what_follows_the_path_of_receivers() -> None:
    assert address(BASE + "a?b=c#d") == "run/a"
    assert address("https://tunnel.example.io/cronofy-conformance/") is None
