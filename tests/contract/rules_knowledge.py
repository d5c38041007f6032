"""Facts documents with less knowledge: which facts of a document are optional, and the document without them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import jsonschema_rs

from conformance.contract.schemas import read, rs_registry, uri

__all__ = ["Place", "is_facts", "optional", "without"]

Place = tuple[str | int, ...]


@cache
def _schema(about: str) -> dict[str, Any]:
    return read(f"facts/{about}")


def _resolved(schema: Any, about: str) -> tuple[Any, str]:
    while isinstance(schema, dict) and "$ref" in schema:
        file, _, pointer = schema["$ref"].partition("#")
        about = file.removesuffix(".json") or about
        schema = _schema(about)
        for name in pointer.strip("/").split("/") if pointer else ():
            schema = schema[name]
    return schema, about


def optional(document: dict[str, Any]) -> list[Place]:
    """The places of all facts that may be unknown: not required, with no ``default`` that says what absence means.

    What the API sent (request and response bodies, headers, conferencing as read) is one fact, whatever its size.
    """
    return list(_places(document, _schema(document["about"]), document["about"], ()))


def _places(value: Any, schema: Any, about: str, here: Place) -> Iterator[Place]:
    schema, about = _resolved(schema, about)
    if isinstance(value, list) and isinstance(schema, dict) and "items" in schema:
        for number, item in enumerate(value):
            yield from _places(item, schema["items"], about, (*here, number))
    if not isinstance(value, dict) or not isinstance(schema, dict) or schema.get("additionalProperties") is not False:
        return
    for name, part in schema["properties"].items():
        if name not in value:
            continue
        if name not in schema.get("required", ()) and "default" not in part:
            yield (*here, name)
        yield from _places(value[name], part, about, (*here, name))


def without(document: dict[str, Any], places: Iterable[Place]) -> dict[str, Any]:
    """A copy of `document` without the facts at `places`; one that went with another is ignored."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    for *parents, name in places:
        here: Any = copy
        for parent in parents:
            here = here[int(parent)] if isinstance(here, list) else here.get(parent, {})
        if isinstance(here, dict):
            here.pop(str(name), None)
    return copy


def is_facts(document: dict[str, Any]) -> bool:
    """Whether `document` is one that `schemas/facts/` describes: some facts come only together."""
    return bool(_validator(document["about"]).is_valid(document))


@cache
def _validator(about: str) -> Any:
    return jsonschema_rs.validator_for({"$ref": uri(f"facts/{about}")}, registry=rs_registry())
