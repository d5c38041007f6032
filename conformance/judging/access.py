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

#: What a write requests that asks for no conferencing.
_NOT_ASKING = ("omitted", "undefined", "invalid", "none")

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
    conferencing = [one for one in writes if one.kind not in _NOT_ASKING]
    if _all_refused(conferencing, {402}):
        excerpt = _excerpt(conferencing[-1].exchange)
        return f"every request for conferencing was refused with 402 (the account's plan){excerpt}"
    for account in dict.fromkeys(one.account for one in answered):
        problem = _lost_token([one for one in answered if one.account == account])
        if problem is not None:
            return problem
    return None


class RefusedWrites:
    """Whether a recording has writes, and all of them were refused, or all that ask for conferencing.

    Nothing is proved then of what writes do.
    """

    def __init__(self) -> None:
        self._refused = {"write": 0, "request for conferencing": 0}
        self._statuses: dict[str, set[int]] = {kind: set() for kind in self._refused}
        self._last: dict[str, Exchange] = {}
        self._granted: set[str] = set()

    def noting(self, exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
        """The exchanges as they are; looks at no more than it must, for recordings are long."""
        for exchange in exchanges:
            if (
                len(self._granted) < len(self._refused)
                and exchange.response is not None
                and exchange.request.method == "POST"
            ):
                self._note(exchange, exchange.response.status)
            yield exchange

    def _note(self, exchange: Exchange, status: int) -> None:
        if status == 429 or status >= 500 or route(exchange.request.method, exchange.request.url).name != "write":
            return
        for kind in self._refused.keys() - self._granted:
            if kind != "write" and not _asks_for_conferencing(exchange):
                continue
            if status not in ACCESS_STATUSES:
                self._granted.add(kind)
                continue
            self._refused[kind] += 1
            self._statuses[kind].add(status)
            self._last[kind] = exchange

    def __add__(self, later: RefusedWrites) -> RefusedWrites:
        both = RefusedWrites()
        for kind in both._refused:
            both._refused[kind] = self._refused[kind] + later._refused[kind]
            both._statuses[kind] = self._statuses[kind] | later._statuses[kind]
        both._last = self._last | later._last
        both._granted = self._granted | later._granted
        return both

    @property
    def problem(self) -> str | None:
        """Why the server cannot be judged, in one sentence; None where it can."""
        for kind, count in self._refused.items():
            if kind not in self._granted and count >= _ENOUGH:
                return f"every {kind} was refused with {_statuses(self._statuses[kind])}{_excerpt(self._last[kind])}"
        return None


def _asks_for_conferencing(exchange: Exchange) -> bool:
    """Whether a write asks for conferencing in a documented way; one look tells that most do not."""
    if b"conferencing" not in exchange.request.body:
        return False
    body = body_of(exchange.request)
    return isinstance(body, dict) and requested_conferencing(body).kind not in _NOT_ASKING


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
