"""Every keyword of a rule matters: without it, or with its opposite, the verdict on some example changes."""

from __future__ import annotations

from typing import Any

import pytest
from rules_examples import PARTS, RULES, examples, is_valid, outcome, parts_of
from rules_mutation import mutants, shared_by, written_out

from conformance.contract.rules import Rule
from conformance.contract.schemas import read

#: What rules about the same facts share.
DEFS = {rule.about: read(f"facts/{rule.about}").get("$defs", {}) for rule in RULES.values()}
SHARED = sorted({(rule.about, name) for rule in RULES.values() for name in shared_by(rule.schema, rule.about)})


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_keyword_of_a_rule_matters_to_an_example(rule: str) -> None:
    parts = parts_of(RULES[rule])
    facts = [example.facts for example in examples(rule)]
    right = [outcome(parts, document) for document in facts]
    idle = []
    for part in PARTS:
        for what, schema in mutants(RULES[rule].schema.get(part), part):
            changed = {**parts, part: is_valid(RULES[rule], part, schema)}
            if all(outcome(changed, document) == verdict for document, verdict in zip(facts, right, strict=True)):
                idle.append(what)
    assert idle == []


@pytest.mark.parametrize(("about", "name"), SHARED)
def test_every_keyword_of_a_shared_schema_matters_to_an_example_of_a_rule(about: str, name: str) -> None:
    rules = [rule for rule in RULES.values() if rule.about == about and name in _shares(rule)]
    assert len(rules) > 1

    def matters(changed: Any) -> bool:
        return any(_judges_otherwise(rule, {**DEFS[about], name: changed}) for rule in rules)

    assert [what for what, changed in mutants(DEFS[about][name]) if not matters(changed)] == []


def _shares(rule: Rule) -> set[str]:
    """The names of all that a rule shares, be it by way of something else that is shared."""
    names = shared_by(rule.schema, rule.about)
    return names.union(*(shared_by(DEFS[rule.about][name], rule.about) for name in names))


def _judges_otherwise(rule: Rule, shared: dict[str, Any]) -> bool:
    parts = {part: is_valid(rule, part, written_out(rule.schema.get(part), rule.about, shared)) for part in PARTS}
    return any(outcome(parts, example.facts) != example.expect for example in examples(rule.id))


def test_shared_schemas_replace_their_references() -> None:
    refers = {"$ref": "../facts/write.json#/$defs/one"}
    shared = {"one": {"not": {"$ref": "#/$defs/two"}}, "two": {"const": 2}}
    schema = {"properties": {"a": refers}, "anyOf": [{**refers, "const": 1}, {"$ref": "../api/errors.json"}]}
    one = {"allOf": [{"not": {"allOf": [{"const": 2}]}}]}
    assert shared_by(schema, "write") == {"one"}
    assert written_out(schema, "write", shared) == {
        "properties": {"a": one},
        "anyOf": [{"const": 1, **one}, {"$ref": "../api/errors.json"}],
    }


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
