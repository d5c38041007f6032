"""Schemas that differ from a given one by one keyword: dropped, narrowed by one member, or turned into its opposite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.contract.schemas import uri

__all__ = ["mutants", "shared_by", "written_out"]

_ANNOTATIONS = frozenset({"$schema", "$id", "$comment", "title", "description"})
_SCHEMA = frozenset({"not", "items", "contains", "additionalProperties", "propertyNames", "if", "then", "else"})
_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_MEMBERS = frozenset({"required", "enum"})
_OPPOSITES = frozenset(
    {
        *("$ref", "const", "enum", "type", "pattern", "contains", "minimum", "maximum", "minLength", "maxLength"),
        *("minItems", "maxItems", "minProperties", "maxProperties"),
    }
)


def shared_by(schema: Any, facts: str) -> set[str]:
    """The names under ``$defs`` of `facts` to which a schema refers: what its rule shares with others."""
    if isinstance(schema, list):
        return set().union(*(shared_by(part, facts) for part in schema))
    if not isinstance(schema, dict):
        return set()
    named = _shared(schema, facts)
    return set().union({named} if named else set(), *(shared_by(part, facts) for part in schema.values()))


def written_out(schema: Any, facts: str, shared: Mapping[str, Any]) -> Any:
    """A schema with what it shares, by name, in the place of each reference to it."""
    if isinstance(schema, list):
        return [written_out(part, facts, shared) for part in schema]
    if not isinstance(schema, dict):
        return schema
    name = _shared(schema, facts)
    rest = {
        keyword: written_out(part, facts, shared) for keyword, part in schema.items() if keyword != "$ref" or not name
    }
    return {**rest, "allOf": [*rest.get("allOf", ()), written_out(shared[name], facts, shared)]} if name else rest


def _shared(schema: dict[str, Any], facts: str) -> str | None:
    file, _, name = str(schema.get("$ref", "")).partition("#/$defs/")
    return name if name and file in ("", f"../facts/{facts}.json", uri(f"facts/{facts}")) else None


def mutants(schema: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Every schema one keyword away from `schema`, with the place (a JSON pointer) and what was done there.

    A ``$ref`` is one keyword; annotations are none.
    """
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        if keyword in _ANNOTATIONS:
            continue
        place = f"{where}/{keyword}"
        rest = {name: other for name, other in schema.items() if name != keyword}
        if keyword in _SCHEMAS:
            yield from _branches(rest, keyword, value, place)
        elif keyword == "properties":
            yield from _properties(rest, value, place)
        else:
            yield f"{place} dropped", rest
        if keyword in _MEMBERS and len(value) > 1:
            for member in value:
                yield f"{place} without {member!r}", {**schema, keyword: [one for one in value if one != member]}
        if keyword == "required":
            for name in value:
                others = {**rest, "required": [one for one in value if one != name]}
                yield f"{place} forbids {name!r}", {"allOf": [others, {"not": {"required": [name]}}]}
        elif keyword in _OPPOSITES:
            yield f"{place} negated", {"allOf": [rest, {"not": {keyword: value}}]}
        elif keyword == "not":
            yield f"{place} negated", {"allOf": [rest, value]}
        if keyword in _SCHEMA:
            yield from ((what, {**schema, keyword: changed}) for what, changed in mutants(value, place))


def _branches(rest: dict[str, Any], keyword: str, branches: list[Any], place: str) -> Iterator[tuple[str, Any]]:
    for number, branch in enumerate(branches):
        others = [True if keyword == "prefixItems" and other is branch else other for other in branches]
        if keyword != "prefixItems":
            others.pop(number)
        yield f"{place}/{number} dropped", {**rest, keyword: others} if others else rest
        for what, changed in mutants(branch, f"{place}/{number}"):
            yield what, {**rest, keyword: [*branches[:number], changed, *branches[number + 1 :]]}


def _properties(rest: dict[str, Any], properties: dict[str, Any], place: str) -> Iterator[tuple[str, Any]]:
    for name, schema in properties.items():
        others = {other: value for other, value in properties.items() if other != name}
        yield f"{place}/{name} dropped", {**rest, "properties": others}
        for what, changed in mutants(schema, f"{place}/{name}"):
            yield what, {**rest, "properties": {**others, name: changed}}
