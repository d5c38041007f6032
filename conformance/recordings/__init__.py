"""Recordings of every kind are read into exchanges; NDJSON is written, and VCR cassettes by `vcr_writer`.

The content of a file, not its suffix, decides its format.  Tokens are replaced by account names.
"""

from __future__ import annotations

import heapq
import math
import re
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from conformance.http.exchange import Exchange
from conformance.http.redaction import Scrubber
from conformance.http.redaction.concealing import concealed
from conformance.recordings import har, ndjson, vcr
from conformance.recordings.containers import SUFFIXES, is_named_like_one, reopenable, unpacked
from conformance.recordings.detection import (
    document_in,
    is_part,
    kind_of_file,
    read_parts,
    reader_of,
    shows_an_exchange,
)
from conformance.recordings.heads import Selection
from conformance.recordings.metadata import (
    HEADER_KEY,
    InvalidRecordingError,
    NotARecordingError,
    RecordingMetadata,
    SkippedWarning,
    TruncatedWarning,
    UndecodedWarning,
    reading,
)
from conformance.recordings.mitmproxy_flows import read_flows
from conformance.recordings.ndjson_writer import NdjsonWriter
from conformance.recordings.parsing import NOT_RECORDED
from conformance.recordings.remote import Remote

__all__ = [
    "NOT_RECORDED",
    "InvalidRecordingError",
    "NdjsonWriter",
    "RecordingMetadata",
    "SkippedWarning",
    "TruncatedWarning",
    "UndecodedWarning",
    "header",
    "paths",
    "read",
    "read_all",
    "read_cassette",
    "runs",
]

#: Suffixes that other files in a folder may have too.
_ANYTHING = frozenset({".gz", ".json", ".json5", ".jsonl", ".ndjson", ".yaml", ".yml", ".zst"})
#: Files of a folder that are left out for one reason and named each; of more, some are.
_NAMED = 3
#: Exchanges of a foreign file that are held back to be sorted, and bytes of their bodies.
_WINDOW, _LARGEST_WINDOW = 10_000, 2**23
#: The readers of formats other than our own that are read one exchange at a time.
_STREAMED = {"yaml": vcr.read_yaml, "har": har.read_har, "events": ndjson.read_events, "flows": read_flows}
_SERIAL = re.compile(r"#(\d{1,18})\Z")


def read(
    path: Path, collect: Callable[[str], None] | None = None, selection: Selection | None = None
) -> Iterator[Exchange]:
    """The exchanges of one recording, scrubbed, in the order in which they were sent as far as their times are known.

    `collect` is called with each credential that is removed.  NDJSON, YAML and HAR are streamed; other JSON is
    held in memory; of NDJSON only the lines of a `selection` may be read.  Raises InvalidRecordingError, perhaps after
    some exchanges; warns with TruncatedWarning and UndecodedWarning.
    """
    for part in unpacked(path):
        for _, exchange in _timed(part, collect, selection):
            yield exchange


def read_cassette(
    document: Mapping[str, Any], name: str, collect: Callable[[str], None] | None = None
) -> Iterator[Exchange]:
    """The exchanges of a VCR cassette that is in memory, as `read` gives those of a file; `name` is in their labels.

    `document` is what the file would hold.  Raises InvalidRecordingError.
    """
    path = Path(name)
    for _, exchange in _in_order(_scrubbed(path, collect, vcr.read_document(path, document))):
        yield exchange


def read_all(recordings: Iterable[Path], collect: Callable[[str], None] | None = None) -> Iterator[Exchange]:
    """The exchanges of several recordings: files of one run are merged by time and label, others follow.

    Folders are walked as by `paths`.  Raises InvalidRecordingError before the first exchange if a file is no recording.
    """
    for known, files in runs(recordings):
        if len(files) == 1:
            yield from read(files[0], collect)
        elif known is None:
            yield from (one for _, one in _in_order(_scrubbed(files[0].parent, collect, read_parts(files))))
        else:
            merged = heapq.merge(
                *(_timed(file, collect) for file in files), key=lambda timed: (timed[0], _serial(timed[1]))
            )
            yield from (exchange for _, exchange in merged)


def runs(recordings: Iterable[Path]) -> list[tuple[RecordingMetadata | None, tuple[Path, ...]]]:
    """The files of each run with their header; of recorders that write a file for each exchange, those of a folder.

    Any other file is a run by itself.  Raises InvalidRecordingError.
    """
    headers: dict[object, RecordingMetadata | None] = {}
    files: dict[object, list[Path]] = {}
    for path in paths(recordings):
        known, part = _described(path)
        key = known.run if known and known.run else (path.parent,) if part else path
        headers.setdefault(key, known)
        files.setdefault(key, []).append(path)
    return [(headers[key], tuple(files[key])) for key in headers]


def paths(recordings: Iterable[Path]) -> tuple[Path, ...]:
    """Files as they are, URLs located, pipes read, what is compressed unpacked, folders walked: sorted, hidden files
    and other suffixes skipped, nothing twice.

    Warns with SkippedWarning of files in a folder or a ZIP that are no recordings.
    """
    found: dict[Path, None] = {}
    for path in recordings:
        if isinstance(path, Remote):
            found |= dict.fromkeys(_without_others(part for file in path.files() for part in unpacked(file)))
            continue
        if not path.is_dir():
            inside = unpacked(reopenable(path))
            found |= dict.fromkeys(inside if len(inside) == 1 else _without_others(inside))
            continue
        candidates = [file for file in sorted(path.rglob("*")) if _is_recording(file, path)]
        files = tuple(_without_others(part for file in candidates for part in _unpacked_or_named(file)))
        if not files:
            raise InvalidRecordingError(path, "a folder without a recording", f"recordings end in {' '.join(SUFFIXES)}")
        found |= dict.fromkeys(files)
    return tuple(found)


