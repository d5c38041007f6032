"""HTTP to one subject: every request that is sent, with its response, becomes an exchange."""

from __future__ import annotations

import asyncio
import email.utils
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httpx

from conformance.clock import Clock
from conformance.http.content_coding import ContentCodingError, OversizedBodyError, decode
from conformance.http.exchange import UNKNOWN_TOKEN, Exchange, Headers, Request, Response, bearer
from conformance.http.ordering import OrderedDelivery
from conformance.servers.subject.rate_limit import BudgetExceededError, RateLimiter, RequestBudget

__all__ = ["Limits", "Transport", "open_client", "origin_of"]

#: Seconds that a request takes on a virtual clock, so that no two writes happen at the same time.
_VIRTUAL_LATENCY = 0.001

_AGENT = "cronofy-conformance"
_TRANSIENT = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on one response: decoded `body` bytes, `seconds` in all, and `attempts` while the subject is busy.

    `bodies` limits all responses of a run, in bytes.  The pause between attempts begins at `first_pause` seconds and
    doubles up to `longest_pause`.
    """

    body: int = 32 * 1024 * 1024
    bodies: int = 256 * 1024 * 1024
    seconds: float = 30.0
    attempts: int = 6
    first_pause: float = 0.1
    longest_pause: float = 60.0
    connections: int = 16


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an absolute URL.  Raises ValueError for anything else.

    >>> origin_of("HTTPS://API.cronofy.com/v1/events")
    ('https', 'api.cronofy.com', 443)
    """
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    if not scheme or not host:
        raise ValueError(f"{url!r} is no absolute URL")
    return scheme, host, parts.port or {"http": 80, "https": 443}.get(scheme)


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
        self._slots = asyncio.Semaphore(self.limits.connections)

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
        """Whether `url` is at the subject's own origin, the only one that gets a token."""
        try:
            return origin_of(url) == self._origin
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
        """The last exchange of a request, which is retried after 429, a transient 5xx or a lost connection.

        `target` is a path under the base URL or an absolute URL at its origin; `document` is sent as JSON,
        `content` as it is.  `reserve` reserves so many requests of the budget for the DELETEs that undo this one,
        `reserved` uses one that was reserved.  Raises BudgetExceededError, and ValueError for a URL at another origin.
        """
        url = target if "://" in target else self.base_url + target
        if not self.owns(url):
            raise ValueError(f"{url!r} is not at {self.base_url}: the token goes nowhere else")
        body = content if content is not None else _encoded(document)
        headers = [("Content-Type", content_type)] if body is not None else []
        if account is not None:
            headers.append(("Authorization", f"Bearer {self._tokens[account]}"))
        request = self._client.build_request(method, url, headers=headers, content=body)
        last = attempts or self.limits.attempts
        for attempt in range(1, last + 1):
            self._spend(reserve=reserve * (attempt == 1), reserved=reserved and attempt == 1)
            exchange = await self._attempt(request, body or b"", account)
            pause = self._pause(exchange, attempt)
            if pause is None or attempt == last:
                return exchange
            if exchange.response is not None and exchange.response.status == 429:
                self.rate.pause(pause)
            await self.clock.sleep(pause)
        raise AssertionError("a request has at least one attempt")

    def _spend(self, *, reserve: int, reserved: bool) -> None:
        if reserved:
            self.max_requests.spend_reserved()
        elif self._received > self.limits.bodies:
            raise BudgetExceededError(
                f"the responses came to over {self.limits.bodies >> 20} MiB: more might not fit in memory"
            )
        else:
            self.max_requests.spend(reserve=reserve)

    async def _attempt(self, request: httpx.Request, body: bytes, account: str | None) -> Exchange:
        async with self._slots:
            await self.rate.acquire()
            number = self._order.sent()
            exchange: Exchange | None = None
            try:
                exchange = self._redact(await self._exchange(request, body, account, number))
            finally:
                self._order.answered(number, exchange)
        return exchange

    async def _exchange(self, request: httpx.Request, body: bytes, account: str | None, number: int) -> Exchange:
        sent = Request(request.method, str(request.url), _named(request.headers, account), body)
        sent_at = self.clock.now()
        if self.clock.virtual:
            await self.clock.sleep(_VIRTUAL_LATENCY)
        notes: tuple[tuple[str, str], ...] = ()
        response: Response | None = None
        try:
            async with asyncio.timeout(self.limits.seconds):
                response, notes = await self._receive(request)
        except TimeoutError:
            notes = (("no-answer", f"no complete answer within {self.limits.seconds:g} s"),)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            notes = (("no-answer", _error_text(error)),)
        return Exchange(
            sent,
            response,
            label=f"#{number}",
            sent_at=sent_at,
            answered_at=self.clock.now(),
            headers_complete=True,
            notes=notes,
        )

    async def _receive(self, request: httpx.Request) -> tuple[Response, tuple[tuple[str, str], ...]]:
        answer = await self._client.send(request, stream=True, follow_redirects=False)
        try:
            headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers.raw)
            raw = bytearray()
            async for chunk in answer.aiter_raw():
                raw += chunk
                if len(raw) > self.limits.body:
                    return Response(answer.status_code, headers), (self._too_large(),)
            try:
                body = decode(bytes(raw), answer.headers.get("content-encoding", ""), self.limits.body)
            except OversizedBodyError:
                return Response(answer.status_code, headers), (self._too_large(),)
            except ContentCodingError as error:
                note = ("body", f"its Content-Encoding does not decode: {error}")
                return Response(answer.status_code, headers), (note,)
            self._received += len(body)
            return Response(answer.status_code, headers, body), ()
        finally:
            await answer.aclose()

    def _too_large(self) -> tuple[str, str]:
        return "body", f"over {self.limits.body} bytes: left unread"

    def _pause(self, exchange: Exchange, attempt: int) -> float | None:
        """Seconds until the next attempt; None if there is to be none."""
        response = exchange.response
        if response is None:
            gave_up = (
                exchange.answered_at is not None
                and exchange.sent_at is not None
                and (exchange.answered_at - exchange.sent_at >= self.limits.seconds and attempt >= 2)
            )
            return None if gave_up else self._backoff(attempt)
        if response.status not in _TRANSIENT:
            return None
        retry_after = _retry_after(response.header("retry-after"), self.clock.now())
        return self._backoff(attempt) if retry_after is None else min(retry_after, self.limits.longest_pause)

    def _backoff(self, attempt: int) -> float:
        return float(min(self.limits.first_pause * 2 ** (attempt - 1), self.limits.longest_pause))


