"""What a JSON Schema claims of a value, as a tree from which its words are made.

A claim is to be true of exactly the values that the schema admits, among those that satisfy what is *given*: what is
known already is neither claimed again nor called into question.  Claims stand in an order: each but the first is made
of values of which those before it are true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, TypeAlias

from conformance.contract import schemas

__all__ = ["Choice", "Claim", "Claims", "Contains", "Item", "Items", "Member", "Never", "Not", "OfKind", "Others"]
__all__ += ["Plain", "Presence", "Referred", "When", "claims_of"]

_ANNOTATIONS = frozenset({"$schema", "$id", "$defs", "$comment", "title", "description", "default", "examples"})
_KINDS = {
    "string": ("minLength", "maxLength", "pattern"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "array": ("minItems", "maxItems", "uniqueItems", "prefixItems", "items", "contains", "minContains", "maxContains"),
    "object": ("minProperties", "maxProperties", "required", "properties", "additionalProperties"),
}
#: Every keyword that has claims, or says no more than where one applies.
_TOLD = (
    _ANNOTATIONS
    | {"type", "const", "enum", "$ref", "allOf", "anyOf", "oneOf", "not", "if", "then", "else"}
    | {keyword for keywords in _KINDS.values() for keyword in keywords}
)
_TYPES = frozenset({"null", "boolean", "object", "array", "number", "integer", "string"})


class Presence(Enum):
    """Whether a member or an item is there."""

    GIVEN = "given"  # it is known to be there
    REQUIRED = "required"  # that it is there is part of the claim
    OPTIONAL = "optional"  # where it is not there, the claim is true


@dataclass(frozen=True, slots=True)
class Plain:
    """What one keyword says that looks at the value alone, and whose kind the value has."""

    keyword: str
    value: Any


@dataclass(frozen=True, slots=True)
class Never:
    """What is true of no value."""


@dataclass(frozen=True, slots=True)
class OfKind:
    """Claims on values of one kind: object, array, string or number."""

    kind: str
    claims: Claims


@dataclass(frozen=True, slots=True)
class Member:
    """Claims on the member of that name."""

    name: str
    presence: Presence
    claims: Claims


@dataclass(frozen=True, slots=True)
class Others:
    """Claims on every member but those of some names."""

    besides: tuple[str, ...]
    claims: Claims


@dataclass(frozen=True, slots=True)
class Item:
    """Claims on the item at a place, counted from 0."""

    index: int
    presence: Presence
    claims: Claims


@dataclass(frozen=True, slots=True)
class Items:
    """Claims on every item but so many at the beginning."""

    but: int
    claims: Claims


@dataclass(frozen=True, slots=True)
class Contains:
    """How many items the claims are true of; `most` is None where there may be any number."""

    least: int
    most: int | None
    claims: Claims


@dataclass(frozen=True, slots=True)
class Choice:
    """At least one branch is true, or exactly one."""

    exactly_one: bool
    branches: tuple[Claims, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The claims are not all true."""

    claims: Claims


@dataclass(frozen=True, slots=True)
class When:
    """Where the condition is true so is `then`, elsewhere `otherwise`."""

    condition: Claims
    then: Claims
    otherwise: Claims


@dataclass(frozen=True, slots=True)
class Referred:
    """What another schema claims, which has a title or description of its own, and where that stands."""

    said: str
    address: str
    claims: Claims


Claim: TypeAlias = Plain | Never | OfKind | Member | Others | Item | Items | Contains | Choice | Not | When | Referred
Claims: TypeAlias = tuple[Claim, ...]


def claims_of(schema: Any, base: str = "", given: Iterable[Any] = ()) -> Claims:
    """What a schema claims of the values that satisfy all of `given`; `base` is what any ``$ref`` is relative to.

    Raises ValueError for a keyword that no claim stands for.
    """
    resolver = schemas.registry().resolver(base)
    known = _Known(tuple(_Schema(one, resolver) for one in given))
    return tuple(_claims(_Schema(schema, resolver), known))


