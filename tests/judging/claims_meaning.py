"""The meaning of claims: whether they are true of a value, independent of their words."""

from __future__ import annotations

import re
from typing import Any

from jsonschema import Draft202012Validator

from conformance.contract.claims import (
    Choice,
    Claim,
    Claims,
    Contains,
    Item,
    Items,
    Member,
    Named,
    Never,
    Not,
    OfKind,
    Others,
    Plain,
    Presence,
    Referred,
    When,
)

__all__ = ["are_true"]


def are_true(claims: Claims, value: Any) -> bool:
    """Whether all claims are true of a value; each is looked at only where those before it are."""
    return all(_is_true(claim, value) for claim in claims)


def _is_true(claim: Claim, value: Any) -> bool:
    match claim:
        case Never():
            return False
        case Plain(keyword, required):
            return Draft202012Validator({keyword: required}).is_valid(value)
        case OfKind(kind, claims):
            return not Draft202012Validator({"type": kind}).is_valid(value) or are_true(claims, value)
        case Member(name, presence, claims):
            assert isinstance(value, dict)
            return _where_present(value, name, name in value, presence, claims)
        case Item(index, presence, claims):
            assert isinstance(value, list)
            return _where_present(value, index, index < len(value), presence, claims)
        case Others(besides, claims):
            return all(are_true(claims, member) for name, member in value.items() if name not in besides)
        case Named(pattern, claims):
            return all(are_true(claims, member) for name, member in value.items() if re.search(pattern, name))
        case Items(but, claims):
            return all(are_true(claims, item) for item in value[but:])
        case Contains(least, most, claims):
            found = sum(are_true(claims, item) for item in value)
            return least <= found and (most is None or found <= most)
        case Choice(exactly_one, branches):
            held = sum(are_true(branch, value) for branch in branches)
            return held == 1 if exactly_one else held > 0
        case Not(claims):
            return not are_true(claims, value)
        case When(condition, then, otherwise):
            return are_true(then if are_true(condition, value) else otherwise, value)
        case Referred(_, _, claims):
            return are_true(claims, value)


def _where_present(value: Any, key: Any, present: bool, presence: Presence, claims: Claims) -> bool:
    assert present or presence is not Presence.GIVEN
    return are_true(claims, value[key]) if present else presence is Presence.OPTIONAL
