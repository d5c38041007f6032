"""Facts in the API's words: the ``x-says`` and ``x-compares`` that ``schemas/facts/`` gives at the place of a fact."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from conformance.contract.schemas import BASE, read

__all__ = ["FactWords", "fact_words", "phrase"]


class FactWords(NamedTuple):
    """What the facts say at a place: `says` of the nearest fact that has words, and the rest of the path below it.

    `says` is a template in which ``{}`` stands for the value, or a phrase for each value; None where no fact has any.
    `compares` names where the value on the wire stands (``shown``, from the object around the fact) and what it is
    compared with (``with``, a JSON pointer into the facts).  `is_count` tells numbers that only count, `is_json` facts
    that hold any JSON value, as it was on the wire.
    """

    says: str | Mapping[str, str] | None
    rest: tuple[str | int, ...]
    compares: Mapping[str, str]
    is_count: bool
    is_json: bool


def fact_words(about: str, path: Sequence[str | int]) -> FactWords:
    """The words for the fact at `path` in a document about `about`.

    >>> fact_words("write", ("after", "settled", "state")).says["none"]
    'reads back without conferencing'
    """
    schema, found = _resolved(about, _facts(about)), FactWords(None, tuple(path), {}, is_count=False, is_json=False)
    base = about
    for depth, part in enumerate(path, 1):
        inner = _inner(schema, part)
        if inner is None:
            break
        base, schema = _referred(base, inner)
        rest = tuple(path[depth:])
        if "x-says" in schema:
            found = FactWords(schema["x-says"], rest, {}, is_count=False, is_json="type" not in schema)
        if not rest:
            found = found._replace(compares=schema.get("x-compares", {}), is_count="minimum" in schema)
    return found


def phrase(about: str, name: str, value: Any, default: str = "") -> str:
    """The phrase for one value of the fact `name`, a path with dots; `default` where it has none."""
    says = fact_words(about, name.split(".")).says
    return says.get(key(value), default) if isinstance(says, Mapping) else default


def key(value: Any) -> str:
    """The name of a value in a map of phrases: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


@cache
def _facts(name: str) -> dict[str, Any]:
    return read(f"facts/{name}")


def _inner(schema: Mapping[str, Any], part: str | int) -> Any:
    if isinstance(part, int):
        return schema.get("items")
    inner = schema.get("properties", {}).get(part)
    return inner if inner is not None else schema.get("additionalProperties") or None


def _resolved(base: str, schema: dict[str, Any]) -> dict[str, Any]:
    return _referred(base, schema)[1]


def _referred(base: str, schema: Any) -> tuple[str, dict[str, Any]]:
    """The file and the schema that a schema refers to, with what stands beside the reference; itself if to none."""
    if not isinstance(schema, dict):
        return base, {}
    reference = schema.get("$ref")
    if reference is None:
        return base, schema
    file, _, place = reference.removeprefix(BASE).partition("#/")
    base = file.removesuffix(".json").rpartition("/")[2] or base
    target: Any = _facts(base)
    for name in place.split("/"):
        target = target[name]
    base, resolved = _referred(base, target)
    return base, {**resolved, **{name: part for name, part in schema.items() if name != "$ref"}}
