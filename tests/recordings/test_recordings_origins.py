"""Whose traffic is judged where a recording holds that of several hosts."""

from __future__ import annotations

import warnings

import pytest
from msgspec.structs import replace

from conformance.http.exchange import Exchange, Request, Response
from conformance.recordings import SkippedWarning, origins
from conformance.recordings.origins import of_the_api


def exchange(method: str, url: str, body: bytes = b"{}") -> Exchange:
    return Exchange(Request(method, url), Response(200, (), body), url)


STRANGE = exchange("GET", "https://api.stripe.example/v1/events?limit=3")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.cronofy.com/v1/events",
        "https://api-de.cronofy.com/v1/userinfo",
        "https://api-us.cronofy.com/v1/calendars",
        "http://127.0.0.1:8000/v1/events",
        "http://[::1]:8000/v1/events",
        "http://api.localhost/v1/calendars",
    ],
)
def test_some_hosts_are_known_from_the_start(url: str) -> None:
    ours = exchange("GET", url)
    assert list(of_the_api([STRANGE, ours])) == [ours]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/calendars/cal_1/events", b""),
        ("DELETE", "/prefix/v1/calendars/cal_1/events/", b""),
        ("GET", "/v1/events?tzid=Etc%2FUTC&only_managed=true", b""),
        ("GET", "/v1/userinfo", b'{"sub": "acc_1", "cronofy.data": {}}'),
        ("GET", "/v1/calendars", b'{"calendars": [{"calendar_id": "cal_1"}]}'),
    ],
)
def test_what_went_to_a_host_comes_once_it_shows_that_it_serves_this_api(method: str, path: str, body: bytes) -> None:
    before = exchange("GET", "https://emulator.example/v1/events")
    shown, after = exchange(method, f"https://emulator.example{path}", body), exchange("GET", before.request.url)
    with pytest.warns(SkippedWarning, match=r"left out: api\.stripe\.example\Z"):
        assert list(of_the_api([before, STRANGE, shown, after], naming=True)) == [before, shown, after]


@pytest.mark.parametrize("url", ["https://id.example/v1/userinfo", "https://crm.example/v1/calendars", ""])
def test_hosts_that_never_show_it_are_left_out(url: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert list(of_the_api([exchange("GET", url)], naming=True)) == []
    assert bool(caught) is bool(url)


def test_many_hosts_are_named_in_one_line_and_little_is_held_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "_MOST_HELD", 1)
    pages = [replace(exchange("GET", f"https://{name}.example/v1/a"), label=f"a.har#{name}") for name in "dcba"]
    shown = exchange("POST", "https://c.example/v1/calendars/cal_1/events")
    with pytest.warns(SkippedWarning) as caught:
        assert list(of_the_api([*pages, shown], naming=True)) == [shown]
    assert str(caught[0].message) == "a.har: other APIs, left out: a.example, b.example, d.example"
    with pytest.warns(SkippedWarning, match=r"^first: other APIs, left out: a\.example"):
        assert list(of_the_api([replace(pages[-1], label="first")], naming=True)) == []
