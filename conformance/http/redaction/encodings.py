"""How a token may be written: every encoding in which it is found, in a text and in what the text decodes to."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from html.entities import html5
from urllib.parse import unquote_to_bytes

__all__ = ["Secret", "hidden_in", "unescaped"]

#: How deep encodings may be nested in one another before the gate stops looking.
_DEPTH = 4
#: So much of a token's end no escape before it takes away.
_TAIL = 4

_WHITESPACE = b" \t\r\n\v\f"
_FOLD = rb"(?:\s|\\+[nrt]|%0[aAdD]|%20)*"
_BACKSLASH = re.compile(
    rb"\\{1,8}(?:u\{0{0,8}([0-9A-Fa-f]{1,6})\}|u00([0-9A-Fa-f]{2})|U000000([0-9A-Fa-f]{2})|x([0-9A-Fa-f]{2})|([nrt])|([^\w\s]))"
)
_TO_BASE64 = bytes.maketrans(b"-_", b"+/")
_HEX_PREFIX = re.compile(rb"(?<![0-9A-Fa-f])0x|\\x")


#: Stands between views that are searched as one: no search folds or skips it.
_APART = b"\0\xff\0"


class Secret:
    """One token, what stands in its place, and the patterns of its encodings, made where they are first needed."""

    def __init__(self, account: str, token: bytes, shown: str | None = None) -> None:
        self.account = account
        self.size = len(token)
        self.shown = (f"<{account}>" if shown is None else shown).encode()
        self._token = token
        self.lower = token.lower()
        self.bare = self.lower.replace(b"\\", b"")
        self.hexed = token.hex().encode()
        self.cores = tuple(core for _, core, _ in _base64_cores(token))

    @cached_property
    def spelt(self) -> re.Pattern[bytes]:
        """The token with each byte plain or escaped in any way."""
        return re.compile(b"".join(map(_spellings, self._token)), re.IGNORECASE)

    @cached_property
    def _others(self) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
        encoded = re.compile(b"|".join(_base64_pattern(*cores) for cores in _base64_cores(self._token)))
        return encoded, re.compile(
            rb"[\s:,_-]?(?:\\+x|0x)?".join(b"%02x" % byte for byte in self._token), re.IGNORECASE
        )

    def replaced(self, data: bytes) -> bytes:
        """`data` with the token's encodings replaced, but for those inside of others."""

        def stand_in(_: re.Match[bytes]) -> bytes:
            return self.shown

        for pattern in (self.spelt, *self._others):
            data = pattern.sub(stand_in, data)
        return data


def hidden_in(secrets: Iterable[Secret], data: bytes) -> list[Secret]:
    """Those of `secrets` that `data`, or what it says under a few decodings, has."""
    left = [secret for secret in secrets if secret.size <= len(data)]
    if not left:
        return []
    smallest = min(secret.size for secret in left)
    found: list[Secret] = []
    seen: set[bytes] = set()
    views = [data]
    for depth in range(_DEPTH + 1):
        views = list(dict.fromkeys(view for view in views if len(view) >= _TAIL and view not in seen))
        if not views:
            break
        seen.update(views)
        shown = _showing(left, _APART.join(views), data)
        found += shown
        left = [secret for secret in left if secret not in shown]
        if not left or depth == _DEPTH:
            break
        views = [deeper for view in views for deeper in _decoded(view, smallest)]
    return found


def _showing(secrets: Iterable[Secret], view: bytes, data: bytes) -> list[Secret]:
    lower = view.lower()
    dense = view.translate(None, _WHITESPACE)
    bare = dense.lower().replace(b"\\", b"")
    digits = dense.translate(_TO_BASE64)
    pairs = _HEX_PREFIX.sub(b"", dense).translate(None, b":,-_").lower()
    return [
        secret
        for secret in secrets
        if secret.lower in lower
        or secret.bare in bare
        or any(core in digits for core in secret.cores)
        or secret.hexed in pairs
        # A decoding may take the token's first digits for the end of an escape.
        or (secret.lower[-_TAIL:] in lower and secret.spelt.search(data))
    ]


