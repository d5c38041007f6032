"""What is known of a value from the schemas that it satisfies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

__all__ = ["ANNOTATIONS", "KINDS", "Knowledge", "References", "SchemaPart", "types_of"]

#: The keywords that constrain nothing.
ANNOTATIONS = frozenset({"$schema", "$id", "$defs", "$comment", "title", "description", "default", "examples"})
#: The keywords that constrain values of one kind only, by kind.
KINDS = {
    "string": ("minLength", "maxLength", "pattern"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "array": ("minItems", "maxItems", "uniqueItems", "prefixItems", "items", "contains", "minContains", "maxContains"),
    "object": ("minProperties", "maxProperties", "required", "properties", "patternProperties", "additionalProperties"),
}
_TYPES = frozenset({"null", "boolean", "object", "array", "number", "integer", "string"})


class References:
    """The schemas behind the references of one schema: each is looked up once."""

    def __init__(self, resolver: Any) -> None:
        self._resolver = resolver
        self._found: dict[str, SchemaPart] = {}

    def lookup(self, reference: str) -> SchemaPart:
        if reference not in self._found:
            found = self._resolver.lookup(reference)
            self._found[reference] = SchemaPart(found.contents, References(found.resolver))
        return self._found[reference]


@dataclass(frozen=True, slots=True)
class SchemaPart:
    """A schema or a part of one, with what its references refer to."""

    contents: Any
    references: References

    def has(self, *keywords: str) -> bool:
        return isinstance(self.contents, dict) and any(keyword in self.contents for keyword in keywords)

    def get(self, keyword: str, default: Any = None) -> Any:
        return self.contents.get(keyword, default) if isinstance(self.contents, dict) else default

    def inner(self, contents: Any) -> SchemaPart:
        return SchemaPart(contents, self.references)

    def parts(self, keyword: str) -> list[SchemaPart]:
        return [self.inner(part) for part in self.get(keyword, ())]

    def only(self, *keywords: str) -> SchemaPart:
        return self.inner({keyword: self.contents[keyword] for keyword in keywords if self.has(keyword)})

    def without(self, *keywords: str) -> SchemaPart:
        return self.only(*(self.contents.keys() - set(keywords))) if self.has(*keywords) else self

    def referred(self) -> SchemaPart:
        return self.references.lookup(self.contents["$ref"])

    def conjuncts(self) -> Iterator[SchemaPart]:
        """The schemas that hold if this one does: those under ``allOf``, behind ``$ref``, and the rest of it."""
        yield self.without("allOf", "$ref")
        for part in [*self.parts("allOf"), *([self.referred()] if self.has("$ref") else [])]:
            yield from part.conjuncts()


class Knowledge:
    """What is known of a value: the schemas that it satisfies, and what follows from them."""

    def __init__(self, satisfied: tuple[SchemaPart, ...]) -> None:
        parts = (part for schema in satisfied for part in schema.conjuncts())
        self.satisfied = tuple(part for part in parts if part.contents not in ({}, True))

    def also(self, schema: SchemaPart) -> Knowledge:
        """What is known if the value satisfies `schema` too."""
        more = Knowledge((schema,)).satisfied
        return self._with(more) if more else self

    def _with(self, more: tuple[SchemaPart, ...]) -> Knowledge:
        """What is known with `more` schemas, each of one part: what is in parts already is not parted again."""
        known = Knowledge(())
        known.satisfied = (*self.satisfied, *more)
        return known

    @cached_property
    def concluded(self) -> tuple[SchemaPart, ...]:
        """The schemas that the value satisfies, with each ``then`` whose ``if`` is known to hold."""
        then = [one.inner(one.get("then", True)) for one in self.satisfied if one.has("if") and self._meets_if(one)]
        return (*self.satisfied, *(part for schema in then for part in schema.conjuncts()))

    def _meets_if(self, schema: SchemaPart) -> bool:
        return self._without_conditions.entails(schema.inner(schema.get("if")))

    @cached_property
    def _without_conditions(self) -> Knowledge:
        return Knowledge(())._with(tuple(one.without("if", "then", "else") for one in self.satisfied))

    @cached_property
    def types(self) -> frozenset[str]:
        """The types that the value may have."""
        found = _TYPES
        for schema in self.concluded:
            if schema.has("type"):
                found &= types_of(schema.get("type"))
            if kind := _sole_kind(schema.get("not")):
                found &= types_of(kind)  # a value of another kind satisfies the schema under `not`
        return found if self.values is None else found & frozenset(map(_type_of, self.values))

    @cached_property
    def values(self) -> list[Any] | None:
        """The values that it may have; None if they are not enumerated."""
        lists: list[list[Any]] = [
            [one.get("const")] if one.has("const") else one.get("enum")
            for one in self.concluded
            if one.has("const", "enum")
        ]
        return [one for one in lists[0] if all(_among(one, others) for others in lists[1:])] if lists else None

    def is_of(self, kind: str) -> bool:
        """Whether it is known to be of a kind."""
        return self.types <= types_of(kind)

    def has_member(self, name: str) -> bool:
        """Whether it is known to have the member, if it is an object."""
        return name in self._required or any(
            all(branch.has_member(name) for branch in branches) for branches in self._alternatives
        )

    @cached_property
    def _required(self) -> frozenset[str]:
        return frozenset(name for one in self.concluded for name in one.get("required", ()))

    @cached_property
    def _alternatives(self) -> list[list[Knowledge]]:
        """What is known in each branch of each ``anyOf``."""
        return [[Knowledge((part,)) for part in one.parts("anyOf")] for one in self.concluded if one.has("anyOf")]

    def has_item(self, index: int) -> bool:
        """Whether it is known to have an item at that index, if it is an array."""
        return any(one.get("minItems", 0) > index for one in self.concluded)

    def member(self, name: str) -> Knowledge:
        """What is known of the member, if there is one."""
        return Knowledge(
            tuple(
                one.inner(one.get("properties", {}).get(name, one.get("additionalProperties", True)))
                for one in self.concluded
            )
        )

    def item(self) -> Knowledge:
        """What is known of every item, at any index."""
        return Knowledge(
            tuple(one.inner(one.get("items", True)) for one in self.concluded if not one.has("prefixItems"))
        )

    def entails(self, schema: SchemaPart) -> bool:
        """Whether the value is known to satisfy a schema; False also where that is too complex to find out."""
        if not isinstance(schema.contents, dict):
            return schema.contents is True
        return all(
            keyword in ANNOTATIONS or keyword in ("then", "else") or self._entails(keyword, schema)
            for keyword in schema.contents
        )

    def _entails(self, keyword: str, schema: SchemaPart) -> bool:
        value = schema.get(keyword)
        match keyword:
            case "required":
                return all(map(self.has_member, value))
            case "properties":
                return all(self.member(name).entails(schema.inner(part)) for name, part in value.items())
            case "type":
                return self.types <= types_of(value)
            case "const" | "enum":
                allowed = [value] if keyword == "const" else value
                return self.values is not None and all(_among(own, allowed) for own in self.values)
            case "not" if isinstance(value, bool):
                return not value
            case "not":
                denied = [value["const"]] if value.keys() == {"const"} else value.get("enum", [])
                is_plain = value.keys() in ({"const"}, {"enum"})
                return is_plain and self.values is not None and not any(_among(own, denied) for own in self.values)
            case "allOf":
                return all(map(self.entails, schema.parts("allOf")))
            case "$ref":
                return self.entails(schema.referred())
            case _:
                return False


def _sole_kind(contents: Any) -> str | None:
    """The kind of values that all keywords of a schema constrain; None if there is no single one."""
    keywords = contents.keys() - ANNOTATIONS if isinstance(contents, dict) else ()
    return next((kind for kind, of_kind in KINDS.items() if keywords and keywords <= set(of_kind)), None)


def types_of(type_: str | list[str]) -> frozenset[str]:
    """The types that a value of the keyword ``type`` names; every integer is a number."""
    named = frozenset([type_] if isinstance(type_, str) else type_)
    return named | {"integer"} if "number" in named else named


def _type_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "integer" if value == int(value) else "number"
        case str():
            return "string"
        case _:
            return "object" if isinstance(value, dict) else "array"


def _among(value: Any, values: Iterable[Any]) -> bool:
    return any(_same(value, other) for other in values)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal as JSON, where 1 and 1.0 are equal, and 1 and true are not."""
    match one, other:
        case (bool(), _) | (_, bool()):
            return one is other
        case (list(), list()):
            return len(one) == len(other) and all(map(_same, one, other))
        case (dict(), dict()):
            return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
        case _:
            return bool(one == other)
