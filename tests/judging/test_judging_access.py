"""A subject that refuses all that it is asked for cannot be judged, and the sentence says what it refused."""

from __future__ import annotations

import json

import pytest

from conformance.http.exchange import Exchange, Request, Response, bearer
from conformance.judging.access import RefusedWrites, access_problem

EVENT = {"event_id": "e", "summary": "s", "start": "2031-05-05T10:00:00Z", "end": "2031-05-05T11:00:00Z"}
DEFAULT = {"profile_id": "default"}


def write(status: int | None, *, conferencing: bool = False, body: str = "", account: str = "default") -> Exchange:
    event = {**EVENT, "conferencing": DEFAULT} if conferencing else EVENT
    headers = (("Authorization", bearer(account)), ("Content-Type", "application/json"))
    request = Request("POST", "https://api.cronofy.com/v1/calendars/c/events", headers, json.dumps(event).encode())
    return Exchange(request, None if status is None else Response(status, (), body.encode()), "#1")


def read(status: int, account: str = "default") -> Exchange:
    request = Request("GET", "https://api.cronofy.com/v1/calendars", (("Authorization", bearer(account)),))
    return Exchange(request, Response(status), "#2")


PLAIN, ASKING = write(202), write(202, conferencing=True)


@pytest.mark.parametrize(
    ("exchanges", "problem"),
    [
        ([], None),
        ([PLAIN, ASKING], None),
        ([read(200), *[write(403, body="no  scope")] * 3], "every write was refused with 403: no scope"),
        ([read(200), *[write(403)] * 2, write(423)], "every write was refused with 403 or 423"),
        ([read(200), *[write(403)] * 2], None),
        ([read(200), *[write(422)] * 5], None),
        ([PLAIN, *[write(403, conferencing=True)] * 5], None),
        ([*[write(503)] * 3, *[write(None)] * 3, PLAIN], None),
        (
            [PLAIN, *[write(402, conferencing=True)] * 3],
            "every request for conferencing was refused with 402 (the account's plan)",
        ),
        ([PLAIN, ASKING, *[write(402, conferencing=True)] * 3], None),
        (
            [read(200), PLAIN, *[read(401)] * 3],
            "the token of account 'default' was accepted at first and refused with 401 from #2 on: renew it",
        ),
        ([read(200), PLAIN, *[read(401)] * 2], None),
        ([read(200), PLAIN, *[read(401)] * 3, read(200)], None),
        ([PLAIN, *[read(401, account="nobody")] * 5], None),
        (
            [PLAIN, read(200, "second"), *[read(401, "second")] * 3, PLAIN],
            "the token of account 'second' was accepted at first and refused with 401 from #2 on: renew it",
        ),
    ],
)
def test_what_was_refused_of_everything(exchanges: list[Exchange], problem: str | None) -> None:
    assert access_problem(exchanges) == problem


def test_a_long_answer_is_cut() -> None:
    found = access_problem([write(403, body="x" * 1000)] * 3)
    assert found is not None
    assert len(found) < 250


@pytest.mark.parametrize(
    ("exchanges", "problem"),
    [
        ([], None),
        (
            [read(200), *[write(403, body="no  scope")] * 2, write(423, body="x")],
            "every write was refused with 403 or 423: x",
        ),
        ([*[write(403)] * 5, PLAIN], None),
        ([PLAIN, *[write(403)] * 5], None),
        ([write(403)] * 2, None),
        ([*[write(403)] * 3, write(422)], None),
        ([*[write(403)] * 3, write(503), write(429), write(None)], "every write was refused with 403"),
        ([read(403)] * 5, None),
        (
            [PLAIN, *[write(403, conferencing=True, body="no")] * 3, PLAIN],
            "every request for conferencing was refused with 403: no",
        ),
        ([PLAIN, *[write(402, conferencing=True)] * 2], None),
        ([PLAIN, *[write(403, conferencing=True)] * 3, ASKING], None),
        ([PLAIN, *[write(403, conferencing=True)] * 3, write(422, conferencing=True)], None),
    ],
)
def test_a_recording_whose_writes_were_all_refused(exchanges: list[Exchange], problem: str | None) -> None:
    writes = RefusedWrites()
    assert list(writes.noting(exchanges)) == exchanges
    assert writes.problem == problem