def header(path: Path) -> RecordingMetadata | None:
    """The metadata of a recording of ours; None for a foreign one.  Raises InvalidRecordingError."""
    return _described(path)[0]


def _described(path: Path) -> tuple[RecordingMetadata | None, bool]:
    """The metadata of a recording of ours, and whether it is a part of one of another recorder."""
    path = unpacked(path)[0]
    match kind_of_file(path):
        case "yaml":
            return vcr.header_of_yaml(path), False
        case "exchanges":
            return ndjson.header_of(path), False
        case "document":
            document = document_in(path)
            with reading(path, HEADER_KEY):
                held = isinstance(document, dict) and HEADER_KEY in document
                return RecordingMetadata.of(document[HEADER_KEY]) if held else None, is_part(document)
    return None, False


def _is_recording(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return not hidden and is_named_like_one(file.name) and file.is_file()


def _unpacked_or_named(file: Path) -> tuple[Path, ...]:
    try:
        return unpacked(file)
    except NotARecordingError as error:
        warnings.warn(f"{error.problem}; left out", SkippedWarning, stacklevel=2)
        return ()


def _without_others(files: Iterable[Path]) -> Iterator[Path]:
    """`files` without those that are no recordings, which are named."""
    left_out: dict[tuple[str, str], list[Path]] = {}
    for file in files:
        try:
            if file.suffix.lower() in _ANYTHING:
                header(file)
        except InvalidRecordingError as error:
            # What is broken is raised again when it is read, if it is one.
            if isinstance(error, NotARecordingError) or not shows_an_exchange(file):
                left_out.setdefault(
                    (str(file).rpartition("/")[0] or ".", error.problem.removeprefix(str(file))), []
                ).append(file)
                continue
        yield file
    for (folder, problem), others in left_out.items():
        names = [str(file) for file in others]
        if len(names) > _NAMED:
            names = [f"{folder}: {len(names)} files, such as {others[0].name}"]
        for name in names:
            warnings.warn(f"{name}{problem}; left out", SkippedWarning, stacklevel=2)


def _timed(
    path: Path, collect: Callable[[str], None] | None, selection: Selection | None = None
) -> Iterator[tuple[float, Exchange]]:
    """The exchanges in the order in which they were sent, each with its sort key."""
    kind = kind_of_file(path)
    if kind == "exchanges":
        return _keyed(_scrubbed(path, collect, ndjson.read_ours(path, selection)))
    if kind == "document":
        document = document_in(path)
        return _in_order(_scrubbed(path, collect, reader_of(document)(path, document)))
    return _in_order(_scrubbed(path, collect, _STREAMED[kind](path)))


def _scrubbed(path: Path, collect: Callable[[str], None] | None, exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
    """`exchanges` without credentials; warns once of each content coding that was not undone."""
    codings: set[str] = set()
    conceal = Scrubber(collect=collect)
    for exchange in exchanges:
        for name, coding in exchange.notes:
            if name in ("request-coding", "response-coding") and coding not in codings:
                codings.add(coding)
                warnings.warn(
                    f"{path}: bodies coded in {coding} count as not recorded;"
                    " install cronofy-conformance[compression] to read them",
                    UndecodedWarning,
                    stacklevel=2,
                )
        yield concealed(exchange, conceal)


def _keyed(exchanges: Iterable[Exchange]) -> Iterator[tuple[float, Exchange]]:
    """The exchanges with their times as sort keys; without an exact time, that of the exchange before."""
    last = -math.inf
    for exchange in exchanges:
        if exchange.sent_at is not None and exchange.time_resolution < 1:
            last = exchange.sent_at
        yield last, exchange


def _serial(exchange: Exchange) -> int:
    """The number in the label, which gives the order where a virtual clock stood still."""
    match = _SERIAL.search(exchange.label)
    return int(match[1]) if match else 0


def _in_order(exchanges: Iterable[Exchange]) -> Iterator[tuple[float, Exchange]]:
    """The exchanges with their sort keys, sorted as far as those go that are held back at a time."""
    held: deque[tuple[float, int, Exchange]] = deque()
    late: list[tuple[float, int, Exchange]] = []  # a heap of those that came after later ones
    size, newest = 0, -math.inf
    for number, (key, exchange) in enumerate(_keyed(exchanges)):
        if key >= newest:
            newest = key
            held.append((key, number, exchange))
        else:
            heapq.heappush(late, (key, number, exchange))
        size += _size(exchange)
        while size > _LARGEST_WINDOW or len(held) + len(late) > _WINDOW:
            key, _, first = heapq.heappop(late) if late and (not held or late[0] < held[0]) else held.popleft()
            size -= _size(first)
            yield key, first
    yield from ((key, exchange) for key, _, exchange in heapq.merge(held, sorted(late)))


def _size(exchange: Exchange) -> int:
    return len(exchange.request.body) + (len(exchange.response.body) if exchange.response is not None else 0)
