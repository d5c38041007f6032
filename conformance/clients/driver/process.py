"""The driver: a process that drives a client, one JSON-RPC message a line in and out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance.clients.driver.protocol import DriverError, excerpt, named, read_response, request_line
from conformance.clients.processes import end_processes, marked

__all__ = ["LINE_LIMIT", "MEMORY_LIMIT", "STOP_TIMEOUT", "Driver", "DriverError"]

#: The longest line, in bytes, that a driver may write.
LINE_LIMIT = 16 * 1024 * 1024

#: The most memory, in bytes, that the driver's processes may hold together.
MEMORY_LIMIT = 1024**3

#: Seconds that the driver has to end after it has answered stop.
STOP_TIMEOUT = 5.0

#: How many lines of standard error are kept, and how many characters of each; what is shown is cut once it is redacted.
_STDERR_LINES, _LINE_READ, _LINE_SHOWN = 20, 4096, 400
_MEMORY_PAUSE = 0.25


class Driver:
    """A running driver; `async with` starts it and leaves no process behind.

    `timeout`: seconds for each response.  `memory_limit`: bytes that its processes may hold together.  `redact` is
    applied to each line of its standard error that an error quotes.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        timeout: float = 30.0,
        memory_limit: int = MEMORY_LIMIT,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._command = tuple(command)
        self._environment = marked(environment)
        self._timeout = timeout
        self._memory_limit = memory_limit
        self._number = 0
        self._method = ""
        self._redact = redact
        self._memory_checked = 0.0
        self._stderr_lines: deque[str] = deque(maxlen=_STDERR_LINES)
        self._drain: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Driver:
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environment,
                limit=LINE_LIMIT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise DriverError(f"the driver {self._name} could not be started: {error}") from None
        self._drain = asyncio.create_task(self._read_stderr())
        return self

    async def __aexit__(self, *_: object) -> None:
        process, drain = self._process, self._drain
        assert process is not None
        assert drain is not None
        end_processes(process.pid, self._environment)
        if process.stdin is not None:
            process.stdin.close()
        drain.cancel()
        await asyncio.gather(drain, return_exceptions=True)
        # Pipes close when nobody holds their other end: drop what a killed process left in them.
        if process.stdout is not None:
            with contextlib.suppress(asyncio.TimeoutError, ValueError, OSError):
                await asyncio.wait_for(_discard(process.stdout), STOP_TIMEOUT)
        await process.wait()
        transport = process._transport  # type: ignore[attr-defined]  # the only way to close pipes that a grandchild outside the group still holds
        transport.close()

    @property
    def _request(self) -> str:
        return named(self._number, self._method)

    @property
    def _name(self) -> str:
        return repr(" ".join(self._command))

    async def call(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Sends one request and returns the response, ``{"result": …}`` or ``{"error": …}``; raises DriverError."""
        self._number += 1
        self._method = method
        try:
            async with asyncio.timeout(self._timeout):
                return await self._watched(self._converse(request_line(self._number, method, params)))
        except TimeoutError:
            hint = ": does it flush its output after each line?" if self._number == 1 else ""
            raise await self.error(f"did not answer {self._request} in {self._timeout:g} s{hint}") from None
        except DriverError as error:
            raise await self.error(str(error)) from None

    async def stop(self) -> None:
        """Asks the driver to stop and waits until it has ended; raises DriverError if it stays or fails."""
        await self.call("stop", {})
        process = self._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT)
        except TimeoutError:
            if process.returncode is None:
                raise await self.error(f"still ran {STOP_TIMEOUT:g} s after it had answered stop") from None
        if process.returncode:
            raise await self.error(f"failed after it had answered stop{_how(process.returncode)}")

    async def _converse(self, line: bytes) -> dict[str, Any]:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(ConnectionError):  # a driver that has ended is noticed when its output ends
            process.stdin.write(line)
            await process.stdin.drain()
        while True:
            try:
                answer = await process.stdout.readuntil(b"\n")
            except asyncio.IncompleteReadError as rest:
                if rest.partial.strip():
                    raise DriverError(
                        f"ended in the middle of the answer to {self._request}: {excerpt(rest.partial)}"
                    ) from None
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), STOP_TIMEOUT)
                raise DriverError(f"ended before it answered {self._request}{_how(process.returncode)}") from None
            except asyncio.LimitOverrunError:
                raise DriverError(
                    f"answered {self._request} with a line of more than {LINE_LIMIT // 1024**2} MiB"
                ) from None
            if answer.strip():
                return read_response(answer, self._number, self._method)

    async def _watched(self, conversation: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
        task = asyncio.ensure_future(conversation)
        try:
            gone = False
            while not (await asyncio.wait({task}, timeout=_MEMORY_PAUSE))[0]:
                if gone:  # what it wrote is read by now: another process holds its output open
                    assert self._process is not None
                    raise DriverError(f"ended before it answered {self._request}{_how(self._process.returncode)}")
                gone = self._process is not None and self._process.returncode is not None
                self._check_memory()
            answer = task.result()
            self._check_memory()
            return answer
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _check_memory(self) -> None:
        assert self._process is not None
        now = time.monotonic()
        if now - self._memory_checked < _MEMORY_PAUSE:
            return
        self._memory_checked = now
        held = group_memory(self._process.pid)
        if held > self._memory_limit:
            raise DriverError(
                f"holds {held // 1024**2} MiB of memory at {self._request}, allowed are "
                f"{self._memory_limit // 1024**2} MiB"
            )

    async def _read_stderr(self) -> None:
        assert self._process is not None
        stderr = self._process.stderr
        assert stderr is not None
        rest = b""
        while chunk := await stderr.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            rest = rest[:_LINE_READ]
            self._stderr_lines.extend(
                line.decode("utf-8", "replace").rstrip()[:_LINE_READ] for line in lines if line.strip()
            )
        if rest.strip():
            self._stderr_lines.append(rest.decode("utf-8", "replace").rstrip())

    async def error(self, problem: str) -> DriverError:
        """An error that names the driver and quotes the end of its standard error; ends the driver."""
        assert self._process is not None
        assert self._drain is not None
        end_processes(self._process.pid, self._environment)
        await asyncio.wait({self._drain}, timeout=STOP_TIMEOUT)  # what it wrote may still be on its way
        lines = " | ".join(self._redact(line)[:_LINE_SHOWN] for line in self._stderr_lines)
        return DriverError(
            f"the driver {self._name} {problem}" + (f"; its last lines on stderr: {lines}" if lines else "")
        )


def group_memory(group: int) -> int:
    """Bytes of memory that the processes of a group hold; 0 where there is no ``/proc``."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
            if int(fields[2]) == group:
                total += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return total


async def _discard(stream: asyncio.StreamReader) -> None:
    while await stream.read(65536):
        pass


def _how(returncode: int | None) -> str:
    if returncode is None:
        return ", though it still runs: it closed its output"
    if returncode < 0:
        return f" (killed by signal {-returncode})"
    return f" (exit code {returncode})"