@dataclass(frozen=True, slots=True)
class _Schema:
    """A schema, and how the references in it are resolved."""

    contents: Any
    resolver: Any

    def has(self, *keywords: str) -> bool:
        return isinstance(self.contents, Mapping) and any(keyword in self.contents for keyword in keywords)

    def get(self, keyword: str, default: Any = None) -> Any:
        return self.contents.get(keyword, default) if isinstance(self.contents, Mapping) else default

    def inner(self, contents: Any) -> _Schema:
        return _Schema(contents, self.resolver)

    def parts(self, keyword: str) -> list[_Schema]:
        return [self.inner(part) for part in self.get(keyword, ())]

    def only(self, *keywords: str) -> _Schema:
        return self.inner({keyword: self.contents[keyword] for keyword in keywords if self.has(keyword)})

    def without(self, *keywords: str) -> _Schema:
        return self.only(*(self.contents.keys() - set(keywords))) if self.has(*keywords) else self

    def referred(self) -> _Schema:
        found = self.resolver.lookup(self.contents["$ref"])
        return _Schema(found.contents, found.resolver)

    def conjuncts(self) -> Iterator[_Schema]:
        """All schemas that hold wherever this one does: those under ``allOf``, behind ``$ref``, and the rest of it."""
        yield self.without("allOf", "$ref")
        for part in [*self.parts("allOf"), *([self.referred()] if self.has("$ref") else [])]:
            yield from part.conjuncts()


class _Known:
    """What is known of a value: the schemas that it satisfies."""

    def __init__(self, satisfied: tuple[_Schema, ...]) -> None:
        self.satisfied = tuple(part for schema in satisfied for part in schema.conjuncts())

    def also(self, schema: _Schema) -> _Known:
        return _Known((*self.satisfied, schema))

    @cached_property
    def concluded(self) -> tuple[_Schema, ...]:
        """The schemas that the value satisfies, with every ``then`` whose ``if`` it surely satisfies."""
        then = [one.inner(one.get("then", True)) for one in self.satisfied if one.has("if") and self._meets_if(one)]
        return (*self.satisfied, *(part for schema in then for part in schema.conjuncts()))

    def _meets_if(self, schema: _Schema) -> bool:
        plainly = _Known(tuple(one.without("if", "then", "else") for one in self.satisfied))
        return plainly.entails(schema.inner(schema.get("if")))

    @cached_property
    def types(self) -> frozenset[str]:
        """The types that the value may have."""
        found = _TYPES
        for schema in self.concluded:
            if schema.has("type"):
                found &= _types(schema.get("type"))
            if kind := _sole_kind(schema.get("not")):
                found &= _types(kind)  # of any other kind every value satisfies what is denied
        return found if self.values is None else found & frozenset(map(_type_of, self.values))

    @cached_property
    def values(self) -> list[Any] | None:
        """The values that it may be; None where these are not listed."""
        lists: list[list[Any]] = [
            [one.get("const")] if one.has("const") else one.get("enum")
            for one in self.concluded
            if one.has("const", "enum")
        ]
        return [one for one in lists[0] if all(_among(one, others) for others in lists[1:])] if lists else None

    def is_of(self, kind: str) -> bool:
        return self.types <= _types(kind)

    def has_member(self, name: str) -> bool:
        """Whether it has the member, if it is an object."""
        return any(
            name in one.get("required", ())
            or (one.has("anyOf") and all(_Known((part,)).has_member(name) for part in one.parts("anyOf")))
            for one in self.concluded
        )

    def has_item(self, index: int) -> bool:
        """Whether it has an item at that place, if it is an array."""
        return any(one.get("minItems", 0) > index for one in self.concluded)

    def member(self, name: str) -> _Known:
        """What is known of the member, if there is one."""
        return _Known(
            tuple(
                one.inner(one.get("properties", {}).get(name, one.get("additionalProperties", True)))
                for one in self.concluded
            )
        )

    def item(self) -> _Known:
        """What is known of every item, at whatever place."""
        return _Known(tuple(one.inner(one.get("items", True)) for one in self.concluded if not one.has("prefixItems")))

    def entails(self, schema: _Schema) -> bool:
        """Whether the value surely satisfies a schema; False as well where that takes more than a glance."""
        if not isinstance(schema.contents, Mapping):
            return schema.contents is True
        return all(
            keyword in _ANNOTATIONS or keyword in ("then", "else") or self._entails(keyword, schema)
            for keyword in schema.contents
        )

    def _entails(self, keyword: str, schema: _Schema) -> bool:
        value = schema.get(keyword)
        match keyword:
            case "required":
                return all(map(self.has_member, value))
            case "properties":
                return all(self.member(name).entails(schema.inner(part)) for name, part in value.items())
            case "type":
                return self.types <= _types(value)
            case "const" | "enum":
                allowed = [value] if keyword == "const" else value
                return self.values is not None and all(_among(own, allowed) for own in self.values)
            case "not":
                denied = [value["const"]] if value.keys() == {"const"} else value.get("enum", [])
                plain = value.keys() in ({"const"}, {"enum"})
                return plain and self.values is not None and not any(_among(own, denied) for own in self.values)
            case "allOf":
                return all(map(self.entails, schema.parts("allOf")))
            case "$ref":
                return self.entails(schema.referred())
            case _:
                return False


