"""A report on disk: checked for secrets, then written as a whole or not at all, or added to a summary."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

__all__ = ["append", "write_atomically"]

#: Bytes that the summary of a step of GitHub Actions may have: a longer one is refused as a whole.
_LONGEST_SUMMARY = 1024 * 1024
_CUT = "\n\nThe rest does not fit here; the other reports have all of it.\n"


def write_atomically(path: Path, text: str, check: Callable[[str, str], None]) -> None:
    """Write `text` as UTF-8 to `path`; folders are made as needed, and a device or a pipe is written to directly.

    `check(text, where)` raises if a secret is in the text, and then nothing is written.  Raises OSError.
    """
    check(text, str(path))
    target = path.resolve()
    data = text.encode("utf-8")
    if target.exists() and not target.is_file():
        target.write_bytes(data)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    mask = os.umask(0)
    os.umask(mask)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def append(path: Path, text: str, check: Callable[[str, str], None]) -> None:
    """Add `text` to the summary of a build's step, cut to what such a summary may have.

    `check` is that of `write_atomically`.  Raises OSError.
    """
    check(text, str(path))
    data = text.encode("utf-8")
    room = _LONGEST_SUMMARY - (path.stat().st_size if path.exists() else 0)
    if len(data) > room:
        kept = data[: max(0, room - len(_CUT))]
        end = max(kept.rfind(b"\n## "), kept.rfind(b"\n", len(kept) // 2))
        data = kept[: max(0, end)] + _CUT.encode()
    with path.open("ab") as file:
        file.write(data)
