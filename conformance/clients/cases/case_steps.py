"""What cases are made of: the calendars and profile that they use, and the calls of each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.clients.cases.driver_call import ABSENT, CannedResponse, CaseStep, DriverCall, StubBehavior

__all__ = ["PARAMS", "Fixture", "answering", "delete", "event", "list_calendars", "read", "write"]

JSON = dict[str, Any]

#: Parameters with which a reading sees what the application manages.
PARAMS: JSON = {"tzid": "Etc/UTC", "only_managed": True}

_DEFAULT = StubBehavior()


@dataclass(frozen=True)
class Fixture:
    """What the cases use of the reference server.

    `calendar_id` has integrated conferencing available, `other_id` and `without_id` do not; `profile_id` is a
    conferencing profile of the account, and `year` that of the events.
    """

    calendar_id: str
    other_id: str
    without_id: str
    profile_id: str | None
    year: int


def event(fixture: Fixture, event_id: str, conferencing: Any = ABSENT, **more: Any) -> JSON:
    """An event in the API's names, next year, with what is given."""
    body: JSON = {
        "event_id": event_id,
        "summary": "Board meeting",
        "start": f"{fixture.year}-04-28T15:30:00Z",
        "end": f"{fixture.year}-04-28T17:00:00Z",
        **more,
    }
    if conferencing is not ABSENT:
        body["conferencing"] = conferencing
    return body


def write(
    calendar_id: str, body: Mapping[str, Any], behavior: StubBehavior = _DEFAULT, *, valid: bool = True
) -> CaseStep:
    """A call to create or update an event."""
    return CaseStep(
        DriverCall("upsert_event", {"calendar_id": calendar_id, "event": dict(body)}), behavior, valid=valid
    )


def read(
    calendar_ids: Sequence[str], event_ids: Sequence[str], behavior: StubBehavior = _DEFAULT, params: JSON | None = None
) -> CaseStep:
    """A call to read events."""
    params = {"calendar_ids": list(calendar_ids), "event_ids": list(event_ids), "params": params or PARAMS}
    return CaseStep(DriverCall("read_events", params), behavior)


def delete(calendar_id: str, event_id: str, behavior: StubBehavior = _DEFAULT) -> CaseStep:
    """A call to delete an event."""
    return CaseStep(DriverCall("delete_event", {"calendar_id": calendar_id, "event_id": event_id}), behavior)


def list_calendars(behavior: StubBehavior = _DEFAULT) -> CaseStep:
    """A call to list the calendars."""
    return CaseStep(DriverCall("list_calendars"), behavior)


def answering(kind: str, answer: CannedResponse) -> StubBehavior:
    """Responds with `answer` to whatever a call of this kind, ``read``, ``list``, ``write`` or ``delete``, is about."""
    if kind == "read":
        return StubBehavior(read_response=answer)
    return StubBehavior(list_response=answer) if kind == "list" else StubBehavior(write_response=answer)
