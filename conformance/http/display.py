"""Text from outside, made safe to show: nothing in it moves, hides or reorders what stands around it."""

from __future__ import annotations

import re

__all__ = ["UNSEEN", "visible", "without_userinfo"]

#: What a terminal obeys, hides or reorders rather than shows, and what no XML document may hold.
UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    r"\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)


_USERINFO = re.compile(r"\A((?:[A-Za-z][A-Za-z0-9+.-]*:)?//)[^/?#\s]*@")


def without_userinfo(url: str) -> str:
    """`url` without the name and the password that may stand before its host.

    >>> without_userinfo("https://user:secret@api.example.com/@me")
    'https://api.example.com/@me'
    >>> without_userinfo("https://api.example.com//me@home")
    'https://api.example.com//me@home'
    """
    return _USERINFO.sub(r"\1", url) if "@" in url else url


def visible(text: str, *, lines: bool = False) -> str:
    r"""`text` with what cannot be seen as escapes; with `lines`, line feeds and tabs stay.

    >>> visible("a\x1b[2J\u202eb")
    'a\\x1b[2J\\u202eb'
    """
    kept = "\n\t" if lines else ""
    return UNSEEN.sub(lambda match: match[0] if match[0] in kept else _escaped(match[0]), text)


def _escaped(character: str) -> str:
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    if named:
        return named
    point = ord(character)
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
