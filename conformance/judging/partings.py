"""Where two servers part that were sent the same scenarios: by facts of each write, not by ids, times or wording."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conformance.facts import Facts

__all__ = ["Parting", "Partings", "Side", "Trace", "partings", "traces"]

#: What a reading shows of an event that two servers may be compared by; values with ids or wording are not among it.
_SHOWN = (
    "state",
    "join_url_as_sent",
    "provider_name_as_sent",
    "provider_name_as_resolved",
    "mismatching_fields",
    "location",
    "join_url_in_event",
    "conferencing_as_before",
    "join_url_as_before",
)

_TIME = re.compile(r"\A\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:?\d{2})?\Z")
_DATE = re.compile(r"\A\d{4}-\d{2}-\d{2}\Z")


@dataclass(frozen=True, slots=True)
class _Write:
    """One write: what was sent, as text that is the same for the same step of another run, and what came of it."""

    sent: str
    summary: str
    label: str
    status: int | None
    got: Mapping[str, Any]
    shown: Any


@dataclass(frozen=True, slots=True)
class Trace:
    """The writes of one event; `scenario` is the part of its id that does not change from run to run."""

    scenario: str
    writes: tuple[_Write, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """What one server did: the label of its exchange in the evidence, the status, the values that differ, and what the
    event's conferencing reads in the end (None: not known).
    """

    label: str
    status: int | None
    values: Mapping[str, Any]
    shown: Any = None


@dataclass(frozen=True, slots=True)
class Parting:
    """A write after which two servers part: what both were sent, and what each did.

    `step` counts from 1.  It is the first exchange that shows this difference, and `scenarios` counts those that do.
    """

    scenario: str
    step: int
    sent: str
    sides: tuple[Side, Side]
    scenarios: int = 1


@dataclass(frozen=True)
class Partings:
    """How one report's scenarios go beside those of the first: a parting for each difference, the first one first.

    `labels` are the short names of both reports; `compared` counts the scenarios that both were sent, `parted` those of
    them in which anything differs.
    """

    labels: tuple[str, str]
    compared: int
    parted: int
    found: tuple[Parting, ...]

    def document(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "labels": list(self.labels),
            "compared": self.compared,
            "parted": self.parted,
            "found": [
                {
                    "scenario": one.scenario,
                    "step": one.step,
                    "sent": one.sent,
                    "scenarios": one.scenarios,
                    "sides": [
                        {
                            "exchange": side.label,
                            "status": side.status,
                            "values": dict(side.values),
                            **({} if side.shown is None else {"conferencing": side.shown}),
                        }
                        for side in one.sides
                    ],
                }
                for one in self.found
            ],
        }


def traces(facts: Iterable[Facts], run_id: str) -> tuple[Trace, ...]:
    """The writes of each event of a run, in the order in which the events were created."""
    ours = re.compile(rf"cfc-{re.escape(run_id)}-([a-z0-9]+?)(?:-az)?\Z", re.IGNORECASE)
    marker = re.compile(rf"{re.escape(run_id)}-[a-z0-9]+", re.IGNORECASE)
    found: dict[tuple[str, ...], list[tuple[int, _Write]]] = {}
    for one in facts:
        if one.about == "write" and ours.match(one.key[3]):
            found.setdefault(one.key[1:4], []).append((int(one.key[4]), _write(one, marker)))
    made = [
        (min(_number(write.label) for _, write in writes), key, sorted(writes, key=lambda pair: pair[0]))
        for key, writes in found.items()
    ]
    return tuple(
        Trace(_scenario(ours, key[2]), tuple(write for _, write in writes))
        for _, key, writes in sorted(made, key=lambda one: one[0])
    )


def _scenario(ours: re.Pattern[str], event_id: str) -> str:
    match = ours.match(event_id)
    return match[1].lower() if match else event_id


def _number(label: str) -> int:
    return int(label.removeprefix("#")) if label.removeprefix("#").isdecimal() else 0


def _write(facts: Facts, marker: re.Pattern[str]) -> _Write:
    document = facts.document
    calendar = document.get("calendar", {})
    request = document.get("request", {})
    body = _neutral(request.get("json"), marker)
    sent = {
        "method": request.get("method"),
        "requested": document.get("requested"),
        "body": body,
        "calendar": [calendar.get("provider_name"), calendar.get("integrated_conferencing_available")],
        "resolution": document.get("resolution"),
    }
    first = facts.evidence[0]
    status = document.get("response", {}).get("status")
    return _Write(
        json.dumps(sent, sort_keys=True),
        _summary(document, body),
        first.label,
        status if isinstance(status, int) else None,
        _got(document),
        _reading(document).get("conferencing"),
    )


def _neutral(value: Any, marker: re.Pattern[str]) -> Any:
    """A request's body without what changes from run to run."""
    if isinstance(value, dict):
        kept = {name: part for name, part in value.items() if name != "event_id"}
        profile = kept.get("profile_id")
        if isinstance(profile, str) and profile.startswith("pro_"):
            kept["profile_id"] = "pro_…"
        return {name: _neutral(part, marker) for name, part in kept.items()}
    if isinstance(value, list):
        return [_neutral(part, marker) for part in value]
    if not isinstance(value, str):
        return value
    if match := _TIME.match(value):
        zone = match[1] or ""
        return f"a time{'' if not zone else ' in UTC' if zone == 'Z' else ' with an offset'}"
    return "a date" if _DATE.match(value) else marker.sub("…", value)