def _claims(schema: _Schema, known: _Known) -> Iterator[Claim]:
    """The claims of a schema on a value of which that much is known."""
    if not isinstance(schema.contents, Mapping):
        yield from () if schema.contents else (Never(),)
        return
    unknown = sorted(schema.contents.keys() - _TOLD)
    if unknown:
        raise ValueError(
            f"a schema has {', '.join(unknown)}: there are no words for that; write it with other keywords"
        )
    for keyword in ("type", "const", "enum"):
        if schema.has(keyword) and not (keyword == "type" and known.types <= _types(schema.get("type"))):
            yield Plain(keyword, schema.get(keyword))
    known = known.also(schema.only("type", "const", "enum"))
    for kind, keywords in _KINDS.items():
        if schema.has(*keywords):
            part = schema.only(*keywords)
            yield from _of_kind(kind, part, known)
            known = known.also(part)
    for keyword in ("$ref", "allOf", "anyOf", "oneOf", "not", "if"):
        if schema.has(keyword):
            yield from _applied(keyword, schema, known)
            known = known.also(schema.only(*(("if", "then", "else") if keyword == "if" else (keyword,))))


def _of_kind(kind: str, schema: _Schema, known: _Known) -> Iterator[Claim]:
    """The claims of keywords that look at values of one kind only."""
    certain = known.is_of(kind)
    known = known if certain else known.also(schema.inner({"type": kind}))
    structure = {"array": _of_array, "object": _of_object}.get(kind)
    claims = (
        *(Plain(keyword, schema.get(keyword)) for keyword in _KINDS[kind] if _is_plain(keyword, schema)),
        *(structure(schema, known) if structure else ()),
    )
    if claims and not certain:
        yield OfKind(kind, claims)
    else:
        yield from claims


def _is_plain(keyword: str, schema: _Schema) -> bool:
    """Whether a keyword is there that says something, by itself, of the value as a whole."""
    if keyword == "uniqueItems":
        return schema.get(keyword) is True
    if keyword in ("minLength", "minItems", "minProperties"):
        return bool(schema.get(keyword))
    numeric = (*_KINDS["string"], *_KINDS["number"], "maxItems", "maxProperties")
    return keyword in numeric and schema.has(keyword)


def _of_object(schema: _Schema, known: _Known) -> Iterator[Claim]:
    required, properties = schema.get("required", ()), schema.get("properties", {})
    for name in dict.fromkeys((*required, *properties)):
        claims = tuple(_claims(schema.inner(properties.get(name, True)), known.member(name)))
        if known.has_member(name):
            yield from _wherever(Member(name, Presence.GIVEN, claims))
        elif name in required:
            yield Member(name, Presence.REQUIRED, claims)
        else:
            yield from _wherever(Member(name, Presence.OPTIONAL, claims))
        told = {"properties": {name: properties.get(name, True)}, "required": [name] if name in required else []}
        known = known.also(schema.inner(told))
    if schema.has("additionalProperties"):
        others = tuple(_claims(schema.inner(schema.get("additionalProperties")), _Known(())))
        yield from _wherever(Others(tuple(properties), others))


