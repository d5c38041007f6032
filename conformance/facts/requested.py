"""What a write asks for, in one word and a few comparable values."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from msgspec import Struct

from conformance.facts.comparisons import parse_api_time, same_text, same_time

__all__ = [
    "FIELDS",
    "RequestedConferencing",
    "field_as_sent",
    "is_documented_time",
    "names_profile",
    "requested_conferencing",
]

#: The fields of an event by which a reading shows which write it belongs to.
FIELDS = ("summary", "description", "start", "end")

_BUILT_IN = frozenset({"none", "default", "integrated", "8x8"})


class RequestedConferencing(Struct, frozen=True):
    """What one write asks of conferencing.

    `kind`: ``delete`` (of the whole event), ``nothing`` (left out), ``none``, ``default``, ``integrated``,
    ``explicit``, ``8x8``, ``profile``, ``invalid`` (breaks a documented requirement) or ``undefined`` (null,
    what the page does not speak of, or an event that lacks what every event needs).
    """

    kind: str
    profile_id: str | None = None
    join_url: str | None = None
    provider_description: str | None = None

    @property
    def generates(self) -> bool:
        """Whether it asks for a conference that the server generates."""
        return self.kind in ("default", "integrated", "profile")


def requested_conferencing(event: Any) -> RequestedConferencing:
    """What the body of a write asks for."""
    if not isinstance(event, dict) or not _is_event(event):
        return RequestedConferencing("undefined")
    if "conferencing" not in event:
        return RequestedConferencing("omitted")
    conferencing = event["conferencing"]
    if not isinstance(conferencing, dict):
        return RequestedConferencing("undefined")
    profile_id, url, text = (conferencing.get(name) for name in ("profile_id", "join_url", "provider_description"))
    join_url = url if isinstance(url, str) else None
    description = text if isinstance(text, str) else None
    if not isinstance(profile_id, str):
        return RequestedConferencing(
            "invalid" if profile_id is None and conferencing else "undefined", None, join_url, description
        )
    if profile_id == "explicit":
        return RequestedConferencing(_explicit(url, text), profile_id, join_url, description)
    return RequestedConferencing(
        profile_id if profile_id in _BUILT_IN else "profile", profile_id, join_url, description
    )


def names_profile(event: Any) -> bool:
    """Whether the conferencing of an event names a profile, as far as its ``profile_id`` tells."""
    conferencing = event.get("conferencing") if isinstance(event, dict) else None
    profile_id = conferencing.get("profile_id") if isinstance(conferencing, dict) else None
    return isinstance(profile_id, str) and profile_id != "explicit" and profile_id not in _BUILT_IN


def _is_event(event: dict[str, Any]) -> bool:
    """Whether a body has what every event needs (2.1): a summary, and a start and an end that come in this order."""
    tzid = event.get("tzid")
    start, end = parse_api_time(event.get("start"), tzid), parse_api_time(event.get("end"), tzid)
    return isinstance(event.get("summary"), str) and start is not None and end is not None and start[0] <= end[0]


def _explicit(url: Any, text: Any) -> str:
    if not isinstance(url, str) or text is None or (url and _is("certainly-not-http-uri", url)):
        return "invalid"
    if isinstance(text, str) and text and _is("http-uri", url):
        return "explicit"
    return "undefined"


@cache
def _validity(name: str, fragment: str = "") -> Callable[[Any], bool]:
    from conformance.contract.schemas import uri, validity  # the schemas are read when the first URL is met

    return validity({"$ref": f"{uri(name)}#{fragment}"})


@lru_cache(maxsize=4096)
def _is(name: str, url: str) -> bool:
    return _validity("api/http-uri", f"/$defs/{name}")(url)


def is_documented_time(value: Any) -> bool:
    """Whether a time of a write has one of the documented forms: ``schemas/api/times.json``."""
    return _validity("api/times")(value)


def field_as_sent(event: dict[str, Any], item: dict[str, Any], name: str) -> bool | None:
    """Whether a field reads back as it was written; None where it cannot be told."""
    if name not in event or name not in item:
        return None
    if name in ("start", "end"):
        return same_time(event[name], item[name], event.get("tzid"))
    sent, shown = event[name], item[name]
    same = same_text(sent, shown)
    appended = name == "description" and isinstance(sent, str) and isinstance(shown, str) and sent.strip()
    return None if same is False and appended and appended in shown else same  # services append how to join
