"""Text decoded from escapes, base64, hexadecimal, quoted-printable, gzip and zlib."""

from __future__ import annotations

import binascii
import contextlib
import html
import re
import zlib
from collections.abc import Callable, Iterator

__all__ = ["bare", "decoded", "text_in", "unescaped"]

_WHITESPACE = b" \t\r\n\v\f"
#: Bytes that all compressed streams in one view may decompress to.
_LARGEST_STREAMS = 2**20
_BACKSLASH = re.compile(
    rb"(\\\\{0,7}(?:u\{0{0,8}[0-9A-Fa-f]{1,6}\}|u[0-9A-Fa-f]{4}|U00[0-9A-Fa-f]{6}|x[0-9A-Fa-f]{2}|[0-3][0-7]{2}"
    rb"|[nrt]|[^\w\s]))"
)
#: Three octal digits are those of C.
_CSS = re.compile(rb"(\\(?![0-3][0-7]{2}(?![0-9A-Fa-f]))[0-9A-Fa-f]{1,6}[ \t\r\n\f]?)")
_ENTITY = re.compile(rb"(&(?:#[0-9]{1,16}|#[xX][0-9A-Fa-f]{1,16}|[A-Za-z][A-Za-z0-9]{1,31});?)")
_PERCENT_U = re.compile(rb"(%[uU][0-9A-Fa-f]{4})")
_QUOTED_PRINTABLE = re.compile(rb"=(?:[0-9A-F]{2}|\r?\n)")
#: Escapes whose meanings are remembered for each kind.
_REMEMBERED = 4096
#: What no text has stands for characters that begin no escape: quoted-printable would drop what follows some of them.
_EQUALS, _PERCENT = b"\x02", b"\x03"
_LONE_EQUALS, _LONE_PERCENT = re.compile(rb"=(?:=|(?![0-9A-Fa-f]{2}|\r?\n))"), re.compile(rb"%(?![0-9A-Fa-f]{2})")
_SEPARATOR = b"\x01"
#: The first bytes of zlib (by compression level) and gzip.
_COMPRESSED = (b"\x78\x01", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b\x08")
#: Streams that are tried in a view; random bytes seem to have about fifty.
_MOST_STREAMS = 1_000


def _table(shown: Callable[[int], int]) -> bytes:
    return bytes(map(shown, range(256)))


def _shape(characters: bytes) -> bytes:
    """A translation table that turns `characters` into ``a``, so that runs of them are found fast."""
    return _table(lambda byte: ord("a") if byte in characters else _SEPARATOR[0])


_ASCII = bytes([*range(9, 14), *range(32, 127)])
_ASCII_SHAPE, _UTF8_SHAPE = _shape(_ASCII), _shape(_ASCII + bytes(range(128, 256)))
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_HEX = b"0123456789ABCDEFabcdef"
_BASE64_SHAPE, _HEX_SHAPE = _shape(_BASE64), _shape(_HEX + b"xX\\")
#: Anything else becomes a zero digit, which keeps the runs of digits apart.
_BASE64_DIGITS = _table(lambda byte: {45: 43, 95: 47}.get(byte, byte if byte in _BASE64 else ord("A")))
_HEX_DIGITS = _table(lambda byte: byte if byte in _HEX else ord("0"))
_HEX_SEPARATORS = _WHITESPACE + b":,-_"


_LOWER = _table(lambda byte: bytes([byte]).lower()[0])
_PERCENTS_FIRST = bytes.maketrans(b"%=", b"=" + _EQUALS)
_PERCENTS_LAST = bytes.maketrans(_EQUALS + _PERCENT, b"=%")


def bare(text: bytes) -> bytes:
    """`text` in lower case without whitespace, backslashes and NULs, which may separate the bytes of a secret."""
    return text.translate(_LOWER, _WHITESPACE + b"\\\0")


def text_in(view: bytes, shortest: int) -> bytes:
    """The runs of text in `view` of at least `shortest` bytes; UTF-16 loses its NULs."""
    plain = view.translate(None, b"\0") if b"\0" in view else view
    shape = plain.translate(_UTF8_SHAPE if _is_utf8(plain) else _ASCII_SHAPE)
    return plain if _SEPARATOR not in shape else _SEPARATOR.join(_runs(plain, shape, shortest))


def _is_utf8(data: bytes) -> bool:
    with contextlib.suppress(UnicodeDecodeError):
        return data.isascii() or bool(data.decode())
    return False


def _runs(data: bytes, shape: bytes, shortest: int) -> Iterator[bytes]:
    run = b"a" * shortest
    start = shape.find(run)
    while start >= 0:
        stop = shape.find(_SEPARATOR, start)
        yield data[start : stop if stop >= 0 else None]
        start = shape.find(run, stop) if stop >= 0 else -1


def decoded(text: bytes, shortest: int) -> Iterator[tuple[bytes, bool]]:
    """`text` with one encoding undone, for each that it seems to have, and whether that is to be decoded further."""
    digits = _digits(text.translate(None, _WHITESPACE + b"\\"), _BASE64_SHAPE, 4 * shortest // 3)
    if digits:
        # The last group may be incomplete.
        yield from _at_each_place(digits.translate(_BASE64_DIGITS) + b"AAAA", 4, binascii.a2b_base64)
    digits = _digits(text.translate(None, _HEX_SEPARATORS), _HEX_SHAPE, 2 * shortest)
    if digits:
        yield from _at_each_place(digits.translate(_HEX_DIGITS), 2, binascii.unhexlify)
    if b"\\" in text:
        yield _undone(_CSS, _CSS_MEANINGS, text), True
    kinds = [undo for introducer, undo in _ESCAPES if introducer in text]
    every = text
    for number, undo in enumerate(kinds):
        every = undo(every)
        if len(kinds) > 1:
            yield undo(text) if number else every, False
    yield every, True


def _digits(dense: bytes, shape: bytes, shortest: int) -> bytes:
    """The runs of digits that could hold a secret."""
    return _SEPARATOR.join(_runs(dense, dense.translate(shape), shortest))


def _at_each_place(digits: bytes, size: int, decode: Callable[[memoryview], bytes]) -> Iterator[tuple[bytes, bool]]:
    """`digits` decoded at each alignment to groups of `size`, and the compressed streams in the result."""
    for start in range(size):
        view = decode(memoryview(digits)[start : len(digits) - (len(digits) - start) % size])
        yield view, True
        for inflated in _inflated(view):
            yield inflated, True


def _inflated(view: bytes) -> Iterator[bytes]:
    room = _LARGEST_STREAMS
    for magic in _COMPRESSED:
        at = -1
        for _ in range(_MOST_STREAMS):
            at = view.find(magic, at + 1)
            if at < 0 or room <= 0:
                break
            with contextlib.suppress(zlib.error):
                inflated = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(memoryview(view)[at:], room)
                room -= len(inflated)
                yield inflated


def unescaped(view: bytes) -> Iterator[bytes]:
    """`view` with its backslash, entity or percent escapes undone, for each kind that it has."""
    for introducer, undo in _ESCAPES[:3]:
        if introducer in view:
            yield undo(view)


class _Meanings(dict[bytes, bytes]):
    """What the escapes of a kind stand for: few of them come again and again."""

    def __init__(self, meaning: Callable[[bytes], bytes]) -> None:
        self._meaning = meaning

    def __missing__(self, escape: bytes) -> bytes:
        if len(self) >= _REMEMBERED:
            self.clear()
        self[escape] = meaning = self._meaning(escape)
        return meaning


def _undone(pattern: re.Pattern[bytes], meanings: _Meanings, text: bytes) -> bytes:
    """`text` with the escapes replaced that the group of `pattern` holds; without a call for each."""
    parts = pattern.split(text)
    parts[1::2] = map(meanings.__getitem__, parts[1::2])
    return b"".join(parts)


def _without_percents(text: bytes) -> bytes:
    if b"%u" in text or b"%U" in text:
        text = _undone(_PERCENT_U, _PERCENT_U_MEANINGS, text)
    swapped = _LONE_PERCENT.sub(_PERCENT, text).translate(_PERCENTS_FIRST)
    return binascii.a2b_qp(swapped).translate(_PERCENTS_LAST)


def _without_entities(text: bytes) -> bytes:
    return _undone(_ENTITY, _ENTITY_MEANINGS, text)


def _without_backslashes(text: bytes) -> bytes:
    # What JSON escapes most goes first, at once; it may be escaped again in JSON within JSON.
    for escaped in (b'\\"', b"\\/") * 2:
        text = text.replace(escaped, escaped[1:])
    return _undone(_BACKSLASH, _BACKSLASH_MEANINGS, text)


def _without_quotes(text: bytes) -> bytes:
    """`text` without quoted-printable; a lone ``=`` is the padding of base64."""
    if not _QUOTED_PRINTABLE.search(text):
        return text
    return binascii.a2b_qp(_LONE_EQUALS.sub(_EQUALS, text)).translate(_PERCENTS_LAST)


#: Kinds of escapes, by their first character.
_ESCAPES: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
    (b"\\", _without_backslashes),
    (b"&", _without_entities),
    (b"%", _without_percents),
    (b"=", _without_quotes),
)


def _character(entity: bytes) -> bytes:
    return html.unescape(entity.decode()).encode("utf-8", "surrogatepass")


def _plain(escape: bytes) -> bytes:
    kind, digits = escape.lstrip(b"\\")[:1], escape.lstrip(b"\\")[1:].strip(b"{}")
    if kind and kind in b"uUx" and digits:
        return _utf8(digits)
    if kind.isdigit():
        return bytes([int(kind + digits, 8)])
    return b"\n" if kind and kind in b"nrt" else kind or b"\\"


def _utf8(digits: bytes) -> bytes:
    code = int(digits, 16)
    return chr(code).encode("utf-8", "surrogatepass") if code <= 0x10FFFF else b""


_BACKSLASH_MEANINGS, _ENTITY_MEANINGS = _Meanings(_plain), _Meanings(_character)
_CSS_MEANINGS = _Meanings(lambda escape: _utf8(escape[1:].strip()))
_PERCENT_U_MEANINGS = _Meanings(lambda escape: _utf8(escape[2:]))
