"""Bodies in files of their own: beside a HAR or in the same ``.har.zip``, as Playwright writes them, or in a folder."""

from __future__ import annotations

from pathlib import Path

from conformance.recordings.containers import beside
from conformance.recordings.metadata import InvalidRecordingError

__all__ = ["attached", "attached_in"]

#: Bytes of the largest body that is read.
_LARGEST = 64 * 2**20


def attached(path: Path, name: str) -> bytes | None:
    """The content of the file `name` beside a HAR; None if it cannot be read, is too large or in another folder."""
    return None if "/" in name else attached_in(path, ".", name)


def attached_in(path: Path, folder: str, name: object) -> bytes | None:
    """The content of a file in `folder`, or below; None if there is none of this name, or none that can be read.

    `folder` is relative to that of a recording.
    """
    if not isinstance(name, str) or "\\" in name or "\0" in name or ".." in name.split("/") or not name.strip("./"):
        return None
    try:
        with beside(path, f"{folder}/{name.lstrip('/')}").open("rb") as stream:
            body: bytes = stream.read(_LARGEST + 1)
    except (OSError, InvalidRecordingError):
        return None
    return body if len(body) <= _LARGEST else None
