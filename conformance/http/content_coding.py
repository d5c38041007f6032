"""Content codings (RFC 9110 8.4.1) undone, within a limit on the decoded size."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["ContentCodingError", "MissingCodecError", "OversizedBodyError", "decode"]

#: Bytes that are decoded before the limit is checked: they decode to 1 MiB (gzip) or 32 MiB (zstd) at most.
_PIECE = 1024
_ENDS_EARLY = "the compressed body ends early"


class ContentCodingError(ValueError):
    """A body that its content coding does not decode."""


class OversizedBodyError(ContentCodingError):
    """A body that is longer than the limit once it is decoded."""


class MissingCodecError(ContentCodingError):
    """A body in a coding whose optional package is not installed; `coding` names it."""

    def __init__(self, coding: str) -> None:
        self.coding = coding
        super().__init__(f"coded in {coding}, whose package is not installed")


def decode(body: bytes, content_encoding: str, limit: int) -> bytes:
    """`body` with the codings in ``Content-Encoding`` undone, the last one first; unknown codings are left as they are.

    Raises OversizedBodyError beyond `limit` bytes, MissingCodecError, and ContentCodingError for what does not decode.
    """
    for listed in reversed(content_encoding.split(",")):
        decoder = _DECODERS.get(listed.partition(";")[0].strip().lower())
        if decoder is not None and body:
            plain = bytearray()
            for piece in decoder(body, limit):
                plain += piece
                if len(plain) > limit:
                    break
            body = bytes(plain)
        if len(body) > limit:
            raise OversizedBodyError(f"over {limit} bytes")
    return body


def _gunzip(body: bytes, _: int) -> Iterator[bytes]:
    return _streams(lambda: zlib.decompressobj(zlib.MAX_WBITS | 16), zlib.error, body)


def _inflate(body: bytes, _: int) -> Iterator[bytes]:
    # Many servers send raw deflate without the header of zlib (RFC 1950 2.2).
    has_header = body[0] & 0x0F == zlib.DEFLATED and int.from_bytes(body[:2], "big") % 31 == 0
    return _streams(lambda: zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS), zlib.error, body)


def _unzstd(body: bytes, _: int) -> Iterator[bytes]:
    zstandard = _codec("zstd", "zstandard")
    return _streams(zstandard.ZstdDecompressor().decompressobj, zstandard.ZstdError, body)


def _unbrotli(body: bytes, limit: int) -> Iterator[bytes]:
    brotli = _codec("br", "brotli")
    stream = brotli.Decompressor()
    try:
        yield stream.process(body, output_buffer_limit=limit + 1)
        while not stream.can_accept_more_data():
            yield stream.process(b"", output_buffer_limit=limit + 1)
    except brotli.error as error:
        raise ContentCodingError(str(error)) from None
    if not stream.is_finished():
        raise ContentCodingError(_ENDS_EARLY)


def _streams(start: Callable[[], Any], failure: type[Exception], body: bytes) -> Iterator[bytes]:
    """What the compressed streams hold of which `body` consists, one behind the other."""
    at = 0
    while at < len(body):
        stream = start()
        while not stream.eof:
            piece = body[at : at + _PIECE]
            if not piece:
                raise ContentCodingError(_ENDS_EARLY)
            try:
                yield stream.decompress(piece)
            except failure as error:
                raise ContentCodingError(str(error)) from None
            at += len(piece)
        at -= len(stream.unused_data)


def _codec(coding: str, module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingCodecError(coding) from None


_DECODERS: Mapping[str, Callable[[bytes, int], Iterator[bytes]]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
