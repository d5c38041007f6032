"""Shrinking: the smallest case that still fails, found by a few tries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from conformance.clients.cases.case_shrinking import shrink, shrink_candidates, with_new_ids
from conformance.clients.cases.driver_call import CannedResponse, Case, ReadOverride, StubBehavior
from conformance.clients.cases.standard_cases import delete, event, read, standard_cases, write
from conformance.clients.driver.driver_session import fixture

HERE = fixture()
CAL = HERE.calendar_id


def smallest(case: Case, fails: Callable[[Case], bool], budget: int = 400) -> tuple[Case, int]:
    tries = 0

    async def tried(candidate: Case) -> bool:
        nonlocal tries
        tries += 1
        return fails(candidate)

    return asyncio.run(shrink(case, tried, budget)), tries


def events(case: Case) -> list[dict[str, Any]]:
    return [step.call.params["event"] for step in case.steps if "event" in step.call.params]


RICH = event(
    HERE,
    "E-1",
    {"profile_id": "explicit", "provider_description": "Room 12", "join_url": "https://example.com/J/UpperCase?x=1"},
    description="some words",
    reminders=[{"minutes": 1}, {"minutes": 22}],
    location={"description": "here", "lat": "51"},
    start={"time": f"{HERE.year}-01-02T03:04:05Z", "tzid": "Asia/Tokyo"},
)


LEAST = {"profile_id": "explicit", "provider_description": "S", "join_url": "https://example.com/"}


@pytest.mark.parametrize(
    ("fails", "left"),
    [
        (lambda e: "reminders" in e, {"reminders": [{}]}),
        (lambda e: len(e.get("reminders", ())) == 2, {"reminders": [{}, {}]}),
        (lambda e: "words" in e.get("description", ""), {"description": "words"}),
        (lambda e: "lat" in e.get("location", {}), {"location": {"lat": "S"}}),
        (lambda e: "conferencing" in e, {"conferencing": LEAST}),
        (lambda e: isinstance(e["start"], dict), {"start": RICH["start"]}),
    ],
)
def test_only_what_shows_the_failure_is_left(fails: Any, left: dict[str, Any]) -> None:
    case, _ = smallest(Case("c", (write(CAL, RICH),)), lambda c: all(map(fails, events(c))))
    plain = {
        "event_id": "E-1",
        "summary": "S",
        "start": f"{HERE.year}-01-02T10:00:00Z",
        "end": f"{HERE.year}-01-02T11:00:00Z",
    }
    (found,) = events(case)
    assert found == {**plain, "end": found["end"], **left}


def test_steps_seeds_and_scripts_that_do_not_matter_go() -> None:
    behavior = StubBehavior(
        first=(CannedResponse(429),),
        overrides=(ReadOverride("a", None), ReadOverride("b", None)),
        extra=True,
        page_size=2,
    )
    steps = (write(CAL, event(HERE, "x")), read([CAL, HERE.other_id], ["a", "b"], behavior), delete(CAL, "x"))
    case = Case("c", steps, ((CAL, event(HERE, "a")), (CAL, event(HERE, "b"))))

    def fails(candidate: Case) -> bool:
        shown = [one.event_id for step in candidate.steps for one in step.behavior.overrides]
        seeded = [seed[1]["event_id"] for seed in candidate.seeds]
        return "b" in shown and "b" in seeded

    found, _ = smallest(case, fails)
    (step,) = found.steps
    assert [seed[1]["event_id"] for seed in found.seeds] == ["b"]
    assert (step.behavior.overrides, step.behavior.extra) == ((ReadOverride("b", None),), False)
    assert len(step.call.params["calendar_ids"]) == len(step.call.params["event_ids"]) == 1


def test_no_more_is_tried_than_the_budget_allows() -> None:
    case = Case("c", (write(CAL, RICH),))
    assert smallest(case, lambda _: False, budget=5) == (case, 5)


def test_every_cut_makes_something_smaller_and_asks_for_nothing_that_is_forbidden() -> None:
    for case in standard_cases(HERE)[::7]:
        for cut in shrink_candidates(case):
            assert len(repr(cut)) < len(repr(case)) + 40
            for one in events(cut):
                assert {"event_id", "summary", "start", "end"} <= set(one)
                conferencing = one.get("conferencing")
                if conferencing and conferencing["profile_id"] == "explicit":
                    assert conferencing["join_url"].startswith("http")
                    assert conferencing["provider_description"].strip()


def test_a_case_is_renamed_throughout() -> None:
    behavior = StubBehavior(overrides=(ReadOverride("a", None),), last=("a",))
    steps = (write(CAL, event(HERE, "a")), read([CAL], ["a"], behavior), delete(CAL, "a"))
    case = with_new_ids(Case("c", steps, ((CAL, event(HERE, "a")),)), "-1")
    assert repr(case).count("'a-1'") == 6
    assert "'a'" not in repr(case)
