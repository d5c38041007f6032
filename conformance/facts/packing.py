"""Event states that are at rest, as the few hundred bytes that each of many like it needs."""

from __future__ import annotations

import pickle
import zlib
from typing import Any

from conformance.http.exchange import Request

__all__ = ["Packer"]

#: Raw deflate in its third level (the next takes twice as long for 5 % less), and a window of 8 KiB: a state and the
#: one that it is told by.
_LEVEL, _WINDOW, _MEMORY = 3, -13, 5


class Packer:
    """Packs what resembles what was packed before: each value is written by how it differs from the first one."""

    __slots__ = ("_first", "_interned", "_packer")

    def __init__(self) -> None:
        self._interned: tuple[Request, int | None, str | None] = (Request("GET", ""), None, None)
        self._first = b""
        self._packer: Any = None

    def interned(
        self, request: Request, status: int | None, continues: str | None
    ) -> tuple[Request, int | None, str | None]:
        """A request, its status, and what it continues; the same objects for what is requested again and again."""
        interned, before, url = self._interned
        if request is not interned and (request != interned or status != before or continues != url):
            self._interned = request, status, continues
        return self._interned

    def pack(self, value: Any) -> bytes:
        """A value as bytes.  Raises ValueError for what is nested too deep."""
        try:
            plain = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        except RecursionError:
            raise ValueError("nested too deep") from None
        if self._packer is None:
            self._first = plain
            strategy = zlib.Z_DEFAULT_STRATEGY
            self._packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY, strategy, plain)
        packer = self._packer.copy()
        packed: bytes = packer.compress(plain) + packer.flush()
        return packed

    def unpack(self, packed: bytes) -> Any:
        """What `pack` was given."""
        plain = zlib.decompressobj(_WINDOW, self._first).decompress(packed)
        return pickle.loads(plain)  # noqa: S301 - what is unpacked is what this process packed
