"""A JSON Schema over facts as lines of English: a rule can be read without knowing the keywords."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, groupby
from typing import Any

from conformance.contract import schemas
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
    claims_of,
)
from conformance.contract.rules import Rule

__all__ = ["in_words", "part_in_words"]

_OBJECT = {"type": "object"}
#: The predicate for a value that satisfies a keyword, and for one that does not.
_PREDICATES = {
    "const": ("is {}", "is not {}"),
    "enum": ("is {}", "is not {}"),
    "type": ("is {}", "is not {}"),
    "pattern": ("matches `{}`", "does not match `{}`"),
    "minimum": ("is at least {}", "is less than {}"),
    "maximum": ("is at most {}", "is more than {}"),
    "exclusiveMinimum": ("is more than {}", "is at most {}"),
    "exclusiveMaximum": ("is less than {}", "is at least {}"),
    "multipleOf": ("is a multiple of {}", "is not a multiple of {}"),
    "minLength": ("has at least {}", "has fewer than {}"),
    "maxLength": ("has at most {}", "has more than {}"),
    "minItems": ("has at least {}", "has fewer than {}"),
    "maxItems": ("has at most {}", "has more than {}"),
    "minProperties": ("has at least {}", "has fewer than {}"),
    "maxProperties": ("has at most {}", "has more than {}"),
    "uniqueItems": ("has no item twice", "has some item twice"),
}
_COUNTED = {"Length": "character", "Items": "item", "Properties": "member"}
_KINDS = {
    "null": "null",
    "boolean": "true or false",
    "object": "an object",
    "array": "an array",
    "number": "a number",
    "integer": "a whole number",
    "string": "a string",
}
_EMPTY = {("minItems", 1), ("minLength", 1), ("maxItems", 0), ("maxLength", 0)}


def in_words(schema: Any, base: str = "", given: Iterable[Any] = (_OBJECT,)) -> tuple[str, ...]:
    """What a schema demands, as a list with a line for each demand; its details are indented below it.

    The lines say exactly what the schema says of values that satisfy the `given` schemas: a required member "is"
    something, an optional one is so "if known".  `base` is the URI that each ``$ref`` is relative to.  A schema that
    demands nothing more has no lines.

    >>> in_words({"required": ["start"], "properties": {"start": {"const": "past"}, "requested": {"const": "none"}}})
    ('- `start` is "past"', '- `requested`, if known, is "none"')
    """
    return tuple(_lines(_points(claims_of(schema, base, given), _Place())))


@cache
def part_in_words(rule: Rule, part: str) -> tuple[str, ...]:
    """What a part of a rule says of facts in their documented shape; ``if`` is given for the other parts."""
    shape = {"$ref": schemas.uri(f"facts/{rule.about}")}
    given = (shape,) if part == "if" else (shape, rule.schema["if"])
    return in_words(rule.schema[part], rule.schema["$id"], given)


@dataclass(frozen=True, slots=True)
class _Place:
    """How a value is named: by its path in the document or, `inside`, in the item or member in question."""

    path: str = ""
    inside: bool = False

    def member(self, name: str) -> _Place:
        return _Place(f"{self.path}.{name}" if self.path else name, self.inside)

    def __str__(self) -> str:
        if not self.path:
            return "it" if self.inside else "the document"
        return f"its `{self.path}`" if self.inside else f"`{self.path}`"


@dataclass(frozen=True, slots=True)
class _Point:
    """A point of a list, with the points below it."""

    text: str
    below: tuple[_Point, ...] = ()


def _lines(points: Iterable[_Point], indent: str = "") -> Iterator[str]:
    for point in points:
        yield f"{indent}- {point.text}"
        yield from _lines(point.below, indent + "  ")


def _points(claims: Claims, place: _Place) -> tuple[_Point, ...]:
    """Claims on the value at a place; consecutive plain ones are one line."""
    points: list[_Point] = []
    for plain, several in groupby(claims, key=lambda claim: bool(_predicate((claim,)))):
        some = tuple(several)
        points += [_Point(f"{place} {_predicate(some)}")] if plain else chain(*(_points_of(one, place) for one in some))
    return tuple(points)


def _points_of(claim: Claim, place: _Place) -> Sequence[_Point]:
    match claim:
        case Plain() | Not((Plain(),)):
            return _points((claim,), place)
        case Never():
            return [_Point("nothing satisfies this")]
        case OfKind(kind, claims):
            return _where(f"{place}, if {_KINDS[kind]},", f"if {place} is {_KINDS[kind]}:", claims, place)
        case Member():
            return _member(claim, place.member(claim.name))
        case Others(besides, claims):
            return _others(besides, claims, place)
        case Named(pattern, claims):
            return _each(f"every member of {place} whose name matches `{pattern}`", claims)
        case Item(index, presence, claims):
            return _item(index, presence, claims, place)
        case Items(but, claims):
            return _items(but, claims, place)
        case Contains(least, most, claims):
            return _contains(least, most, claims, place)
        case Choice(exactly_one, branches):
            below = tuple(_as_one(branch, place) for branch in branches)
            return [_Point(f"{'exactly' if exactly_one else 'at least'} one of these holds:", below)]
        case Not(claims):
            points = _points(claims, place)
            return [_Point("this does not hold:" if len(points) == 1 else "these do not all hold:", points)]
        case When():
            return _when(claim, place)
        case Referred(title, address, _):
            return [_Point(f"{place} is as {_file(address)} says: {title.rstrip('.')}")]


def _where(inline: str, heading: str, claims: Claims, place: _Place) -> list[_Point]:
    """Claims on a value under a condition: in one line if they are plain, else below a heading."""
    if predicate := _predicate(claims):
        return [_Point(f"{inline} {predicate}")]
    return [_Point(heading, _points(claims, place))]


def _member(member: Member, place: _Place) -> list[_Point]:
    claims = member.claims
    if member.presence is Presence.OPTIONAL:
        if claims == (Never(),):
            return [_Point(f"{place} is not known")]
        if all(_needs_presence(claim) for claim in claims):
            return list(_points(claims, place))
        return _where(f"{place}, if known,", f"if {place} is known:", claims, place)
    if member.presence is Presence.GIVEN or any(map(_says_presence, claims)):
        return list(_points(claims, place))
    if predicate := _predicate(claims):
        return [_Point(f"{place} is known and {predicate}")]
    return [_Point(f"{place} is known"), *_points(claims, place)]


def _needs_presence(claim: Claim) -> bool:
    """Whether the words of a claim leave open that the value is absent."""
    return isinstance(claim, OfKind) or (isinstance(claim, Member) and claim.presence is Presence.OPTIONAL)


def _says_presence(claim: Claim) -> bool:
    """Whether the words of a claim say that the value is present."""
    match claim:
        case Plain() | Referred():
            return True
        case Member(_, Presence.REQUIRED, _):
            return True
        case Member(_, Presence.GIVEN, claims):
            return any(map(_says_presence, claims))
        case Contains(least, _, _):
            return least > 0
        case _:
            return False


def _others(besides: tuple[str, ...], claims: Claims, place: _Place) -> list[_Point]:
    named = _listed([f"`{name}`" for name in besides], "and")
    if claims == (Never(),):
        return [_Point(f"{place} has no members" + (f" but {named}" if named else ""))]
    which = f"every member of {place}" + (f" but {named}" if named else "")
    return _each(which, claims)


def _item(index: int, presence: Presence, claims: Claims, place: _Place) -> list[_Point]:
    which = f"item {index + 1} of {place}"
    if presence is Presence.GIVEN:
        return _each(which, claims)
    if claims == (Never(),):
        return [_Point(f"{place} has no item {index + 1}")]
    return _where(f"{which}, if there is one,", f"if there is an {which}:", claims, _Place(inside=True))


def _items(but: int, claims: Claims, place: _Place) -> list[_Point]:
    if claims == (Never(),):
        return [_Point(f"{place} has at most {_count(but, 'item')}" if but else f"{place} is empty")]
    return _each(
        f"every item of {place}" + (f" after the first {but}" if but > 1 else " after the first" * but), claims
    )


def _contains(least: int, most: int | None, claims: Claims, place: _Place) -> list[_Point]:
    if not claims:
        return [_Point(f"{place} has {_quantity(least, most, 'item')}")]
    if (least, most) in ((1, None), (0, 0)):
        return _each(f"{'at least one' if least else 'no'} item of {place}", claims)
    below = _points(claims, _Place(inside=True))
    return [_Point(f"this holds for {_quantity(least, most, 'item')} of {place}:", below)]


def _each(which: str, claims: Claims) -> list[_Point]:
    return _where(which, f"{which} is such that:", claims, _Place(inside=True))


def _when(when: When, place: _Place) -> list[_Point]:
    condition = _points(when.condition, place)
    points = []
    if when.then:
        one_line = len(condition) == 1 and not condition[0].below
        points = [
            _Point(f"if {condition[0].text}:" if one_line else "if all of these hold:", () if one_line else condition)
        ]
        then = _points(when.then, place)
        points = [_Point(points[0].text, then)] if one_line else [*points, _Point("then:", then)]
    if when.otherwise:
        heading = _Point("otherwise:", _points(when.otherwise, place))
        points = [*points, heading] if points else [_Point("unless all of these hold:", condition), heading]
    return points


def _as_one(claims: Claims, place: _Place) -> _Point:
    points = _points(claims, place)
    if not points:
        return _Point("anything")
    return points[0] if len(points) == 1 else _Point("all of these:", points)


def _predicate(claims: Claims) -> str:
    """The predicate for plain claims; empty if a claim is not plain."""
    predicates = []
    for claim in claims:
        match claim:
            case Plain(keyword, value):
                predicates.append(_keyword_predicate(keyword, value, met=True))
            case Not((Plain(keyword, value),)):
                predicates.append(_keyword_predicate(keyword, value, met=False))
            case _:
                return ""
    return " and ".join(predicates)


def _keyword_predicate(keyword: str, value: Any, *, met: bool) -> str:
    if (keyword, value) in _EMPTY if isinstance(value, int) else False:
        return "is empty" if keyword.startswith("max") == met else "is not empty"
    words = _PREDICATES[keyword][not met]
    match keyword:
        case "enum":
            return words.format(_listed([_json(one) for one in value], "or"))
        case "type":
            return words.format(_listed([_KINDS[one] for one in ([value] if isinstance(value, str) else value)], "or"))
        case "pattern":
            return words.format(value)
        case _ if thing := _COUNTED.get(keyword[3:]):
            return words.format(_count(value, thing))
        case _:
            return words.format(_json(value))


def _quantity(least: int, most: int | None, thing: str) -> str:
    if most is None:
        return f"at least {_count(least, thing)}"
    if least == most:
        return f"exactly {_count(least, thing)}"
    return f"{least} to {_count(most, thing)}" if least else f"at most {_count(most, thing)}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _listed(words: Sequence[str], conjunction: str) -> str:
    return f" {conjunction} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _file(address: str) -> str:
    return f"`schemas/{address.removeprefix(schemas.BASE).removeprefix('../')}`"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
