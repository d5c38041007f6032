"""No answer of a server ends a run: what cannot be read is a finding or an ordinary back-off, and the run goes on."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.clock import VirtualClock
from conformance.reference import reference_app
from conformance.servers.campaign import RunResult, run
from conformance.servers.run_options import RunOptions
from conformance.servers.subject import EPOCH, ConfigurationError, in_process

ODD_RETRY_AFTER = (
    *("²", "١٢", "-5", "nan", "inf", "1e9", "9" * 5000, "", " ", "0x10", "12, 13", "\udcff"),
    *("Fri, 31 Dec 99999999999 23:59:59 GMT", "Fri, 31 Dec 0000 23:59:59 GMT"),
)
ODD_DATES = (
    *("", "²", "Mon", "0", ",", "-1", "Thu, 01 Jan 99999999999 00:00:00 GMT"),
    "Thu, 99 Foo 2026 99:99:99 +9999999999",
)
ODD_URLS = (
    *(
        "/v1/events?page=2",
        "javascript:alert(1)",
        " ",
        "//",
        "http://",
        "http://[::1",
        "http://localhost:99999/v1/events",
    ),
    *("http://localhost/\x00\n", "http://localhost/\ud800", "http://xn--\udcff/", "http://localhost/\U0010ffff"),
    *("http://localhost/%zz", "HTTP://LOCALHOST/v1/events#\u202e", "http://localhost\\@evil.example/"),
    *("http://user:pw@localhost/v1/events?tzid=Etc/UTC", "http://localhost:/v1", f"http://localhost/?{'y' * 65_537}"),
    "http://localhost/v1/events?" + "&".join(f"a{n}" for n in range(2000)),
)
STATUSES = [0, 99, 100, 101, 199, 204, 205, 206, 299, 304, 307, 418, 429, 451, 499, 502, 503, 599, 600, 999, 2**31]

#: JSON values of any type, also in place of documented ones.
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["2026-05-01", "9999-12-31T23:59:59Z", "cal_", "\ud800", *ODD_URLS[:4], *ODD_DATES]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["event_id", "conferencing", "join_url", "start", "time", "tzid", "pending", "", "\ud800"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)

#: Names of members whose value is replaced, wherever they stand.
NAMES = (
    *("events", "pages", "current", "total", "next_page", "calendars", "calendar_id", "event_id", "conferencing"),
    *("start", "end", "created", "updated", "deleted", "summary", "provider_name", "join_url", "pending", "errors"),
    *("cronofy.data", "profiles", "conferencing_profiles", "profile_id", "calendar_readonly", "event_uid"),
)
TYPES = ("", ";", "text/html; charset=\x80", "application/json; charset=utf-7")
ERRORS = (ValueError, KeyError, RecursionError, UnicodeError, EOFError, TimeoutError)

MUTATIONS = st.one_of(
    st.tuples(st.just("status"), st.sampled_from(STATUSES)),
    st.tuples(
        st.just("header"),
        st.tuples(st.just("retry-after"), st.sampled_from(ODD_RETRY_AFTER))
        | st.tuples(st.just("date"), st.sampled_from(ODD_DATES))
        | st.tuples(st.just("content-encoding"), st.sampled_from(["gzip", "deflate", "br", "gzip, gzip", "²", ""]))
        | st.tuples(
            st.just("content-type"),
            st.sampled_from(TYPES),
        ),
    ),
    st.tuples(st.just("replace"), st.tuples(st.sampled_from(NAMES), VALUES)),
    st.tuples(st.just("replace"), st.tuples(st.just("next_page"), st.sampled_from(ODD_URLS))),
    st.tuples(st.just("body"), st.binary(max_size=20) | VALUES.map(lambda value: json.dumps(value).encode())),
    st.tuples(st.just("cut"), st.integers(0, 200)),
    st.tuples(st.just("raise"), st.sampled_from(ERRORS)),
)


class Mutating:
    """An application whose answers are changed: each by the next mutation, where a mutation is due."""

    def __init__(self, app: Any, mutations: Mapping[int, Any], begin: int) -> None:
        self.app, self.mutations, self.begin, self.count = app, mutations, begin, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.count += 1
        kind, value = self.mutations.get(self.count % 7, ("", None)) if self.count > self.begin else ("", None)
        if kind == "raise":
            raise value("raised by the application")

        async def changed(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [pair for pair in message["headers"] if pair[0] != b"content-length"]
                status = value if kind == "status" else message["status"]
                if kind == "header":
                    headers.append((value[0].encode(), value[1].encode("utf-8", "surrogatepass")))
                    status = 429 if value[0] == "retry-after" else status
                message = {**message, "headers": headers, "status": status}
            elif kind in ("body", "cut", "replace"):
                message = {**message, "body": _changed(message.get("body", b""), kind, value)}
            await send(message)

        await self.app(scope, receive, changed)


def _changed(body: bytes, kind: str, value: Any) -> bytes:
    if kind == "body":
        return bytes(value)
    if kind == "cut":
        return body[:value]
    try:
        return json.dumps(_replaced(json.loads(body), *value)).encode()
    except ValueError:
        return body


def _replaced(value: Any, name: str, new: Any) -> Any:
    if isinstance(value, dict):
        return {key: new if key == name else _replaced(item, name, new) for key, item in value.items()}
    return [_replaced(item, name, new) for item in value] if isinstance(value, list) else value


def run_changed(mutations: Mapping[int, Any], *, begin: int = 3, requests: int = 120) -> RunResult | ConfigurationError:
    """A run against the reference server with changed answers, from the `begin`th on."""
    clock = VirtualClock(EPOCH)
    app = reference_app(clock=clock, page_size=8)
    subject = in_process(Mutating(app, mutations, begin), {"default": app.tokens["default"]}, clock=clock)
    try:
        return asyncio.run(run(RunOptions(max_requests=requests), subject=subject, small=False))
    except ConfigurationError as error:
        return error


def goes_on(result: RunResult | ConfigurationError) -> bool:
    """Whether the run ended by its plan, its limits or its set-up, and not by an error."""
    return isinstance(result, ConfigurationError) or "could not" not in (result.cut_short or "")


@settings(max_examples=int(os.environ.get("EXAMPLES", "15")), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.integers(0, 6), MUTATIONS, min_size=1, max_size=5), st.sampled_from([0, 3, 20, 60]))
def test_no_answer_ends_a_run(mutations: dict[int, Any], begin: int) -> None:
    assert goes_on(run_changed(mutations, begin=begin))


@pytest.mark.parametrize("value", ODD_RETRY_AFTER, ids=ascii)
def test_a_retry_after_that_cannot_be_read_is_an_ordinary_back_off(value: str) -> None:
    assert goes_on(run_changed({3: ("header", ("retry-after", value))}, begin=8, requests=40))


@pytest.mark.parametrize("url", ODD_URLS, ids=lambda url: ascii(url[:30]))
def test_a_next_page_that_cannot_be_requested_ends_its_reading(url: str) -> None:
    assert goes_on(run_changed(dict.fromkeys(range(7), ("replace", ("next_page", url))), begin=8, requests=60))
