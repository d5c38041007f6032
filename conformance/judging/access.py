"""What a subject refused of all that it was asked for, so that it cannot be judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from conformance.facts.access_refusals import ACCESS_STATUSES
from conformance.facts.requested import requested_conferencing
from conformance.facts.routes import route
from conformance.facts.seen import body_of
from conformance.http.exchange import UNKNOWN_TOKEN, Exchange

__all__ = ["RefusedWrites", "access_problem"]

#: From so many answers on, the same one every time is no accident.
_ENOUGH = 3

#: How much of an answer is quoted.
_EXCERPT = 160


class _Answered(NamedTuple):
    """A request of an account that was answered: what it requests (None: it is no upsert), and the status."""

    account: str
    kind: str | None
    status: int
    exchange: Exchange


def access_problem(exchanges: Iterable[Exchange]) -> str | None:
    """Why the subject cannot be judged, in one sentence; None where it can.

    Tokens expire, accounts are locked and plans lack features: that is no fault of the implementation, and no proof.
    """
    answered = tuple(_answered(exchanges))
    writes = [one for one in answered if one.kind is not None]
    if _all_refused(writes, ACCESS_STATUSES):
        return (
            f"every write was refused with {_statuses({one.status for one in writes})}{_excerpt(writes[-1].exchange)}"
        )
    conferencing = [one for one in writes if one.kind not in ("omitted", "undefined", "invalid", "none")]
    if _all_refused(conferencing, {402}):
        excerpt = _excerpt(conferencing[-1].exchange)
        return f"every request for conferencing was refused with 402 (the account's plan){excerpt}"
    for account in dict.fromkeys(one.account for one in answered):
        problem = _lost_token([one for one in answered if one.account == account])
        if problem is not None:
            return problem
    return None


class RefusedWrites:
    """Whether a recording has writes, and all of them were refused: nothing is proved then of what writes do."""

    def __init__(self) -> None:
        self._refused = 0
        self._statuses: set[int] = set()
        self._last: Exchange | None = None
        self._granted = False

    def noting(self, exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
        """The exchanges as they are; looks at no more than it must, for recordings are long."""
        for exchange in exchanges:
            if not self._granted and exchange.response is not None and exchange.request.method == "POST":
                self._note(exchange, exchange.response.status)
            yield exchange

    def _note(self, exchange: Exchange, status: int) -> None:
        if status == 429 or status >= 500 or route(exchange.request.method, exchange.request.url).name != "write":
            return
        if status not in ACCESS_STATUSES:
            self._granted = True
            return
        self._refused += 1
        self._statuses.add(status)
        self._last = exchange

    def __add__(self, later: RefusedWrites) -> RefusedWrites:
        both = RefusedWrites()
        both._refused = self._refused + later._refused
        both._statuses = self._statuses | later._statuses
        both._last = later._last or self._last
        both._granted = self._granted or later._granted
        return both

    @property
    def problem(self) -> str | None:
        """Why the server cannot be judged, in one sentence; None where it can."""
        if self._granted or self._last is None or self._refused < _ENOUGH:
            return None
        return f"every write was refused with {_statuses(self._statuses)}{_excerpt(self._last)}"


def _answered(exchanges: Iterable[Exchange]) -> Iterator[_Answered]:
    for exchange in exchanges:
        response, account = exchange.response, exchange.request.account
        if response is None or account is None or account == UNKNOWN_TOKEN:
            continue
        if response.status == 429 or response.status >= 500:
            continue
        at = route(exchange.request.method, exchange.request.url)
        if at.name == "other":
            continue
        body = body_of(exchange.request) if at.name == "write" else None
        kind = requested_conferencing(body).kind if isinstance(body, dict) else None
        yield _Answered(account, kind, response.status, exchange)


def _all_refused(answered: Sequence[_Answered], statuses: Iterable[int]) -> bool:
    return len(answered) >= _ENOUGH and {one.status for one in answered} <= {*statuses}


def _lost_token(answered: Sequence[_Answered]) -> str | None:
    """Whether a token was accepted at first, and refused with 401 to the end."""
    refused = 0
    while refused < len(answered) and answered[-1 - refused].status == 401:
        refused += 1
    first = len(answered) - refused
    if refused < _ENOUGH or not any(one.status < 300 for one in answered[:first]):
        return None
    name, label = answered[-1].account, answered[first].exchange.label
    return f"the token of account {name!r} was accepted at first and refused with 401 from {label} on: renew it"


def _statuses(statuses: Iterable[int]) -> str:
    return " or ".join(map(str, sorted(statuses)))


def _excerpt(exchange: Exchange) -> str:
    """What the answer says, if it says anything."""
    response = exchange.response
    text = " ".join(response.body.decode("utf-8", "replace").split()) if response is not None else ""
    if not text:
        return ""
    return f": {text}" if len(text) <= _EXCERPT else f": {text[:_EXCERPT]}…"
