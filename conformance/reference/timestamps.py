"""Start and end of events: a date, or a time with a time zone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["Moment", "instant", "parse", "utc", "zone"]

_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|z|[+-]\d\d:?\d\d)?\Z")
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC).timestamp()
_LATEST = datetime(3000, 1, 1, tzinfo=UTC).timestamp()
_UTC_NAMES = frozenset({"Etc/UTC", "UTC", "Etc/GMT", "GMT", "Z"})


@dataclass(frozen=True)
class Moment:
    """A start or end: `at` in seconds since the epoch, `date` if only a date was sent, `text` and `form` as sent."""

    at: float
    tzid: str
    date: str | None = None
    text: str = ""
    form: str = "string"

    def shown(self, *, localized: bool) -> Any:
        """As reads show it: a date, a UTC time, or with `localized` an object with its time zone."""
        if not localized:
            return self.date or utc(self.at)
        if self.date:
            return {"time": self.date, "tzid": self.tzid}
        local = datetime.fromtimestamp(self.at, zone(self.tzid) or UTC)
        return {"time": local.isoformat(timespec="seconds"), "tzid": self.tzid}


def zone(tzid: str) -> tzinfo | None:
    """The time zone of that name; None if it is unknown."""
    if tzid in _UTC_NAMES:
        return UTC
    try:
        return ZoneInfo(tzid)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def instant(text: str, tz: tzinfo) -> float:
    """Seconds since the epoch of a date or time; one without an offset is local to `tz`.

    Raises ValueError for anything else.
    """
    if _DATE.match(text):
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=tz).timestamp()
    if not _TIME.match(text):
        raise ValueError(f"{text!r} is neither a date nor an ISO 8601 time")
    moment = datetime.fromisoformat(text.upper().replace(" ", "T"))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=tz)
    return moment.timestamp()


@lru_cache(maxsize=4096)
def utc(at: float) -> str:
    """A time in UTC that ends in Z, with a fraction only if there is one."""
    moment = datetime.fromtimestamp(at, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{moment.microsecond:06d}" if moment.microsecond else "") + "Z"


def parse(value: object, default_tzid: str) -> Moment:
    """The moment of a ``start`` or ``end``: a date or time, alone or as ``{time, tzid}``.

    Raises ValueError for anything else, an unknown time zone, and years before 1900 or after 2999.
    """
    form, tzid, text = "string", default_tzid, value
    if isinstance(value, Mapping):
        form, tzid, text = "object", value.get("tzid", default_tzid), value.get("time")
    if not isinstance(text, str) or not isinstance(tzid, str):
        raise ValueError(f"{value!r} is no time: a string or an object of two strings, time and tzid")  # noqa: TRY004 - one error for bad times
    tz = zone(tzid)
    if tz is None:
        raise ValueError(f"{tzid!r} is no known time zone")
    at = instant(text, tz)
    if not _EARLIEST <= at < _LATEST:
        raise ValueError(f"{text!r} is not between the years 1900 and 3000")
    return Moment(at, tzid, text if _DATE.match(text) else None, text, form)
