"""What the markers of a test say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from conformance.errors import UsageError, nearest

if TYPE_CHECKING:
    import pytest

__all__ = ["arguments_of"]


def arguments_of(markers: Iterable[pytest.Mark], terms: type[Any]) -> dict[str, Any]:
    """The arguments of markers by name, of which the nearest go first; `terms` is a dataclass of all there are.

    Raises UsageError for an argument without a name, and for one that `terms` does not have.
    """
    chosen: dict[str, Any] = {}
    known = [field.name for field in fields(terms)]
    for marker in markers:
        if marker.args:
            raise UsageError(f"it takes no positional arguments; {nearest('', known)}")
        for name, value in marker.kwargs.items():
            if name not in known:
                raise UsageError(f"it has no argument {name!r}; {nearest(name, known)}")
            chosen.setdefault(name, value)
    return chosen
