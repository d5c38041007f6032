"""Drawing from Hypothesis strategies outside of a test."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from random import Random
from typing import TYPE_CHECKING, Any

from conformance.hypothesis_home import away_from_here

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["sample"]

#: Draws for each example that is asked for: a strategy with fewer distinct values than that gives what it has.
_DRAWS = 50

#: Bytes that one draw may use up; what needs more is dropped.
_ENTROPY = 8192


def sample(strategy: SearchStrategy[Any], examples: int, seed: int, identity: Callable[[Any], Hashable]) -> list[Any]:
    """The first `examples` distinct values of a strategy, always the same for the same `seed`.

    Values with the same `identity` count once.  The values are drawn from random bytes: Hypothesis' own generation
    prefers constants that it finds in the modules imported so far, so that the same seed gives different values in
    different processes.
    """
    from hypothesis import given, settings  # slow to import, and seldom needed

    found: dict[Hashable, Any] = {}

    @settings(database=None)
    @given(strategy)
    def collect(example: Any) -> None:
        found.setdefault(identity(example), example)

    draw = collect.hypothesis.fuzz_one_input  # type: ignore[attr-defined]  # added by `given`
    random = Random(seed)  # noqa: S311 - made to be repeatable, not secret
    with away_from_here():
        for _ in range(examples * _DRAWS):
            if len(found) == examples:
                break
            draw(random.randbytes(_ENTROPY))
    return list(found.values())
