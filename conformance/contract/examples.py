"""The examples of the rules: facts, and what a rule says of them.

A file has up to six *bases*, facts documents by name, and examples that are each one of them with a *patch*: the
operations of RFC 6902 that make it the example's facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jsonpatch

from conformance.contract import schemas

__all__ = ["Example", "ExampleError", "load", "made"]


class ExampleError(ValueError):
    """An example whose base is not there or whose patch does not fit it; the message names the example."""


@dataclass(frozen=True, slots=True)
class Example:
    """Facts, and what `rule` says of them (`expect`); `title` states the case."""

    rule: str
    title: str
    expect: str
    facts: dict[str, Any]


def load(rule_id: str) -> tuple[Example, ...]:
    """The examples of a rule in the order of the file, new ones at each call; empty where it has none.

    Raises ExampleError for a file whose patches cannot be applied.
    """
    name = f"examples/{rule_id}"
    return made(schemas.read(name)) if name in schemas.names("examples") else ()


def made(contents: dict[str, Any]) -> tuple[Example, ...]:
    """The examples that the `contents` of a file describe; raises ExampleError."""
    return tuple(
        Example(contents["rule"], one["title"], one["expect"], _patched(contents, one)) for one in contents["examples"]
    )


def _patched(contents: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    where = f"examples/{contents['rule']}.json: the example {example['title']!r}"
    base = contents["bases"].get(example["base"])
    if base is None:
        raise ExampleError(
            f"{where} has the base {example['base']!r}, which is not among: {', '.join(contents['bases'])}"
        )
    try:
        facts: dict[str, Any] = jsonpatch.apply_patch(base, example["patch"])
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        raise ExampleError(f"{where} has a patch that does not fit its base {example['base']!r}: {error}") from None
    return facts
