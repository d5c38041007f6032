"""What a JSON Schema claims of a value: a tree of claims, which `prose` turns into English.

The claims are true of exactly those values that the schema admits, among those that satisfy the *given* schemas: what
is known already is not claimed again.  Claims have an order: each may rely on the ones before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from conformance.contract import schemas
from conformance.contract.knowledge import ANNOTATIONS, KINDS, Knowledge, References, SchemaPart, types_of

__all__ = ["Choice", "Claim", "Claims", "Contains", "Item", "Items", "Member", "Named", "Never", "Not", "OfKind"]
__all__ += ["Others", "Plain", "Presence", "Referred", "When", "claims_of"]

#: The keywords that can be expressed as claims.
_SUPPORTED = (
    ANNOTATIONS
    | {"type", "const", "enum", "$ref", "allOf", "anyOf", "oneOf", "not", "if", "then", "else"}
    | {keyword for keywords in KINDS.values() for keyword in keywords}
)


class Presence(Enum):
    """Whether a member or an item is present."""

    GIVEN = "given"  # it is known to be present
    REQUIRED = "required"  # its presence is part of the claim
    OPTIONAL = "optional"  # the claim is true if it is absent


@dataclass(frozen=True, slots=True)
class Plain:
    """One keyword that constrains the value itself, which is of the keyword's kind."""

    keyword: str
    value: Any


@dataclass(frozen=True, slots=True)
class Never:
    """True of no value."""


@dataclass(frozen=True, slots=True)
class OfKind:
    """Claims on values of one kind: object, array, string or number."""

    kind: str
    claims: Claims


@dataclass(frozen=True, slots=True)
class Member:
    """Claims on the member of a name."""

    name: str
    presence: Presence
    claims: Claims


@dataclass(frozen=True, slots=True)
class Others:
    """Claims on every member but those named in `besides`."""

    besides: tuple[str, ...]
    claims: Claims


@dataclass(frozen=True, slots=True)
class Named:
    """Claims on every member whose name matches a pattern."""

    pattern: str
    claims: Claims


@dataclass(frozen=True, slots=True)
class Item:
    """Claims on the item at an index, from 0."""

    index: int
    presence: Presence
    claims: Claims


@dataclass(frozen=True, slots=True)
class Items:
    """Claims on every item after the first `but`."""

    but: int
    claims: Claims


@dataclass(frozen=True, slots=True)
class Contains:
    """The claims are true of `least` to `most` items; None is any number."""

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
    """`then` is true if the condition is, else `otherwise`."""

    condition: Claims
    then: Claims
    otherwise: Claims


@dataclass(frozen=True, slots=True)
class Referred:
    """The claims of a schema that is referred to: its title or description, and its address."""

    title: str
    address: str
    claims: Claims


Claim: TypeAlias = (
    Plain | Never | OfKind | Member | Others | Named | Item | Items | Contains | Choice | Not | When | Referred
)
Claims: TypeAlias = tuple[Claim, ...]


def claims_of(schema: Any, base: str = "", given: Iterable[Any] = ()) -> Claims:
    """The claims of a schema on values that satisfy all `given` schemas; each ``$ref`` is relative to `base`.

    Raises ValueError for a keyword that cannot be expressed as a claim.
    """
    references = References(schemas.registry().resolver(base))
    known = Knowledge(tuple(SchemaPart(one, references) for one in given))
    return tuple(_claims(SchemaPart(schema, references), known))


def _claims(schema: SchemaPart, known: Knowledge) -> Iterator[Claim]:
    """The claims of a schema on a value of which `known` is known."""
    if not isinstance(schema.contents, Mapping):
        yield from () if schema.contents else (Never(),)
        return
    unknown = sorted(schema.contents.keys() - _SUPPORTED)
    if unknown:
        raise ValueError(f"a schema uses {', '.join(unknown)}, which cannot be put into words; use other keywords")
    for keyword in ("type", "const", "enum"):
        if schema.has(keyword) and not (keyword == "type" and known.types <= types_of(schema.get("type"))):
            yield Plain(keyword, schema.get(keyword))
    known = known.also(schema.only("type", "const", "enum"))
    for kind, keywords in KINDS.items():
        if schema.has(*keywords):
            part = schema.only(*keywords)
            yield from _of_kind(kind, part, known)
            known = known.also(part)
    for keyword in ("$ref", "allOf", "anyOf", "oneOf", "not", "if"):
        if schema.has(keyword):
            yield from _from_applicator(keyword, schema, known)
            known = known.also(schema.only(*(("if", "then", "else") if keyword == "if" else (keyword,))))


