"""``python -m conformance`` is ``cronofy-conformance``."""

from __future__ import annotations

import os
import sys

try:
    import signal
    from contextlib import suppress
except KeyboardInterrupt:  # Ctrl-C before signals can be handled otherwise; earlier still, it is Python that starts
    os._exit(130)

__all__ = ["main"]


def main() -> None:
    """The script's entry point: from the first moment to the last, a signal ends it with 130 and without a traceback.

    The process ends at once when the command does: Python's own way out restores the signals while it takes its time,
    and waits for threads that an application in this process may have left.
    """
    _open_streams()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: os._exit(130))
    from conformance.cli.main import cli  # what a signal may interrupt

    try:
        cli()
    except SystemExit as end:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # nobody reads it any more
                stream.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)


def _open_streams() -> None:
    """Open what was closed of standard input, output and error: a file of ours would take its number, and its text."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)


if __name__ == "__main__":
    main()
