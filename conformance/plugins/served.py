"""The fixture `cronofy_server`: the reference server on a socket, for the tests of an application."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.clients.emulator import Emulator
from conformance.clock import MovableClock
from conformance.errors import UsageError, nearest
from conformance.http.exchange import Exchange
from conformance.plugins.markers import arguments_of
from conformance.plugins.recorder import Recorder
from conformance.reference import FAULTS, VARIATIONS, ReferenceInventory, reference_app
from conformance.reference.inventory_file import ServedInventory, read_inventory

if TYPE_CHECKING:
    import pytest

__all__ = ["CronofyServer", "ServerMarks", "ServerThread"]


@dataclass(frozen=True, slots=True)
class ServerMarks:
    """How the server of one test behaves; the names are those of the marker's arguments.

    `settling`: seconds until conferencing is no longer pending.  `latency`: seconds before each answer.  `page_size`:
    events a page.  `inventory`: a TOML file, below pytest's root folder.  None: as the inventory has it.
    """

    fault: str | tuple[str, ...] = ()
    variation: str | tuple[str, ...] = ()
    settling: float | None = None
    latency: float = 0.0
    page_size: int | None = None
    inventory: str | None = None

    @classmethod
    def of(cls, markers: Iterator[pytest.Mark], usual_inventory: str | None) -> ServerMarks:
        """What the markers of a test say, of which the nearest goes first.  Raises UsageError for what is unknown."""
        return cls(**{"inventory": usual_inventory, **arguments_of(markers, cls)})

    def __post_init__(self) -> None:
        for name, known in (("fault", FAULTS), ("variation", VARIATIONS)):
            value = getattr(self, name)
            object.__setattr__(self, name, (value,) if isinstance(value, str) else tuple(value))
            for one in getattr(self, name):
                if one not in known:
                    raise UsageError(f"there is no {name} {one!r}; {nearest(str(one), known)}")
        for name, least in (("settling", 0), ("latency", 0), ("page_size", 1)):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int | float) and value >= least):
                raise UsageError(f"{name} is {value!r}; expected a number of {least} or more")


class CronofyServer(Recorder):
    """The reference server while one test runs: it is fresh, and knows what it was sent."""

    #: It may be broken on purpose.
    side = "client"
    complete = True

    def __init__(self, url: str, loop: asyncio.AbstractEventLoop, marks: ServerMarks, root: Path) -> None:
        self._loop = loop
        self._seen: list[Exchange] = []
        served = ServedInventory() if marks.inventory is None else read_inventory(root / marks.inventory)
        #: Where it answers, without a path: the base URL of the API.
        self.url = url
        #: Accounts with their calendars and profiles.
        self.inventory: ReferenceInventory = served.inventory
        self._settling = served.settling if marks.settling is None else marks.settling
        self._clock = MovableClock()
        self._app = reference_app(
            clock=self._clock,
            settle=self._settling,
            faults=marks.fault,
            variations=marks.variation,
            page_size=marks.page_size or served.page_size,
            inventory=served.inventory,
        )
        self._emulator = Emulator(self._app, self._seen.append, latency=marks.latency)

    @property
    def tokens(self) -> Mapping[str, str]:
        """The access token of each account, by its name."""
        return self._app.tokens

    @property
    def token(self) -> str:
        """The access token of the first account."""
        return next(iter(self.tokens.values()))

    @property
    def calendar_id(self) -> str:
        """The first calendar of the first account."""
        return self.inventory.accounts[0].calendars[0].calendar_id

    @property
    def client_secrets(self) -> Mapping[str, str]:
        """What signs the notifications of each account, by its name."""
        return self._app.client_secrets

    @property
    def now(self) -> float:
        """The time of the server, in seconds since the epoch."""
        return self._clock.now()

    def advance(self, seconds: float | None = None) -> None:
        """Put the server's clock forward; by default until nothing that was requested is pending."""
        self._clock.advance(self._settling if seconds is None else seconds)

    @property
    def exchanges(self) -> list[Exchange]:
        """What was exchanged so far, in the order of the requests, with account names in place of tokens."""
        return asyncio.run_coroutine_threadsafe(self._answered(), self._loop).result(timeout=10)

    async def _answered(self) -> list[Exchange]:
        self._emulator.flush()
        return list(self._seen)

    async def answer(self, *message: Any) -> None:
        """Answer one request, as an ASGI application."""
        await self._emulator(*message)

    async def stop(self) -> None:
        """Answer what still waits, and give up what is not delivered."""
        await self._emulator.stop()


class ServerThread:
    """A socket on 127.0.0.1 in a thread of its own, where the server of one test after the other answers."""

    def __init__(self) -> None:
        import uvicorn  # slow to import, and most sessions need no server

        self._current: CronofyServer | None = None
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._loop = asyncio.new_event_loop()
        config = uvicorn.Config(self._answer, interface="asgi3", log_config=None, lifespan="off", date_header=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="cronofy_server", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._server.serve(sockets=[self._socket]))

    @property
    def url(self) -> str:
        """Where it answers: the socket listens before the thread does, so connections wait for it."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def fresh(self, marks: ServerMarks, root: Path) -> CronofyServer:
        """A server as `marks` has it; `root` is the folder of inventories.

        Raises UsageError for an inventory that cannot be read.
        """
        return CronofyServer(self.url, self._loop, marks, root)

    @contextlib.contextmanager
    def serving(self, server: CronofyServer) -> Iterator[None]:
        """`server` answers inside; what is sent afterwards is answered 503."""
        self._current = server
        try:
            yield
        finally:
            self._current = None
            asyncio.run_coroutine_threadsafe(server.stop(), self._loop).result(timeout=10)

    def close(self) -> None:
        """Stop, without waiting for connections that clients keep open."""
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(timeout=10)

    async def _answer(self, scope: MutableMapping[str, Any], receive: Callable[..., Any], send: Any) -> None:
        if self._current is not None:
            await self._current.answer(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 503, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"no test that uses cronofy_server is running"})
