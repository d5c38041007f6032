"""When a subject is read again after its writes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PollingPolicy"]


@dataclass(frozen=True, slots=True)
class PollingPolicy:
    """When to read, in seconds: `first` after a write, then at pauses that grow by `growth` up to `longest`.

    `quiet` and `settle_timeout` are those of the settings.
    """

    quiet: float
    settle_timeout: float
    first: float
    growth: float = 1.5
    longest: float = 10.0
