"""The processes of a program that was started: its group, and what it detached from it, end with it."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["end_processes", "marked"]

#: What a program hands on to all that it starts, unless it takes care not to.
_MARK = "CRONOFY_CONFORMANCE_PROCESSES"

#: How often processes are looked for: one may start another meanwhile.
_ROUNDS = 5


def marked(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` with a mark by which the processes that have it are found."""
    return {**environment, _MARK: secrets.token_hex(16)}


def end_processes(group: int, environment: Mapping[str, str]) -> None:
    """End a process group and, where there is ``/proc``, all processes with the mark of `environment`."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    for _ in range(_ROUNDS):
        found = list(_with_mark(environment[_MARK]))
        for process in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        if not found:
            return


def _with_mark(mark: str) -> Iterator[int]:
    wanted = f"{_MARK}={mark}".encode()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if wanted in path.read_bytes().split(b"\0"):
                yield int(path.parent.name)
