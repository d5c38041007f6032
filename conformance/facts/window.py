"""For how long a *never* is watched: as set, or as what was seen so far asks for."""

from __future__ import annotations

from collections.abc import Callable

from conformance.facts.values import WINDOW_LIMIT, Settings

__all__ = ["Window"]


class Window:
    """The window in `seconds`; if none is set, the slowest settling so far asks for a longer one.

    `on_settling` is called with the seconds of each settling that is slower than all before, `rely` with each length
    up to which the window may grow and the answer that was given stays the same.
    """

    __slots__ = ("_is_set", "_noted", "_quiet", "_slowest", "on_settling", "rely", "seconds")

    def __init__(self, settings: Settings) -> None:
        self._is_set = settings.window is not None
        self._quiet = settings.quiet
        self._noted = self._slowest = 0.0
        self.seconds = window_of(settings, 0.0)
        self.on_settling: Callable[[float], object] = _nothing
        self.rely: Callable[[float], object] = _nothing

    def note_settling(self, seconds: float) -> None:
        """An episode settled after so many seconds."""
        if seconds > self._noted and not self._is_set:
            self._noted = seconds
            self.on_settling(seconds)
            self.grow(seconds)

    def grow(self, seconds: float) -> None:
        """Somewhere an episode settled after so many seconds."""
        if seconds > self._slowest and not self._is_set:
            self._slowest = seconds
            self.seconds = _derived(self._quiet, seconds)

    def is_over(self, seconds: float, quiet: float = 0.0) -> bool:
        """Whether `seconds` are a whole window, after `quiet` seconds more."""
        over = seconds >= quiet + self.seconds
        if over:
            self.rely(seconds - quiet)
        return over


def window_of(settings: Settings, slowest: float) -> float:
    """The window in seconds where the slowest settling took so long."""
    if settings.window is not None:
        return settings.window
    return _derived(settings.quiet, slowest) if slowest else min(WINDOW_LIMIT, settings.quiet)


def _derived(quiet: float, slowest: float) -> float:
    return min(WINDOW_LIMIT, max(quiet, 3 * slowest))


def _nothing(_: float) -> None:
    pass
