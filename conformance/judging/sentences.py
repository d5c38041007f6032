"""What is wrong, as one sentence in the API's words: who did what, and what was seen."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.contract.fact_words import FactWords, fact_words, key, phrase

__all__ = ["as_text", "predicate", "sentence"]

#: How many characters of a value, and how many values of a list, stand in a sentence.
_EXCERPT, _LISTED = 80, 3

#: A noun after the number one.
_PLURAL = re.compile(r"\b1 ([a-z]+)s\b")


def sentence(document: Mapping[str, Any], path: Sequence[str | int], missing: str | None, value: Any) -> str:
    """What is wrong at `path` of a facts document, where `value` stands, or lacks its member `missing`."""
    about = str(document.get("about"))
    return f"{_subject(about, document, path)} {predicate(fact_words(about, path), missing, value)}"


def as_text(value: Any) -> str:
    """A value as people read it: a text as it is, anything else, and a text without a letter, as JSON."""
    return value if isinstance(value, str) and value.strip() else json.dumps(value, ensure_ascii=False)


def predicate(words: FactWords, missing: str | None, value: Any) -> str:
    """What is wrong with a value, or that its member `missing` is not there, as the end of a sentence."""
    says, rest = words.says, list(words.rest)
    while rest and isinstance(rest[-1], int) and not isinstance(value, dict | list):
        rest.pop()  # an item of a list of plain values
    if isinstance(says, Mapping):
        found = None if rest or missing else says.get(key(value))
        return found or f"has {_listed(value)} where it may not"
    if rest or missing or words.is_json or isinstance(value, dict):
        template = says if says is not None and "{}" in says else "shows facts {}"
        return template.format(_clause(rest, missing, value))
    said = (says or "shows {}").format(_listed(value))
    return _PLURAL.sub(r"1 \1", said) if words.is_count else said


def _clause(rest: Sequence[str | int], missing: str | None, value: Any) -> str:
    """A relative clause on a value below the one that the sentence names."""
    place = _place(rest)
    if missing is not None:
        return f"whose {place} lacks {missing}" if rest else f"without {missing}"
    shown = _excerpt(value)
    return f"whose {place} is {shown}" if rest else f"that is {shown}"


def _place(path: Sequence[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _listed(value: Any) -> str:
    """A value in a sentence; a list by its first items, and JSON pointers as paths."""
    if not isinstance(value, list):
        return _name(value)
    names = [_name(one) for one in (value if len(value) <= _LISTED + 1 else value[:_LISTED])]
    more = len(value) - len(names)
    if more:
        names.append(f"{more} others")
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part) if names else "nothing"


def _name(value: Any) -> str:
    if isinstance(value, str) and value.startswith("/") and " " not in value:
        return value[1:].replace("/", ".").replace("~1", "/").replace("~0", "~")
    return _excerpt(value) if not isinstance(value, str) else _short(value)


def _excerpt(value: Any) -> str:
    return _short(json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 1]}…"


def _subject(about: str, document: Mapping[str, Any], path: Sequence[str | int]) -> str:
    match about:
        case "write" | "batched_write":
            return _write(document) if path and path[0] in ("after", "before") else _request_of_write(document)
        case "notification":
            event = " ".join(part for part in ("an event", _verb(document), _requested("write", document)) if part)
            return f"The address to which {event} is subscribed"
        case "conferencing":
            value = document.get("conferencing")
            is_pending = isinstance(value, dict) and value.get("pending") is True
            return "While its conferencing is pending, an event" if is_pending else "An event"
        case "call":
            task = phrase("call", "operation", document.get("operation"), "do something")
            return " ".join(part for part in ("The client, asked to", task, _requested("call", document)) if part) + ","
        case "account":
            return f"Account {document.get('account')}"
        case "directory":
            return {"calendars": "GET /v1/calendars", "userinfo": "GET /v1/userinfo"}.get(
                str(path[0]) if path else "", "The calendar list and userinfo"
            )
    request = document.get("request", {})
    token = phrase("exchange", "token", document.get("token"))
    query = "&".join(f"{name}={value}" for name, value in request.get("query", ()))
    target = _short("?".join(part for part in (str(request.get("path", "")), query) if part))
    return " ".join(part for part in (str(request.get("method", "A request")), target, token) if part)


def _write(document: Mapping[str, Any]) -> str:
    """The event of a write: what it was before, when it is, and what the write did."""
    before = document.get("before", {})
    was = (
        phrase("write", "before.requested_as", before.get("requested_as")) if before.get("state") == "assigned" else ""
    )
    was = was or phrase("write", "before.state", before.get("state"))
    if before.get("state") == "in_progress":
        was = phrase("write", "before.pending_request", before.get("pending_request"), was)
    when = phrase("write", "start", document.get("start"))
    circumstances = " ".join(part for part in ("An event", when, was) if part)
    done = " ".join(part for part in (_verb(document), _requested("write", document)) if part)
    if document.get("outcome") == "refused":
        done = f"{done}, which was refused with {document.get('response', {}).get('status')}"
    return f"{circumstances}, {done}," if was or "," in done else f"{circumstances} {done}"


def _verb(document: Mapping[str, Any]) -> str:
    verb = {True: "created", False: "updated"}.get(document.get("is_create", ""), "written")
    if document.get("requested") == "delete":
        verb = "deleted"
    return f"{verb} in a batch" if document.get("about") == "batched_write" else verb


def _request_of_write(document: Mapping[str, Any]) -> str:
    verb, _, batch = _verb(document).partition(" ")
    noun = {"deleted": "deletion", "created": "creation", "updated": "update", "written": "write"}[verb]
    return " ".join(part for part in (f"The {noun} of an event", batch, _requested("write", document)) if part)


def _requested(about: str, document: Mapping[str, Any]) -> str:
    return phrase(about, "requested", document.get("requested"))
