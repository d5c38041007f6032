"""What a rule demands at a place, as one value of the wire, and what is remarkable of the value that is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from conformance.judging.timeline import written

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.facts import Facts

__all__ = ["SENT_PROFILE", "demanded", "remark"]

#: States of an event, as what readings show.
_STATES = {
    "none": "no conferencing",
    "missing": "that it is not listed",
    "pending": '{"pending": true}',
    "assigned": "a conference",
}

#: Answers that accept, and those that refuse.
_ACCEPTED, _REFUSED = "2xx", "4xx"

#: What is remarked of a value that only names the request.
SENT_PROFILE = ": it is the profile_id that was sent"


def demanded(rule: Rule, document: Mapping[str, Any], path: Sequence[str | int]) -> str | None:
    """What `rule` demands at `path` of the facts, in short; None where that is no one value or state."""
    if _precedes_a_conference(document, path):
        return _STATES["pending"]
    if path[-1:] not in (["state"], ["status"]):
        return None
    schema: Any = rule.schema.get("then", {})
    for part in path:
        schema = schema.get("items") if isinstance(part, int) else schema.get("properties", {}).get(part)
        if not isinstance(schema, dict):
            return _default(document, path)
    if path[-1] == "status":
        return " or ".join(str(one) for one in _constants(schema)) or _default(document, path)
    if schema.get("not") == {"const": "assigned"}:
        return "none"
    states = [*_constants(schema)]
    if len(states) > 1 and "missing" in states:
        states.remove("missing")
    return " or ".join(_STATES[one] for one in states if one in _STATES) or None


def _constants(schema: Mapping[str, Any]) -> Iterator[Any]:
    yield from (schema["const"],) if "const" in schema else schema.get("enum", ())
    for one in schema.get("anyOf", ()):
        yield from _constants(one)


def _default(document: Mapping[str, Any], path: Sequence[str | int]) -> str | None:
    """Of an answer by a status that is not named: that it accepts, or refuses, what the write requests."""
    if path[-1] != "status":
        return None
    status = document.get("response", {}).get("status")
    if not isinstance(status, int) or status >= 500:
        return None
    return _REFUSED if status < 300 else _ACCEPTED


def _precedes_a_conference(document: Mapping[str, Any], path: Sequence[str | int]) -> bool:
    """Whether `path` leads to a malformed value after which a conference came (P1)."""
    if [*path[:2]] != ["after", "observed"] or len(path) < 3 or not isinstance(path[2], int):
        return False
    observed = document["after"]["observed"]
    later = any(one.get("state") == "assigned" for one in observed[path[2] + 1 :])
    return later and observed[path[2]].get("state") == "malformed"


def remark(facts: Facts, wire: Any) -> str:
    """What is remarkable of a wrong value, at the end of a sentence that shows it; empty where nothing is."""
    if not isinstance(wire, str):
        return ""
    event = facts.document.get("event_id")
    writes = (
        written(one.request, event if isinstance(event, str) else None) for one in (*facts.earlier, *facts.evidence)
    )
    bodies = [one.body for one in writes if one.at == "write" and isinstance(one.body, dict)]
    conferencing = bodies[-1].get("conferencing") if bodies else None
    if isinstance(conferencing, dict) and wire == conferencing.get("profile_id"):
        return SENT_PROFILE
    return ": it has no host" if "://" in wire and not _has_host(wire) else ""


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).netloc)
    except ValueError:
        return True
