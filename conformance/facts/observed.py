"""What is known of one event as values: a write of it, a reading of it, and what was there before a write."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from conformance.facts.comparisons import normal_url, parse_api_time
from conformance.facts.requested import RequestedConferencing
from conformance.facts.values import Evidence

__all__ = ["Before", "Observation", "ObservedWrite", "fingerprint_of", "identity_key", "staleness_key", "state_of"]


class ObservedWrite(Struct, frozen=True):
    """One write as the wire shows it: its route, body, answer and times (positions in the recording where unknown).

    `server_time` is the answer's own time, in epoch seconds, and `clock_verified` whether it agrees with the exchange's
    own times; `directory_version` counts the lists read before.
    It is `batched` where it was an entry of a batch; `number` is its exchange's place among all.
    """

    method: str
    request: dict[str, Any]
    event: dict[str, Any]
    start: str | None
    all_day: bool | None
    outcome: str
    response: dict[str, Any]
    failures: int
    sent: float
    answered: float
    server_time: float | None
    timed: bool
    resolution: float
    directory_version: int
    requested: RequestedConferencing
    evidence: Evidence
    number: int
    clock_verified: bool
    batched: bool = False


class Before(Struct, frozen=True):
    """What was known of the event before a write; `state` is None where nothing was.

    `is_assumed` says that no reading showed it: the recording is said to be complete.
    """

    state: str | None = None
    conferencing: Any = None
    requested_as: str | None = None
    item: dict[str, Any] | None = None
    pending_start: str | None = None
    pending_version: int = 0
    is_assumed: bool = False
    pending: RequestedConferencing | None = None


class Observation(Struct, frozen=True):
    """What one reading shows of one event: its state, its `conferencing`, the whole item; and when."""

    state: str
    conferencing: Any
    item: dict[str, Any] | None
    sent: float
    answered: float
    timed: bool
    resolution: float
    evidence: Evidence


def state_of(item: dict[str, Any] | None) -> tuple[str, Any]:
    """The state of an event as read: ``missing``, ``none``, ``pending``, ``assigned``, ``malformed``; and its value.

    An object that says nothing is ``none`` as well, and is told by its value.
    """
    if item is None:
        return "missing", None
    value = item.get("conferencing")
    if value is None:
        return "none", None
    if not isinstance(value, dict):
        return "malformed", value
    url = value.get("join_url")
    if isinstance(url, str) and url:
        return "assigned", value
    if value.get("pending") is True:
        return "pending", value
    if all(part is None or part is False for part in value.values()):
        return "none", value
    return "malformed", value


def staleness_key(state: str, conferencing: Any) -> str:
    """What two values share if one may be a stale reading of the other."""
    if state == "assigned":
        return f"url {normal_url(conferencing['join_url'])}"
    if state == "none" and conferencing is not None:
        return f"none {conferencing!r}"
    return f"{state} {conferencing!r}" if state == "malformed" else state


def identity_key(state: str, conferencing: Any) -> str:
    """What two values of `conferencing` must share to count as the same one."""
    if state == "assigned":
        return f"{conferencing.get('join_url')!r} {conferencing.get('provider_name')!r}"
    return f"{state} {conferencing!r}" if state == "malformed" else state


def fingerprint_of(item: dict[str, Any] | None) -> Any:
    """What two readings must share, beside their conferencing, to count as showing the same."""
    if item is None:
        return None
    return [item.get("summary"), item.get("description"), *(_moment(item.get(name)) for name in ("start", "end"))]


def _moment(time: Any) -> Any:
    """A time in seconds, and whether it is one to the second; as it is where it cannot be told."""
    parsed = parse_api_time(time)
    return time if parsed is None else (parsed[0].timestamp(), parsed[1])
