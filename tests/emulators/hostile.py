"""Hostile HTTP servers on 127.0.0.1: `with HOSTILE[name](where) as base_url`, each bounded and gone at the end.

`where` is "everywhere", or one part of the API: then the rest is a legal small server, which takes any token for the
account "default".
"""

from __future__ import annotations

import base64
import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, Literal
from urllib.parse import quote

import httpx

from .inprocess import transport
from .small_wsgi import make_app
from .sockets import Request, listening, received, response

Where = Literal["everywhere", "events", "calendars", "userinfo", "upsert", "delete"]
Pieces = Iterator[bytes]
JSON_HEADERS = {"Content-Type": "application/json", "Connection": "close"}
HUGE = 200_000_000
NOWHERE = "http://127.0.0.2:9"  # another origin, where nobody listens


class Case:
    """One request to a hostile server: what a legal server would have answered, and how to wait."""

    def __init__(self, request: Request, base_url: str, legal: httpx.Response, stop: threading.Event) -> None:
        self.request, self.base_url, self.legal, self.stop = request, base_url, legal, stop
        self.elsewhere = NOWHERE

    def json(self) -> Any:
        """The legal body, or a reading without events where there is none."""
        try:
            return self.legal.json()
        except ValueError:
            return {"pages": {"current": 1, "total": 1}, "events": []}

    def answer(self, body: bytes, status: int | None = None, length: int | None = None, **headers: str) -> bytes:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return response(status or self.legal.status_code, {**JSON_HEADERS, **named}, body, length)


def endless_redirects(case: Case) -> Pieces:
    """Each answer redirects to another path of the same server."""
    count = case.request.target.count("x")
    yield case.answer(
        b"", 307, Location=f"{case.base_url}{case.request.target}{'&' if '?' in case.request.target else '?'}x{count}"
    )


def redirect_elsewhere(case: Case) -> Pieces:
    """Each answer redirects to another origin."""
    yield case.answer(b"", 308, Location=case.elsewhere + case.request.target)


def next_page_elsewhere(case: Case) -> Pieces:
    """Readings go on at another origin."""
    body = case.json()
    body["pages"] = {"current": 1, "total": 2, "next_page": f"{case.elsewhere}/v1/events/pages/2"}
    yield case.answer(json.dumps(body).encode(), 200)


def next_page_to_itself(case: Case) -> Pieces:
    """Readings go on at themselves."""
    body = case.json()
    body["pages"] = {"current": 1, "total": 2, "next_page": case.base_url + case.request.target}
    yield case.answer(json.dumps(body).encode(), 200)


def next_page_for_ever(case: Case) -> Pieces:
    """Readings have always one more page."""
    body = case.json()
    number = len(case.request.target)
    sign = "&" if "?" in case.request.target else "?"
    body["pages"] = {"current": number, "total": 10**9, "next_page": f"{case.base_url}{case.request.target}{sign}p"}
    yield case.answer(json.dumps(body).encode(), 200)


