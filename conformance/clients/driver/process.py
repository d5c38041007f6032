"""The driver: a process that drives a client, one JSON line in, one JSON line out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance.clients.driver.protocol import DriverError, excerpt, named, read_answer

__all__ = ["LINE_LIMIT", "MEMORY_LIMIT", "STOP_TIMEOUT", "Driver", "DriverError", "read_answer"]

#: The longest line, in bytes, that a driver may write.
LINE_LIMIT = 16 * 1024 * 1024

#: The most memory, in bytes, that the driver's processes may hold together.
MEMORY_LIMIT = 1024**3

#: Seconds that the driver has to go once it was told to stop.
STOP_TIMEOUT = 5.0

_STDERR_LINES = 20
_MEMORY_PAUSE = 0.25


class Driver:
    """A running driver; `async with` starts it and leaves no process behind."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        timeout: float = 30.0,
        memory_limit: int = MEMORY_LIMIT,
    ) -> None:
        self._command = tuple(command)
        self._environment = dict(environment)
        self._timeout = timeout
        self._memory_limit = memory_limit
        self._number = 0
        self._do = ""
        self._memory_checked = 0.0
        self._last_words: deque[str] = deque(maxlen=_STDERR_LINES)
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
        self._drain = asyncio.create_task(self._keep_last_words())
        return self

    async def __aexit__(self, *_: object) -> None:
        process, drain = self._process, self._drain
        assert process is not None
        assert drain is not None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
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
    def _asked(self) -> str:
        return named(self._number, self._do)

    @property
    def _name(self) -> str:
        return repr(" ".join(self._command))

    async def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Sends ``{"id": next, **message}`` and returns the checked answer; raises DriverError."""
        self._number += 1
        self._do = str(message["do"])
        line = json.dumps({"id": self._number, **message}, ensure_ascii=False, separators=(",", ":")) + "\n"
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._watched(self._converse(line.encode("utf-8")))
        except TimeoutError:
            raise await self.fault(f"did not answer {self._asked} in {self._timeout:g} s") from None
        except DriverError as fault:
            raise await self.fault(str(fault)) from None
        return answer

    async def stop(self) -> None:
        """Asks the driver to stop and waits until it is gone; raises DriverError if it stays or ends badly."""
        await self.ask({"do": "stop"})
        process = self._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT)
        except TimeoutError:
            if process.returncode is None:
                raise await self.fault(f"was still there {STOP_TIMEOUT:g} s after it had answered stop") from None
        if process.returncode:
            raise await self.fault(f"ended badly after it had answered stop{_how(process.returncode)}")

    async def _converse(self, line: bytes) -> dict[str, Any]:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(ConnectionError):  # a driver that is gone is noticed at the answer
            process.stdin.write(line)
            await process.stdin.drain()
        while True:
            try:
                answer = await process.stdout.readuntil(b"\n")
            except asyncio.IncompleteReadError as rest:
                if rest.partial.strip():
                    raise DriverError(
                        f"ended in the middle of the answer to {self._asked}: {excerpt(rest.partial)}"
                    ) from None
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), STOP_TIMEOUT)
                raise DriverError(f"ended before it answered {self._asked}{_how(process.returncode)}") from None
            except asyncio.LimitOverrunError:
                raise DriverError(
                    f"answered {self._asked} with a line of more than {LINE_LIMIT // 1024**2} MiB"
                ) from None
            if answer.strip():
                return read_answer(answer, self._number, self._do)

    async def _watched(self, conversation: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
        task = asyncio.ensure_future(conversation)
        try:
            gone = False
            while not (await asyncio.wait({task}, timeout=_MEMORY_PAUSE))[0]:
                if gone:  # what it had written is read by now: another process holds its output open
                    assert self._process is not None
                    raise DriverError(f"ended before it answered {self._asked}{_how(self._process.returncode)}")
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
                f"holds {held // 1024**2} MiB of memory at {self._asked}, allowed are "
                f"{self._memory_limit // 1024**2} MiB"
            )

    async def _keep_last_words(self) -> None:
        assert self._process is not None
        stderr = self._process.stderr
        assert stderr is not None
        rest = b""
        while chunk := await stderr.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            rest = rest[:4096]
            self._last_words.extend(line.decode("utf-8", "replace").rstrip()[:400] for line in lines if line.strip())
        if rest.strip():
            self._last_words.append(rest.decode("utf-8", "replace").rstrip()[:400])

    async def fault(self, what: str) -> DriverError:
        """What is wrong with the driver, with its command and its last words; ends it."""
        assert self._process is not None
        assert self._drain is not None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await asyncio.wait({self._drain}, timeout=1.0)  # its last words are on their way
        words = " | ".join(self._last_words)
        return DriverError(f"the driver {self._name} {what}" + (f"; its last words: {words}" if words else ""))


def group_memory(group: int) -> int:
    """Bytes of memory that the processes of a group hold; 0 where ``/proc`` does not tell."""
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
