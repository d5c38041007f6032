"""Flows of mitmproxy, read by mitmproxy itself: its ``mitmdump`` writes them as a HAR."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from conformance.http.exchange import Exchange
from conformance.recordings import har
from conformance.recordings.metadata import InvalidRecordingError

__all__ = ["are_flows", "read_flows"]

#: A flow is a dictionary whose size is written before it, and so is its first key.
_FLOW = re.compile(rb"\d{1,12}:\d{1,2}:[a-z_]+;\d")
#: Seconds that mitmproxy may take.
_PATIENCE = 600


def are_flows(head: bytes) -> bool:
    """Whether `head` is the beginning of a file of flows."""
    return _FLOW.match(head) is not None


def read_flows(path: Path) -> Iterator[Exchange]:
    """The exchanges in a file of flows, in file order.  Raises InvalidRecordingError, also without mitmproxy."""
    program = shutil.which("mitmdump")
    if program is None:
        advice = (
            f"install mitmproxy, or write them as a HAR where it is: mitmdump -nr {path.name} --set hardump=flows.har"
        )
        raise InvalidRecordingError(path, "flows of mitmproxy, which only mitmproxy reads", advice)
    with path.open("rb") as stream, tempfile.TemporaryDirectory() as folder:
        # A folder of its own keeps the user's configuration, and the scripts in it, out of this.
        command = [
            program,
            "--quiet",
            "--no-server",
            "--rfile",
            "-",
            "--set",
            "hardump=-",
            "--set",
            f"confdir={folder}",
        ]
        try:
            done = subprocess.run(command, input=stream.read(), capture_output=True, check=False, timeout=_PATIENCE)  # noqa: S603 - the user's own mitmproxy
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _unreadable(path, type(error).__name__) from None
    try:
        document = json.loads(done.stdout)
    except (ValueError, RecursionError):
        raise _unreadable(path, f"exit code {done.returncode}") from None
    yield from har.read_document(path, document)


def _unreadable(path: Path, problem: str) -> InvalidRecordingError:
    return InvalidRecordingError(
        path,
        f"flows that mitmproxy does not read ({problem})",
        "record them again, or with the same version of mitmproxy",
    )
