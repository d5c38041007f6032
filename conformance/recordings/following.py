"""A growing NDJSON: the exchanges as they are appended, from a file or a stream."""

from __future__ import annotations

import os
import stat
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO

from conformance.http.exchange import Exchange
from conformance.http.redaction import scrub
from conformance.http.redaction.concealing import concealed
from conformance.recordings.containers import is_ready, opened_at_once
from conformance.recordings.detection import COMPRESSED
from conformance.recordings.metadata import InvalidRecordingError, RecordingMetadata, SkippedWarning
from conformance.recordings.ndjson import LONGEST_LINE, exchange_in, metadata_in

__all__ = ["follow"]

#: Seconds between two looks at what was appended.
_POLL = 0.2
_PIECE = 2**16


def follow(
    path: Path,
    idle: Callable[[float], bool],
    collect: Callable[[str], None],
    described: Callable[[RecordingMetadata], None] = lambda _: None,
) -> Iterator[Exchange]:
    """The exchanges in the lines of an NDJSON, scrubbed, in file order, as they are appended; a stream until its end.

    While nothing comes, `idle` is called with the seconds that this has lasted; what it gives says whether to stop.  A
    file that was replaced or cut, as by a rotation of logs, is read again from its start.  `collect` is called with
    each credential that is removed, `described` with the header of a recording of ours.  A line that is no exchange is
    left out, with a SkippedWarning.  Raises InvalidRecordingError for a file that cannot be read.
    """
    number = 0
    rest = b""
    for data in chain(_pieces(path, idle), (b"\n",)):  # the last line may have no end
        if not number and not rest and data.startswith(COMPRESSED):
            advice = "read it without --follow, or what unpacks it through /dev/stdin"
            raise InvalidRecordingError(path, "a compressed file, which does not grow", advice)
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            number += 1
            if not line.strip():
                continue
            try:
                if (metadata := metadata_in(path, number, line)) is not None:
                    described(metadata)
                    continue
                exchange = exchange_in(path, number, line)
            except InvalidRecordingError as error:
                warnings.warn(f"{error.problem}; left out", SkippedWarning, stacklevel=2)
                continue
            yield concealed(exchange, partial(scrub, collect=collect))
        if len(rest) > LONGEST_LINE:
            raise InvalidRecordingError(path, f"longer than {LONGEST_LINE >> 20} MiB", "split it", f"line {number + 1}")


def _pieces(path: Path, idle: Callable[[float], bool]) -> Iterator[bytes]:
    try:
        stream = opened_at_once(path)
    except OSError as error:
        raise InvalidRecordingError(path, error.strerror or str(error), "name a file that can be read") from None
    since = time.monotonic()
    try:
        while True:
            data = stream.read(_PIECE) if is_ready(stream) else None
            if data:
                since = time.monotonic()
                yield data
                continue
            if data == b"" and not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                return  # the end of a stream
            if idle(time.monotonic() - since):
                return
            if data == b"":
                time.sleep(_POLL)
                with suppress(FileNotFoundError):  # between two files of a rotation
                    if _was_replaced(path, stream):
                        with stream as held:
                            stream = opened_at_once(path)
                            if os.path.sameopenfile(held.fileno(), stream.fileno()):
                                lost = "cut, and what was written just before may be lost; rotate by renaming"
                                warnings.warn(f"{path}: {lost}", SkippedWarning, stacklevel=2)
                            yield from iter(partial(held.read, _PIECE), b"")  # what was written last
                        yield b"\n"  # a line that was cut off in the file before ends there
    except OSError as error:
        raise InvalidRecordingError(path, error.strerror or str(error), "name a file that can be read") from None
    finally:
        stream.close()


def _was_replaced(path: Path, stream: IO[bytes]) -> bool:
    """Whether a file was cut, or another one has its name and is written to.

    Until then its writer, who opens it later than a rotation makes it, goes on in the one that was renamed.
    """
    now = path.stat()
    return now.st_size < stream.tell() if os.path.samestat(now, os.fstat(stream.fileno())) else now.st_size > 0
