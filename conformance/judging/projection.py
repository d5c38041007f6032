"""What schemas look at in a document: two documents that share it are the same to them."""

from __future__ import annotations

import json
import marshal
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from conformance.contract.schemas import registry

if TYPE_CHECKING:
    from referencing._core import Resolver

__all__ = ["Projection"]

#: Keywords that say nothing of a value, or only what kind of value it is, which a projection always keeps, as it does
#: numbers, ``true``, ``false`` and ``null``.
_FREE = frozenset({
    "$schema", "$id", "$comment", "$defs", "title", "description", "default", "examples", "deprecated", "readOnly",
    "type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
})  # fmt: skip

#: Keywords that hold schemas over the same value, over the elements of an array, and of an array's length.
_SAME_VALUE = {"allOf": True, "anyOf": True, "oneOf": True, "not": False, "if": False, "then": False, "else": False}
_ELEMENTS = {"prefixItems": True, "items": False, "contains": False}
_LENGTH = frozenset({"minItems", "maxItems", "minContains", "maxContains"})

#: Keywords over texts, whose answers are kept in place of the text.
_OF_TEXT = frozenset({"pattern", "minLength", "maxLength"})

#: What is kept as it is.
_SCALARS = frozenset({bool, int, float, type(None)})

#: How deep references are followed; what lies deeper is kept whole.
_DEEPEST = 40


class _Node:
    """What is looked at in one place of a document."""

    def __init__(self) -> None:
        self.whole = False
        self.members: dict[str, _Node] = {}
        self.element: _Node | None = None
        self.texts: set[str] = set()
        self.tests: set[str] = set()

    def member(self, name: str) -> _Node:
        return self.members.setdefault(name, _Node())

    def elements(self) -> _Node:
        if self.element is None:
            self.element = _Node()
        return self.element

    def look(self, schema: Any, resolver: Resolver[Any], depth: int = 0) -> None:
        """Add what a schema looks at."""
        if not isinstance(schema, dict):
            return
        if depth > _DEEPEST:
            self.whole = True
            return
        for word, part in schema.items():
            if word == "properties":
                for name, inner in part.items():
                    self.member(name).look(inner, resolver, depth + 1)
            elif word in _SAME_VALUE:
                for inner in part if _SAME_VALUE[word] else (part,):
                    self.look(inner, resolver, depth + 1)
            elif word in _ELEMENTS:
                for inner in part if _ELEMENTS[word] else (part,):
                    self.elements().look(inner, resolver, depth + 1)
            elif word == "$ref":
                found = resolver.lookup(part)
                self.look(found.contents, found.resolver, depth + 1)
            else:
                self._look_at_value(word, part)

    def _look_at_value(self, word: str, part: Any) -> None:
        values = part if word == "enum" else [part]
        if word == "required":
            for name in part:
                self.member(name)
        elif word in _LENGTH:
            self.elements()
        elif word in ("const", "enum") and not any(isinstance(value, dict | list) for value in values):
            self.texts |= {value for value in values if isinstance(value, str)}
        elif word in _OF_TEXT:
            self.tests.add(json.dumps({word: part}))
        elif word not in _FREE and not word.startswith("x-"):
            self.whole = True

    @property
    def plain_texts(self) -> frozenset[str] | None:
        """The texts that are told from all others; None where others are told apart as well."""
        return None if self.whole or self.tests else frozenset(self.texts)

    def projector(self) -> Callable[[Any], Any]:
        """A function from a value to what is looked at in it, in forms that no other kind of value takes.

        Objects become tuples of names and values, texts that are not told apart ``...`` or a tuple of answers.
        """
        if self.whole:
            return lambda value: value
        members = {name: (node.plain_texts, node.projector()) for name, node in self.members.items()}
        element = self.element.projector() if self.element is not None else None
        texts, text = frozenset(self.texts), _answers(tuple(sorted(self.tests)))

        def project(value: Any) -> Any:
            kind = type(value)
            if kind is str:
                return value if value in texts else text(value)
            if kind is dict:
                parts: list[Any] = []
                for name, part in value.items():  # in another order, the same document is only not known again
                    looked_at = members.get(name)
                    if looked_at is None:
                        continue
                    plain, inner = looked_at
                    kind = type(part)
                    if kind is str and plain is not None:  # most are: it saves a call for each
                        part = part if part in plain else ...
                    elif kind not in _SCALARS:
                        part = inner(part)
                    parts.append(name)
                    parts.append(part)
                return tuple(parts)
            if kind is list:
                return [element(part) for part in value] if element is not None else []
            return value

        return project


@cache
def _answers(tests: tuple[str, ...]) -> Callable[[str], Any]:
    """What tells texts apart: nothing, or the answers of `tests`, which are keywords with their values, as JSON."""
    if not tests:
        return lambda _: ...
    import jsonschema_rs

    checks = [jsonschema_rs.validator_for(test).is_valid for test in tests]
    return lru_cache(maxsize=1024)(lambda text: tuple([check(text) for check in checks]))


class Projection:
    """A function from a document to what schemas look at in it, as bytes.  Raises ValueError for what is too deep."""

    def __init__(self, schemas: Iterable[tuple[str, dict[str, Any]]], whole: Iterable[str] = ()) -> None:
        """`schemas` come with the URIs that their references are relative to; properties in `whole` are kept so."""
        root = _Node()
        for name in whole:
            root.member(name).whole = True
        for base, schema in schemas:
            root.look(schema, registry().resolver(base))
        self._project = root.projector()

    def __call__(self, document: dict[str, Any]) -> bytes:
        return marshal.dumps(self._project(document), 2)
