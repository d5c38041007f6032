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
        made.write(number, event(event_id=f"e{number}", **({"conferencing": conferencing} if conferencing else {})), status)
    assert [facts["refusals"] for facts in made.writes() if facts["outcome"] == "refused"] == counts
