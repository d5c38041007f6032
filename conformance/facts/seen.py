"""One exchange as the fold takes it: its route, account, times and bodies, each worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from msgspec import Struct

from conformance.facts.routes import Route, account_name, body_json, route
from conformance.facts.values import Evidence
from conformance.http.exchange import Exchange, Headers, Request, Response

__all__ = ["UNREADABLE", "Asked", "Seen", "answer_of", "asked", "body_of"]

_HEADERS = frozenset({"content-type", "authorization", "accept"})


class _Unreadable:
    """What stands for a body that is neither JSON nor form-encoded."""

    def __reduce__(self) -> str:
        return "UNREADABLE"  # the same object in every process: it is told from JSON by its identity


UNREADABLE = _Unreadable()

#: Headers of which rules speak: a recording that has these and may lack others lacks none of those.
_OF_A_READ, _OF_A_WRITE = frozenset({"authorization"}), frozenset({"authorization", "content-type"})

_WITH_BODY = frozenset({"POST", "DELETE", "PUT", "PATCH"})

#: The statuses of answers whose body is read, by the operation.
_TOLD_BY = {**dict.fromkeys(("read", "page", "calendars", "userinfo"), (200,)), "batch": range(200, 300)}


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What a request is but for its body: one object, told by its identity, for those that are the same.

    `document` is the request in the names that facts use.
    """

    route: Route
    account: str | None
    document: dict[str, Any]


@lru_cache(maxsize=1024)
def asked(method: str, url: str, headers: Headers, headers_complete: bool) -> Asked:
    """What a request is: the same ones are sent again and again."""
    at = route(method, url)
    document: dict[str, Any] = {"method": method, "path": at.path}
    if at.query:
        document["query"] = [list(pair) for pair in at.query]
    kept = {lowered: value for name, value in headers if (lowered := name.lower()) in _HEADERS}
    if headers_complete or kept.keys() >= (_OF_A_WRITE if method in _WITH_BODY else _OF_A_READ):
        document["headers"] = kept
    return Asked(at, account_name(Request(method, url, headers), headers_complete), document)


class Seen(Struct, frozen=True):
    """An exchange and what it is in the API's terms.

    `evidence` is the exchange as something that facts rest on, `status` None where no answer came.  `number` is its
    place among all exchanges; `sent` and `answered` are epoch seconds, or that place where it is not `timed`.
    `account` is None where the request surely carries no token, `accepted` whether its token was accepted before.
    `body` is the request's as JSON (None: there is none), `answer` the response's where facts speak of it;
    `failures` is how often this very request has failed by now.
    """

    exchange: Exchange
    evidence: Evidence
    status: int | None
    route: Route
    account: str | None
    number: int
    sent: float
    answered: float
    timed: bool
    asked: Asked
    body: Any = None
    answer: Any = None
    accepted: bool = False
    failures: int = 0


def body_of(request: Request) -> Any:
    """The body of a request as JSON: None where there is none, UNREADABLE where it is neither JSON nor a form."""
    if not request.body or request.method not in _WITH_BODY:
        return None
    try:
        return body_json(request)
    except (ValueError, UnicodeDecodeError):
        return UNREADABLE


def answer_of(response: Response | None, operation: str) -> Any:
    """The JSON of a refusal, or of an answer that has what was asked for; None for no body, UNREADABLE for no JSON."""
    if response is None:
        return None
    is_refusal = response.status >= 400 and bool(response.body)
    if not is_refusal and response.status not in _TOLD_BY.get(operation, ()):
        return None
    try:
        return response.json()
    except ValueError:
        return UNREADABLE
