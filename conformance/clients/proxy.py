"""The proxy between a client and a real server: it alters nothing, judges both and measures the time that it adds."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

import httpx

from conformance.clients.certificate import Certificate, nothing_reached, observed_facts
from conformance.clients.held_exchanges import HeldExchanges, known_secrets
from conformance.clock import Clock, RealClock
from conformance.contract.rules import Rule
from conformance.facts import Settings
from conformance.http.content_coding import ContentCodingError, MissingCodecError, OversizedBodyError, decode
from conformance.http.exchange import CONNECTION_HEADERS, NOT_RECORDED, Exchange, Headers, Request, Response
from conformance.http.ordering import OrderedDelivery
from conformance.http.redaction.collecting import SecretCollector
from conformance.http.redaction.personal import PersonalData
from conformance.http.server.http_server import HttpServer, Reply
from conformance.http.tls import certificate_problem, trusting
from conformance.interrupts import absorb_cancellation
from conformance.judging.judge import Judge
from conformance.judging.report import Report
from conformance.judging.stream import LiveJudge

__all__ = ["Proxy", "ProxyOptions", "observe"]

#: A longer body goes through as it is, and counts as not recorded.
_LARGEST_BODY = 4 * 1024 * 1024
_TIMEOUT = httpx.Timeout(300.0, connect=10.0)
_MEASURED = 20_000

#: Headers that are not passed on: those that belong to one connection, and what asks for an answer before the body.
_OWN = CONNECTION_HEADERS | {"expect"}


@dataclass(frozen=True)
class ProxyOptions:
    """The server behind the proxy, an origin or a URL whose path precedes every path, and where to listen for how long.

    `duration` None: until Ctrl-C.  `settings` are those of the facts: give ``quiet`` 2 for a server on loopback.
    `ca`: a file of certificates that are trusted beside the usual ones.  `redact_personal`: what passes is judged and
    kept with stand-ins for personal data.
    """

    upstream: str
    duration: float | None = None
    port: int = 0
    settings: Settings = field(default_factory=Settings)
    ca: Path | None = None
    redact_personal: bool = False


class Proxy:
    """Sends every request on to `upstream`, streams the answer back, and hands on the exchange when it is over.

    Exchanges still have their credentials: `HeldExchanges` conceals them.
    """

    def __init__(
        self,
        upstream: str,
        seen: Callable[[Exchange], None],
        *,
        clock: Clock | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        parts = urlsplit(upstream)
        self._origin = httpx.URL(f"{parts.scheme}://{parts.netloc}")
        self._prefix = parts.path.rstrip("/")
        self._clock = clock or RealClock()
        self._http = transport or upstream_transport()
        self._order = OrderedDelivery(seen)
        self._count = 0
        self.added: list[float] = []
        self.certificate_problem: str | None = None

    async def close(self) -> None:
        """Closes the connections to the server behind."""
        await self._http.aclose()
        self._order.flush()

    async def answer(self, request: Request) -> Reply:
        """The server's answer, or 502 where none comes."""
        began = time.perf_counter()
        self._count += 1
        label, ticket = f"observed#{self._count}", self._order.sent()
        parts = urlsplit(request.url)
        target = f"{self._prefix}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")
        url = self._origin.copy_with(raw_path=target.encode("latin-1"))
        kept = Request(request.method, str(self._origin) + target, request.headers, request.body)
        sent_at = self._clock.now()
        forwarded = httpx.Request(
            request.method,
            url,
            headers=_passed(request.headers, also={"host", "content-length"}),
            content=request.body,
            extensions={"timeout": _TIMEOUT.as_dict()},
        )
        waited = time.perf_counter()
        try:
            answer = await self._http.handle_async_request(forwarded)
        except httpx.HTTPError as error:
            self._order.answered(ticket, Exchange(kept, None, label, sent_at, None, headers_complete=True))
            problem = certificate_problem(error)
            if problem is not None:
                self.certificate_problem = f"the certificate of {self._origin} {problem}"
            problem = self.certificate_problem or f"no answer from {self._origin}: {error}"
            return Reply(502, (("Content-Type", "text/plain"),), problem.encode())
        except BaseException:
            self._order.answered(ticket, None)
            raise
        self.certificate_problem = None
        got = time.perf_counter()
        raw = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers.raw)

        def over(body: bytes | None) -> None:
            response, notes = (None, ()) if body is None else _recorded(answer.status_code, raw, body)
            answered_at = None if body is None else self._clock.now()
            exchange = Exchange(kept, response, label, sent_at, answered_at, headers_complete=True, notes=notes)
            self._order.answered(ticket, exchange)

        if len(self.added) < _MEASURED:
            self.added.append((waited - began) + (time.perf_counter() - got))
        return Reply(answer.status_code, _passed(raw), _Passing(answer, over))

    def latency(self) -> dict[str, float] | None:
        """Milliseconds that requests spent here on their way there and back: p50, p95 and the most."""
        if len(self.added) < 2:
            return None
        cuts = quantiles(self.added, n=20)
        return {
            "p50": round(cuts[9] * 1000, 3),
            "p95": round(cuts[18] * 1000, 3),
            "max": round(max(self.added) * 1000, 3),
        }