def gzip_bomb(case: Case) -> Pieces:
    """Ten gigabytes of spaces in ten megabytes of gzip."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    opening = packer.compress(b'{"events":[') + packer.flush(zlib.Z_FULL_FLUSH)
    packer.compress(b" " * (1 << 20))
    packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    length = len(opening) + 10_000 * len(block)
    yield response(200, {**JSON_HEADERS, "Content-Encoding": "gzip"}, opening, length)
    for _ in range(10_000):
        yield block


def one_byte_a_second(case: Case) -> Pieces:
    """A legal answer, a byte a second."""
    for byte in case.answer(case.legal.content):
        yield bytes([byte])
        case.stop.wait(1)


def slow_body(case: Case) -> Pieces:
    """A legal head at once, and a body that comes a space a second for ever."""
    yield case.answer(b"{", 200, length=10**6)
    while not case.stop.wait(1):
        yield b" "


def huge_body(case: Case) -> Pieces:
    """Two hundred megabytes of JSON."""
    yield case.answer(b'{"events":[', 200, length=HUGE)
    for _ in range(HUGE // 100_000):
        yield b"0," * 50_000


def endless_chunks(case: Case) -> Pieces:
    """A chunked body that never ends."""
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    while not case.stop.is_set():
        yield b"10000\r\n" + b" " * 65536 + b"\r\n"


def endless_headers(case: Case) -> Pieces:
    """A head that never ends."""
    yield b"HTTP/1.1 200 OK\r\n"
    while not case.stop.is_set():
        yield b"X-More: " + b"y" * 4000 + b"\r\n"


def invalid_utf8(case: Case) -> Pieces:
    """JSON with bytes that are no UTF-8."""
    body = case.legal.content or b'{"events": []}'
    yield case.answer(body.replace(b"{", b'{"\xff\xfe\xc3\x28": "\x80",', 1), 200)


def wrong_content_type(case: Case) -> Pieces:
    """A legal body that says it is a picture."""
    yield case.answer(case.legal.content, Content_Type="image/png; charset=klingon")


def deep_json(case: Case) -> Pieces:
    """JSON nested a hundred thousand deep."""
    deep = b"[" * 100_000 + b"]" * 100_000
    yield case.answer(
        b'{"pages": {"current": 1, "total": 1}, "calendars": [], "events": [{"conferencing": ' + deep + b"}]}", 200
    )


def duplicate_keys(case: Case) -> Pieces:
    """Objects that say everything twice, and not the same."""
    body = json.dumps(case.json())
    twice = body.replace('"join_url":', '"join_url": "https://first.example.com", "join_url":')
    twice = twice.replace('"pending": true', '"pending": true, "pending": false, "pending": true')
    yield case.answer(('{"events": null, "calendars": null, ' + twice[1:]).encode())


def closes_mid_body(case: Case) -> Pieces:
    """Half of a legal body, then the end."""
    body = case.legal.content or b'{"events": []}'
    yield case.answer(body[: len(body) // 2], 200, length=len(body))


def long_content_length(case: Case) -> Pieces:
    """A Content-Length that promises more than comes."""
    yield case.answer(case.legal.content, length=len(case.legal.content) + 10)


def short_content_length(case: Case) -> Pieces:
    """A Content-Length that stops in the middle of the JSON."""
    body = case.legal.content or b'{"events": []}'
    yield case.answer(body, 200, length=len(body) // 2)


def odd_content_length(case: Case) -> Pieces:
    """A Content-Length that is no number."""
    yield case.answer(case.legal.content, Content_Length="-7 apples")


def login_page(case: Case) -> Pieces:
    """A proxy's login page, 200."""
    page = b"<!DOCTYPE html><html><title>Sign in</title><form action='/login'><input name=user></form></html>"
    yield case.answer(page, 200, Content_Type="text/html", Set_Cookie="session=1; Path=/")


def empty_object(case: Case) -> Pieces:
    """200 and `{}`, whatever was requested."""
    yield case.answer(b"{}", 200)


def empty_body(case: Case) -> Pieces:
    """200 and nothing, whatever was requested."""
    yield case.answer(b"", 200)


def echoes_authorization(case: Case) -> Pieces:
    """A legal answer that repeats the caller's secret in every spelling, in its head and in its body."""
    secret = case.request.headers.get("authorization", "")
    token = secret.rpartition(" ")[2]
    spellings = {
        "raw": secret,
        "token": token,
        "base64": base64.b64encode(token.encode()).decode(),
        "basic": base64.b64encode(f"user:{token}".encode()).decode(),
        "url": quote(token, safe=""),
        "escaped": "".join(f"\\u{ord(letter):04x}" for letter in token),
        "hex": token.encode().hex(),
        "reversed": token[::-1],
    }
    body = case.json()
    if isinstance(body, dict):
        body |= {"debug": spellings, token: "a key"}
        for event in body.get("events", []):
            event["summary"] = f"{event['summary']} {token}"
            event["conferencing"] = {"join_url": f"https://example.com/{quote(token)}", "provider_name": token}
    headers = {f"X-Echo-{name}": value for name, value in spellings.items() if value.isascii()}
    echoed = {**JSON_HEADERS, **headers, "Set-Cookie": f"token={token}"}
    yield response(case.legal.status_code, echoed, json.dumps(body).encode())


def numbers_for_texts(case: Case) -> Pieces:
    """Legal shapes with numbers, nulls and lists where texts belong."""
    event: dict[str, Any] = {"event_id": 7, "calendar_id": None, "conferencing": [None], "start": [], "summary": {}}
    body = {
        "pages": {"current": "one", "total": -1, "next_page": 7},
        "events": [event, None, 3],
        "calendars": [None, 3, {}],
    }
    yield case.answer(json.dumps(body).encode(), 200)


