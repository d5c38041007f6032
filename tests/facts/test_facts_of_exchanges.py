"""What an exchange by itself tells: the host that it went to, and whether the profile that it names is listed."""

from __future__ import annotations

from typing import Any

import pytest
from facts_traffic import Traffic, event
from msgspec import structs

USERINFO = "http://127.0.0.1/v1/userinfo"
ZOOM = {"profile_id": "pro_1", "provider_name": "zoom", "profile_connected": True}
TO_ZOOM = {"profile_id": "pro_1"}
TO_ANOTHER = {"profile_id": "zoom"}


def exchanges(traffic: Traffic) -> list[dict[str, Any]]:
    return [one.document for one in traffic.facts() if one.about == "exchange"]


def told(traffic: Traffic, at: float, *profiles: Any, sub: str = "acc_1", took: float = 0.1) -> Traffic:
    body = {"sub": sub, "cronofy.data": {"profiles": [], "conferencing_profiles": list(profiles)}}
    return traffic.add(at, "GET", USERINFO, None, 200, body, took)


def listed(traffic: Traffic) -> Any:
    return exchanges(traffic)[-1].get("profile_listed")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://API.Cronofy.com/v1/events", "api.cronofy.com"),
        ("http://127.0.0.1:8000/v1/events", "127.0.0.1"),
        ("http://[::1]:8000/v1/events", "::1"),
        ("/v1/events", None),
    ],
)
def test_the_host_is_that_of_the_url_without_its_port(url: str, host: str | None) -> None:
    (document,) = exchanges(Traffic().read(0, url=url))
    assert document.get("host") == host


@pytest.mark.parametrize(("conferencing", "known"), [(TO_ZOOM, True), (TO_ANOTHER, False)])
@pytest.mark.parametrize("times", [True, False])
def test_a_profile_is_listed_or_not_by_the_newest_userinfo(conferencing: Any, known: bool, times: bool) -> None:
    traffic = told(told(Traffic(times=times), 0), 1, ZOOM)
    assert listed(traffic.write(2, event(conferencing=conferencing))) is known


@pytest.mark.parametrize(
    "conferencing",
    [
        *({"profile_id": name} for name in ("default", "none", "integrated", "explicit", "8x8")),
        *({"profile_id": 7}, {}, None, "pro_1"),
    ],
    ids=repr,
)
def test_what_names_no_profile_is_neither(conferencing: Any) -> None:
    assert listed(told(Traffic(), 0).write(1, event(conferencing=conferencing))) is None


def test_nothing_is_known_where_no_profiles_were_read() -> None:
    write = event(conferencing=TO_ANOTHER)
    assert listed(Traffic().write(1, write)) is None
    silent = {"sub": "acc_1", "cronofy.data": {"profiles": []}}
    assert listed(Traffic().add(0, "GET", USERINFO, None, 200, silent).write(1, write)) is None
    assert listed(Traffic().add(0, "GET", USERINFO, None, 403, {}).write(1, write)) is None


def test_nothing_is_known_where_the_list_came_after_the_write_was_sent() -> None:
    assert listed(told(Traffic(), 0, ZOOM, took=3.0).write(1, event(conferencing=TO_ANOTHER))) is None
    assert exchanges(told(Traffic().write(0, event(conferencing=TO_ANOTHER)), 1, ZOOM))[0].get("profile_listed") is None


def test_nothing_is_known_where_the_list_may_be_another_accounts() -> None:
    shared = told(told(Traffic(), 0, ZOOM), 1, sub="acc_2").write(2, event(conferencing=TO_ANOTHER))
    assert listed(shared) is None
    nameless = told(Traffic(), 0, ZOOM).write(1, event(conferencing=TO_ANOTHER))
    nameless.exchanges = [
        structs.replace(
            one, headers_complete=False, request=structs.replace(one.request, headers=one.request.headers[1:])
        )
        for one in nameless.exchanges
    ]
    assert listed(nameless) is None


@pytest.mark.parametrize(
    ("then", "host", "token"),
    [(200, "127.0.0.1", "accepted"), (401, "127.0.0.1", None), (200, "localhost", None)],
)
def test_a_list_that_was_refused_before_the_token_was_accepted_was_refused_to_a_known_token(
    then: int, host: str, token: str | None
) -> None:
    traffic = Traffic().add(0, "GET", "http://127.0.0.1/v1/userinfo", None, 404, None)
    traffic.add(1, "GET", f"http://{host}/v1/calendars", None, then, {"calendars": []})
    told = [facts.document for facts in traffic.facts() if facts.about == "exchange"]
    [refused] = [document for document in told if document["operation"] == "userinfo"]
    assert (refused.get("token"), len(told)) == (token, 2)
