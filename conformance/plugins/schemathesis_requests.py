"""What OpenAPI cannot say is made true of Schemathesis' valid requests: so they reach real calendars, events and pages.

A calendar is one that the server listed as writable, a page one that it linked to, a profile one that it listed.  An
event has an id, real times in order, and a time zone that exists.  Requests that are meant to be invalid stay so.
"""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

from conformance.facts.comparisons import parse_api_time

__all__ = ["RealRequests"]

_START, _END = "2031-03-14T09:00:00Z", "2031-03-14T09:45:00Z"
_PAGE = re.compile(r".*/v1/events/pages/([^/]+)\Z")
_BUILT_IN = ("default", "none", "explicit", "integrated", "8x8")
#: One request of these is sent as it was made: an unknown calendar, page or profile has answers of its own.
_AS_MADE = 8


class RealRequests:
    """Learns from answers what is there, and puts it into requests."""

    def __init__(self) -> None:
        self._calendars: list[str] = []
        self._integrated: set[str] = set()
        self._profiles: list[str] = []
        self._page: str | None = None
        self._count = 0

    def learn(self, operation: str, answer: Any) -> None:
        """Take what the answer to an operation shows; the last one counts."""
        if not isinstance(answer, dict):
            return
        if operation == "list_calendars":
            listed = [one for one in answer.get("calendars") or () if isinstance(one, dict)]
            self._calendars = [
                str(one.get("calendar_id"))
                for one in listed
                if not one.get("calendar_readonly") and not one.get("calendar_deleted")
            ]
            self._integrated = {
                str(one.get("calendar_id")) for one in listed if one.get("calendar_integrated_conferencing_available")
            }
        elif operation == "userinfo":
            data = answer.get("cronofy.data")
            profiles = data.get("conferencing_profiles") if isinstance(data, dict) else None
            self._profiles = [str(one.get("profile_id")) for one in profiles or () if isinstance(one, dict)]
        elif operation in ("read_events", "read_next_page"):
            pages = answer.get("pages")
            linked = _PAGE.match(str(pages.get("next_page"))) if isinstance(pages, dict) else None
            self._page = linked[1] if linked else self._page

    def make_real(self, operation: str, path: dict[str, Any], body: Any) -> None:
        """Alter the path parameters and the body of a valid request, in place."""
        self._count += 1
        if self._count % _AS_MADE == 0:
            return
        if operation == "read_next_page" and self._page is not None:
            path["page"] = self._page
        if operation in ("upsert_event", "delete_event") and self._calendars:
            path["calendar_id"] = self._calendars[self._count % len(self._calendars)]
        if operation == "upsert_event" and isinstance(body, dict):
            _put_in_order(body)
            if isinstance(body.get("conferencing"), dict):
                self._name_a_service(body["conferencing"], path.get("calendar_id"))

    def _name_a_service(self, conferencing: dict[str, Any], calendar_id: Any) -> None:
        profile = conferencing.get("profile_id")
        if profile not in _BUILT_IN and profile not in self._profiles:
            conferencing["profile_id"] = self._profiles[0] if self._profiles else "default"
        elif profile == "integrated" and calendar_id not in self._integrated:
            conferencing["profile_id"] = "default"


def _put_in_order(body: dict[str, Any]) -> None:
    if not isinstance(body.get("event_id"), str):
        body.pop("event_uid", None)
        body["event_id"] = "schemathesis"
    body.setdefault("summary", "Schemathesis")
    for holder in (body, body.get("start"), body.get("end")):
        if isinstance(holder, dict) and "tzid" in holder and not _is_zone(holder["tzid"]):
            holder["tzid"] = "Europe/Berlin"
    start, end = (parse_api_time(body.get(name), body.get("tzid")) for name in ("start", "end"))
    if start is None or end is None or type(body["start"]) is not type(body["end"]) or start[0] > end[0]:
        body["start"], body["end"] = _START, _END


def _is_zone(name: Any) -> bool:
    try:
        return bool(ZoneInfo(str(name)))
    except (KeyError, ValueError, OSError):  # unknown, or no name at all
        return False
