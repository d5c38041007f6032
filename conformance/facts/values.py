"""What `observe` is told and what it tells: settings in, facts with their evidence out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from conformance.http.exchange import Request

__all__ = ["UNMOVED_HOLD", "WINDOW_LIMIT", "Evidence", "Facts", "Settings"]

#: Seconds after which a derived window grows no more.
WINDOW_LIMIT = 60.0

#: Seconds for which a state that has not moved since the write must hold before it is final:
#: a server that shows no ``pending`` looks, until it is done, like one that does nothing.
UNMOVED_HOLD = 15.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How long is long enough, in seconds, and what the subject's owner declares.

    `quiet`: the same in two readings over this time is quiet.  `window`: how long a *never* is
    watched; None derives it, ``max(quiet, 3 * slowest settling seen)``, at most 60.
    `settle_timeout`: pending longer than this is timed out.  `default_profiles`: account name to
    the ``profile_id`` that its user chose as the default.  `complete_recording`: the first recorded write of an event
    creates it.  `only_writer`: nobody else knows the events, which are those of a run.
    """

    quiet: float = 10.0
    window: float | None = None
    settle_timeout: float = 120.0
    default_profiles: Mapping[str, str] = field(default_factory=dict)
    complete_recording: bool = False
    only_writer: bool = False


class Evidence(Struct, frozen=True):
    """One exchange that facts rest on: its label, the request, the status, what it showed of the event, and when.

    `at` is when the request was sent, in epoch seconds; None where that is not known.  `otherwise` are the fields of
    the event that a reading showed otherwise than they were written; `continues` is, of a later page, the URL of the
    reading that it belongs to; `until` is when the last of the readings was sent that showed the same in a row.
    """

    label: str
    request: Request
    status: int | None
    shown: Any = None
    at: float | None = None
    otherwise: Mapping[str, Any] | None = None
    continues: str | None = None
    until: float | None = None


class Facts(Struct, frozen=True):
    """One JSON document that states what is known, and the exchanges that it rests on.

    `key` stays the same over the revisions of one document; `closed` says that this one is the last.
    `earlier` are the writes of the event before this one, and what readings showed between them, in order.
    `place` orders facts where they are made of shares of the accounts, apart.
    """

    about: str
    key: tuple[str, ...]
    document: dict[str, Any]
    evidence: tuple[Evidence, ...]
    closed: bool
    earlier: tuple[Evidence, ...] = ()
    place: tuple[float, ...] = ()
