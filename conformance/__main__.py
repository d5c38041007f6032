"""``python -m conformance`` is ``cronofy-conformance``."""

from __future__ import annotations

import os
import signal

__all__ = ["main"]


def main() -> None:
    """The script's entry point: from the first moment on, a signal ends it with 130 and without a traceback."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: os._exit(130))
    from conformance.cli.main import cli  # what a signal may interrupt

    cli()


if __name__ == "__main__":
    main()
