"""The examples of the rules: every validator gives the expected verdict."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator
from rules_examples import PARTS, RULES, Example, examples, is_valid
from rules_knowledge import is_facts

from conformance.contract.schemas import names, registry
from conformance.facts import Facts
from conformance.judging.judge import Judge

_WORDS = {"passed": "passed", "failed": "failed", "inconclusive": "inconclusive"}
_ALL = {"passed", "failed", "inconclusive", "inapplicable"}

by_rule = pytest.mark.parametrize("rule", sorted(RULES))


def test_every_rule_has_examples_and_all_examples_have_a_rule() -> None:
    assert [name.removeprefix("examples/") for name in names("examples")] == sorted(RULES)


@by_rule
def test_a_rule_has_examples_of_each_verdict(rule: str) -> None:
    expected = _ALL if "x-conclusive-when" in RULES[rule].schema else _ALL - {"inconclusive"}
    assert {example.expect for example in examples(rule)} == expected


@by_rule
def test_examples_name_their_rule_and_have_distinct_titles(rule: str) -> None:
    titles = [example.title for example in examples(rule)]
    assert {example.rule for example in examples(rule)} == {rule}
    assert sorted(set(titles)) == sorted(titles)
    assert [title for title in titles if title.endswith(".") or title[0].islower()] == []


@by_rule
def test_the_facts_of_examples_are_as_described(rule: str) -> None:
    assert [example.title for example in examples(rule) if not is_facts(example.facts)] == []
    assert {example.facts["about"] for example in examples(rule)} == {RULES[rule].about}


@by_rule
def test_the_judge_gives_the_expected_verdicts(rule: str) -> None:
    judge = Judge([RULES[rule]])

    def judged(example: Example) -> str:
        verdicts = judge(Facts(example.facts["about"], ("example",), example.facts, (), closed=True))
        return _WORDS[verdicts[0].outcome] if verdicts else "inapplicable"

    verdicts = {example.title: judged(example) for example in examples(rule)}
    assert verdicts == {example.title: example.expect for example in examples(rule)}


@by_rule
def test_both_validators_agree_on_each_part_of_a_rule(rule: str) -> None:
    for part in PARTS:
        fast = is_valid(RULES[rule], part)
        if fast is None:
            continue
        reference = Draft202012Validator(RULES[rule].part(part), registry=registry())
        verdicts = {example.title: fast(example.facts) for example in examples(rule)}
        assert verdicts == {example.title: reference.is_valid(example.facts) for example in examples(rule)}
