"""What a projection drops of a document cannot change what a schema says of it."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from conformance.contract.schemas import BASE, registry
from conformance.judging.projection import Projection

#: A schema of each keyword, and two documents of which it says different things.
TOLD_APART: list[tuple[dict[str, Any], Any, Any]] = [
    ({"required": ["a"]}, {"a": "x"}, {"b": "x"}),
    ({"properties": {"a": {"const": "x"}}}, {"a": "x"}, {"a": "y"}),
    ({"properties": {"a": {"const": 1}}}, {"a": 1}, {"a": True}),
    ({"properties": {"a": {"const": ["x"]}}}, {"a": ["x"]}, {"a": ["y"]}),
    ({"properties": {"a": {"enum": ["x", None]}}}, {"a": None}, {"a": "null"}),
    ({"properties": {"a": {"type": "string"}}}, {"a": "x"}, {"a": ["x"]}),
    ({"properties": {"a": {"type": "array"}}}, {"a": []}, {"a": {}}),
    ({"properties": {"a": {"pattern": "^x"}}}, {"a": "xy"}, {"a": "yx"}),
    ({"properties": {"a": {"pattern": "^x"}}}, {"a": ["y"]}, {"a": "y"}),
    ({"properties": {"a": {"minLength": 2}}}, {"a": "xy"}, {"a": "x"}),
    ({"properties": {"a": {"maximum": 2}}}, {"a": 2}, {"a": 3}),
    ({"properties": {"a": {"maxItems": 1}}}, {"a": ["x"]}, {"a": ["x", "x"]}),
    ({"properties": {"a": {"items": {"const": "x"}}}}, {"a": ["x", "x"]}, {"a": ["x", "y"]}),
    ({"properties": {"a": {"prefixItems": [{}, {"const": "x"}]}}}, {"a": ["y", "x"]}, {"a": ["x", "y"]}),
    ({"properties": {"a": {"contains": {"const": "x"}, "minContains": 2}}}, {"a": ["x", "x"]}, {"a": ["x", "y"]}),
    ({"properties": {"a": {"additionalProperties": False}}}, {"a": {}}, {"a": {"b": 1}}),
    ({"properties": {"a": {"uniqueItems": True}}}, {"a": ["x", "y"]}, {"a": ["x", "x"]}),
    ({"not": {"required": ["a"]}}, {"b": "x"}, {"a": "x"}),
    ({"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"a": 1, "b": 1}, {"a": 1}),
    ({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"b": 1}, {"c": 1}),
    ({"properties": {"a": {"$ref": "api/http-uri.json#/$defs/http-uri"}}}, {"a": "https://a.example"}, {"a": "a"}),
]


@pytest.mark.parametrize(("schema", "one", "other"), TOLD_APART)
def test_what_a_schema_tells_apart_stays_apart(schema: dict[str, Any], one: Any, other: Any) -> None:
    validator = Draft202012Validator({"$id": f"{BASE}sample.json", **schema}, registry=registry())
    assert [validator.is_valid(one), validator.is_valid(other)] == [True, False]
    project = Projection([(BASE, schema)])
    assert project(one) != project(other)


def test_what_no_schema_looks_at_is_dropped() -> None:
    project = Projection([(BASE, {"properties": {"a": {"type": "string", "pattern": "^x"}, "b": {"const": "y"}}})])
    assert project({"a": "x1", "b": "z", "c": 1}) == project({"a": "x2", "b": "w", "d": []})


def test_what_is_asked_for_is_kept_whole() -> None:
    project = Projection([(BASE, {"required": ["a"]})], whole=("a",))
    assert project({"a": "x"}) != project({"a": "y"})


def test_what_is_looked_at_from_too_deep_is_kept_whole() -> None:
    schema: dict[str, Any] = {"required": ["a"]}
    for _ in range(50):
        schema = {"allOf": [schema]}
    project = Projection([(BASE, schema)])
    assert project({"x": "1"}) != project({"x": "2"})
