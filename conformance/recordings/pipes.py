"""Recordings from a pipe: read once, and then from memory."""

from __future__ import annotations

import io
from pathlib import Path, PosixPath
from typing import IO, Any

__all__ = ["Piped", "reopenable"]


class Piped(PosixPath):
    """The path of a pipe with its content, which can be opened like a file."""

    content: bytes

    def open(  # type: ignore[override]
        self,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> IO[Any]:
        """A stream of the content, from its start."""
        stream = io.BytesIO(self.content)
        return stream if "b" in mode else io.TextIOWrapper(stream, encoding, errors, newline)


def reopenable(path: Path) -> Path:
    """`path` itself, or, for a pipe, its content until its end."""
    if isinstance(path, Piped) or not path.is_fifo():
        return path
    piped = Piped(path)
    piped.content = path.read_bytes()
    return piped
