"""The examples of the rules: facts documents with the expected verdicts.

A file has up to six *bases*, facts documents by name. Each example is one of them with a *patch*, operations of
RFC 6902.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import jsonpatch

from conformance.contract import schemas

__all__ = ["Example", "ExampleError", "first", "from_file", "load"]


class ExampleError(ValueError):
    """An example whose base does not exist or whose patch does not fit it; the message names the example."""


@dataclass(frozen=True, slots=True)
class Example:
    """Facts, and the verdict that is expected of `rule`: passed, failed, inconclusive or inapplicable."""

    rule: str
    title: str
    expect: str
    facts: dict[str, Any]


def load(rule_id: str) -> tuple[Example, ...]:
    """The examples of a rule in the order of the file, new ones at each call; empty where it has none.

    Raises ExampleError for a file whose patches cannot be applied.
    """
    return tuple(_each(rule_id))


def first(rule_id: str, expect: str) -> Example | None:
    """The first example of a rule whose verdict is `expect`; None where it has none.  Raises ExampleError."""
    return next((one for one in _each(rule_id) if one.expect == expect), None)


def _each(rule_id: str) -> Iterator[Example]:
    with suppress(FileNotFoundError):
        yield from from_file(schemas.read(f"examples/{rule_id}"))


def from_file(contents: dict[str, Any]) -> Iterator[Example]:
    """The examples in the `contents` of a file; raises ExampleError."""
    for one in contents["examples"]:
        yield Example(contents["rule"], one["title"], one["expect"], _patched(contents, one))


def _patched(contents: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    where = f"examples/{contents['rule']}.json: the example {example['title']!r}"
    base = contents["bases"].get(example["base"])
    if base is None:
        raise ExampleError(f"{where} has the base {example['base']!r}, expected one of: {', '.join(contents['bases'])}")
    try:
        facts: dict[str, Any] = jsonpatch.apply_patch(base, example["patch"])
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        raise ExampleError(
            f"{where} has a patch that does not apply to its base {example['base']!r}: {error}"
        ) from None
    return facts
