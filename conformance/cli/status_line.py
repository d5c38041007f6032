"""The progress of long work on standard error: one line that changes on a terminal, elsewhere a line at each event."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from conformance.http.display import visible

if TYPE_CHECKING:
    from rich.live import Live

__all__ = ["StatusLine"]


class StatusLine:
    """A line that each call replaces, on a terminal outside CI; elsewhere only what is told by `event` is written.

    Nothing is written if `shown` is false.
    """

    def __init__(self, *, shown: bool = True) -> None:
        is_terminal = sys.stderr.isatty() and not os.environ.get("CI")
        self._shown = shown and is_terminal
        self._tells_events = shown and not is_terminal
        self._live: Live | None = None

    def __call__(self, text: str) -> None:
        """Show `text`, cut to the width of the terminal."""
        if not self._shown:
            return
        from rich.text import Text  # takes as long to import as the command line: only terminals pay for it

        line = Text(visible(text), no_wrap=True, overflow="ellipsis")
        if self._live is None:
            from rich.console import Console
            from rich.live import Live

            # What is written to standard output is no part of the line.
            self._live = Live(line, console=Console(stderr=True), redirect_stdout=False, transient=True)
            self._live.start(refresh=True)
        else:
            self._live.update(line)

    def event(self, text: str) -> None:
        """Write a line that stays, where no line changes: a phase begins, or a rule begins to fail."""
        if self._tells_events:
            sys.stderr.write(f"{visible(text)}\n")
            sys.stderr.flush()

    def __enter__(self) -> StatusLine:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
