"""HTTP to one subject: every request that is sent, with its response, becomes an exchange."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import httpx
from msgspec.structs import replace

from conformance.clock import Clock
from conformance.errors import ConfigurationError, place_of
from conformance.http.exchange import UNKNOWN_TOKEN, Exchange, Headers, Request, Response, bearer
from conformance.http.ordering import OrderedDelivery
from conformance.http.tls import certificate_problem
from conformance.servers.subject.availability import Availability, is_good, is_unread
from conformance.servers.subject.back_off import back_off, retry_after
from conformance.servers.subject.locked_calendars import LockedCalendar, Turn
from conformance.servers.subject.own_origin import is_requestable, origin_of
from conformance.servers.subject.rate_limit import BudgetExceededError, RateLimiter, RequestBudget
from conformance.servers.subject.reception import Limits, Notes, receive
from conformance.servers.subject.waiting import wait_for_answer

__all__ = ["Limits", "Transport"]

#: Seconds that a request takes on a virtual clock, so that no two writes happen at the same time.
_VIRTUAL_LATENCY = 0.001

#: How many sentences are kept for the report.
_NOTES = 6

#: Seconds that asking whether the subject is still there may take, and pauses between two times.
_ASKING, _ASKING_PAUSE, _LONGEST_ASKING_PAUSE = 5.0, 0.5, 4.0

_TRANSIENT = frozenset({429, 500, 502, 503, 504})


class Transport:
    """Sends requests to `base_url` and nowhere else, and passes an exchange for each to `on_exchange`, in order.

    `tokens` maps account names to bearer tokens; in exchanges only the names appear.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        base_url: str,
        tokens: Mapping[str, str],
        clock: Clock,
        *,
        on_exchange: Callable[[Exchange], None] = lambda exchange: None,
        redact: Callable[[Exchange], Exchange] = lambda exchange: exchange,
        limits: Limits | None = None,
        rate: RateLimiter | None = None,
        max_requests: RequestBudget | None = None,
        unknown_token: str = "conformance-token-that-nobody-has",  # noqa: S107 - on purpose no credential
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.clock = clock
        self.limits = limits or Limits()
        self.rate = rate or RateLimiter(clock, None)
        self.max_requests = max_requests or RequestBudget()
        self._client = client
        self._origin = origin_of(base_url)
        self._tokens = {**tokens, UNKNOWN_TOKEN: unknown_token}
        self._redact = redact
        self._order = OrderedDelivery(on_exchange)
        self._received = 0
        self._notified = 0
        self._bodies: set[int] = set()
        self._events: set[int] = set()
        self._slots = asyncio.Semaphore(self.limits.connections)
        self._notes: dict[str, None] = {}
        self._calendars: defaultdict[str, LockedCalendar] = defaultdict(LockedCalendar)
        self.availability = Availability()
        self._usual: Callable[[], httpx.Request] | None = None
        self._usual_account: str | None = None
        self._asking = asyncio.Lock()

    @property
    def sent(self) -> int:
        """How many requests were sent, counting every attempt."""
        return self._order.count - self._notified

    def received(self, request: Request, status: int) -> None:
        """Pass on a notification that came from the subject and was answered with `status`."""
        self._notified += 1
        number, now = self._order.sent(), self.clock.now()
        exchange = Exchange(request, Response(status), f"#{number}", now, now, headers_complete=True)
        self._order.answered(number, self._redact(exchange))

    def owns(self, url: str) -> bool:
        """Whether `url` can be requested and is at the subject's own origin, the only one that gets a token."""
        try:
            return origin_of(url) == self._origin and is_requestable(url)
        except ValueError:
            return False

    def one_at_a_time(self) -> None:
        """From now on, send each request after the previous one is answered, and so over one connection."""
        self._slots = asyncio.Semaphore(1)

    async def send(
        self,
        method: str,
        target: str,
        *,
        account: str | None,
        document: Any = None,
        content: bytes | None = None,
        content_type: str = "application/json; charset=utf-8",
        reserve: int = 0,
        reserved: bool = False,
        attempts: int | None = None,
    ) -> Exchange:
        """The last exchange of a request, which is retried after 423, 429, a transient 5xx or a lost connection.

        `target` is a path under the base URL or an absolute URL at its origin; `document` is sent as JSON,
        `content` as it is.  `reserve` reserves so many requests of the budget for the DELETEs that undo this one,
        `reserved` uses one that was reserved.  Raises BudgetExceededError, SubjectGoneError, and ValueError for a URL
        that `owns` does not admit.
        """
        url = target if "://" in target else self.base_url + target
        if not self.owns(url):
            raise ValueError(f"{url!r} is not at {self.base_url}: the token goes nowhere else")
        body = content if content is not None else _encoded(document)
        request = self._request(method, url, account, body, content_type)
        last = attempts or self.limits.attempts
        async with Turn(self._calendars[url]) as turn:
            for attempt in range(1, last + 1):
                self._spend(reserve=reserve * (attempt == 1), reserved=reserved and attempt == 1)
                exchange = await self._attempt(request, body or b"", account)
                status = None if exchange.response is None else exchange.response.status
                pause = self._pause(exchange, attempt, passes=await turn.passes(status))
                if pause is None or attempt == last:
                    break
                if status == 429:
                    self.rate.pause(pause)
                await self.clock.sleep(pause)
        if await self.check_availability() and exchange.response is None and attempts is None:
            self._spend(reserve=0, reserved=False)
            return await self._attempt(request, body or b"", account)
        return exchange

    def watch_availability(self, account: str) -> None:
        """From now on, where requests fail in a row, ask with `account`'s token for its calendars, as often as need be.

        Requests raise SubjectGoneError once nothing was answered for as long as `limits.patience`.
        """
        self._usual = partial(self._request, "GET", f"{self.base_url}/v1/calendars", account, None, "")
        self._usual_account = account

    async def check_availability(self, patience: float | None = None) -> bool:
        """Whether it was doubtful that the subject answers, and it does; asks it.  Raises SubjectGoneError if not.

        All that comes to this point waits for the same answer; `patience` are seconds since the first failure.
        """
        if self._usual is None or not self.availability.is_doubtful(self.clock.now()):
            return False
        async with self._asking:
            pause = _ASKING_PAUSE
            while self.availability.is_doubtful(self.clock.now()):
                self._spend(reserve=0, reserved=False)
                exchange = await self._attempt(self._usual(), b"", self._usual_account, seconds=_ASKING)
                now = self.clock.now()
                if is_good(exchange):
                    self.availability.still_there(now)
                    return True
                patient = self.limits.patience if patience is None else patience
                if exchange.response is not None and exchange.response.status == 429:
                    patient += self.limits.longest_pause
                gone = self.availability.gone(now, patient)
                if gone is not None:
                    raise gone
                await self.clock.sleep(pause)
                pause = min(2 * pause, _LONGEST_ASKING_PAUSE)
            return True

    async def wait_for_answer(self, seconds: float) -> bool:
        """Whether the subject answers within `seconds`; what it answers is no exchange."""
        return await wait_for_answer(self._client, self.base_url, self.clock, seconds)

    def count_events(self, events: Iterable[object]) -> None:
        """Count what a page lists.  Raises BudgetExceededError where a run has seen too many different events."""
        self._events.update(map(hash, events))
        if len(self._events) > self.limits.events:
            raise BudgetExceededError(f"the server listed over {self.limits.events:,} different events")

    def note(self, sentence: str) -> None:
        """Keep a sentence for the report, once."""
        self._notes[sentence] = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the report: what disturbed the run, although it went on, and what was left unread."""
        return (*self._notes, *self.availability.notes())

    def _request(
        self, method: str, url: str, account: str | None, body: bytes | None, content_type: str
    ) -> httpx.Request:
        headers = [("Content-Type", content_type)] if body is not None else []
        if account is not None:
            headers.append(("Authorization", f"Bearer {self._tokens[account]}"))
        return self._client.build_request(method, url, headers=headers, content=body)

    def _spend(self, *, reserve: int, reserved: bool) -> None:
        if reserved:
            self.max_requests.spend_reserved()
        elif self._received > self.limits.bodies:
            raise BudgetExceededError(
                f"the responses came to over {self.limits.bodies >> 20} MiB: more might not fit in memory"
            )
        else:
            self.max_requests.spend(reserve=reserve)

    async def _attempt(
        self, request: httpx.Request, body: bytes, account: str | None, seconds: float | None = None
    ) -> Exchange:
        limit = min(seconds or self.limits.seconds, self.limits.seconds)
        async with self._slots:
            await self.rate.acquire()
            number = self._order.sent()
            exchange: Exchange | None = None
            try:
                exchange = await self._exchange(request, body, account, number, limit)
            finally:
                self._order.answered(number, exchange)
        took = (exchange.answered_at or 0.0) - (exchange.sent_at or 0.0)
        self.availability.record(exchange, took_whole_time=took >= limit)
        return exchange

    async def _exchange(
        self, request: httpx.Request, body: bytes, account: str | None, number: int, limit: float
    ) -> Exchange:
        sent = Request(request.method, str(request.url), _named(request.headers, account), body)
        sent_at = self.clock.now()
        if self.clock.virtual:
            await self.clock.sleep(_VIRTUAL_LATENCY)
        response, notes = await self._answer(request, limit)
        if any(name == "body" for name, _ in notes) and len(self._notes) < _NOTES:
            self.note(f"the body of the answer to #{number}: {notes[-1][1]}")
        exchange = Exchange(
            sent,
            response,
            label=f"#{number}",
            sent_at=sent_at,
            answered_at=self.clock.now(),
            headers_complete=True,
            notes=notes,
        )
        try:
            return self._redact(exchange)
        except Exception as error:  # noqa: BLE001 - what cannot be redacted is not kept
            return replace(exchange, response=None, notes=(("no-answer", f"left out: {place_of(error)}"),))

    async def _answer(self, request: httpx.Request, limit: float) -> tuple[Response | None, Notes]:
        """The response to a request, or why there is none: whatever a server does, it ends no run."""
        try:
            async with asyncio.timeout(limit):
                response, notes = await receive(self._client, request, self.limits)
        except TimeoutError:
            return None, (("no-answer", f"no complete answer within {limit:g} s"),)
        except ConfigurationError:
            raise  # a recording that is replayed has no answer to this
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            problem = certificate_problem(error)
            why = (("certificate", problem),) if problem else ()
            return None, (("no-answer", _error_text(error)), *why)
        except Exception as error:  # noqa: BLE001 - a server may find what no library foresees
            return None, (("no-answer", f"an answer that cannot be read: {place_of(error)}"),)
        if response is not None and hash(response.body) not in self._bodies:
            self._bodies.add(hash(response.body))
            self._received += len(response.body)
        return response, notes

    def _pause(self, exchange: Exchange, attempt: int, *, passes: bool) -> float | None:
        """Seconds until the next attempt; None if there is to be none.  `passes` is of a lock that may pass."""
        response, longest = exchange.response, self.limits.longest_pause
        if is_unread(exchange):
            return None
        usual = back_off(attempt, self.limits.first_pause, longest)
        if response is None:
            took = (exchange.answered_at or 0.0) - (exchange.sent_at or 0.0)
            return None if took >= self.limits.seconds and attempt >= 2 else usual
        if response.status not in _TRANSIENT and not passes:
            return None
        requested = retry_after(response.header("retry-after"), self.clock.now())
        return usual if requested is None else min(requested, longest)


def _encoded(document: Any) -> bytes | None:
    return None if document is None else json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _named(headers: httpx.Headers, account: str | None) -> Headers:
    pairs = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw)
    if account is None:
        return pairs
    return tuple((name, bearer(account)) if name.lower() == "authorization" else (name, value) for name, value in pairs)


def _error_text(error: BaseException) -> str:
    """The kind of an error and its first line."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
