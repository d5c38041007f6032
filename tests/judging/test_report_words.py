from __future__ import annotations

import pytest

from conformance.contract import schemas
from conformance.contract.prose import in_words


@pytest.mark.parametrize(
    ("schema", "lines"),
    [
        (True, ()),
        ({}, ()),
        (False, ("nothing satisfies it",)),
        ({"required": ["a"]}, ("a is known",)),
        ({"required": ["a"], "properties": {"a": {"const": "x"}}}, ('a is "x"',)),
        ({"properties": {"a": {"const": None}}}, ("a, if known, is null",)),
        ({"properties": {"a": False}}, ("a is not there",)),
        ({"required": ["a"], "properties": {"a": {"enum": [1, 2]}}}, ("a is 1 or 2",)),
        ({"required": ["a"], "properties": {"a": {"type": ["string", "null"]}}}, ("a is of type string or null",)),
        ({"required": ["a"], "properties": {"a": {"pattern": "^x"}}}, ("a matches /^x/",)),
        ({"required": ["a"], "properties": {"a": {"maxItems": 0}}}, ("a is empty",)),
        ({"required": ["a"], "properties": {"a": {"minItems": 2}}}, ("a has at least 2 items",)),
        ({"required": ["a"], "properties": {"a": {"uniqueItems": True}}}, ("a holds nothing twice",)),
        ({"required": ["a"], "properties": {"a": {"multipleOf": 2}}}, ("a has multipleOf 2",)),
        ({"additionalProperties": False}, ("the facts has no other members",)),
        (
            {"properties": {"a": {"required": ["b"], "properties": {"b": {"const": 1}}}}},
            ("where a is known:", "  a.b is 1"),
        ),
        (
            {"required": ["a"], "properties": {"a": {"required": ["b"], "properties": {"b": {"const": 1}}}}},
            ("a.b is 1",),
        ),
        (
            {"anyOf": [{"required": ["a"]}, {"required": ["b", "c"]}]},
            ("one of these holds:", "  - a is known", "  - b is known", "    c is known"),
        ),
        ({"oneOf": [{"required": ["a"]}]}, ("exactly one of these holds:", "  - a is known")),
        ({"not": {"required": ["a"]}}, ("a is not known",)),
        (
            {"not": {"required": ["a"], "properties": {"a": {"const": 1}}}},
            ("this does not hold:", "  a is 1"),
        ),
        (
            {"allOf": [{"required": ["a"]}, {"required": ["b"]}]},
            ("a is known", "b is known"),
        ),
        (
            {"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}},
            ("where this holds:", "  a is known", "then:", "  b is known", "otherwise:", "  c is known"),
        ),
        (
            {"required": ["a"], "properties": {"a": {"items": {"const": 1}}}},
            ("every item of a:", "  it is 1"),
        ),
        (
            {"required": ["a"], "properties": {"a": {"contains": {"const": 1}}}},
            ("some item of a:", "  it is 1"),
        ),
        (
            {"required": ["a"], "properties": {"a": {"contains": {"const": 1}, "minContains": 0, "maxContains": 1}}},
            ("at most 1 items of a:", "  it is 1"),
        ),
        (
            {"required": ["a"], "properties": {"a": {"contains": {"const": 1}, "minContains": 2, "maxContains": 3}}},
            ("2 to 3 items of a:", "  it is 1"),
        ),
        (
            {"required": ["a"], "properties": {"a": {"contains": {"const": 1}, "minContains": 2}}},
            ("at least 2 items of a:", "  it is 1"),
        ),
        (
            {"required": ["a"], "properties": {"a": {"prefixItems": [{"const": 1}, True]}}},
            ("item 1 of a:", "  it is 1", "item 2 of a:"),
        ),
        ({"$ref": "https://elsewhere.example/x.json"}, ("the facts is as https://elsewhere.example/x.json describes",)),
    ],
)
def test_each_keyword_has_its_words(schema: object, lines: tuple[str, ...]) -> None:
    assert in_words(schema) == lines


def test_what_is_given_is_known() -> None:
    then = {"properties": {"a": {"properties": {"b": {"const": 1}}}, "c": {"const": 2}}}
    given = {"allOf": [{"required": ["a"], "properties": {"a": {"required": ["b"]}}}]}
    assert in_words(then, given=given) == ("a.b is 1", "c, if known, is 2")


def test_a_reference_is_told_by_the_title_of_what_it_points_at() -> None:
    base = f"{schemas.BASE}rules/x.json"
    title = schemas.read("report")["title"]
    assert in_words({"required": ["a"], "properties": {"a": {"$ref": "../report.json"}}}, base) == (f"a: {title}",)
    assert in_words({"$ref": "../report.json#/$defs/sha256"}, base) == (
        "the facts is of type string",
        "the facts matches /^[0-9a-f]{64}$/",
    )
    assert in_words({"$ref": "../report.json#/$defs/none"}, base) == (
        "the facts is as ../report.json#/$defs/none describes",
    )


def test_a_reference_to_what_has_no_title_is_told_as_if_it_were_written_out() -> None:
    base = f"{schemas.BASE}rules/x.json"
    refers = {"properties": {"a": {"$ref": "../facts/write.json#/$defs/takes-events"}}}
    assert in_words(refers, base) == ("where a is known:", "  a.readonly is false", "  a.deleted is false")
    told = ("a.readonly is false", "a.deleted is false")
    assert in_words({"required": ["a"], **refers}, base) == told
    then = {"properties": {"a": {"properties": {"readonly": {"enum": [False]}}}}}
    assert in_words(then, base, {"required": ["a"], **refers}) == ("a.readonly is false",)


@pytest.mark.parametrize("name", schemas.names("rules"))
def test_every_rule_can_be_told_in_words(name: str) -> None:
    rule = schemas.read(name)
    for part in ("if", "then"):
        lines = in_words(rule[part], rule["$id"], rule["if"])
        assert lines
        assert not any("{" in line for line in lines), lines
