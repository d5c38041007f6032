"""Drawing from Hypothesis strategies outside of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["sample"]


def sample(strategy: SearchStrategy[Any], examples: int, number: int) -> list[Any]:
    """At most so many examples of a strategy, the same and in the same order for the same `number`."""
    from hypothesis import HealthCheck, Phase, given, seed, settings  # slow to import, and seldom asked for

    found: list[Any] = []

    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example: Any) -> None:
        found.append(example)

    collect()
    return found