def _summary(document: Mapping[str, Any], body: Any) -> str:
    """What was sent, on a line."""
    conferencing = body.get("conferencing", "no conferencing") if isinstance(body, dict) else body
    calendar = document.get("calendar", {}).get("provider_name") or "unknown"
    method = document.get("request", {}).get("method")
    if method == "DELETE":
        return f"DELETE on a calendar of {calendar}"
    what = conferencing if isinstance(conferencing, str) else json.dumps(conferencing, ensure_ascii=False)
    return f"{method} with {what} on a calendar of {calendar}"


def _got(document: Mapping[str, Any]) -> dict[str, Any]:
    """What came of a write, as far as it is known."""
    response, after = document.get("response", {}), document.get("after", {})
    got: dict[str, Any] = {"status": response["status"]} if "status" in response else {}
    errors = response.get("json", {}).get("errors") if isinstance(response.get("json"), dict) else None
    if isinstance(errors, dict):
        got["errors"] = {name: sorted(_keys(entries)) for name, entries in sorted(errors.items())}
    shown = _reading(document) or ({"state": "pending"} if after.get("timed_out") else {})
    got |= {name: shown[name] for name in _SHOWN if name in shown}
    conferencing = shown.get("conferencing")
    if isinstance(conferencing, dict):
        got["conferencing"] = sorted(conferencing)
    return got


def _reading(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What readings showed of the event when it no longer changed; empty where that is not known."""
    after = document.get("after", {})
    shown: Mapping[str, Any] = after.get("settled") or after.get("stable") or {}
    return shown


def _keys(entries: Any) -> Iterator[str]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("key"), str):
            yield entry["key"]


def partings(labels: tuple[str, str], first: Sequence[Trace], second: Sequence[Trace]) -> Partings:
    """Where scenarios part that both servers were sent: a parting for each difference, at its first exchange."""
    compared = parted = 0
    by_difference: dict[str, list[Parting]] = {}
    for left, right in _pairs(first, second):
        compared += 1
        found = list(_scenario_partings(left, right))
        parted += bool(found)
        for parting in found:
            by_difference.setdefault(_difference(parting), []).append(parting)
    groups = [sorted(group, key=_place) for group in by_difference.values()]
    firsts = [replace(group[0], scenarios=len(group)) for group in groups]
    return Partings(labels, compared, parted, tuple(sorted(firsts, key=_place)))


def _place(parting: Parting) -> int:
    return _number(parting.sides[0].label)


def _difference(parting: Parting) -> str:
    return json.dumps([side.values for side in parting.sides], sort_keys=True)


def _pairs(first: Sequence[Trace], second: Sequence[Trace]) -> Iterator[tuple[Trace, Trace]]:
    """The scenarios that begin with the same write: of the same id if there is one, else in order."""
    left_over: dict[str, list[Trace]] = {}
    by_id: dict[tuple[str, str], list[Trace]] = {}
    for trace in second:
        by_id.setdefault((trace.scenario, trace.writes[0].sent), []).append(trace)
    mine: list[tuple[Trace, Trace | None]] = []
    for trace in first:
        same = by_id.get((trace.scenario, trace.writes[0].sent))
        mine.append((trace, same.pop(0) if same else None))
    for traces_left in by_id.values():
        for trace in traces_left:
            left_over.setdefault(_all_sent(trace), []).append(trace)
    for trace, other in mine:
        if other is None:
            same = left_over.get(_all_sent(trace))
            other = same.pop(0) if same else None
        if other is not None:
            yield trace, other


def _all_sent(trace: Trace) -> str:
    return "\n".join(write.sent for write in trace.writes)


def _scenario_partings(left: Trace, right: Trace) -> Iterator[Parting]:
    """The writes of a scenario that show a difference which none before them shows.

    The scenario ends where one server accepts what the other refuses, or is in another state: what follows follows.
    """
    known: set[str] = set()
    for step, (one, other) in enumerate(zip(left.writes, right.writes, strict=False), 1):
        if one.sent != other.sent:
            return
        pairs = {name: json.dumps([name, one.got[name], other.got[name]]) for name in one.got if name in other.got}
        names = [name for name in pairs if one.got[name] != other.got[name]]
        new = [name for name in names if pairs[name] not in known]
        if new:
            known |= {pairs[name] for name in new}
            sides = tuple(
                Side(write.label, write.status, {name: write.got[name] for name in new}, write.shown)
                for write in (one, other)
            )
            yield Parting(left.scenario, step, one.summary, (sides[0], sides[1]))
        if "state" in names or (one.status or 0) // 100 != (other.status or 0) // 100:
            return
