"""No keyword of a rule is there for nothing: without it, or with its opposite, the rule judges an example otherwise."""

from __future__ import annotations

import pytest
from rules_examples import PARTS, RULES, examples, is_valid, outcome, parts_of
from rules_mutation import mutants


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_keyword_of_a_rule_matters_to_an_example(rule: str) -> None:
    parts = parts_of(RULES[rule])
    facts = [example.facts for example in examples(rule)]
    right = [outcome(parts, document) for document in facts]
    idle = []
    for part in PARTS:
        for what, schema in mutants(RULES[rule].schema.get(part), part):
            changed = {**parts, part: is_valid(RULES[rule], part, schema)}
            if all(outcome(changed, document) == said for document, said in zip(facts, right, strict=True)):
                idle.append(what)
    assert idle == []


def test_a_schema_is_changed_one_keyword_at_a_time() -> None:
    schema = {"title": "T", "required": ["a", "b"], "properties": {"a": {"const": 1}}, "not": {"$ref": "#/x"}}
    assert dict(mutants(schema)) == {
        "/required dropped": {"title": "T", "properties": {"a": {"const": 1}}, "not": {"$ref": "#/x"}},
        "/required without 'a'": {**schema, "required": ["b"]},
        "/required without 'b'": {**schema, "required": ["a"]},
        "/required forbids 'a'": {
            "allOf": [
                {"title": "T", "properties": {"a": {"const": 1}}, "not": {"$ref": "#/x"}, "required": ["b"]},
                {"not": {"required": ["a"]}},
            ]
        },
        "/required forbids 'b'": {
            "allOf": [
                {"title": "T", "properties": {"a": {"const": 1}}, "not": {"$ref": "#/x"}, "required": ["a"]},
                {"not": {"required": ["b"]}},
            ]
        },
        "/properties/a dropped": {**schema, "properties": {}},
        "/properties/a/const dropped": {**schema, "properties": {"a": {}}},
        "/properties/a/const negated": {**schema, "properties": {"a": {"allOf": [{}, {"not": {"const": 1}}]}}},
        "/not dropped": {"title": "T", "required": ["a", "b"], "properties": {"a": {"const": 1}}},
        "/not negated": {
            "allOf": [{"title": "T", "required": ["a", "b"], "properties": {"a": {"const": 1}}}, {"$ref": "#/x"}]
        },
        "/not/$ref dropped": {**schema, "not": {}},
        "/not/$ref negated": {**schema, "not": {"allOf": [{}, {"not": {"$ref": "#/x"}}]}},
    }
