"""Bodies in files of their own: beside a HAR or in the same ``.har.zip``, as Playwright writes them, or in a folder."""

from __future__ import annotations

from pathlib import Path

from conformance.recordings.metadata import InvalidRecordingError

__all__ = ["attached", "attached_in"]

#: Bytes of the largest body that is read.
_LARGEST = 64 * 2**20


def attached(path: Path, name: str) -> bytes | None:
    """The content of the file `name` beside a HAR; None if it cannot be read, is too large or in another folder."""
    if not name or name in (".", "..") or "/" in name or "\\" in name or "\0" in name:
        return None
    try:
        with path.with_name(name).open("rb") as stream:
            body: bytes = stream.read(_LARGEST + 1)
    except (OSError, InvalidRecordingError):
        return None
    return body if len(body) <= _LARGEST else None


def attached_in(folder: Path, name: object) -> bytes | None:
    """The content of a file in `folder` or below; None if there is none of this name, or none that can be read."""
    if not isinstance(name, str):
        return None
    *folders, last = name.split("/")
    return None if ".." in folders else attached(folder.joinpath(*filter(None, folders), "_"), last)
