"""A report on disk: checked for secrets, then written as a whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

__all__ = ["write_atomically"]


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
