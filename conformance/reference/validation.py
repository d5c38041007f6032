"""The validation of a write: errors by field, in the documented shape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from conformance.reference.hooks import Hook
from conformance.reference.model import BUILT_IN, StoredWrite
from conformance.reference.notices import INTERACTIONS
from conformance.reference.timestamps import Moment, parse, zone

__all__ = ["NOT_AVAILABLE", "PROBLEMS", "Errors", "error", "is_http_url", "moments", "problems"]

Errors = Mapping[str, list[dict[str, str]]]

NOT_AVAILABLE = {
    "key": "errors.integrated_conferencing_not_available",
    "description": "Integrated conferencing is not available on this calendar",
}

#: The errors of a write; empty if it is accepted.
PROBLEMS: Hook[StoredWrite, Errors] = Hook("problems")

_LIMITS = {"summary": 1024, "description": 4096}
_SPACE = re.compile(r"[\x00-\x20\x7f]")


def error(key: str, description: str) -> list[dict[str, str]]:
    """One error of a field."""
    return [{"key": f"errors.{key}", "description": description}]


def is_http_url(text: object) -> bool:
    """Whether a value is an absolute HTTP or HTTPS URI."""
    if not isinstance(text, str) or _SPACE.search(text):
        return False
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme.lower() in ("http", "https") and bool(parts.hostname)


def moments(body: Mapping[str, Any]) -> tuple[dict[str, Moment], dict[str, list[dict[str, str]]]]:
    """The start and end of a body, and their errors."""
    found: dict[str, Moment] = {}
    wrong: dict[str, list[dict[str, str]]] = {}
    tzid = body.get("tzid") or "Etc/UTC"
    if not isinstance(tzid, str) or zone(tzid) is None:
        wrong["tzid"] = error("tzid_unrecognized", "tzid is not a known time zone")
        tzid = "Etc/UTC"
    for name in ("start", "end"):
        if body.get(name) in (None, ""):
            wrong[name] = error("required", f"{name} must be specified")
            continue
        try:
            found[name] = parse(body[name], tzid)
        except ValueError as invalid:
            wrong[name] = error("invalid_time", str(invalid))
    if len(found) == 2 and found["end"].at < found["start"].at:
        wrong["end"] = error("invalid_time_pair", "end must not be before start")
    return found, wrong


def problems(write: StoredWrite) -> Errors:
    """The errors of a write, by the documentation alone."""
    body = write.body
    _, wrong = moments(body)
    if not isinstance(body.get("event_id"), str) or not body["event_id"]:
        wrong["event_id"] = error("required", "event_id must be specified")
    if not isinstance(body.get("summary"), str):
        wrong["summary"] = error("required", "summary must be specified")
    for name, limit in _LIMITS.items():
        text = body.get(name)
        if isinstance(text, str) and len(text) > limit:
            wrong[name] = error("too_long", f"{name} must be no more than {limit} characters")
        elif text is not None and not isinstance(text, str):
            wrong[name] = error("must_be_string", f"{name} must be a string")
    if body.get("subscriptions") not in (None, ""):
        wrong |= _subscriptions(body["subscriptions"])
    if body.get("conferencing") is not None:
        wrong |= _conferencing(write, body["conferencing"])
    return wrong


def _subscriptions(given: Any) -> dict[str, list[dict[str, str]]]:
    if not isinstance(given, list) or not all(isinstance(each, Mapping) for each in given):
        return {"subscriptions": error("invalid", "subscriptions must be a list of objects")}
    wrong = {}
    if any(each.get("type") != "webhook" for each in given):
        wrong["subscriptions.type"] = error("not_recognized", "subscriptions.type must be webhook")
    if not all(is_http_url(each.get("uri")) for each in given):
        wrong["subscriptions.uri"] = error("invalid_url", "subscriptions.uri must be an HTTP or HTTPS URI")
    interactions = [each.get("interactions") for each in given]
    if not all(isinstance(each, list) and all(map(_is_interaction, each)) for each in interactions if each):
        wrong["subscriptions.interactions"] = error("not_recognized", "an interaction is not recognized")
    return wrong


def _is_interaction(given: Any) -> bool:
    return isinstance(given, Mapping) and given.get("type") in INTERACTIONS


def _conferencing(write: StoredWrite, requested: Any) -> dict[str, list[dict[str, str]]]:
    if not isinstance(requested, Mapping):
        return {"conferencing": error("must_be_object", "conferencing must be an object")}
    profile_id = requested.get("profile_id")
    if profile_id is None or profile_id == "":
        return {"conferencing.profile_id": error("required", "conferencing.profile_id must be specified")}
    if profile_id == "explicit":
        return _explicit(requested)
    if profile_id == "integrated" and write.calendar.integrated is None:
        return {"conferencing.profile_id": [dict(NOT_AVAILABLE)]}
    known = {profile.profile_id for profile in write.store.profiles(write.account)}
    if not isinstance(profile_id, str) or (profile_id not in BUILT_IN and profile_id not in known):
        return {"conferencing.profile_id": error("not_recognized", "conferencing.profile_id is not recognized")}
    return {}


def _explicit(requested: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
    wrong = {}
    for name in ("provider_description", "join_url"):
        value = requested.get(name)
        if not isinstance(value, str) or not value.strip():
            wrong[f"conferencing.{name}"] = error("required", f"conferencing.{name} must be specified")
    if "conferencing.join_url" not in wrong and not is_http_url(requested["join_url"]):
        wrong["conferencing.join_url"] = error("invalid_url", "conferencing.join_url must be an HTTP or HTTPS URI")
    return wrong
