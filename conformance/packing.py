"""Dataclasses with slots that pickle as what they are made of, and soon."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeVar

__all__ = ["packable"]

T = TypeVar("T")


def packable(kind: type[T]) -> type[T]:
    """A dataclass whose instances pickle as a call with the values of all their fields."""
    values = attrgetter(*(field.name for field in fields(kind)))  # type: ignore[arg-type]  # of a dataclass

    def reduce(self: T) -> tuple[type[T], tuple[Any, ...]]:
        return kind, values(self)

    kind.__reduce__ = reduce  # type: ignore[method-assign, assignment]  # object's own is slower
    return kind
