"""A JSON Schema over facts as lines of English, so that a rule can be read without knowing the keywords."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.contract import schemas

__all__ = ["in_words"]

_INDENT = "  "
_SILENT = frozenset({"$schema", "$id", "$defs", "$comment", "title", "description", "examples"}) | frozenset(
    {"required", "properties", "then", "else", "minContains", "maxContains"}  # told with the keyword they belong to
)
#: Keywords whose demands take more than one line, and would be untrue of something that may be absent.
_DEEP = frozenset({"required", "properties", "allOf", "anyOf", "oneOf", "not", "if", "contains"})
_BOUNDS = {
    "minimum": "is at least {}",
    "maximum": "is at most {}",
    "exclusiveMinimum": "is more than {}",
    "exclusiveMaximum": "is less than {}",
    "minLength": "has at least {} characters",
    "maxLength": "has at most {} characters",
    "minItems": "has at least {} items",
    "maxItems": "has at most {} items",
    "minProperties": "has at least {} members",
    "maxProperties": "has at most {} members",
}


def in_words(schema: Any, base: str = "", given: Any = True) -> tuple[str, ...]:
    """What a schema demands, a line for each demand, indented by two spaces where it belongs to the one above.

    `base` is the URI that ``$ref`` is relative to; what the schema `given` requires is there.  There is no line for a
    schema that everything satisfies.

    >>> in_words({"required": ["requested"], "properties": {"requested": {"const": "none"}, "start": {"enum": ["past"]}}})
    ('asks is "none"', 'start, if known, is "past"')
    """
    return tuple(_Words(base, frozenset(_required(given, "", base))).lines(schema, ""))


def _required(schema: Any, path: str, base: str) -> Iterator[str]:
    """The paths that are there in everything that satisfies a schema, as far as it says so plainly."""
    if not isinstance(schema, Mapping):
        return
    if "$ref" in schema:
        target, uri = _target(schema["$ref"], base)
        yield from _required(target, path, uri)
    for part in schema.get("allOf", ()):
        yield from _required(part, path, base)
    for name in schema.get("required", ()):
        inner = f"{path}.{name}" if path else name
        yield inner
        yield from _required(schema.get("properties", {}).get(name), inner, base)


class _Words:
    """The demands of schemas under one base URI, given that some paths are there."""

    def __init__(self, base: str, there: frozenset[str]) -> None:
        self.base = base
        self.there = there

    def lines(self, schema: Any, path: str, *, known: bool = True) -> Iterator[str]:
        """The demands on what stands at `path`; not `known`: it may be absent, and then nothing is demanded of it."""
        subject = (path or "the facts") if known else f"{path}, if known,"
        if isinstance(schema, bool):
            if not schema:
                yield f"{path} is not there" if path else "nothing satisfies it"
            return
        yield from self._members(schema, path)
        for keyword, value in schema.items():
            if keyword in _SILENT:
                continue
            if keyword == "allOf":
                for part in value:
                    yield from self.lines(part, path, known=known)
            else:
                yield from self._demand(keyword, value, schema, subject, path)

    def _members(self, schema: Mapping[str, Any], path: str) -> Iterator[str]:
        required = schema.get("required", ())
        properties = schema.get("properties", {})
        for name in dict.fromkeys((*required, *properties)):
            inner = f"{path}.{name}" if path else name
            there = name in required or inner in self.there
            schema_of_it = properties.get(name, True)
            if not there and self._deep(schema_of_it):
                yield f"where {inner} is known:"
                yield from self._nested(schema_of_it, inner)
                continue
            told = list(self.lines(schema_of_it, inner, known=there))
            if name in required and not any(line.startswith(inner) or line.endswith(f" of {inner}:") for line in told):
                yield f"{inner} is known"
            yield from told

    def _deep(self, schema: Any) -> bool:
        """Whether its demands take more than one line; those of what a reference points at, unless that has a title."""
        if not isinstance(schema, Mapping):
            return False
        target = _target(schema["$ref"], self.base)[0] if "$ref" in schema else None
        if not isinstance(target, Mapping) or "title" in target:
            target = {}
        return bool(_DEEP.intersection((*schema, *target)))

    def _demand(self, keyword: str, value: Any, schema: Mapping[str, Any], subject: str, path: str) -> Iterator[str]:
        if keyword == "const":
            yield f"{subject} is {_json(value)}"
        elif keyword == "enum":
            yield f"{subject} is {' or '.join(map(_json, value))}"
        elif keyword == "type":
            yield f"{subject} is of type {' or '.join(value if isinstance(value, list) else [value])}"
        elif keyword == "pattern":
            yield f"{subject} matches /{value}/"
        elif keyword == "maxItems" and value == 0:
            yield f"{subject} is empty"
        elif keyword in _BOUNDS:
            yield f"{subject} {_BOUNDS[keyword].format(value)}"
        elif keyword == "uniqueItems":
            yield f"{subject} holds nothing twice"
        elif keyword == "additionalProperties" and value is False:
            yield f"{subject} has no other members"
        elif keyword == "$ref":
            yield from self._referred(value, subject, path)
        elif keyword in ("anyOf", "oneOf"):
            yield f"{'one' if keyword == 'anyOf' else 'exactly one'} of these holds:"
            for part in value:
                yield from self._bulleted(part, path)
        elif keyword == "not":
            yield from self._denied(value, path)
        elif keyword == "if":
            yield from self._conditional(schema, path)
        elif keyword == "prefixItems":
            for number, part in enumerate(value, 1):
                yield f"item {number} of {path or 'the facts'}:"
                yield from self._nested(part, "it")
        elif keyword in ("contains", "items"):
            yield f"{_how_many(keyword, schema)} of {path or 'the facts'}:"
            yield from self._nested(value, "it")
        else:
            yield f"{subject} has {keyword} {_json(value)}"

    def _denied(self, schema: Any, path: str) -> Iterator[str]:
        told = list(self.lines(schema, path))
        if len(told) == 1 and told[0].endswith(" is known"):
            yield told[0].removesuffix(" is known") + " is not known"
        else:
            yield "this does not hold:"
            yield from (_INDENT + line for line in told)

    def _conditional(self, schema: Mapping[str, Any], path: str) -> Iterator[str]:
        yield "where this holds:"
        yield from self._nested(schema["if"], path)
        for keyword, word in (("then", "then:"), ("else", "otherwise:")):
            if keyword in schema:
                yield word
                yield from self._nested(schema[keyword], path)

    def _referred(self, reference: str, subject: str, path: str) -> Iterator[str]:
        target, uri = _target(reference, self.base)
        if isinstance(target, dict) and "title" in target:
            yield f"{subject}: {target['title']}"
        elif target is not None:
            yield from _Words(uri, self.there).lines(target, path)
        else:
            yield f"{subject} is as {reference} describes"

    def _nested(self, schema: Any, path: str) -> Iterator[str]:
        yield from (_INDENT + line for line in self.lines(schema, path))

    def _bulleted(self, schema: Any, path: str) -> Iterator[str]:
        for number, line in enumerate(self.lines(schema, path)):
            yield f"{_INDENT}{'- ' if number == 0 else '  '}{line}"


def _how_many(keyword: str, schema: Mapping[str, Any]) -> str:
    if keyword == "items":
        return "every item"
    least, most = schema.get("minContains", 1), schema.get("maxContains")
    if most is None:
        return "some item" if least == 1 else f"at least {least} items"
    return f"at most {most} items" if least == 0 else f"{least} to {most} items"


def _target(reference: str, base: str) -> tuple[Any, str]:
    """What a reference within our schemas points at, and its base; None for anything else."""
    from urllib.parse import unquote, urldefrag, urljoin

    uri, fragment = urldefrag(urljoin(base, reference))
    if not uri.startswith(schemas.BASE):
        return None, base
    try:
        target: Any = schemas.read(uri.removeprefix(schemas.BASE).removesuffix(".json"))
        for part in unquote(fragment).split("/")[1:]:
            target = target[part.replace("~1", "/").replace("~0", "~")]
    except (OSError, KeyError, TypeError):
        return None, base
    return target, uri


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
