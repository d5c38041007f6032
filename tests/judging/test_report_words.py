"""A schema in words: the words of each keyword, and that they say exactly what the validator does."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from claims_meaning import are_true
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from conformance.contract import examples, schemas
from conformance.contract.claims import claims_of
from conformance.contract.prose import in_words
from conformance.contract.rules import Rule, load

DECIDES = "x-conclusive-when"
PARTS = ("if", "then", DECIDES)
OBJECT = {"type": "object"}


def there(schema: object) -> dict[str, Any]:
    """A schema of an object that has a member a which satisfies another."""
    return {"required": ["a"], "properties": {"a": schema}}


KEYWORDS: list[tuple[Any, tuple[str, ...]]] = [
    (True, ()),
    ({}, ()),
    (False, ("nothing satisfies this",)),
    ({"required": ["a"]}, ("`a` is known",)),
    ({"properties": {"a": False}}, ("`a` is not known",)),
    (there(False), ("`a` is known", "nothing satisfies this")),
    (there({"const": "x"}), ('`a` is "x"',)),
    ({"properties": {"a": {"const": None}}}, ("`a`, if known, is null",)),
    (there({"enum": [1, 2]}), ("`a` is 1 or 2",)),
    (there({"enum": [1, 2, "é"]}), ('`a` is 1, 2 or "é"',)),
    (there({"not": {"const": 1}}), ("`a` is known and is not 1",)),
    ({"properties": {"a": {"not": {"enum": [1, 2]}}}}, ("`a`, if known, is not 1 or 2",)),
    (there({"type": ["string", "null"]}), ("`a` is a string or null",)),
    (
        there({"type": "integer", "minimum": 1, "maximum": 3}),
        ("`a` is a whole number and is at least 1 and is at most 3",),
    ),
    (there({"type": "string", "pattern": "^x"}), ("`a` is a string and matches `^x`",)),
    (there({"pattern": "^x"}), ("`a` is known", "`a`, if a string, matches `^x`")),
    ({"properties": {"a": {"pattern": "^x"}}}, ("`a`, if a string, matches `^x`",)),
    (there({"type": "array", "maxItems": 0}), ("`a` is an array and is empty",)),
    (there({"type": "array", "minItems": 1}), ("`a` is an array and is not empty",)),
    (there({"type": "array", "minItems": 2}), ("`a` is an array and has at least 2 items",)),
    (there({"type": "array", "maxItems": 1}), ("`a` is an array and has at most 1 item",)),
    (there({"type": "array", "uniqueItems": True}), ("`a` is an array and has no item twice",)),
    (there({"type": "array", "uniqueItems": False, "minItems": 0}), ("`a` is an array",)),
    (there({"type": "number", "multipleOf": 2}), ("`a` is a number and is a multiple of 2",)),
    (there({"type": "string", "minLength": 1}), ("`a` is a string and is not empty",)),
    (there({"type": "string", "maxLength": 9}), ("`a` is a string and has at most 9 characters",)),
    ({"additionalProperties": False}, ("the document has no members",)),
    ({**there({"const": 1}), "additionalProperties": False}, ("`a` is 1", "the document has no members but `a`")),
    (
        {"properties": {"a": True, "b": True}, "additionalProperties": {"const": 1}},
        ("every member of the document but `a` and `b` is 1",),
    ),
    ({"minProperties": 2}, ("the document has at least 2 members",)),
    ({"properties": {"a": there({"const": 1})}}, ("if `a` is an object:", "  `a.a` is 1")),
    ({"properties": {"a": {"properties": {"b": {"const": 1}}}}}, ("if `a` is an object:", "  `a.b`, if known, is 1")),
    (
        there({"type": "object", **there({"const": 1})}),
        ("`a` is an object", "`a.a` is 1"),
    ),
    (there(there({"const": 1})), ("`a` is known", "if `a` is an object:", "  `a.a` is 1")),
    (
        {"anyOf": [{"required": ["a"]}, {"required": ["b", "c"]}]},
        ("at least one of these holds:", "  `a` is known", "  all of these:", "    `b` is known", "    `c` is known"),
    ),
    ({"anyOf": [{"required": ["a"]}, True]}, ()),
    ({"anyOf": [{"required": ["a"]}, False]}, ("`a` is known",)),
    ({"anyOf": [False]}, ("nothing satisfies this",)),
    ({"oneOf": [{"required": ["a"]}, True]}, ("exactly one of these holds:", "  `a` is known", "  anything")),
    ({"not": {"required": ["a"]}}, ("`a` is not known",)),
    ({"not": {"properties": {"a": False}}}, ("`a` is known",)),
    ({"not": there({"const": 1})}, ("`a`, if known, is not 1",)),
    ({"not": {"properties": {"a": {"const": 1}}}}, ("`a` is known and is not 1",)),
    ({"not": {"not": {"required": ["a"]}}}, ("`a` is known",)),
    ({"not": {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}}, ("`a` is not known", "`b` is not known")),
    (
        {"not": {**there({"const": 1}), "minProperties": 2}},
        ("these do not all hold:", "  the document has at least 2 members", "  `a` is 1"),
    ),
    (
        {"not": {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}},
        ("this does not hold:", "  exactly one of these holds:", "    `a` is known", "    `b` is known"),
    ),
    (
        {"allOf": [{"required": ["a"]}, there({"const": 1}), {"required": ["b"]}]},
        ("`a` is known", "`a` is 1", "`b` is known"),
    ),
    (
        {"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}},
        ("if `a` is known:", "  `b` is known", "otherwise:", "  `c` is known"),
    ),
    (
        {"if": {"required": ["a", "b"]}, "then": there({"const": 1})},
        ("if all of these hold:", "  `a` is known", "  `b` is known", "then:", "  `a` is 1"),
    ),
    (
        {"if": {"required": ["a"]}, "else": {"required": ["c"]}},
        ("unless all of these hold:", "  `a` is known", "otherwise:", "  `c` is known"),
    ),
    ({"if": {"required": ["a"]}, "then": True}, ()),
    ({"if": True, "then": {"required": ["a"]}}, ("`a` is known",)),
    ({"if": False, "else": {"required": ["a"]}}, ("`a` is known",)),
    (there({"type": "array", "items": {"const": 1}}), ("`a` is an array", "every item of `a` is 1")),
    (there({"type": "array", "items": False}), ("`a` is an array", "`a` is empty")),
    (
        there({"type": "array", "items": {"type": "object", "properties": {"b": {"const": 1}}}}),
        ("`a` is an array", "every item of `a` is such that:", "  it is an object", "  its `b`, if known, is 1"),
    ),
    (there({"type": "array", "contains": {"const": 1}}), ("`a` is an array", "at least one item of `a` is 1")),
    (there({"type": "array", "contains": True}), ("`a` is an array", "`a` has at least 1 item")),
    (there({"type": "array", "contains": {"const": 1}, "minContains": 0}), ("`a` is an array",)),
    (
        there({"type": "array", "contains": {"const": 1}, "minContains": 0, "maxContains": 0}),
        ("`a` is an array", "no item of `a` is 1"),
    ),
    (
        there({"type": "array", "contains": {"const": 1}, "minContains": 0, "maxContains": 1}),
        ("`a` is an array", "this holds for at most 1 item of `a`:", "  it is 1"),
    ),
    (
        there({"type": "array", "contains": {"const": 1}, "minContains": 2, "maxContains": 3}),
        ("`a` is an array", "this holds for 2 to 3 items of `a`:", "  it is 1"),
    ),
    (
        there({"type": "array", "contains": {"const": 1}, "minContains": 2, "maxContains": 2}),
        ("`a` is an array", "this holds for exactly 2 items of `a`:", "  it is 1"),
    ),
    (
        there({"type": "array", "contains": {"const": 1}, "minContains": 2}),
        ("`a` is an array", "this holds for at least 2 items of `a`:", "  it is 1"),
    ),
    (there({"type": "array", "not": {"contains": {"const": 1}}}), ("`a` is an array", "no item of `a` is 1")),
    (
        there({"type": "array", "not": {"items": {"const": 1}}}),
        ("`a` is an array", "at least one item of `a` is not 1"),
    ),
    (
        there({"type": "array", "minItems": 1, "prefixItems": [{"const": 1}, {"const": 2}, True], "items": False}),
        (
            "`a` is an array and is not empty",
            "item 1 of `a` is 1",
            "item 2 of `a`, if there is one, is 2",
            "`a` has at most 3 items",
        ),
    ),
    (
        there({"type": "array", "prefixItems": [False, {"required": ["b"]}], "items": {"const": 1}}),
        (
            "`a` is an array",
            "`a` has no item 1",
            "if there is an item 2 of `a`:",
            "  if it is an object:",
            "    its `b` is known",
            "every item of `a` after the first 2 is 1",
        ),
    ),
]


@pytest.mark.parametrize(("schema", "lines"), KEYWORDS, ids=[json.dumps(schema)[:60] for schema, _ in KEYWORDS])
def test_each_keyword_has_its_words(schema: object, lines: tuple[str, ...]) -> None:
    assert [line.replace("- ", "", 1) for line in in_words(schema)] == list(lines)


def test_each_demand_is_a_line_and_its_details_are_below() -> None:
    assert in_words({"anyOf": [{"required": ["a"]}, {"required": ["b"]}], "required": ["c"]}) == (
        "- `c` is known",
        "- at least one of these holds:",
        "  - `a` is known",
        "  - `b` is known",
    )


def test_what_is_given_is_known() -> None:
    then = {"properties": {"a": {"properties": {"b": {"const": 1}}}, "c": {"const": 2}}}
    inside = {"type": "object", "required": ["b"]}
    assert in_words(then, given=[OBJECT, {"allOf": [there(inside)]}]) == ("- `a.b` is 1", "- `c`, if known, is 2")


def test_what_follows_from_what_is_given_is_known() -> None:
    implied = {"if": there({"const": 1}), "then": {"required": ["b"]}}
    demanded = {"properties": {"b": {"const": 2}}}
    assert in_words(demanded, given=[OBJECT, implied]) == ("- `b`, if known, is 2",)
    assert in_words(demanded, given=[OBJECT, implied, there({"const": 1})]) == ("- `b` is 2",)


def test_a_condition_or_a_negation_is_known_in_what_follows() -> None:
    inner = {"properties": {"a": {"required": ["b"]}}}
    conditional = {"if": there({"type": "object"}), "then": inner}
    assert in_words(conditional) == ("- if `a` is an object:", "  - `a.b` is known")
    assert in_words(inner, given=[OBJECT, there({"not": {"required": ["c"]}})]) == ("- `a.b` is known",)


def test_a_reference_is_shown_by_the_title_of_its_schema() -> None:
    base = f"{schemas.BASE}rules/x.json"
    title = schemas.read("report")["title"]
    lines = (f"- `a` is as `schemas/report.json` says: {title}",)
    assert in_words(there({"$ref": "../report.json"}), base) == lines
    assert in_words(there({"$ref": f"{schemas.BASE}report.json"}), base) == lines
    assert in_words(there({"$ref": "../report.json#/$defs/sha256"}), base) == (
        "- `a` is a string and matches `^[0-9a-f]{64}$`",
    )


def test_a_keyword_without_words_is_refused() -> None:
    with pytest.raises(ValueError, match="a schema uses dependentRequired, x-new, which cannot be put into words"):
        in_words({"x-new": 1, "dependentRequired": {}})


FACTS = [example.facts for rule in load() for example in examples.load(rule.id)]


def parts_of_rules() -> list[tuple[Rule, str]]:
    return [(rule, part) for rule in load() for part in PARTS if part in rule.schema]


@pytest.mark.parametrize(("rule", "part"), parts_of_rules(), ids=lambda value: getattr(value, "id", value))
def test_the_claims_of_a_rule_are_true_of_the_same_examples(rule: Rule, part: str) -> None:
    shape = {"$ref": schemas.uri(f"facts/{rule.about}")}
    supposed = [shape] if part == "if" else [shape, rule.schema["if"]]
    claims = claims_of(rule.schema[part], rule.schema["$id"], supposed)
    assert in_words(rule.schema[part], rule.schema["$id"], supposed)
    validator = jsonschema_rs.validator_for(rule.part(part), registry=schemas.rs_registry())
    applies = jsonschema_rs.validator_for(rule.part("if"), registry=schemas.rs_registry())
    for facts in FACTS:
        if facts["about"] == rule.about and (part == "if" or applies.is_valid(facts)):
            assert are_true(claims, facts) == validator.is_valid(facts)


def test_what_is_always_known_is_never_said_to_be_uncertain() -> None:
    for rule in load():
        if DECIDES in rule.schema:
            supposed = [{"$ref": schemas.uri(f"facts/{rule.about}")}, rule.schema["if"]]
            lines = in_words(rule.schema[DECIDES], rule.schema["$id"], supposed)
            assert not [line for line in lines if "state`, if known" in line]


NAMES = st.sampled_from(["a", "b"])
SCALARS = st.sampled_from([None, True, False, 0, 1, 1.0, 1.5, 2, "", "a", "ab"])
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=2), max_leaves=6
)
TYPES = st.sampled_from(["null", "boolean", "object", "array", "number", "integer", "string"])
COUNTS = st.integers(0, 2)
LEAVES = st.booleans() | st.fixed_dictionaries(
    {},
    optional={
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
        "const": DOCUMENTS,
        "enum": st.lists(SCALARS, min_size=1, max_size=3),
        "pattern": st.sampled_from(["^a", "b$"]),
        "minimum": COUNTS,
        "exclusiveMaximum": COUNTS,
        "minLength": COUNTS,
        "maxItems": COUNTS,
        "minItems": COUNTS,
        "uniqueItems": st.booleans(),
        "maxProperties": COUNTS,
        "required": st.lists(NAMES, max_size=2, unique=True),
    },
)


def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES,
            "required": st.lists(NAMES, max_size=2, unique=True),
            "properties": st.dictionaries(NAMES, inner, max_size=2),
            "additionalProperties": inner,
            "items": inner,
            "prefixItems": several,
            "contains": inner,
            "minContains": COUNTS,
            "maxContains": COUNTS,
            "minItems": COUNTS,
            "allOf": several,
            "anyOf": several,
            "oneOf": several,
            "not": inner,
            "if": inner,
            "then": inner,
            "else": inner,
        },
    )


SCHEMAS = st.recursive(LEAVES, larger, max_leaves=8)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)
@given(SCHEMAS, SCHEMAS, st.lists(DOCUMENTS, min_size=3, max_size=8))
def test_the_claims_are_true_of_exactly_what_the_schema_admits(
    schema: Any, supposed: Any, documents: list[Any]
) -> None:
    claims = claims_of(schema, given=[supposed])
    for document in documents:
        if Draft202012Validator(supposed).is_valid(document):
            assert are_true(claims, document) == Draft202012Validator(schema).is_valid(document), claims


# Most schemas have no reduction with the same words, and large ones take long to draw on a busy machine.
@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(SCHEMAS, st.data())
def test_schemas_with_the_same_words_admit_the_same_values(schema: Any, data: st.DataObject) -> None:
    other = data.draw(st.sampled_from(list(reductions(schema)) or [schema]))
    assume(other != schema and in_words(schema) == in_words(other))
    document = data.draw(st.dictionaries(NAMES, DOCUMENTS, max_size=2))
    assert Draft202012Validator(schema).is_valid(document) == Draft202012Validator(other).is_valid(document)


def reductions(schema: Any) -> list[Any]:
    """The schemas that are this one without one keyword, required name or part, at any depth."""
    if isinstance(schema, list):
        return [
            *([*schema[:place], *schema[place + 1 :]] for place in range(len(schema)) if len(schema) > 1),
            *(
                [*schema[:place], less, *schema[place + 1 :]]
                for place, one in enumerate(schema)
                for less in reductions(one)
            ),
        ]
    if not isinstance(schema, dict):
        return []
    return [
        *({other: value for other, value in schema.items() if other != keyword} for keyword in schema),
        *({**schema, keyword: less} for keyword, value in schema.items() for less in reductions(value)),
    ]
