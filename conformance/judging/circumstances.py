"""The circumstances of a facts document: what it says of a request and of what was there, not of what was observed.

In the same circumstances a server shows the same defect.  Each circumstance is a short text, such as
``before.state=assigned`` or ``event.conferencing.join_url has #``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from conformance.facts import Facts

__all__ = ["SETTLED", "circumstances", "of_text"]

#: The one circumstance of observing: without it only what is wrong at once is shown.
SETTLED = "read until it is settled"

#: What a text may hold that servers are known to treat otherwise.
_CHARACTERS = frozenset("#?%+;~'\"<&@[\n")

#: What is no such word is a text, of which only the form counts.
_WORDS = re.compile(r"8x8|[a-z_]{1,32}")
_WORD = 32
_TIME = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-][\d:]+))?\Z")

#: Fields of an event that stand for it, and say nothing of what is requested.
_NAMES = frozenset({"event_id", "event_uid"})

_LONG = 200
_DEEP = 5

#: What is known of so many bodies, by their ids.
_MOST_BODIES = 1024
_BODIES: dict[int, tuple[Any, list[str]]] = {}


def circumstances(facts: Facts) -> frozenset[str]:
    """What one document says of its circumstances; nothing that another run of the same scenario would not say."""
    found: list[str] = []
    if facts.about == "write":
        found.append(f"write {facts.key[-1] if facts.key[-1] in ('1', '2') else 'later'} of the event")
    _KINDS.get(facts.about, _of_nothing)(facts.document, found.append)
    return frozenset(found)


def _of_write(document: dict[str, Any], add: Callable[[str], None]) -> None:
    _words(
        document,
        ("requested", "outcome", "start", "all_day", "is_create", "otherwise_valid", "profiles", "subscriptions"),
        add,
    )
    for name in document.get("changed_fields", ()):
        add(f"changes {name}")
    if "settled" in document.get("after", {}):
        add(SETTLED)
    for part in ("calendar", "before", "resolution"):
        _inner(part, document.get(part), add)
    before = document.get("before", {}).get("conferencing")
    if isinstance(before, dict):
        _words(before, ("provider_name",), add, "before.conferencing.")
    _of_request(document, add)


def _of_reading(document: dict[str, Any], add: Callable[[str], None]) -> None:
    _words(document, ("all_pages_read",), add)
    _inner("flags", document.get("flags"), add)
    counts = {
        "pages": len(document.get("pages", ())),
        "items": document.get("items"),
        "expected": document.get("expected"),
    }
    for name, count in counts.items():
        if count is not None and count > 1:
            add(f"several {name}")  # fewer may be what a defect leaves of them
    _of_request(document, add)


def _of_exchange(document: dict[str, Any], add: Callable[[str], None]) -> None:
    _words(document, ("operation",), add)
    _of_request(document, add)


def _of_value(document: dict[str, Any], add: Callable[[str], None]) -> None:
    _value("conferencing", document.get("conferencing"), add)


def _of_directory(document: dict[str, Any], add: Callable[[str], None]) -> None:
    for source in ("calendars", "userinfo"):
        if source in document:
            _value(source, document[source], add)


def _of_account(document: dict[str, Any], add: Callable[[str], None]) -> None:
    _inner("defaults", document.get("defaults"), add)


def _of_notification(document: dict[str, Any], add: Callable[[str], None]) -> None:
    _words(document, ("requested", "outcome", "is_create", "interactions", "generates", "reachable"), add)


def _of_nothing(document: dict[str, Any], add: Callable[[str], None]) -> None:
    """Kinds of facts that no server rule reads."""


_KINDS: dict[str, Callable[[dict[str, Any], Callable[[str], None]], None]] = {
    "write": _of_write,
    "batched_write": _of_write,
    "reading": _of_reading,
    "exchange": _of_exchange,
    "conferencing": _of_value,
    "directory": _of_directory,
    "account": _of_account,
    "notification": _of_notification,
}


def _of_request(document: dict[str, Any], add: Callable[[str], None]) -> None:
    request, response = document.get("request", {}), document.get("response", {})
    _words(request, ("method",), add)
    _words(response, ("status",), add)
    headers = request.get("headers", {})
    add(f"content-type={headers.get('content-type', 'absent')}")
    if "authorization" not in headers:
        add("no authorization")
    for pair in request.get("query", ()):
        add(f"query {pair[0]}")
    if "json" in request:
        for one in _of_body(request["json"]):
            add(one)


def _of_body(body: Any) -> list[str]:
    """The circumstances of what was sent: several documents tell of the same object, which is looked at once."""
    known = _BODIES.get(id(body))
    if known is not None and known[0] is body:
        return known[1]
    found: list[str] = []
    _value("event", body, found.append)
    if len(_BODIES) >= _MOST_BODIES:
        _BODIES.clear()
    _BODIES[id(body)] = body, found  # held, so that no other takes its id
    return found


def _inner(path: str, part: Any, add: Callable[[str], None]) -> None:
    if isinstance(part, dict):
        _words(part, part, add, f"{path}.")


def _words(source: dict[str, Any], names: Iterable[str], add: Callable[[str], None], prefix: str = "") -> None:
    """Each of the named facts that is a word, a truth value or a number."""
    for name in names:
        value = source.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or (isinstance(value, str) and len(value) <= _WORD and value.isascii()):
            if not name.endswith("_id"):
                add(f"{prefix}{name}={value}")
        elif isinstance(value, int):
            add(f"{prefix}{name}={value if name == 'status' else _count(value)}")
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, str):
                    add(f"{prefix}{name} has {item}")


def _count(number: int) -> str:
    return str(number) if number < 2 else "several"


def _value(path: str, value: Any, add: Callable[[str], None], depth: int = 0) -> None:
    """The form of a value: its keys, the type of what is no text, and what its texts hold."""
    if isinstance(value, dict):
        add(f"{path} is an object")
        if depth < _DEEP:
            for name, part in value.items():
                if name not in _NAMES:
                    _value(f"{path}.{name}", part, add, depth + 1)
    elif isinstance(value, list):
        add(f"{path} has {_count(len(value))}")
        for part in value[:20]:
            _value(f"{path}[]", part, add, depth + 1)
    elif isinstance(value, str):
        of_text(path, value, add)
    else:
        add(f"{path}={value}" if value is None or isinstance(value, bool) else f"{path} is a number")


def of_text(path: str, text: str, add: Callable[[str], None]) -> None:
    """The form of a text: a word as it is, and what any other holds."""
    if not text or _WORDS.fullmatch(text):
        add(f"{path}={text}")
        return
    if _TIME.match(text):
        form = "" if "T" not in text else " in UTC" if text[-1] == "Z" else " with an offset"
        add(f"{path} is a time{form}")
        return
    add(path)
    scheme, separator, rest = text.partition("://")
    if separator:
        _url(path, scheme, rest, add)
    if not text.isascii():
        add(f"{path} is not ASCII")
    if len(text) > _LONG:
        add(f"{path} is long")
    for character in _CHARACTERS.intersection(text):
        add(f"{path} has {character!r}")


def _url(path: str, scheme: str, rest: str, add: Callable[[str], None]) -> None:
    add(f"{path} is {scheme}:")
    if rest.endswith("/"):
        add(f"{path} ends with /")
    if ":" in rest.partition("/")[0]:
        add(f"{path} has a port")
    if not rest.islower():
        add(f"{path} has upper case")
