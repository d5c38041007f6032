"""``python -m conformance`` is ``cronofy-conformance``."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

__all__ = ["main"]


def main() -> None:
    """The script's entry point: from the first moment to the last, a signal ends it with 130 and without a traceback.

    The process ends at once when the command does: Python's own way out restores the signals while it takes its time,
    and waits for threads that an application in this process may have left.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: os._exit(130))
    from conformance.cli.main import cli  # what a signal may interrupt

    try:
        cli()
    except SystemExit as end:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):  # nobody reads it any more, or there is none
                stream.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)


if __name__ == "__main__":
    main()
