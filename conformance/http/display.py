"""Untrusted text made safe to display: nothing in it moves, hides or reorders the text around it."""

from __future__ import annotations

import re

__all__ = ["UNSEEN", "visible", "without_userinfo"]

#: Characters that a terminal interprets, hides or reorders, and characters that XML does not allow.
UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    r"\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)


_USERINFO = re.compile(r"\A((?:[A-Za-z][A-Za-z0-9+.-]*:)?//)[^/?#\s]*@")


def without_userinfo(url: str) -> str:
    """`url` without userinfo (RFC 3986 3.2.1).

    >>> without_userinfo("https://user:secret@api.example.com/@me")
    'https://api.example.com/@me'
    >>> without_userinfo("https://api.example.com//me@home")
    'https://api.example.com//me@home'
    """
    return _USERINFO.sub(r"\1", url) if "@" in url else url


def visible(text: str, *, lines: bool = False) -> str:
    r"""`text` with invisible characters as escapes; `lines` keeps line feeds and tabs.

    >>> visible("a\x1b[2J\u202eb")
    'a\\x1b[2J\\u202eb'
    """
    allowed = "\n\t" if lines else ""
    return UNSEEN.sub(lambda match: match[0] if match[0] in allowed else _escaped(match[0]), text)


def _escaped(character: str) -> str:
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    if short:
        return short
    point = ord(character)
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
