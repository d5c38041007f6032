"""What a rule file and a description of facts may look like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rules_examples import RULES

from conformance.contract.schemas import read, registry

_RULE = Draft202012Validator(read("rule"), registry=registry())
_GOOD = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://cronofy-conformance.invalid/schemas/rules/it-holds.json",
    "title": "It holds",
    "x-applies-to": "server",
    "x-level": "must",
    "x-facts": "write",
    "x-clauses": ["D3", "2.1.a"],
    "if": {"required": ["requested"]},
    "then": True,
}
_FACTS = (
    "account",
    "batched_write",
    "call",
    "conferencing",
    "directory",
    "exchange",
    "notification",
    "reading",
    "write",
)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_file_has_the_documented_form(rule: str) -> None:
    assert [error.message for error in _RULE.iter_errors(RULES[rule].schema)] == []
    assert RULES[rule].schema["$id"].endswith(f"/rules/{rule}.json")


@pytest.mark.parametrize("applies", [{"required": ["requested"]}, {"allOf": [{}, {"required": ["requested"]}]}])
def test_a_rule_needs_facts_in_its_if(applies: Any) -> None:
    assert _RULE.is_valid(
        {**_GOOD, "if": applies, "x-conclusive-when": {"required": ["after"]}, "x-coverage": ["created"]}
    )


@pytest.mark.parametrize(
    "change",
    [
        {"title": "It should hold"},
        {"title": "It must hold"},
        {"title": "it holds"},
        {"title": "It holds."},
        {"x-level": "may"},
        {"x-applies-to": "both"},
        {"x-facts": "webhook"},
        {"x-clauses": []},
        {"x-clauses": ["somewhere"]},
        {"x-coverage": ["created", "created"]},
        {"$id": "https://cronofy-conformance.invalid/schemas/rules/It_holds.json"},
        {"if": True},
        {"if": {"properties": {"requested": {"const": "none"}}}},
        {"if": {"allOf": [{"properties": {}}]}},
        {"if": {"anyOf": [{"required": ["requested"]}, {}]}},
        {"if": {"required": "requested"}},
        {"then": {"type": "text"}},
        {"x-conclusive-when": 7},
        {"x-clause": ["D3"]},
    ],
    ids=str,
)
def test_a_rule_file_of_another_form_is_invalid(change: dict[str, Any]) -> None:
    assert _RULE.is_valid(_GOOD)
    assert not _RULE.is_valid({**_GOOD, **change})


@pytest.mark.parametrize("missing", sorted(_GOOD))
def test_no_part_of_a_rule_file_may_be_missing(missing: str) -> None:
    assert not _RULE.is_valid({name: value for name, value in _GOOD.items() if name != missing})


def _described(schema: Any, place: str) -> Iterator[tuple[str, str]]:
    """Every property that a closed object may have: its place and its description."""
    if not isinstance(schema, dict):
        return
    if schema.get("additionalProperties") is False:
        for name, part in schema["properties"].items():
            yield f"{place}/{name}", part.get("description", "")
    for keyword in ("properties", "$defs"):
        for name, part in schema.get(keyword, {}).items():
            yield from _described(part, f"{place}/{name}")
    yield from _described(schema.get("items"), place)


@pytest.mark.parametrize("about", _FACTS)
def test_every_fact_is_described_in_one_sentence(about: str) -> None:
    described = dict(_described(read(f"facts/{about}"), about))
    assert {place: text for place, text in described.items() if not text.endswith(".") or text.count(". ")} == {}


@pytest.mark.parametrize("about", _FACTS)
def test_facts_are_closed_and_nothing_but_what_they_are_about_is_always_known(about: str) -> None:
    schema = read(f"facts/{about}")
    assert schema["additionalProperties"] is False
    assert schema["properties"]["about"]["const"] == about
    assert {rule.about for rule in RULES.values()} <= set(_FACTS)