def upstream_transport(verify: ssl.SSLContext | bool = True) -> httpx.AsyncHTTPTransport:
    """Connections to a server behind, as many as the client asks for, each tried once."""
    return httpx.AsyncHTTPTransport(verify=verify, retries=0, limits=httpx.Limits(max_connections=None))


class _Passing:
    """The pieces of an answer as they pass; `over` is told once, however it ends: the body, or None if cut off."""

    def __init__(self, answer: httpx.Response, over: Callable[[bytes | None], None]) -> None:
        assert isinstance(answer.stream, httpx.AsyncByteStream)
        self._stream = answer.stream
        self._pieces = aiter(answer.stream)
        self._announced = answer.headers.get("content-length")
        self._over = over
        self._kept = bytearray()
        self._size = 0
        self._open = True

    def __aiter__(self) -> _Passing:
        return self

    async def __anext__(self) -> bytes:
        try:
            piece = await anext(self._pieces)
        except StopAsyncIteration:
            await self._end(complete=True)
            raise
        if len(self._kept) <= _LARGEST_BODY:
            self._kept += piece
        self._size += len(piece)
        return piece

    async def aclose(self) -> None:
        """No more is taken: whoever has as much as was announced has all of it."""
        await self._end(complete=self._announced == str(self._size))

    async def _end(self, *, complete: bool) -> None:
        if self._open:
            self._open = False
            try:
                await self._stream.aclose()
            finally:
                self._over(bytes(self._kept) if complete else None)


def _passed(headers: Headers, also: Iterable[str] = ()) -> Headers:
    named = {name.strip().lower() for key, value in headers if key.lower() == "connection" for name in value.split(",")}
    left = _OWN | named | set(also)
    return tuple((name, value) for name, value in headers if name.lower() not in left)


def _recorded(status: int, headers: Headers, body: bytes) -> tuple[Response | None, tuple[tuple[str, str], ...]]:
    """The response with its content coding undone where that can be done, and the notes on it."""
    encoding = ",".join(value for name, value in headers if name.lower() == "content-encoding")
    try:
        return Response(status, headers, decode(body, encoding, _LARGEST_BODY)), ()
    except (MissingCodecError, OversizedBodyError):
        return None, (("response-body", NOT_RECORDED), ("response-status", str(status)))
    except ContentCodingError:
        return Response(status, headers, body), ()


async def observe(
    options: ProxyOptions,
    rules: Iterable[Rule],
    *,
    echo: Callable[[str], None],
    sink: Callable[[Exchange], None] = lambda _: None,
) -> Certificate:
    """Stands between a client and `options.upstream`, judges both by all rules about exchanges, and measures.

    `echo` gets the line that says what to point the client at.  Ends after `options.duration` or when it is cancelled
    (Ctrl-C).  The certificate's run has ``added_latency_ms``: p50, p95 and max.  Raises ConfigurationError for
    certificates that cannot be read.
    """
    started = datetime.now(UTC)
    chosen = tuple(rule for rule in rules if rule.about != "call")
    live = LiveJudge(options.settings, Judge(chosen), keep=False, sink=sink)
    secrets = SecretCollector(known_secrets())
    held = HeldExchanges(live.add, secrets, personal=PersonalData() if options.redact_personal else None)
    blocked_requests: list[str] = []
    verify = trusting(options.ca) if options.upstream.startswith("https:") else False
    proxy = Proxy(options.upstream, held.add, transport=upstream_transport(verify))
    hosts = (urlsplit(options.upstream).hostname or "",)
    interrupted = False
    async with HttpServer(proxy.answer, hosts=hosts, on_blocked=blocked_requests.append, port=options.port) as server:
        echo(f"listening on {server.origin}, for {options.upstream}")
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(options.duration):
                    await asyncio.Event().wait()
        except asyncio.CancelledError:
            absorb_cancellation()
            interrupted = options.duration is not None
    await proxy.close()
    held.close()
    live.close()
    unused = (
        None
        if live.observer.exchanges
        else nothing_reached(blocked_requests, "proxy", f"{server.origin} as its base URL")
    )
    return Certificate(
        Report.empty(chosen) + live.report,
        chosen,
        {"kind": "observed", "name": options.upstream},
        {**observed_facts(started, live), "added_latency_ms": proxy.latency()},
        blocked_requests=tuple(blocked_requests),
        interrupted=interrupted,
        unjudged=None if interrupted else proxy.certificate_problem or unused,
        redactor=secrets.redactor(),
        conceal=secrets.redacted if held.learnt_late else None,
    )
