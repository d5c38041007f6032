"""Flows of mitmproxy, read by mitmproxy itself: its ``mitmdump`` runs a script of ours, which prints NDJSON."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import IO

from conformance.http.exchange import Exchange
from conformance.recordings import ndjson
from conformance.recordings.containers import opened_to_seek
from conformance.recordings.corrections import by_server_clock, complete_where_authorized, without_filtered
from conformance.recordings.metadata import InvalidRecordingError, TruncatedWarning

__all__ = ["are_flows", "read_flows"]

#: A flow is a dictionary whose size is written before it, and so is its first key.
_FLOW = re.compile(rb"\d{1,12}:\d{1,2}:[a-z_]+;\d")
#: Its own HAR lacks the bodies of DELETE.
_SCRIPT = Path(__file__).with_name("mitmproxy_script.py")
#: Seconds that mitmproxy may take.
_PATIENCE = 600


def are_flows(head: bytes) -> bool:
    """Whether `head` is the beginning of a file of flows."""
    return _FLOW.match(head) is not None


def read_flows(path: Path) -> Iterator[Exchange]:
    """The exchanges in a file of flows, in file order.  Raises InvalidRecordingError, also without mitmproxy."""
    yield from without_filtered(by_server_clock(complete_where_authorized(_flows(path))))


def _flows(path: Path) -> Iterator[Exchange]:
    program = shutil.which("mitmdump")
    if program is None:
        advice = (
            f"install mitmproxy, or write them as a HAR where it is: mitmdump -nr {path.name} --set hardump=flows.har"
        )
        raise InvalidRecordingError(path, "flows of mitmproxy, which only mitmproxy reads", advice)
    with opened_to_seek(path) as flows, tempfile.TemporaryFile() as lines, tempfile.TemporaryDirectory() as folder:
        flows.seek(0)
        # A folder of its own keeps the user's configuration, and the scripts in it, out of this.
        options = ["--quiet", "--no-server", "--set", f"confdir={folder}", "--scripts", str(_SCRIPT), "--rfile", "-"]
        try:
            done = subprocess.run(  # noqa: S603 - the user's own mitmproxy
                [program, *options],
                stdin=flows,
                stdout=lines,
                stderr=subprocess.DEVNULL,
                check=False,
                timeout=_PATIENCE,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _unreadable(path, type(error).__name__) from None
        lines.seek(0)
        number = 0
        for number, line in enumerate(takewhile(_is_flow, lines), 1):  # mitmproxy prints its own errors there too
            yield ndjson.exchange_in(path, number, line)
        if not number:
            raise _unreadable(path, f"exit code {done.returncode}")
        if done.returncode or _ends_early(flows):
            problem = f"{path}: broken behind flow {number}, as by a crash; what follows is left out"
            warnings.warn(problem, TruncatedWarning, stacklevel=2)


def _is_flow(line: bytes) -> bool:
    return line.startswith(b"{")


def _ends_early(flows: IO[bytes]) -> bool:
    """Whether the last flow is incomplete, of which older versions of mitmproxy tell nothing by their exit code."""
    at = 0
    while True:
        flows.seek(at)
        size, colon, _ = flows.read(16).partition(b":")
        if not size:
            return False
        if not colon or not size.isdigit():
            return True
        at += len(size) + 1 + int(size) + 1  # its mark comes last
        flows.seek(at - 1)
        if not flows.read(1):
            return True


def _unreadable(path: Path, problem: str) -> InvalidRecordingError:
    return InvalidRecordingError(
        path,
        f"flows that mitmproxy does not read ({problem})",
        "record them again, or with the same version of mitmproxy",
    )
