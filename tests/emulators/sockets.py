"""Threads that answer on 127.0.0.1: bounded in number, and all gone when the block ends."""

from __future__ import annotations

import gzip
import random
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import responses

import httpx

from .inprocess import transport
from .variants import App

MOST_CONNECTIONS = 32
MOST_BYTES = 1 << 24


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes


Behaviour = Callable[[socket.socket, str, threading.Event], None]


def received(connection: socket.socket, left: bytes = b"") -> tuple[Request, bytes] | None:
    """The next request and what came after it; None when the peer has gone or talks nonsense."""
    text = left
    while b"\r\n\r\n" not in text:
        piece = connection.recv(65536)
        text += piece
        if not piece or len(text) > MOST_BYTES:
            return None
    head, _, text = text.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    method, _, rest = first.partition(" ")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MOST_BYTES:
        return None
    while len(text) < int(length):
        piece = connection.recv(65536)
        text += piece
        if not piece:
            return None
    body, text = text[: int(length)], text[int(length) :]
    return Request(method, rest.rpartition(" ")[0], headers, body), text


def response(status: int, headers: Mapping[str, str], body: bytes, length: int | None = None) -> bytes:
    """An HTTP/1.1 response; `length` is what Content-Length says if not the truth."""
    shown = {"Content-Length": str(len(body) if length is None else length), **headers}
    lines = [
        f"HTTP/1.1 {status} {responses.get(status, 'Odd')}",
        *(f"{name}: {value}" for name, value in shown.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@contextmanager
def listening(behaviour: Behaviour) -> Iterator[str]:
    """The base URL of a socket on which each connection meets `behaviour(connection, base_url, stop)`."""
    listener = socket.create_server(("127.0.0.1", 0))
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    stop = threading.Event()
    lock = threading.Lock()
    connections: set[socket.socket] = set()
    threads: list[threading.Thread] = []

    def meet(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            behaviour(connection, base_url, stop)
        with lock:
            connections.discard(connection)

    def accept() -> None:
        while not stop.is_set():
            with suppress(OSError):
                connection, _ = listener.accept()
                with lock:
                    threads[:] = [thread for thread in threads if thread.is_alive()]
                    welcome = len(threads) < MOST_CONNECTIONS and not stop.is_set()
                    if welcome:
                        connections.add(connection)
                        threads.append(threading.Thread(target=meet, args=(connection,), daemon=True))
                        threads[-1].start()
                if not welcome:
                    connection.close()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield base_url
    finally:
        stop.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(5)
        with lock:
            for connection in connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(5)


@contextmanager
def serving(
    app: App,
    *,
    drop: float = 0.0,
    drop_after: float = 0.0,
    compress: bool = False,
    chunked: bool = False,
    keep_alive: bool = True,
    seed: int = 0,
) -> Iterator[str]:
    """The base URL of an application, ASGI or WSGI, behind a socket.

    `drop` and `drop_after` are the probabilities that the connection closes unanswered, before and after the work.
    """
    dice, lock = random.Random(seed), threading.Lock()

    def answer(client: httpx.Client, request: Request) -> bytes | None:
        with lock:
            fate = dice.random()
            if fate < drop:
                return None
            named = {name: value for name, value in request.headers.items() if name != "content-length"}
            done = client.request(request.method, request.target, headers=named, content=request.body)
            if fate < drop + drop_after:
                return None
        body = done.content
        headers = {name: value for name, value in done.headers.items() if name != "content-length"}
        if body and compress and "gzip" in request.headers.get("accept-encoding", ""):
            body, headers["content-encoding"] = gzip.compress(body), "gzip"
        if not keep_alive:
            headers["connection"] = "close"
        if body and chunked:
            pieces = [body[i : i + 100] for i in range(0, len(body), 100)]
            framed = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])
            raw = response(done.status_code, {**headers, "transfer-encoding": "chunked"}, b"")
            return raw.replace(b"Content-Length: 0\r\n", b"") + framed
        return response(done.status_code, headers, body)

    def talk(connection: socket.socket, base_url: str, stop: threading.Event) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        left = b""
        with httpx.Client(transport=transport(app), base_url=base_url, trust_env=False) as client:
            while not stop.is_set() and (found := received(connection, left)):
                request, left = found
                reply = answer(client, request)
                if reply is None:
                    return
                connection.sendall(reply)
                if not keep_alive or request.headers.get("connection", "").lower() == "close":
                    return

    with listening(talk) as base_url:
        yield base_url
