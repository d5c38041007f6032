"""Comparisons that JSON Schema cannot make: of URLs, of times, of one value with another."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

__all__ = ["compare_urls", "is_all_day", "normal_url", "parse_api_time", "same_text", "same_time", "time_relation"]

#: Nothing nearer to now than this is called past, running or future: clocks and time zones differ.
MARGIN = 24 * 3600.0

#: The margin where the server's clock was verified, and the event's times have offsets from UTC.
NEAR = 3 * 3600.0

#: The margin there where a time names its zone: what is known of one zone here and there differs by an hour at most.
ZONED = NEAR + 3600.0

#: The margin where the event's own ``created`` shows the server's clock too, beside the answer's Date.
NEARER = 3600.0

_PORTS = {"http": "80", "https": "443"}
#: URLs that have their normal form, at a glance: most do.
_NORMAL = re.compile(r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)*(?:/[A-Za-z0-9_~-]+)+\Z")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def compare_urls(sent: str, shown: Any) -> str:
    """``identical``, ``equivalent`` (RFC 3986 6.2.2-3 and IDNA) or ``different``."""
    if shown == sent:
        return "identical"
    if not isinstance(shown, str):
        return "different"
    return "equivalent" if normal_url(sent) == normal_url(shown) else "different"


@lru_cache(maxsize=8192)
def normal_url(url: str) -> str:
    """The normal form of a URL: case, escapes, dot segments, default port and host as RFC 3986 and IDNA have them."""
    return url if _NORMAL.match(url) else _normal(url)


def _normal(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        host = _host(parts.hostname or "")
        port = str(parts.port) if parts.port is not None else ""
    except ValueError:
        return url
    scheme = parts.scheme.lower()
    if not scheme or not host:
        return url
    if port == _PORTS.get(scheme):
        port = ""
    user = parts.netloc.rpartition("@")[0]
    authority = f"{user}@{host}" if user else host
    if port:
        authority += f":{port}"
    path = _dots(_escapes(parts.path)) or "/"
    query = f"?{_escapes(parts.query)}" if "?" in url.split("#", 1)[0] else ""
    fragment = f"#{_escapes(parts.fragment)}" if "#" in url else ""
    return f"{scheme}://{authority}{path}{query}{fragment}"


def _host(host: str) -> str:
    lowered = host.lower()
    if lowered.isascii():
        return lowered
    try:
        return lowered.encode("idna").decode("ascii")
    except UnicodeError:
        return lowered


def _escapes(text: str) -> str:
    encoded = "".join(
        c if c.isascii() else "".join(f"%{byte:02X}" for byte in c.encode("utf-8", "surrogatepass")) for c in text
    )

    def plain(match: re.Match[str]) -> str:
        character = chr(int(match[0][1:], 16))
        return character if character in _UNRESERVED else match[0].upper()

    return _ESCAPE.sub(plain, encoded).replace(" ", "%20")


def _dots(path: str) -> str:
    if "." not in path:
        return path
    out: list[str] = []
    segments = path.split("/")
    for number, segment in enumerate(segments):
        last = number == len(segments) - 1
        if segment in (".", ".."):
            if segment == ".." and len(out) > 1:
                out.pop()
            if last:
                out.append("")
        else:
            out.append(segment)
    return "/".join(out)


@lru_cache(maxsize=8192)
def _instant(text: str, tzid: str | None) -> tuple[datetime, bool] | None:
    try:
        if len(text) == 10:
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC), False
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is not None:
        return moment.astimezone(UTC), True
    try:
        zone = ZoneInfo(tzid or "Etc/UTC")
        return moment.replace(tzinfo=zone).astimezone(UTC), tzid is not None
    except (KeyError, ValueError, OSError, OverflowError):  # a zone that is not known is a KeyError
        return None


def parse_api_time(time: Any, tzid: Any = None) -> tuple[datetime, bool] | None:
    """A time as the API writes it (string, or ``{time, tzid}``) as an instant, and whether it is one to the second.

    None where it cannot be told.  A date is midnight UTC, and no instant.
    """
    if not isinstance(time, str):
        if not isinstance(time, dict):
            return None
        zone = time.get("tzid")
        time = time.get("time")
        tzid = zone if isinstance(zone, str) else tzid
        if not isinstance(time, str):
            return None
    try:
        return _instant(time, tzid if isinstance(tzid, str) else None)
    except OverflowError:
        return None


def same_time(sent: Any, shown: Any, tzid: Any = None) -> bool | None:
    """Whether two times are the same instant (or date); None where it cannot be told."""
    if sent == shown:
        return True
    one, other = parse_api_time(sent, tzid), parse_api_time(shown, tzid)
    if one is None or other is None:
        return None
    if one[1] and other[1]:
        return one[0] == other[0]
    if one[1] != other[1]:
        return False if _is_date(sent) else None  # a date has become a time; a time without a zone tells nothing
    return one[0] == other[0]


def _is_date(time: Any) -> bool:
    return isinstance(time, str) and len(time) == len("2026-01-01")


def is_all_day(event: dict[str, Any]) -> bool | None:
    """Whether an event starts on a date, as one of whole days does; None where its start cannot be read."""
    start = event.get("start")
    time = start.get("time") if isinstance(start, dict) else start
    return None if parse_api_time(start, event.get("tzid")) is None else _is_date(time)


def same_text(sent: Any, shown: Any) -> bool:
    """Whether two texts say the same: white space at the ends and line ends do not count."""
    if not isinstance(sent, str) or not isinstance(shown, str):
        return bool(sent == shown)
    return sent == shown or sent.replace("\r\n", "\n").strip() == shown.replace("\r\n", "\n").strip()


def time_relation(
    event: dict[str, Any], now: float | None, *, server_clock_verified: bool = False, created_then: bool = False
) -> str | None:
    """``past``, ``running`` or ``future`` for an event as written, at `now` (epoch seconds); None if it is too near.

    `server_clock_verified` says that the server's own clock shows `now` as well, `created_then` that the event's
    ``created`` does too.
    """
    if now is None:
        return None
    tzid = event.get("tzid")
    start, end = parse_api_time(event.get("start"), tzid), parse_api_time(event.get("end"), tzid)
    if start is None or end is None:
        return None
    margin = timedelta(seconds=2 * MARGIN)
    if start[1] and end[1]:
        margin = timedelta(seconds=_margin(event, created_then) if server_clock_verified else MARGIN)
    moment = datetime.fromtimestamp(now, UTC)  # an event may lie where calendars end: the margin is not added there
    if start[0] > moment + margin:
        return "future"
    if start[0] < moment - margin:
        return "running" if end[0] > moment + margin else "past"
    return None


def _margin(event: dict[str, Any], created_then: bool) -> float:
    """The margin for valid times where the server's clock is verified."""
    precisions = {_precision(event[name]) for name in ("start", "end")}
    if precisions == {"offset"}:
        return NEARER if created_then else NEAR
    return ZONED if "floating" not in precisions else MARGIN


def _precision(time: Any) -> str:
    """``offset``: the same instant to everybody; ``zone``: the time itself names one; ``floating``: neither."""
    text, zone = (time["time"], time.get("tzid")) if isinstance(time, dict) else (time, None)
    if datetime.fromisoformat(text).tzinfo is not None:
        return "offset"
    return "zone" if isinstance(zone, str) else "floating"