def infinite_numbers(case: Case) -> Pieces:
    """JSON with NaN, Infinity and integers of ten thousand digits."""
    yield case.answer(b'{"events": [], "calendars": [], "a": NaN, "b": -Infinity, "c": ' + b"9" * 10_000 + b"}", 200)


def no_http(case: Case) -> Pieces:
    """The greeting of another protocol."""
    yield b"SSH-2.0-OpenSSH_9.9\r\n"


def always_500(case: Case) -> Pieces:
    """500, whatever was requested."""
    yield case.answer(b"<h1>Internal Server Error</h1>", 500, Content_Type="text/html")


def always_429(case: Case) -> Pieces:
    """429 with a Retry-After of a day, whatever was requested."""
    yield case.answer(b"", 429, Retry_After="86400")


def never_answers(case: Case) -> Pieces:
    """Nothing, and the connection stays open."""
    case.stop.wait()
    yield b""


def closes_unanswered(case: Case) -> Pieces:
    """The connection closes once the request is read."""
    yield b""


CASES: dict[str, Callable[[Case], Pieces]] = {
    case.__name__.replace("_", "-"): case
    for case in (
        endless_redirects,
        redirect_elsewhere,
        next_page_elsewhere,
        next_page_to_itself,
        next_page_for_ever,
        gzip_bomb,
        one_byte_a_second,
        slow_body,
        huge_body,
        endless_chunks,
        endless_headers,
        invalid_utf8,
        wrong_content_type,
        deep_json,
        duplicate_keys,
        closes_mid_body,
        long_content_length,
        short_content_length,
        odd_content_length,
        login_page,
        empty_object,
        empty_body,
        echoes_authorization,
        numbers_for_texts,
        infinite_numbers,
        no_http,
        always_500,
        always_429,
        never_answers,
        closes_unanswered,
    )
}


def part(request: Request) -> str:
    """The part of the API that a request is for."""
    path = request.target.partition("?")[0]
    if path.endswith("/events") and request.method in ("POST", "DELETE"):
        return "upsert" if request.method == "POST" else "delete"
    return next((name for name in ("calendars", "userinfo") if path == f"/v1/{name}"), "events")


@contextmanager
def hostile(case: Callable[[Case], Pieces], where: Where = "everywhere", elsewhere: str = NOWHERE) -> Iterator[str]:
    """The base URL of a server that meets requests for `where` with `case`, which may point `elsewhere`."""
    app = make_app(settle=0.05)
    lock = threading.Lock()

    def talk(connection: socket.socket, base_url: str, stop: threading.Event) -> None:
        found = received(connection)
        if found is None:
            return
        request = found[0]
        token = {"authorization": f"Bearer {app.tokens['default']}"} if "authorization" in request.headers else {}
        named = {name: value for name, value in request.headers.items() if name != "content-length"} | token
        with lock, httpx.Client(transport=transport(app), base_url=base_url, trust_env=False) as client:
            legal = client.request(request.method, request.target, headers=named, content=request.body)
        if where not in ("everywhere", part(request)):
            kind = {"Content-Type": legal.headers["content-type"]} if "content-type" in legal.headers else {}
            connection.sendall(response(legal.status_code, {"Connection": "close", **kind}, legal.content))
            return
        met = Case(request, base_url, legal, stop)
        met.elsewhere = elsewhere
        for piece in case(met):
            if stop.is_set():
                return
            connection.sendall(piece)

    with listening(talk) as base_url:
        yield base_url


@contextmanager
def closes_at_accept(where: Where = "everywhere", elsewhere: str = NOWHERE) -> Iterator[str]:
    """The base URL of a server that closes each connection before it reads anything."""
    with listening(lambda connection, base_url, stop: None) as base_url:
        yield base_url


@contextmanager
def trap() -> Iterator[tuple[str, list[Request]]]:
    """Another origin: its base URL, and the requests that it got, which it answers with an empty reading."""
    caught: list[Request] = []

    def talk(connection: socket.socket, base_url: str, stop: threading.Event) -> None:
        if found := received(connection):
            caught.append(found[0])
            connection.sendall(response(200, JSON_HEADERS, b'{"pages": {"current": 2, "total": 2}, "events": []}'))

    with listening(talk) as base_url:
        yield base_url, caught


HOSTILE: dict[str, Callable[..., AbstractContextManager[str]]] = {
    **{name: partial(hostile, case) for name, case in CASES.items()},
    "closes-at-accept": closes_at_accept,
}
