"""Where two servers part: each difference once, at its first exchange, and what follows from one is none of its own."""

from __future__ import annotations

from typing import Any

from conformance.judging.partings import Parting, Side, Trace, _Write, partings


def write(number: int, sent: str, **got: Any) -> _Write:
    return _Write(sent, f"POST {sent}", f"#{number}", got.get("status"), got, None)


def side(number: int, answered: int, **values: Any) -> Side:
    return Side(f"#{number}", answered, values)


def test_a_difference_that_every_scenario_shows_hides_no_other() -> None:
    first = (
        Trace("pa01", (write(5, "a", status=202), write(9, "b", status=202, location="blank"))),
        Trace("pa02", (write(3, "c", status=202),)),
        Trace("pa03", (write(4, "d", status=422),)),
    )
    second = (
        Trace("pa01", (write(5, "a", status=200), write(8, "b", status=200, location="join_url"))),
        Trace("pa02", (write(3, "c", status=200),)),
        Trace("pa03", (write(4, "d", status=422),)),
    )
    found = partings(("x", "y"), first, second)
    assert (found.compared, found.parted) == (3, 2)
    assert found.found == (
        Parting("pa02", 1, "POST c", (side(3, 202, status=202), side(3, 200, status=200)), 2),
        Parting("pa01", 2, "POST b", (side(9, 202, location="blank"), side(8, 200, location="join_url"))),
    )


def test_a_scenario_ends_where_one_server_refuses_or_another_state_is_shown() -> None:
    for values in ({"status": (202, 422)}, {"state": ("assigned", "none")}):
        one, other = ({name: pair[place] for name, pair in values.items()} for place in (0, 1))
        first = (Trace("a", (write(1, "s", **one), write(2, "t", location="blank"))),)
        second = (Trace("a", (write(1, "s", **other), write(2, "t", location="as_sent"))),)
        assert [parting.step for parting in partings(("x", "y"), first, second).found] == [1]


def test_what_one_side_does_not_know_is_no_difference() -> None:
    first = (Trace("a", (write(1, "s", status=202, state="assigned"),)),)
    second = (Trace("a", (write(1, "s", status=202),)),)
    assert partings(("x", "y"), first, second).parted == 0


def test_scenarios_are_matched_by_what_was_sent_where_their_names_differ() -> None:
    first = (Trace("a", (write(1, "s", status=202),)), Trace("b", (write(2, "t", status=202),)))
    second = (Trace("b", (write(1, "s", status=200),)), Trace("c", (write(2, "u", status=200),)))
    found = partings(("x", "y"), first, second)
    assert (found.compared, [parting.scenario for parting in found.found]) == (1, ["a"])