def _of_kind(kind: str, schema: SchemaPart, known: Knowledge) -> Iterator[Claim]:
    """The claims of keywords that constrain values of one kind only."""
    certain = known.is_of(kind)
    known = known if certain else known.also(schema.inner({"type": kind}))
    structure = {"array": _of_array, "object": _of_object}.get(kind)
    claims = (
        *(Plain(keyword, schema.get(keyword)) for keyword in KINDS[kind] if _is_plain(keyword, schema)),
        *(structure(schema, known) if structure else ()),
    )
    if claims and not certain:
        yield OfKind(kind, claims)
    else:
        yield from claims


def _is_plain(keyword: str, schema: SchemaPart) -> bool:
    """Whether a keyword is present and constrains the value itself."""
    if keyword == "uniqueItems":
        return schema.get(keyword) is True
    if keyword in ("minLength", "minItems", "minProperties"):
        return bool(schema.get(keyword))
    numeric = (*KINDS["string"], *KINDS["number"], "maxItems", "maxProperties")
    return keyword in numeric and schema.has(keyword)


def _of_object(schema: SchemaPart, known: Knowledge) -> Iterator[Claim]:
    required, properties = schema.get("required", ()), schema.get("properties", {})
    for name in dict.fromkeys((*required, *properties)):
        claims = tuple(_claims(schema.inner(properties.get(name, True)), known.member(name)))
        if known.has_member(name):
            yield from _unless_empty(Member(name, Presence.GIVEN, claims))
        elif name in required:
            yield Member(name, Presence.REQUIRED, claims)
        else:
            yield from _unless_empty(Member(name, Presence.OPTIONAL, claims))
        claimed = {"properties": {name: properties.get(name, True)}, "required": [name] if name in required else []}
        known = known.also(schema.inner(claimed))
    for pattern, contents in schema.get("patternProperties", {}).items():
        yield from _unless_empty(Named(pattern, tuple(_claims(schema.inner(contents), Knowledge(())))))
    if schema.has("additionalProperties"):
        others = tuple(_claims(schema.inner(schema.get("additionalProperties")), Knowledge(())))
        yield from _unless_empty(Others(tuple(properties), others))


def _of_array(schema: SchemaPart, known: Knowledge) -> Iterator[Claim]:
    known = known.also(schema.only("minItems"))
    first = schema.parts("prefixItems")
    for index, part in enumerate(first):
        presence = Presence.GIVEN if known.has_item(index) else Presence.OPTIONAL
        yield from _unless_empty(Item(index, presence, tuple(_claims(part, known.item()))))
    if schema.has("items"):
        yield from _unless_empty(Items(len(first), tuple(_claims(schema.inner(schema.get("items")), known.item()))))
    if schema.has("contains"):
        item = known.item() if first else known.also(schema.only("items")).item()
        claims = tuple(_claims(schema.inner(schema.get("contains")), item))
        least, most = schema.get("minContains", 1), schema.get("maxContains")
        if least or most is not None:
            yield Contains(least, most, claims)


def _unless_empty(claim: Member | Others | Named | Item | Items) -> Claims:
    """The claim, or none if it has no inner claims."""
    return (claim,) if claim.claims else ()


def _from_applicator(keyword: str, schema: SchemaPart, known: Knowledge) -> Iterator[Claim]:
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
            yield from _negated(tuple(_claims(schema.inner(schema.get("not")), known)))
        case "if":
            condition = schema.inner(schema.get("if"))
            then = tuple(_claims(schema.inner(schema.get("then", True)), known.also(condition)))
            otherwise = tuple(_claims(schema.inner(schema.get("else", True)), known))
            yield from _conditional(tuple(_claims(condition, known)), then, otherwise)


def _referred(schema: SchemaPart, known: Knowledge) -> Iterator[Claim]:
    target = schema.referred()
    claims = tuple(_claims(target, known))
    title = target.get("title", target.get("description"))
    if claims and title:
        yield Referred(title, schema.get("$ref"), claims)
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


def _negated(claims: Claims) -> Claims:
    """Claims that are true if not all of these are, with the negation as far inside as possible."""
    match claims:
        case ():
            return (Never(),)
        case (Never(),):
            return ()
        case (Not(inner),):
            return inner
        case (OfKind(kind, inner),):
            return (Plain("type", kind), *_negated(inner))
        case (Member(name, presence, inner),):
            opposite = Member(name, _OPPOSITE[presence], _negated(inner))
            return (opposite,) if opposite.presence is Presence.REQUIRED else _unless_empty(opposite)
        case (Contains(1, None, inner),):
            return (Contains(0, 0, inner),)
        case (Items(0, inner),):
            return (Contains(1, None, _negated(inner)),)
        case (Choice(False, branches),):
            return tuple(claim for branch in branches for claim in _negated(branch))
        case _:
            return (Not(claims),)


_OPPOSITE = {
    Presence.GIVEN: Presence.GIVEN,
    Presence.REQUIRED: Presence.OPTIONAL,
    Presence.OPTIONAL: Presence.REQUIRED,
}
