"""Refusals for want of access count only between writes to the same calendar that were accepted (law failed-writes)."""

from __future__ import annotations

from typing import Any

import pytest
from facts_traffic import Traffic, event, explicit

A = explicit("https://a.example/1")


def traffic(*steps: tuple[bool, int]) -> list[int | None]:
    """The `refusals` of the explicit writes, each of an event of its own, among plain ones; (explicit, status)."""
    made = Traffic()
    for number, (is_explicit, status) in enumerate(steps):
        body = event(event_id=f"e{number}", **({"conferencing": A} if is_explicit else {}))
        made.write(number, body, status)
    return [facts.get("refusals") for facts in made.writes() if facts["requested"] == "explicit"]


GOOD, REFUSED = (False, 202), (True, 403)


@pytest.mark.parametrize(
    ("steps", "counts"),
    [
        ([REFUSED], [None]),
        ([GOOD, REFUSED], [None]),
        ([REFUSED, GOOD], [None]),
        ([GOOD, REFUSED, GOOD], [1]),
        ([GOOD, REFUSED, GOOD, REFUSED, GOOD], [2, 2]),
        ([GOOD, REFUSED, REFUSED, GOOD], [1, 1]),
        ([GOOD, REFUSED, REFUSED, GOOD, GOOD, REFUSED, GOOD], [2, 2, 2]),
        ([GOOD, REFUSED, GOOD, REFUSED], [1, 1]),
        ([GOOD, (True, 422), GOOD, (True, 422), GOOD], [None, None]),
    ],
)
def test_refusals_count_once_a_gap_between_accepted_writes(
    steps: list[tuple[bool, int]], counts: list[int | None]
) -> None:
    assert traffic(*steps) == counts


@pytest.mark.parametrize(("plain", "counts"), [(423, [None, None]), (202, [2, 2])])
def test_a_calendar_that_is_locked_to_plain_writes_too_refuses_nothing(plain: int, counts: list[int | None]) -> None:
    assert traffic(GOOD, (True, 423), GOOD, (True, 423), (False, plain), GOOD) == counts


def test_a_write_is_repeated_until_the_lock_passes() -> None:
    made = Traffic().read(0)
    for number, status in enumerate((423, 423, 202), 1):
        made.write(number, event(conferencing=A), status)
    assert [(facts["outcome"], facts["before"]["state"]) for facts in made.writes()] == [("accepted", "nonexistent")]


@pytest.mark.parametrize(
    ("first", "counts"),
    [
        ((None, 202), [2, 2]),
        (({"profile_id": "none"}, 202), [2, 2]),
        (({"profile_id": "integrated"}, 202), [1, 1]),  # so conferencing as such is granted
    ],
)
def test_where_no_conferencing_is_ever_accepted_its_kinds_are_refused_as_one(first: Any, counts: list[int]) -> None:
    made = Traffic()
    steps = [first, (A, 403), (None, 202), ({"profile_id": "default"}, 403), (None, 202)]
    for number, (conferencing, status) in enumerate(steps):
        made.write(
            number, event(event_id=f"e{number}", **({"conferencing": conferencing} if conferencing else {})), status
        )
    assert [facts["refusals"] for facts in made.writes() if facts["outcome"] == "refused"] == counts


OF_THE_URL = {"errors": {"conferencing.join_url": [{"key": "errors.invalid"}]}}
OF_MORE = {"errors": {**OF_THE_URL["errors"], "calendar_id": [{"key": "errors.invalid"}]}}


@pytest.mark.parametrize(
    ("before", "status", "answer", "after", "takes"),
    [
        (202, 404, None, 202, True),
        (202, 404, None, 404, False),  # it may have become read-only, or be gone
        (404, 404, None, 202, False),
        (202, 422, OF_THE_URL, 404, True),
        (404, 422, OF_THE_URL, 202, True),
        (404, 422, OF_THE_URL, 404, False),
        (202, 422, OF_MORE, 404, False),
        (202, 404, OF_THE_URL, 404, False),
        (202, 422, {"errors": {}}, 404, False),
        (202, 422, ["conferencing"], 404, False),
    ],
)
def test_a_calendar_that_no_list_shows_takes_events_where_others_were_accepted(
    before: int, status: int, answer: Any, after: int, takes: bool
) -> None:
    url = "http://127.0.0.1/v1/calendars/cal_A/events"
    made = Traffic().write(0, event(event_id="e0"), before)
    made.add(1, "POST", url, event(conferencing=A), status, answer).write(2, event(event_id="e2"), after)
    [refused] = [facts for facts in made.writes() if facts["requested"] == "explicit"]
    known = {"calendar_id": "cal_A", "readonly": False, "deleted": False}
    assert refused.get("calendar") == (known if takes else None)