def open_client(
    transport: httpx.AsyncBaseTransport | None, *, trust_env: bool, limits: Limits, verify: bool = True
) -> httpx.AsyncClient:
    """A client that follows no redirects and stores no cookies; `trust_env` uses proxies and CAs of the environment."""
    return httpx.AsyncClient(
        transport=transport,
        verify=verify,
        trust_env=trust_env,
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        timeout=httpx.Timeout(limits.seconds, connect=min(10.0, limits.seconds), pool=None),
        limits=httpx.Limits(
            max_connections=limits.connections, max_keepalive_connections=limits.connections, keepalive_expiry=4.0
        ),
        headers={"User-Agent": _AGENT, "Accept": "application/json", "Accept-Encoding": "gzip, deflate"},
    )


def _encoded(document: Any) -> bytes | None:
    return None if document is None else json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _named(headers: httpx.Headers, account: str | None) -> Headers:
    pairs = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw)
    if account is None:
        return pairs
    return tuple((name, bearer(account)) if name.lower() == "authorization" else (name, value) for name, value in pairs)


def _retry_after(value: str | None, now: float) -> float | None:
    """Seconds that a ``Retry-After`` asks for; None if it is missing or malformed."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value.strip())
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, TypeError):
        return None


def _error_text(error: BaseException) -> str:
    """The kind of an error and its first line."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
