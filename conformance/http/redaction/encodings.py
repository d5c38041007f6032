"""Secrets found and replaced in any encoding: with bytes escaped, inside encoded text, and several times over."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from html.entities import html5
from typing import Any

from conformance.http.redaction.decodings import bare, decoded, text_in

__all__ = ["REDACTED", "Secret", "hidden_in", "redacted"]

#: The replacement of a secret that belongs to no account.
REDACTED = "<redacted>"

#: Nested encodings that are undone.
_DEPTH = 5
#: Bytes that are searched at once, and their overlap with the next ones: no encoded secret is cut in two.
_WINDOW, _OVERLAP = 2**20, 2**16
#: Bytes at the start of a token that an escape before it may consume, and bytes that are left at least.
_SWALLOWED, _TAIL = 8, 4

_FOLD = rb"(?:\s|\\+[nrt]|%0[aAdD]|%20)*"


class Secret:
    """One token, its replacement, and the patterns of its encodings, compiled on first use."""

    def __init__(self, account: str, token: bytes, replacement: str | None = None) -> None:
        self.account = account
        self.size = len(token)
        self.replacement = (f"<{account}>" if replacement is None else replacement).encode()
        self._token = token
        self.lower = token.lower()
        self.bare = bare(token)
        self._tail = bare(token[min(_SWALLOWED, self.size - _TAIL) :])
        self.hex = token.hex().encode()
        self.base64_cores = tuple(core for _, core, _ in _base64_cores(token))

    @cached_property
    def escaped_pattern(self) -> re.Pattern[bytes]:
        """A pattern of the token with each byte plain or escaped."""
        return re.compile(b"".join(map(_spellings, self._token)), re.IGNORECASE)

    @cached_property
    def _others(self) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
        encoded = re.compile(b"|".join(_base64_pattern(*base64_cores) for base64_cores in _base64_cores(self._token)))
        return encoded, re.compile(
            rb"[\s:,_-]?(?:\\+x|0x)?".join(b"%02x" % byte for byte in self._token), re.IGNORECASE
        )

    def is_in(self, dense: bytes, view: bytes) -> bool:
        """Whether a text contains it, given the text as it is, and `bare`."""
        if len(self.bare) == self.size:
            return self.bare in dense
        return self.lower in view.lower() or (len(self.bare) >= _TAIL and self.bare in dense)

    def tail_is_in(self, dense: bytes) -> bool:
        """Whether a text, `bare`, contains what is left of it when an escape before it consumed its first bytes."""
        return self._tail in dense

    def replaced(self, data: bytes) -> bytes:
        """`data` with the token replaced wherever it is encoded once."""
        for pattern in (self.escaped_pattern, *self._others):
            data = pattern.sub(lambda _: self.replacement, data)
        return data


def hidden_in(secrets: Iterable[Secret], data: bytes) -> list[Secret]:
    """Those of `secrets` that `data` contains, in up to five nested encodings."""
    left = list(secrets)
    found: list[Secret] = []
    for _, _, window in _windows(left, data):
        found += _found(left, window)
        left = [secret for secret in left if secret not in found]
    return found


def redacted(secrets: Iterable[Secret], data: bytes) -> bytes | None:
    """`data` with all of `secrets` replaced; None without any.

    Where one is encoded too deep for that, just REDACTED stands for the text, or for the string of a JSON document.
    """
    known = sorted(secrets, key=lambda secret: -secret.size)  # the longest first: one may be part of another
    affected: list[tuple[int, int, set[Secret]]] = []
    for start, stop, window in _windows(known, data):
        if found := set(_found(known, window)):
            if affected and start < affected[-1][1]:
                start, _, before = affected.pop()
                found |= before
            affected.append((start, stop, found))
    if not affected:
        return None
    pieces, at = [], 0
    for start, stop, found in affected:
        piece = data[start:stop]
        for secret in known:
            piece = secret.replaced(piece) if secret in found else piece
        pieces += [data[at:start], piece]
        at = stop
    clean = b"".join([*pieces, data[at:]])
    return _by_strings(known, data) if hidden_in(known, clean) else clean


def _by_strings(secrets: list[Secret], data: bytes) -> bytes:
    """A JSON document whose strings are searched one by one, so that the others stay; REDACTED for anything else."""

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            found = redacted(secrets, value.encode("utf-8", "surrogatepass"))
            return value if found is None else found.decode("utf-8", "surrogatepass")
        if isinstance(value, list):
            return [clean(part) for part in value]
        return {clean(name): clean(part) for name, part in value.items()} if isinstance(value, dict) else value

    try:
        document = json.loads(data)
        text = REDACTED if isinstance(document, str) else json.dumps(clean(document))
    except (ValueError, RecursionError):
        return REDACTED.encode()
    return REDACTED.encode() if hidden_in(secrets, text.encode()) else text.encode()


def _windows(secrets: Iterable[Secret], data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Overlapping pieces of `data` with start and end, which bound the memory of a search."""
    overlap = max([_OVERLAP, *(64 * secret.size for secret in secrets)])
    for start in range(0, max(len(data), 1), _WINDOW):
        stop = min(start + _WINDOW + overlap, len(data))
        yield start, stop, data[start:stop]
        if stop == len(data):
            return


