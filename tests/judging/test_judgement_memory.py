"""What a judge remembers of facts that come again changes no verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from conformance.contract import examples
from conformance.contract.rules import Rule, load
from conformance.facts import Facts
from conformance.judging.judge import Judge

RULES = load()
EXAMPLES = [(rule.about, example.facts) for rule in RULES for example in examples.load(rule.id)]


@pytest.fixture(autouse=True)
def _remembers_from_the_first_document_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.judging.memo.FEW", 0)


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch) -> Judge:
    judge = Judge(RULES)
    for index in judge._tables.values():
        monkeypatch.setattr(index, "_remember", lambda *_: None)
    return judge


def facts(about: str, document: dict[str, Any]) -> Facts:
    return Facts(about, (about,), document, (), closed=True)


def near(value: Any) -> Iterator[Any]:
    """Documents that differ from one in a single place."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield {key: other for key, other in value.items() if key != name}
            yield from ({**value, name: other} for other in near(part))
    elif isinstance(value, list):
        yield [*value, *value[:1]]
        for place, part in enumerate(value):
            yield from ([*value[:place], other, *value[place + 1 :]] for other in near(part))
    else:
        yield from (other for other in ("", "x", 1, True, None) if type(other) is not type(value) or other != value)


def test_a_judge_that_remembers_says_of_each_example_what_one_without_memory_says(no_memory: Judge) -> None:
    judge = Judge(RULES)
    for about, document in EXAMPLES * 2:
        assert judge(facts(about, document)) == no_memory(facts(about, document))


def test_no_change_that_a_rule_may_see_is_taken_for_the_same(no_memory: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.judging.judge.explain", lambda *_: "a violation")  # no words for what is no facts
    judge = Judge(RULES)
    for number, (about, document) in enumerate(EXAMPLES):
        judge(facts(about, document))
        for place, other in enumerate(near(document)):
            if (number + place) % 61 == 0:
                assert judge(facts(about, other)) == no_memory(facts(about, other)), other


def _about(about: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in RULES if rule.about == about)


@pytest.mark.parametrize("value", [True, 1, 1.0, "1", [1], {"1": 1}])
def test_values_that_python_takes_for_equal_are_told_apart(value: Any) -> None:
    judge = Judge(_about("conferencing"))
    judge(facts("conferencing", {"about": "conferencing", "conferencing": {"pending": True}}))
    document = {"about": "conferencing", "conferencing": {"pending": value}}
    outcomes = {verdict.rule: verdict.outcome for verdict in judge(facts("conferencing", document))}
    assert outcomes["pending-is-exactly-true"] == ("passed" if value is True else "failed")
