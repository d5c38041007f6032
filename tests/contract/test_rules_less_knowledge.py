"""Less knowledge never accuses: leaving out facts makes no rule fail, and none that failed pass."""

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
def test_less_knowledge_makes_no_rule_fail_and_no_failed_rule_pass(rule: str) -> None:
    parts = parts_of(RULES[rule])
    wrong = []
    for example in examples(rule):
        for places in _left_out(example):
            less = without(example.facts, places)
            verdict = outcome(parts, less)
            accused = verdict == "failed" and example.expect != "failed"
            acquitted = verdict == "passed" and example.expect == "failed"
            if (accused or acquitted) and is_facts(less):
                wrong.append((example.title, verdict, places))
    assert wrong == []


def test_a_value_of_the_api_is_one_fact_and_an_absence_with_a_default_is_knowledge() -> None:
    facts = {
        "about": "write",
        "request": {"method": "POST", "headers": {"accept": "*/*"}, "json": {"event_id": "e1"}},
        "response": {"status": 500, "unreadable": True},
        "after": {"observed": [{"state": "pending", "conferencing": {"pending": True}, "matching_fields": []}]},
    }
    assert set(optional(facts)) == {
        ("request",),
        ("request", "method"),
        ("request", "headers"),
        ("response",),
        ("response", "status"),
        ("after",),
        ("after", "observed"),
        ("after", "observed", 0, "conferencing"),
        ("after", "observed", 0, "matching_fields"),
    }
    assert not is_facts(without(facts, [("after", "observed", 0, "conferencing")]))
    assert without(facts, [("response",), ("response", "status"), ("after", "observed", 0, "matching_fields")]) == {
        "about": "write",
        "request": facts["request"],
        "after": {"observed": [{"state": "pending", "conferencing": {"pending": True}}]},
    }
