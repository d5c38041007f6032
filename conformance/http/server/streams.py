"""Bytes of a connection: relayed, and their end."""

from __future__ import annotations

import asyncio
import contextlib

__all__ = ["close", "pump"]


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Passes on what comes until it ends, and then the end of it."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def close(writer: asyncio.StreamWriter) -> None:
    """Closes a connection, and waits a second at most until it is closed."""
    writer.close()
    with contextlib.suppress(OSError, asyncio.CancelledError, TimeoutError):
        async with asyncio.timeout(1.0):
            await writer.wait_closed()
