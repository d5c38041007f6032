"""The examples of the rules as values, and the verdict of a rule on facts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import jsonschema_rs

from conformance.contract.examples import Example
from conformance.contract.examples import load as load_examples
from conformance.contract.rules import Rule, load
from conformance.contract.schemas import rs_registry

__all__ = ["PARTS", "RULES", "Example", "IsValid", "examples", "is_valid", "outcome", "parts_of"]

PARTS = ("if", "then", "x-conclusive-when")
RULES = {rule.id: rule for rule in load()}

IsValid = Callable[[Any], bool]


@cache
def examples(rule: str) -> tuple[Example, ...]:
    """The examples of one rule, read once."""
    return load_examples(rule)


def is_valid(rule: Rule, part: str, schema: Any = None) -> IsValid | None:
    """Whether facts satisfy a part of a rule, or `schema` in its place; None for a part that it does not have."""
    if part not in rule.schema:
        return None
    whole = rule.part(part) if schema is None else {**rule.part(part), "allOf": [schema]}
    check: IsValid = jsonschema_rs.validator_for(whole, registry=rs_registry()).is_valid
    return check


def parts_of(rule: Rule) -> dict[str, IsValid | None]:
    """The parts of a rule made ready."""
    return {part: is_valid(rule, part) for part in PARTS}


def outcome(parts: dict[str, IsValid | None], facts: dict[str, Any]) -> str:
    """What the parts of a rule together say of facts, in the examples' words."""
    applies, holds, decided = (parts[part] for part in PARTS)
    assert applies is not None
    assert holds is not None
    if not applies(facts):
        return "inapplicable"
    if not holds(facts):
        return "failed"
    return "passed" if decided is None or decided(facts) else "inconclusive"
