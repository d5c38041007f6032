"""What a judge remembers of facts that come again changes no verdict."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.contract import examples
from conformance.contract.rules import Rule, load
from conformance.facts import Facts
from conformance.judging.judge import Judge

RULES = load()
EXAMPLES = [
    (rule.about, example.facts)
    for rule in RULES
    if rule.about in ("exchange", "reading", "conferencing")
    for example in examples.load(rule.id)
]


def facts(about: str, document: dict[str, Any]) -> Facts:
    return Facts(about, (about,), document, (), closed=True)


def test_a_judge_that_has_seen_all_examples_says_of_each_what_a_fresh_one_says() -> None:
    judge = Judge(RULES)
    for about, document in EXAMPLES:
        judge(facts(about, document))
    for about, document in EXAMPLES:
        again = judge(facts(about, document))
        assert again == judge(facts(about, document)) == Judge(_about(about))(facts(about, document))


def _about(about: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in RULES if rule.about == about)


@pytest.mark.parametrize("value", [True, 1, 1.0, "1", [1], {"1": 1}])
def test_values_that_python_takes_for_equal_are_told_apart(value: Any) -> None:
    judge = Judge(_about("conferencing"))
    judge(facts("conferencing", {"about": "conferencing", "conferencing": {"pending": True}}))
    document = {"about": "conferencing", "conferencing": {"pending": value}}
    outcomes = {verdict.rule: verdict.outcome for verdict in judge(facts("conferencing", document))}
    assert outcomes["pending-is-exactly-true"] == ("passed" if value is True else "failed")