def _found(secrets: Iterable[Secret], data: bytes) -> list[Secret]:
    """Those of `secrets` in `data`.  Only text is decoded further, so decoding binary data ends at once."""
    left = [secret for secret in secrets if secret.size <= len(data)]
    if not left:
        return []
    shortest = min(secret.size for secret in left)
    found = _shown(left, data)
    text = text_in(data, shortest)
    texts, known = [text], {text}
    for depth in range(_DEPTH):
        room = max(2 * len(data), _OVERLAP)
        deeper: list[bytes] = []
        for text in texts:
            for view, is_whole in decoded(text, shortest):
                left = [secret for secret in left if secret not in found]
                if not left:
                    return found
                found += _shown(left, view, data if depth == 0 else None)
                inner = text_in(view, shortest)[:room] if is_whole else b""
                if inner and inner not in known:
                    known.add(inner)
                    deeper.append(inner)
                    room -= len(inner)
        texts = deeper
    return found


def _shown(secrets: Iterable[Secret], view: bytes, data: bytes | None = None) -> list[Secret]:
    """The secrets in a view, including those whose first bytes were taken for the end of an escape in `data`."""
    dense = bare(view)
    return [
        secret
        for secret in secrets
        if (
            secret.is_in(dense, view)
            if data is None
            else secret.tail_is_in(dense) and (secret.is_in(dense, view) or secret.escaped_pattern.search(data))
        )
    ]


@lru_cache(maxsize=256)
def _spellings(byte: int) -> bytes:
    """A pattern of the spellings of one byte: itself, and percent, backslash and entity escapes.

    Every repetition is bounded: no echo of a server makes a search slow.
    """
    plain = bytes([byte])
    ways = [
        (b"" if plain.isalnum() else rb"\\{0,8}") + re.escape(plain),
        rb"%%(?:25){0,4}(?:u00)?%02x" % byte,
        rb"\\{1,8}(?:u00%02x|u\{0{0,8}%02x\}|x%02x|U000000%02x|%03o)" % (byte, byte, byte, byte, byte),
        rb"&(?:amp;){0,4}#(?:0{0,8}%d|x0{0,8}%02x)(?:;|(?![0-9a-f]))" % (byte, byte),
    ]
    names = (name for name, value in html5.items() if value == chr(byte) and name.endswith(";"))
    ways += [b"&(?:amp;){0,4}" + re.escape(name.encode()) for name in names]
    return b"(?:" + b"|".join(ways) + b")"


def _base64_cores(token: bytes) -> Iterator[tuple[bool, bytes, bool]]:
    """For each of the three alignments: the digits of the token alone, and whether it shares one before and after."""
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