def _of_array(schema: _Schema, known: _Known) -> Iterator[Claim]:
    known = known.also(schema.only("minItems"))
    first = schema.parts("prefixItems")
    for index, part in enumerate(first):
        presence = Presence.GIVEN if known.has_item(index) else Presence.OPTIONAL
        yield from _wherever(Item(index, presence, tuple(_claims(part, known.item()))))
    if schema.has("items"):
        yield from _wherever(Items(len(first), tuple(_claims(schema.inner(schema.get("items")), known.item()))))
    if schema.has("contains"):
        item = known.item() if first else known.also(schema.only("items")).item()
        claims = tuple(_claims(schema.inner(schema.get("contains")), item))
        least, most = schema.get("minContains", 1), schema.get("maxContains")
        if least or most is not None:
            yield Contains(least, most, claims)


def _wherever(claim: Member | Others | Item | Items) -> Claims:
    """A claim on what may be or is there; none where nothing is claimed of it."""
    return (claim,) if claim.claims else ()


def _applied(keyword: str, schema: _Schema, known: _Known) -> Iterator[Claim]:
    """The claims of a keyword that applies schemas to the value itself."""
    match keyword:
        case "$ref":
            yield from _referred(schema, known)
        case "allOf":
            for part in schema.parts("allOf"):
                yield from _claims(part, known)
                known = known.also(part)
        case "anyOf":
            yield from _any_of([tuple(_claims(part, known)) for part in schema.parts("anyOf")])
        case "oneOf":
            yield Choice(True, tuple(tuple(_claims(part, known)) for part in schema.parts("oneOf")))
        case "not":
            yield from _denied(tuple(_claims(schema.inner(schema.get("not")), known)))
        case "if":
            condition = schema.inner(schema.get("if"))
            then = tuple(_claims(schema.inner(schema.get("then", True)), known.also(condition)))
            otherwise = tuple(_claims(schema.inner(schema.get("else", True)), known))
            yield from _conditional(tuple(_claims(condition, known)), then, otherwise)


def _referred(schema: _Schema, known: _Known) -> Iterator[Claim]:
    target = schema.referred()
    claims = tuple(_claims(target, known))
    said = target.get("title", target.get("description"))
    if claims and said:
        yield Referred(said, schema.get("$ref"), claims)
    else:
        yield from claims


def _conditional(condition: Claims, then: Claims, otherwise: Claims) -> Claims:
    if condition in ((), (Never(),)):
        return otherwise if condition else then
    return (When(condition, then, otherwise),) if then or otherwise else ()


def _any_of(branches: list[Claims]) -> Claims:
    if () in branches:
        return ()
    possible = tuple(branch for branch in branches if branch != (Never(),))
    return (Choice(False, possible),) if len(possible) > 1 else possible[0] if possible else (Never(),)


def _denied(claims: Claims) -> Claims:
    """Claims that are true where not all of these are, as near to the values as that can be said."""
    match claims:
        case ():
            return (Never(),)
        case (Never(),):
            return ()
        case (Not(inner),):
            return inner
        case (OfKind(kind, inner),):
            return (Plain("type", kind), *_denied(inner))
        case (Member(name, presence, inner),):
            opposite = Member(name, _OPPOSITE[presence], _denied(inner))
            return (opposite,) if opposite.presence is Presence.REQUIRED else _wherever(opposite)
        case (Contains(1, None, inner),):
            return (Contains(0, 0, inner),)
        case (Items(0, inner),):
            return (Contains(1, None, _denied(inner)),)
        case (Choice(False, branches),):
            return tuple(claim for branch in branches for claim in _denied(branch))
        case _:
            return (Not(claims),)


_OPPOSITE = {
    Presence.GIVEN: Presence.GIVEN,
    Presence.REQUIRED: Presence.OPTIONAL,
    Presence.OPTIONAL: Presence.REQUIRED,
}


def _sole_kind(contents: Any) -> str | None:
    """The kind of values that all keywords of a schema look at; None where they look at several or others."""
    keywords = contents.keys() - _ANNOTATIONS if isinstance(contents, Mapping) else ()
    return next((kind for kind, of_kind in _KINDS.items() if keywords and keywords <= set(of_kind)), None)


def _types(type_: str | list[str]) -> frozenset[str]:
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
            return "object" if isinstance(value, Mapping) else "array"


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
