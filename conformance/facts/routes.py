"""What an exchange is in the API's terms: which operation, on which calendar, with which body."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from conformance.facts.comparisons import parse_api_time
from conformance.http.exchange import Request, load_json
from conformance.http.webhooks import NOTIFICATIONS

__all__ = ["UNKNOWN_ACCOUNT", "Route", "account_name", "body_json", "form_json", "route"]

#: The account of requests in a recording that keeps no ``Authorization``.
UNKNOWN_ACCOUNT = "unknown"

_EVENTS = re.compile(r"/v1/calendars/([^/]+)/events/?\Z")
_PLAIN = {
    "/v1/calendars": "calendars",
    "/v1/userinfo": "userinfo",
    "/v1/events": "events",
    "/v1/batch": "batch",
}

#: What a reading of events may be asked with: of another parameter, such as ``page``, nobody knows what it leaves out.
_PARAMETERS = re.compile(
    r"(tzid|from|to|last_modified|calendar_ids(\[\])?|include_\w+|only_managed|localized_times|google_event_ids"
    r"|access_token)\Z"
)


@dataclass(frozen=True)
class Route:
    """One operation: its name, the calendar in its path, the origin and path it went to, its query.

    Names: ``write``, ``delete``, ``read``, ``page``, ``calendars``, ``userinfo``, ``batch`` (of writes),
    ``bulk`` (changes events in a way that facts do not follow), ``notification`` (to a receiver of ours), ``other``.
    Of a reading: whether managed events are ``only`` read, ``included`` or ``excluded``, and what its parameters limit
    it to.
    """

    name: str
    calendar_id: str | None
    origin: str
    path: str
    query: tuple[tuple[str, str], ...]
    managed: str = "excluded"
    deleted: bool = False
    since: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    localized: bool = False
    calendars: tuple[str, ...] = ()

    @cached_property
    def windowed(self) -> bool:
        """Whether a parameter excludes events by time."""
        return bool(self.since or self.until or self.modified)

    @cached_property
    def is_documented(self) -> bool:
        """Whether all parameters are those of a reading."""
        return all(_PARAMETERS.match(name) for name, _ in self.query)

    @cached_property
    def excludes_some(self) -> bool:
        """Whether a parameter says which live events are listed, or how, other than by their modification."""
        return bool(self.since or self.until or self.calendars or self.localized)

    @cached_property
    def modified_limits(self) -> tuple[datetime, datetime] | None:
        """The first and the last time in ``last_modified``; None where one of them cannot be read."""
        times = [parse_api_time(value) for value in self.modified]
        moments = [time[0] for time in times if time is not None]
        return (min(moments), max(moments)) if moments and len(moments) == len(times) else None

    @cached_property
    def modified_from(self) -> float | None:
        """The first time in ``last_modified``, in epoch seconds: of each reading it is asked."""
        return None if self.modified_limits is None else self.modified_limits[0].timestamp()

    @cached_property
    def host(self) -> str | None:
        """The name of the host, without its port."""
        return urlsplit(self.origin).hostname


@lru_cache(maxsize=4096)
def route(method: str, url: str) -> Route:
    """The operation that `method` on `url` is; a prefix before ``/v1`` is allowed.

    >>> route("DELETE", "http://127.0.0.1:1/v1/calendars/cal_1/events").name
    'delete'
    """
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}".lower()
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    path = parts.path
    name, calendar_id = _name(method, path)
    return Route(
        name,
        calendar_id,
        origin,
        path,
        query,
        managed="only" if _on(query, "only_managed") else "included" if _on(query, "include_managed") else "excluded",
        deleted=_on(query, "include_deleted"),
        since=_values(query, "from"),
        until=_values(query, "to"),
        localized=_on(query, "localized_times"),
        modified=_values(query, "last_modified"),
        calendars=_values(query, "calendar_ids[]") + _values(query, "calendar_ids"),
    )


def _on(query: tuple[tuple[str, str], ...], name: str) -> bool:
    """Whether a Boolean flag is on, in any spelling that clients use."""
    return any(value.lower() in ("true", "1") for value in _values(query, name))


def _values(query: tuple[tuple[str, str], ...], name: str) -> tuple[str, ...]:
    return tuple(value for key, value in query if key == name)


def _name(method: str, path: str) -> tuple[str, str | None]:
    match = _EVENTS.search(path)
    if match:
        names = {"POST": "write", "DELETE": "delete"}
        return names.get(method, "other"), unquote(match[1])
    if NOTIFICATIONS in path:
        return "notification", None
    start = path.find("/v1/")
    tail = path[start:].rstrip("/") if start >= 0 else path
    if method == "GET":
        if tail.startswith("/v1/events/pages/"):
            return "page", None
        plain = _PLAIN.get(tail, "other")
        return {"events": "read", "batch": "other"}.get(plain, plain), None
    if method == "POST" and tail == "/v1/batch":
        return "batch", None
    if (method == "DELETE" and tail == "/v1/events") or tail.endswith("/revoke"):
        return "bulk", None
    return "other", None


def makes_calendar(method: str, path: str) -> bool:
    """Whether a request makes a calendar, so that the account's list is no longer whole."""
    return method == "POST" and path.rstrip("/").endswith("/v1/calendars")


def account_name(request: Request, whole: bool) -> str | None:
    """Whose request this is: None if it surely carries no token, `UNKNOWN_ACCOUNT` if that cannot be told."""
    account = request.account
    if account is None and not whole and request.header("authorization") is None:
        return UNKNOWN_ACCOUNT
    return account


def body_json(request: Request) -> Any:
    """The body of a write as the API takes it, JSON or form-encoded; ValueError if it is neither."""
    content_type = (request.header("content-type") or "").lower()
    if "x-www-form-urlencoded" in content_type:
        return form_json(request.body)
    return load_json(request.body)


_BRACKETS = re.compile(r"\[([^\]]*)\]")


def form_json(body: bytes) -> dict[str, Any]:
    """Form fields as nested objects: ``start[time]=…``, ``calendar_ids[]=…`` and ``subscriptions[0][type]=…``.

    All leaves are strings.
    """
    result: dict[str, Any] = {}
    for name, value in parse_qsl(body.decode("utf-8"), keep_blank_values=True):
        head, _, rest = name.partition("[")
        keys = [head, *(_BRACKETS.findall("[" + rest) if rest else [])]
        _put(result, keys, value)
    return {name: _numbered(value) for name, value in result.items()}


def _numbered(value: Any) -> Any:
    """A value whose objects with the keys 0, 1, … are lists."""
    if isinstance(value, list):
        return [_numbered(one) for one in value]
    if not isinstance(value, dict):
        return value
    inner = {key: _numbered(one) for key, one in value.items()}
    is_list = [*inner] == [str(number) for number in range(len(inner))]
    return [*inner.values()] if inner and is_list else inner


def _put(target: dict[str, Any], keys: list[str], value: str) -> None:
    here: Any = target
    for key, following in zip(keys, [*keys[1:], None], strict=True):
        if isinstance(here, list):
            if following is None:
                here.append(value)
            elif here and isinstance(here[-1], dict) and not isinstance(here[-1].get(following), str):
                here = here[-1]  # one more field of the object that the list ends with
            else:
                here.append({})
                here = here[-1]
        elif following is None:
            here[key] = value
        else:
            here = here.setdefault(key, [] if following == "" else {})
            if not isinstance(here, dict | list):
                raise ValueError(f"form field {key!r} is both a value and an object")  # noqa: TRY004 - wrong data, right type
