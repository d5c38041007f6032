"""Bodies in files beside a HAR, or in the same ``.har.zip``, as Playwright writes them."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

__all__ = ["attached", "har_in_zip", "is_zip"]

_ZIP = b"PK\x03\x04"
#: Limits in bytes on a HAR in a ZIP and on an attached body; larger ones are not read.
_LARGEST_HAR, _LARGEST_BODY = 2**30, 64 * 2**20


def is_zip(head: bytes) -> bool:
    """Whether `head` is the beginning of a ZIP file."""
    return head.startswith(_ZIP)


def har_in_zip(path: Path) -> bytes | None:
    """The HAR in a ZIP; None unless there is exactly one, and it can be read."""
    try:
        with path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            names = _hars(archive)
            return _member(archive, names[0], _LARGEST_HAR) if len(names) == 1 else None
    except (OSError, zipfile.BadZipFile):
        return None


def attached(path: Path, name: str) -> bytes | None:
    """The content of the file `name` beside a HAR; None if it cannot be read or is in another folder."""
    if not name or name in (".", "..") or "/" in name or "\\" in name or "\0" in name:
        return None
    try:
        with path.open("rb") as stream:
            if is_zip(stream.read(len(_ZIP))):
                with zipfile.ZipFile(stream) as archive:
                    folder = _hars(archive)[0].rpartition("/")
                    return _member(archive, "".join(folder[:2]) + name, _LARGEST_BODY)
        with path.with_name(name).open("rb") as stream:
            body = stream.read(_LARGEST_BODY + 1)
            return body if len(body) <= _LARGEST_BODY else None
    except (OSError, zipfile.BadZipFile):
        return None


def _hars(archive: zipfile.ZipFile) -> list[str]:
    return [name for name in archive.namelist() if name.lower().endswith(".har")]


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes | None:
    try:
        with archive.open(name) as stream:
            content = stream.read(limit + 1)
    except (
        KeyError,
        EOFError,
        RuntimeError,
        NotImplementedError,
        zlib.error,
    ):  # missing, truncated, encrypted, corrupt
        return None
    return content if len(content) <= limit else None
