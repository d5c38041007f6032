"""How long to wait before a request is sent again: as the subject asks, within bounds, and else by a back-off."""

from __future__ import annotations

import calendar
import math
import re
from email.utils import parsedate_tz

__all__ = ["back_off", "retry_after"]

_SECONDS = re.compile(r"[0-9]{1,18}\Z")


def back_off(attempt: int, first: float, longest: float) -> float:
    """Seconds after the attempt of that number, from 1 on: they double from `first` up to `longest`."""
    return float(min(first * 2.0 ** min(attempt - 1, 60), longest))


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds that a ``Retry-After`` asks for (RFC 9110 10.2.3), infinite for a year that no calendar has.

    None if it is missing or malformed.

    >>> [retry_after(value, 0.0) for value in ("7", "²", "-7", None)]
    [7.0, None, None, None]
    """
    text = (value or "").strip()
    if _SECONDS.match(text):
        return float(text)
    if text.isascii() and text.isdigit():
        return math.inf
    try:
        parsed = parsedate_tz(text)
    except (ValueError, OverflowError, IndexError, TypeError):  # it was not made for hostile input
        return None
    if parsed is None:
        return None
    if parsed[0] > 9999:
        return math.inf
    try:
        return max(0.0, calendar.timegm((*parsed[:6], 0, 0, 0)) - (parsed[9] or 0) - now)
    except (ValueError, OverflowError):
        return None
