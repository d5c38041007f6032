"""Files that only their owner may read: what is recorded may be personal."""

from __future__ import annotations

import os

__all__ = ["private"]


def private(path: str, flags: int) -> int:
    """An `opener` for `open`: a new file is its owner's alone."""
    return os.open(path, flags, 0o600)
