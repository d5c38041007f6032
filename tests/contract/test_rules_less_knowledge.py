"""Who knows less accuses nobody: facts that are left out make no rule fail, and let none that failed pass."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from rules_examples import RULES, Example, examples, outcome, parts_of
from rules_knowledge import Place, is_facts, optional, without

_PAIRS = 40


def _left_out(example: Example) -> Iterator[tuple[Place, ...]]:
    places = optional(example.facts)
    yield from ((place,) for place in places)
    draw = random.Random(example.title)
    if len(places) > 1:
        yield from (tuple(draw.sample(places, 2)) for _ in range(_PAIRS))


@pytest.mark.parametrize("rule", sorted(RULES))
def test_less_knowledge_neither_accuses_nor_acquits(rule: str) -> None:
    parts = parts_of(RULES[rule])
    wrong = []
    for example in examples(rule):
        for places in _left_out(example):
            less = without(example.facts, places)
            said = outcome(parts, less)
            accused = said == "broken" and example.expect != "broken"
            acquitted = said == "kept" and example.expect == "broken"
            if (accused or acquitted) and is_facts(less):
                wrong.append((example.title, said, places))
    assert wrong == []


def test_what_the_api_said_is_one_fact_and_absence_that_says_something_is_knowledge() -> None:
    facts = {
        "about": "write",
        "request": {"method": "POST", "headers": {"accept": "*/*"}, "json": {"event_id": "e1"}},
        "response": {"status": 500, "unreadable": True},
        "after": {"seen": [{"state": "pending", "conferencing": {"pending": True}, "as_written": []}]},
    }
    assert set(optional(facts)) == {
        ("request",),
        ("request", "method"),
        ("request", "headers"),
        ("response",),
        ("response", "status"),
        ("after",),
        ("after", "seen"),
        ("after", "seen", 0, "conferencing"),
        ("after", "seen", 0, "as_written"),
    }
    assert not is_facts(without(facts, [("after", "seen", 0, "conferencing")]))
    assert without(facts, [("response",), ("response", "status"), ("after", "seen", 0, "as_written")]) == {
        "about": "write",
        "request": facts["request"],
        "after": {"seen": [{"state": "pending", "conferencing": {"pending": True}}]},
    }
