"""What `proxy` adds to a request, beside mitmproxy: ``python proxy_latency.py [REQUESTS]``.

Each server has a process of its own; requests go one after another over one connection.  Figures are medians in
milliseconds, and ratios to the server alone.  The smallest proxy is one on Starlette, uvicorn and httpx.  Neither it
nor mitmproxy judges anything.  mitmproxy is left out where neither MITMDUMP nor the PATH has its mitmdump.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import multiprocessing.connection
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

sys.path.insert(0, str(Path(__file__).parents[2]))

from conformance.clients.proxy import ProxyOptions, observe
from conformance.contract.rules import load
from conformance.reference import INVENTORY, reference_app

TOKEN = INVENTORY.by_name["profiles"].token
Told = multiprocessing.connection.Connection


def serve(app: object, told: Told) -> None:
    """Serves an ASGI application and tells its origin."""

    async def run() -> None:
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off", http="h11"))  # type: ignore[arg-type]  # any ASGI application
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        told.send(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}")
        await serving

    asyncio.run(run())


def reference(told: Told) -> None:
    """The reference server."""
    serve(reference_app(), told)


def peer(told: Told, upstream: str) -> None:
    """A reverse proxy that judges nothing."""
    client = httpx.AsyncClient(base_url=upstream, trust_env=False)

    async def through(request: Request) -> StreamingResponse:
        headers = [pair for pair in request.headers.raw if pair[0] != b"host"]
        sent = client.build_request(request.method, request.url.path, headers=headers, content=await request.body())
        answer = await client.send(sent, stream=True)
        return StreamingResponse(
            answer.aiter_raw(), answer.status_code, answer.headers, background=BackgroundTask(answer.aclose)
        )

    serve(Starlette(routes=[Route("/{path:path}", through, methods=["GET", "POST", "DELETE"])]), told)


def observing(told: Told, upstream: str) -> None:
    """`observe`, judging by all rules."""

    def echo(line: str) -> None:
        told.send(line.split()[2].rstrip(","))

    asyncio.run(observe(ProxyOptions(upstream), load(), echo=echo))


@contextlib.contextmanager
def running(target: object, *arguments: str) -> Iterator[str]:
    """The origin of a server in a process of its own."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=target, args=(there, *arguments))  # type: ignore[arg-type]  # a function
    process.start()
    try:
        yield here.recv()
    finally:
        process.kill()
        process.join()


@contextlib.contextmanager
def mitmproxy(upstream: str) -> Iterator[str | None]:
    """The origin of mitmproxy before the server; None where it is not installed."""
    program = shutil.which(os.environ.get("MITMDUMP", "")) or shutil.which("mitmdump")
    if program is None:
        yield None
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        program,
        "--quiet",
        "--mode",
        f"reverse:{upstream}",
        "--listen-host",
        "127.0.0.1",
        "--listen-port",
        f"{port}",
    ]
    process = subprocess.Popen(command)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def times(origin: str, count: int) -> list[float]:
    """Milliseconds for each of `count` requests."""
    found = []
    with httpx.Client(base_url=origin, trust_env=False, headers={"Authorization": f"Bearer {TOKEN}"}) as http:
        for _ in range(count):
            began = time.perf_counter()
            http.get("/v1/calendars").raise_for_status()
            found.append((time.perf_counter() - began) * 1000)
    return found


def main() -> None:
    """Prints one line a server."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with (
        running(reference) as alone,
        running(observing, alone) as ours,
        running(peer, alone) as other,
        mitmproxy(alone) as mitm,
    ):
        places = {"the server alone": alone, "proxy": ours, "the smallest proxy": other}
        places |= {} if mitm is None else {"mitmproxy": mitm}
        found: dict[str, list[float]] = {name: [] for name in places}
        for _ in range(3):  # in turns, so that a busy moment of the machine meets all of them
            for name, origin in places.items():
                found[name] += times(origin, count // 3)
        base = statistics.median(found["the server alone"])
        for name, measured in found.items():
            middle, high = statistics.median(measured), statistics.quantiles(measured, n=20)[18]
            print(f"{name:18} median {middle:6.2f} ms, p95 {high:6.2f} ms, {middle / base:5.2f} times the server alone")


if __name__ == "__main__":
    main()
