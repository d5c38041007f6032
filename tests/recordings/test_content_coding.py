"""Content codings are undone within a limit, and one whose package is missing is named."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from conformance.http.content_coding import ContentCodingError, MissingCodecError, OversizedBodyError, decode

BODY = b'{"event_id": "evt-1"}' * 500
PACKAGES = {"br": "brotli", "zstd": "zstandard"}


def raw_deflate(body: bytes) -> bytes:
    return zlib.compress(body, wbits=-15)


def coded(coding: str, body: bytes) -> bytes:
    if coding in PACKAGES:
        compressed: bytes = pytest.importorskip(PACKAGES[coding]).compress(body)
        return compressed
    return gzip.compress(body, mtime=0) if "gzip" in coding else zlib.compress(body)


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "br", "zstd"])
def test_a_coding_is_undone(coding: str) -> None:
    assert decode(coded(coding, BODY), f" {coding.upper()};q=1", len(BODY)) == BODY
    assert decode(b"", coding, 0) == b""


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_body_over_the_limit_is_refused_before_it_is_in_memory(coding: str) -> None:
    with pytest.raises(OversizedBodyError, match="over 1000 bytes"):
        decode(coded(coding, bytes(50_000_000)), coding, 1000)
    with pytest.raises(OversizedBodyError):
        decode(coded(coding, BODY), coding, len(BODY) - 1)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_body_that_ends_early_or_is_in_no_coding_is_refused(coding: str) -> None:
    for body in (coded(coding, BODY)[:-3], b"\xff\xff no coding"):
        with pytest.raises(ContentCodingError):
            decode(body, coding, 10**6)


@pytest.mark.parametrize("encode", [zlib.compress, raw_deflate])
def test_deflate_may_come_without_the_header_of_zlib(encode: Callable[[bytes], bytes]) -> None:
    assert decode(encode(BODY), "deflate", len(BODY)) == BODY


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_streams_one_behind_the_other_are_one_body(coding: str) -> None:
    assert decode(coded(coding, BODY) * 3, coding, 3 * len(BODY)) == BODY * 3


def test_codings_are_undone_from_the_last_to_the_first_and_unknown_ones_left() -> None:
    assert decode(gzip.compress(zlib.compress(BODY)), "identity, deflate, gzip, aws-chunked", len(BODY)) == BODY
    with pytest.raises(OversizedBodyError):
        decode(BODY, "", len(BODY) - 1)


@pytest.mark.parametrize("coding", ["br", "zstd"])
def test_a_coding_whose_package_is_missing_is_named(coding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, PACKAGES[coding], None)
    with pytest.raises(MissingCodecError) as caught:
        decode(b"\x0b", coding, 1000)
    assert caught.value.coding == coding


class OneByteAtATime:
    """Stands in for a decompressor of brotli that gives each byte as it is, three of them a body."""

    def __init__(self) -> None:
        self.pending = b""

    def process(self, body: bytes, *, output_buffer_limit: int) -> bytes:
        self.pending += body
        first, self.pending = self.pending[:1], self.pending[1:]
        if first == b"!":
            raise ArithmeticError("no brotli")
        return first

    def can_accept_more_data(self) -> bool:
        return not self.pending

    def is_finished(self) -> bool:
        return self.can_accept_more_data()


def test_brotli_is_decoded_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "brotli", SimpleNamespace(Decompressor=OneByteAtATime, error=ArithmeticError))
    assert decode(b"abc", "br", 3) == b"abc"
    with pytest.raises(OversizedBodyError):
        decode(b"abc", "br", 2)
    with pytest.raises(ContentCodingError, match="no brotli"):
        decode(b"a!", "br", 9)
