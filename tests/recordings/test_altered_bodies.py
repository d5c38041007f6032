"""What a recorder did not keep as it was is not recorded: no server and no client is accused of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.recordings.altered import is_cut_short, is_filtered
from conformance.recordings.parsing import assemble

WRITE = {"event_id": "e1", "conferencing": {"profile_id": "explicit", "join_url": "https://rooms.example.com/1"}}


def written(join_url: Any) -> bytes:
    return json.dumps({**WRITE, "conferencing": {**WRITE["conferencing"], "join_url": join_url}}).encode()  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "value",
    ["<MEETING_URL>", "[FILTERED]", "REDACTED", "**********", "{{join_url}}", "%{URL}", "XXXXXXXX", "[redacted]"],
)
def test_a_body_with_a_filtered_value_is_not_recorded(value: str) -> None:
    assert is_filtered(written(value))
    for ours in (False, True):
        exchange = assemble(
            method="POST", url="https://api.cronofy.com/v1/calendars/c/events", request_headers=(), status=200,
            request_body=written(value), response_body=written(value), ours=ours,
        )  # fmt: skip
        assert (exchange.response is not None) is ours


@pytest.mark.parametrize(
    "value", ["", "example", "https://rooms.example.com/<id>", "<https://a.example>", "httpx://a", "x", "**", None, {}]
)
def test_a_wrong_value_is_no_filtered_one(value: Any) -> None:
    assert not is_filtered(written(value))


@pytest.mark.parametrize(
    ("body", "headers", "size", "cut"),
    [
        (b'{"events": [{"a', (("Content-Length", "80"),), None, True),
        (b'{"events": [{"a', (), 80.0, True),
        (b'{"events": [{"a', (), 15.0, False),
        (b'{"events": [{"a', (), -1.0, False),
        (b'{"events": [{"a', (), None, False),
        (b'{"events": []}', (("Content-Length", "80"),), 90.0, False),
        (b"<html>", (("Content-Length", "80"),), None, False),
        (b'{"events": [{"a', (("Content-Length", "80"), ("Content-Encoding", "br")), None, False),
        (b"", (("Content-Length", "80"),), None, False),
    ],
)
def test_json_that_ends_before_its_length_was_cut_short_by_the_recorder(
    body: bytes, headers: tuple[tuple[str, str], ...], size: float | None, cut: bool
) -> None:
    assert is_cut_short(body, headers, size) is cut
