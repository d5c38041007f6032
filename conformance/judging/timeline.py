"""The time line of a violation: every write of the event that is known, what readings showed, and where it broke."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from conformance.contract.fact_words import phrase
from conformance.facts.observed import state_of
from conformance.facts.requested import RequestedConferencing, requested_conferencing
from conformance.facts.routes import route
from conformance.facts.seen import body_of
from conformance.http.exchange import Request

if TYPE_CHECKING:
    from conformance.facts import Evidence
    from conformance.judging.verdict import Violation

__all__ = ["TimelineEntry", "timeline", "unusual_query", "written"]

Action = Literal["write", "delete", "read", "other"]

#: Seconds from which on it is said that readings still showed the same.
_STILL = 1.0

#: Parameters of a reading as all make it.
_USUAL = frozenset({"tzid", "only_managed"})


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One exchange on a time line: `seconds` after the first one, None where times are not known.

    `summary` says what the request did or what the response showed; `conferencing` is the value that a write sent or a
    reading showed, `state` what a reading showed in one word; `is_earlier` tells the writes before the one that is
    judged, `is_broken` the exchange that shows the wrong value, `is_odd` a write that asks for nothing documented, and
    `until` when readings still showed the same, if that is later.
    """

    label: str
    seconds: float | None
    action: Action
    summary: str
    status: int | None
    conferencing: Any = None
    state: str | None = None
    is_earlier: bool = False
    is_broken: bool = False
    is_odd: bool = False
    until: float | None = None

    @property
    def look(self) -> str | None:
        """The state that a reading showed, also where a rule is about the conferencing alone."""
        is_known = self.state is not None or self.action != "read" or not isinstance(self.conferencing, dict)
        return self.state if is_known else state_of({"conferencing": self.conferencing})[0]


def timeline(violation: Violation, *, pages: bool = False) -> tuple[TimelineEntry, ...]:
    """The exchanges of a violation, and those of the same event before it, in the order in which they were sent.

    `pages` says which of them are later pages of a reading.
    """
    known = {evidence.label for evidence in violation.evidence}
    earlier = [one for one in violation.earlier if one.label not in known]
    entries = [*earlier, *violation.evidence]
    if all(entry.at is not None for entry in entries):
        entries.sort(key=lambda entry: entry.at or 0.0)
    first = next((entry.at for entry in entries if entry.at is not None), None)
    return tuple(_entry(entry, first, violation, is_earlier=entry in earlier, pages=pages) for entry in entries)


def _entry(
    entry: Evidence, first: float | None, violation: Violation, *, is_earlier: bool, pages: bool
) -> TimelineEntry:
    seconds = None if entry.at is None or first is None else round(entry.at - first, 3)
    at, body, where, asked = written(entry.request, violation.event)
    action, summary, value, state = _told(entry, at, body, where, asked.kind, pages=pages)
    until = None
    if entry.until is not None and entry.at is not None and first is not None and entry.until - entry.at >= _STILL:
        until = round(entry.until - first, 3)
        summary = f"{summary}, and still at {until:,.1f} s"
    # Of several pages that contradict one another, the last one does.
    contradicts = at == "page" and violation.shown_by is None and entry is violation.evidence[-1]
    is_broken = (entry.label == violation.shown_by or contradicts) and not is_earlier
    is_odd = action == "write" and isinstance(body, dict) and asked.kind in ("invalid", "undefined")
    return TimelineEntry(
        entry.label, seconds, action, summary, entry.status, value, state, is_earlier, is_broken, is_odd, until
    )


def unusual_query(entry: Evidence) -> tuple[str, ...]:
    """The parameters of a reading, or of the one that a later page continues, that not every reading has."""
    query = route(entry.request.method, entry.continues or entry.request.url).query
    return tuple(dict.fromkeys(name for name, _ in query if name not in _USUAL))


class Written(NamedTuple):
    """What a request is to an event, in a word, the `body` written, `where`, and what conferencing that asks for."""

    at: str
    body: Any
    where: str
    asked: RequestedConferencing


@lru_cache(maxsize=256)
def written(request: Request, event: str | None) -> Written:
    """What a request is to an event: of a batch an entry counts."""
    at = route(request.method, request.url).name
    body = body_of(request) if at in ("write", "batch") else None
    listed = body.get("batch") if at == "batch" and isinstance(body, dict) else None
    for one in listed if isinstance(listed, list) else ():
        data = one.get("data") if isinstance(one, dict) else None
        if event is not None and isinstance(data, dict) and data.get("event_id") == event:
            way = "delete" if one.get("method") == "DELETE" else "write"
            return Written(way, data, " in a batch", requested_conferencing(data))
    body = body if at == "write" else None
    return Written(at, body, "", requested_conferencing(body))


def _told(
    entry: Evidence, at: str, body: Any, where: str, requested: str, *, pages: bool
) -> tuple[Action, str, Any, str | None]:
    """What an exchange is, in words; the conferencing that it is about; and what a reading showed."""
    if at == "write" and isinstance(body, dict):
        asked = phrase("write", "requested", requested)
        return "write", f"writes the event {asked}".rstrip() + where, body.get("conferencing"), None
    if at == "delete":
        return "delete", f"deletes the event{where}", None, None
    if at in ("read", "page"):
        if not isinstance(entry.shown, dict):
            return "read", "reads a later page of events" if at == "page" else "reads events", entry.shown, None
        state = entry.shown.get("state")
        shown = phrase("write", "after.latest.state", state) if isinstance(state, str) else ""
        page, how = "on a later page" if at == "page" and pages else "", " and ".join(unusual_query(entry))
        where = f"{f'{page} of' if page else 'in'} a reading with {how}" if how else page
        summary = ", ".join(part for part in (f"the event {shown or 'reads back'}", where) if part)
        return "read", summary, entry.shown.get("conferencing"), state
    return "other", f"{entry.request.method} {entry.request.path}", entry.shown, None
