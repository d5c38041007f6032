"""The description of the API in one file: the shapes of ``schemas/api/`` as its components, for tools of any kind.

A component means what its shape does, in words that generators of code and of examples know: an object that is put
together of several is one object, and one of several objects has all that they share in each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import reduce
from posixpath import basename
from typing import Any

from conformance.contract import schemas

__all__ = ["with_shapes"]

_COMPONENTS = "#/components/schemas/"
#: Where an object has its name until it is a component.
_HINT = "name"
#: Keywords of a component that stand beside what it is made of.
_NOTES = ("description",)


def with_shapes(description: Mapping[str, Any]) -> dict[str, Any]:
    """`description` with a component for each shape that it uses, however indirectly, in place of those that it had."""
    components = {name: value for name, value in description["components"].items() if name != "schemas"}
    shapes = _Shapes()
    found: dict[str, Any] = {}
    pending = _used({**description, "components": components})
    while pending:
        name = min(pending)  # the same in each run
        found[name] = _apart(name, shapes.component(name), found)
        pending = (pending | _used(found)) - found.keys()
    return {**description, "components": {**components, "schemas": dict(sorted(found.items()))}}


def _apart(name: str, schema: Any, found: dict[str, Any]) -> Any:
    """`schema` with a component, added to `found`, in the place of each object in it: generators name these badly."""

    def inner(part: str, one: Any) -> Any:
        if not isinstance(one, dict):
            return one
        own = one.pop(_HINT, name + _words(part))
        made = _apart(own, one, found)
        if "properties" not in made and made.get("type") != "object":
            return made
        own = next((other for other, known in found.items() if known == made), own)
        found[own] = made
        return {"$ref": _COMPONENTS + own}

    made = dict(schema)
    if "properties" in made:
        made["properties"] = {part: inner(part, one) for part, one in made["properties"].items()}
    if "items" in made:
        made["items"] = inner("item", made["items"])
    if "anyOf" in made:
        made["anyOf"] = [inner(_part(one, number), one) for number, one in enumerate(made["anyOf"], 1)]
    return made


def _part(one: Mapping[str, Any], number: int) -> str:
    """What tells one of several objects from the others: what it alone requires, or its number."""
    return f"by_{one['required'][0]}" if len(one.get("required", ())) == 1 else str(number)


def _words(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]", name))


def _name(file: str, part: str = "") -> str:
    """The name of a component: ``EventAsReadEvent``."""
    return _words(f"{file}-{part}")


def _used(value: Any) -> set[str]:
    """The components that are referred to."""
    if isinstance(value, dict):
        own = {value["$ref"].removeprefix(_COMPONENTS)} if str(value.get("$ref")).startswith(_COMPONENTS) else set()
        return own.union(*map(_used, value.values()))
    return set().union(*map(_used, value)) if isinstance(value, list) else set()


def _hint(one: Mapping[str, Any]) -> dict[str, str]:
    """How to name what is made of a component and more."""
    return {_HINT: one["$ref"].removeprefix(_COMPONENTS)} if "$ref" in one else {}


class _Shapes:
    """The shapes by the names of their components: ``EventAsReadEvent`` is ``event-as-read.json#/$defs/event``."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[Any, str]] = {}
        for name in schemas.names("api"):
            contents, file = schemas.read(name), basename(name)
            if schemas.is_schema(contents):
                parts = contents.pop("$defs", {})
                whole = {key: value for key, value in contents.items() if key not in ("$schema", "$id")}
                self._found[_name(file)] = whole, file
                self._found |= {_name(file, part): (shape, file) for part, shape in parts.items()}

    def component(self, name: str) -> dict[str, Any]:
        """A component, which may refer to others."""
        made: dict[str, Any] = self._made(*self._found[name])
        return made

    def _made(self, schema: Any, file: str) -> Any:
        if isinstance(schema, list):
            return [self._made(item, file) for item in schema]
        if schema is False:
            return {"not": {}}
        if not isinstance(schema, dict):
            return schema
        if schema == {"const": False}:  # for openapi-python-client, which writes "!= Falseand" otherwise
            return {"type": "boolean", "not": {"const": True}}
        made: dict[str, Any] = {}
        for key, value in schema.items():
            if key in ("const", "enum", "required", "type"):
                made[key] = value
            elif key == "title":
                made["description"] = value  # titles would become the names of classes
            elif key == "properties":
                made[key] = {name: self._made(one, file) for name, one in value.items()}
            elif key == "$ref":
                address, _, pointer = value.partition("#")
                part = pointer.removeprefix("/$defs/")
                made[key] = _COMPONENTS + _name(address.removesuffix(".json") or file, part)
            elif key != "$comment":
                made[key] = self._made(value, file)
        return self._plain(made)

    def _plain(self, made: dict[str, Any]) -> dict[str, Any]:
        """The same without ``if``, ``allOf``, and company of ``$ref`` and ``anyOf``."""
        notes = {key: made[key] for key in _NOTES if key in made}
        rest = {key: value for key, value in made.items() if key not in notes}
        if rest.get("then") is True:  # if A then anything else B: one of both
            rest = {key: value for key, value in rest.items() if key not in ("if", "then", "else")}
            rest["anyOf"] = [made["if"], made["else"]]
        parts = [*rest.pop("allOf", [])]
        if "$ref" in rest and (parts or len(rest) > 1):
            parts.append({"$ref": rest.pop("$ref")})
        rest = reduce(self._both, [*parts, rest]) if parts else rest
        if isinstance(rest.get("type"), list) and "properties" in rest:  # an object, or what is none
            others = [kind for kind in rest["type"] if kind != "object"]
            rest = {"anyOf": [{**rest, "type": "object"}, *({"type": kind} for kind in others)]}
        if "anyOf" in rest and len(rest) > 1:
            shared = {key: value for key, value in rest.items() if key != "anyOf"}
            rest = {"anyOf": [{**self._both(shared, one), **_hint(one)} for one in rest["anyOf"]]}
        return {**notes, **rest}

    def _both(self, one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
        """What is valid for both of them."""
        if one == other or not other:
            return one
        if not one:
            return other
        first, second = self._resolved(one), self._resolved(other)
        both = {**second, **first}
        for key in first.keys() & second.keys() - set(_NOTES):
            if key == "required":
                both[key] = [*first[key], *(name for name in second[key] if name not in first[key])]
            elif key == "properties":
                shared = first[key].keys() & second[key].keys()
                merged = {name: self._both(first[key][name], second[key][name]) for name in shared}
                both[key] = {**first[key], **second[key], **merged}
            elif key == "items":
                both[key] = self._both(first[key], second[key])
            elif first[key] != second[key]:
                raise ValueError(f"{key} is {first[key]!r} and {second[key]!r}: no component can say so in one")
        return self._plain(both)

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A schema that is no reference: what it refers to, in its place."""
        found = schema
        while "$ref" in found:
            found = self.component(found["$ref"].removeprefix(_COMPONENTS))
        return found