def _decoded(view: bytes, size: int) -> Iterator[bytes]:
    """What `view` says under one decoding more, where that could hold a token of `size` bytes."""
    yield from unescaped(view)
    dense = view.translate(_TO_BASE64, _WHITESPACE)
    # An encoding of the token inside another encoding is at least this long.
    for run in re.findall(rb"[A-Za-z0-9+/]{%d,}" % (4 * size // 3), dense):
        yield from (base64.b64decode(_whole_quads(run[skipped:])) for skipped in range(4))
    for run in re.findall(rb"[A-Fa-f0-9]{%d,}" % (2 * size), dense):
        yield from (binascii.unhexlify(_whole_pairs(run[skipped:])) for skipped in range(2))


def unescaped(view: bytes) -> Iterator[bytes]:
    """What `view` says where its percent, entity or backslash escapes are undone, for those that it has."""
    if b"%" in view:
        yield unquote_to_bytes(view)
    if b"&" in view:
        yield html.unescape(view.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogatepass")
    if b"\\" in view:
        yield _BACKSLASH.sub(_plain, view)


def _whole_quads(digits: bytes) -> bytes:
    return digits[:-1] if len(digits) % 4 == 1 else digits + b"=" * (-len(digits) % 4)


def _whole_pairs(digits: bytes) -> bytes:
    return digits[: len(digits) & ~1]


def _plain(match: re.Match[bytes]) -> bytes:
    digits = match[1] or match[2] or match[3] or match[4]
    if digits is None:
        return match[6] or b"\n"
    code = int(digits, 16)
    return chr(code).encode("utf-8", "surrogatepass") if code <= 0x10FFFF else b""


@lru_cache(maxsize=256)
def _spellings(byte: int) -> bytes:
    """A pattern of the ways in which one byte is written: itself, percent, backslash and entity escapes in any mix.

    Every repetition has a bound: what a server echoes must not decide how long a search takes.
    """
    plain = bytes([byte])
    ways = [
        (b"" if plain.isalnum() else rb"\\{0,8}") + re.escape(plain),
        rb"%%(?:25){0,4}%02x" % byte,
        rb"\\{1,8}(?:u00%02x|u\{0{0,8}%02x\}|x%02x|U000000%02x)" % (byte, byte, byte, byte),
        rb"&(?:amp;){0,4}#(?:0{0,8}%d|x0{0,8}%02x)(?:;|(?![0-9a-f]))" % (byte, byte),
    ]
    names = (name for name, value in html5.items() if value == chr(byte) and name.endswith(";"))
    ways += [b"&(?:amp;){0,4}" + re.escape(name.encode()) for name in names]
    return b"(?:" + b"|".join(ways) + b")"


def _base64_cores(token: bytes) -> Iterator[tuple[bool, bytes, bool]]:
    """For each of the three alignments: the digits that the token alone decides, and whether it touches others."""
    for shift in range(3):
        digits = base64.b64encode(b"\0" * shift + token)
        bits = 8 * (shift + len(token))
        yield shift > 0, digits[-(-8 * shift // 6) : bits // 6], bits % 6 != 0


def _base64_pattern(before: bool, core: bytes, after: bool) -> bytes:
    control_request = rb"[A-Za-z0-9+/_-]?"
    return before * control_request + _FOLD.join(map(_base64_digit, core)) + after * control_request


def _base64_digit(digit: int) -> bytes:
    if digit == ord("+"):
        return rb"(?:[+\-]|%(?:25)*2[bBdD]|\\+u002[bBdD]|&#(?:43|x2[bB]|45|x2[dD]);|&plus;)"
    if digit == ord("/"):
        return rb"(?:\\*/|_|%(?:25)*(?:2[fF]|5[fF])|\\+u00(?:2|5)[fF]|&#(?:47|x2[fF]|95|x5[fF]);|&sol;)"
    return bytes([digit])
