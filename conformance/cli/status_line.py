"""What long work says of itself while it goes on: one line on standard error, and only on a terminal."""

from __future__ import annotations

import shutil
import sys
import time

from conformance.http.display import visible

__all__ = ["StatusLine"]


#: Seconds between two states of the line.
_PAUSE = 0.1


class StatusLine:
    """A line that is written over; nothing at all where `shown` is false or standard error is no terminal."""

    def __init__(self, *, shown: bool = True) -> None:
        self._shown = shown and sys.stderr.isatty()
        self._due = 0.0

    def __call__(self, text: str) -> None:
        """Show `text`, at most ten times a second."""
        now = time.monotonic()
        if self._shown and now >= self._due:
            self._due = now + _PAUSE
            width = max(20, shutil.get_terminal_size().columns - 1)
            sys.stderr.write(f"\r\x1b[K{visible(text)[:width]}")
            sys.stderr.flush()

    def __enter__(self) -> StatusLine:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown and self._due:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
