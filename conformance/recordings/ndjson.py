"""NDJSON: our own with an exchange a line, in the order sent; like lines of other loggers; Schemathesis' events."""

from __future__ import annotations

import codecs
import json
import math
import re
import warnings
from array import array
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import compress
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from conformance.http.exchange import PASSED_OVER, Exchange
from conformance.http.json_text import parsed
from conformance.recordings.containers import opened_to_seek
from conformance.recordings.corrections import (
    CLOCK_ERROR,
    by_server_clock,
    complete_where_authorized,
    without_filtered,
)
from conformance.recordings.flat_lines import flat_exchange, has_messages, is_flat, times_in
from conformance.recordings.heads import Selection
from conformance.recordings.line_parts import from_parts, read_line, request_in, response_in
from conformance.recordings.metadata import (
    HEADER_KEY,
    InvalidRecordingError,
    MalformedPartError,
    RecordingMetadata,
    TruncatedWarning,
    reading,
)
from conformance.recordings.parsing import assemble, body_of, headers_of, number_of, object_of, status_of, time_of
from conformance.recordings.vcr import foreign_exchange

__all__ = [
    "LINES",
    "LONGEST_LINE",
    "exchange_in",
    "header_of",
    "is_ours",
    "metadata_in",
    "read_document",
    "read_events",
    "read_ours",
    "texts_of",
]

#: The key of a JSON list of our lines in a document; no file has it.
LINES = ""
#: Bytes of the longest line that is read.
LONGEST_LINE = 64 * 2**20
_ADVICE = "remove the line, or record it again"
#: What only a line of ours has beside a request and a response.
_OURS = frozenset({"sent_at", "answered_at", "whole"})
#: A time, or ``null``; what has the length of a usual one lies in these centuries.
_SENT_AT = re.compile(rb'\{"sent_at": ?(([0-9]{9,10}(?:\.[0-9]+)?)|-?[0-9.eE+-]+|null),')
#: The error of Schemathesis' times, in seconds: they include its own work.
_SCHEMATHESIS_RESOLUTION = 0.1


def is_ours(document: object) -> bool:
    """Whether the first line of an NDJSON is one that is read here: a header, or an exchange of any logger."""
    if not isinstance(document, dict):
        return False
    return HEADER_KEY in document or "request" in document or (is_flat(document) and has_messages(document))


def header_of(path: Path) -> RecordingMetadata | None:
    """The header in the first line of a file that `is_ours`; None where there is none."""
    line = next(_lines(path, quietly=True))
    document = _parsed(path, line)
    with reading(path, f"line {line.number}", _ADVICE):
        return RecordingMetadata.of(document[HEADER_KEY]) if HEADER_KEY in document else None


def read_ours(path: Path, selection: Selection | None = None) -> Iterator[Exchange]:
    """The exchanges of an NDJSON of ours in the order sent, with one at a time in memory.

    With a `selection`, those in its lines, which say how many are passed over; one that stands for those that are
    passed over after the last line is the last.
    """
    name = path.as_posix()
    if selection is None:
        for line in _lines(path) if _in_order(path) else _sorted_lines(path):
            exchange = _read(path, line, f"{name}#{line.number}")
            if exchange is not None:
                yield exchange
        return
    passed = following = 0
    lines, left_out = _lines if selection.in_order else _sorted_lines, partial(selection.taken.count, 0)
    for line in lines(path, taken=selection.taken):
        place = line.place
        if place > following:
            passed += left_out(following, place)
        following = place + 1
        exchange = _read(path, line, f"{name}#{line.number}")
        if exchange is not None:
            wait = selection.waits[place]
            if wait == Selection.FAR:
                wait = selection.further[place]
            until = passed + 1 + (left_out(following, place + wait) if wait > 1 else 0) if wait else 0
            yield replace(exchange, passed=(passed, until))
    passed += left_out(following, len(selection.taken))
    yield Exchange(PASSED_OVER, None, passed=(passed, 0))


def _read(path: Path, line: _Line, label: str) -> Exchange | None:
    """The exchange in a line; None for a header.  Raises InvalidRecordingError."""
    exchange = read_line(line.text, label)
    if exchange is None:
        document = _parsed(path, line)
        with reading(path, f"line {line.number}", _ADVICE):
            exchange = _exchange(document, label)
    return exchange


def metadata_in(path: Path, number: int, text: bytes) -> RecordingMetadata | None:
    """The header in a line; None for any other line.  Raises InvalidRecordingError."""
    if HEADER_KEY.encode() not in text[:40]:
        return None
    document = _parsed(path, _Line(number, 0, text))
    with reading(path, f"line {number}", _ADVICE):
        held = isinstance(document, dict) and HEADER_KEY in document
        return RecordingMetadata.of(document[HEADER_KEY]) if held else None


def exchange_in(path: Path, number: int, text: bytes) -> Exchange:
    """The exchange in a line of ours.  Raises InvalidRecordingError."""
    with reading(path, f"line {number}", _ADVICE):
        exchange = _read(path, _Line(number, 0, text), f"{path.as_posix()}#{number}")
        if exchange is None:
            raise MalformedPartError("no exchange")
        return exchange


def texts_of(path: Path, *, in_order: bool) -> Iterator[bytes]:
    """The lines as a selection counts them: in the order sent, or as they stand where they are `in_order`.

    Raises InvalidRecordingError.
    """
    if not in_order:
        yield from (line.text for line in _sorted_lines(path, quietly=True))
        return
    with path.open("rb") as stream:
        yield from iter(partial(stream.readline, LONGEST_LINE + 1), b"")


def read_document(path: Path, document: Mapping[str, Any]) -> Iterator[Exchange]:
    """The exchanges of a JSON list of our lines."""
    for number, item in enumerate(document[LINES], 1):
        with reading(path, f"item {number}", _ADVICE):
            exchange = _exchange(item, f"{path.as_posix()}#{number}")
        if exchange is not None:
            yield exchange


def read_events(path: Path) -> Iterator[Exchange]:
    """The exchanges among Schemathesis' events, scenario after scenario."""
    yield from without_filtered(by_server_clock(complete_where_authorized(_of_events(path))))


class _Line(Struct, frozen=True):
    """A line: its number from 1, its offset in the file, its bytes, and its place among those in the order sent."""

    number: int
    start: int
    text: bytes
    place: int = 0


def _lines(path: Path, quietly: bool = False, taken: bytes | None = None) -> Iterator[_Line]:
    """The lines that are not blank; an incomplete last one is left out, with a warning unless `quietly`.

    Where it is said of each whether it is `taken`, those that are, without their offsets.
    """
    start = 0
    with path.open("rb") as stream:
        texts = iter(partial(stream.readline, LONGEST_LINE + 1), b"")
        numbered: Iterator[tuple[int, bytes]] = enumerate(texts, 1)
        if taken is not None:  # without a step of Python for each of the others
            numbered = compress(numbered, taken)
        for number, text in numbered:
            at = start
            start += len(text)
            if len(text) > LONGEST_LINE:
                raise InvalidRecordingError(path, f"longer than {LONGEST_LINE >> 20} MiB", _ADVICE, f"line {number}")
            if text.isspace():
                continue
            if text.endswith(b"\n") or not _is_cut_off(text):
                yield _Line(number, at, text, number - 1)
            elif not quietly:
                warnings.warn(
                    f"{path}, line {number}: cut off, as by a crash; left out", TruncatedWarning, stacklevel=2
                )


def _is_cut_off(text: bytes) -> bool:
    try:
        parsed(text.removeprefix(codecs.BOM_UTF8))
    except (ValueError, RecursionError):
        return True
    return False


def _parsed(path: Path, line: _Line) -> Any:
    try:
        return parsed(line.text.removeprefix(codecs.BOM_UTF8))
    except UnicodeDecodeError:
        problem = "no text in UTF-8"
    except json.JSONDecodeError as error:
        problem = f"broken JSON ({error.msg} at column {error.colno})"
    except (RecursionError, ValueError):
        problem = "JSON nested too deep, or with a number too long"
    raise InvalidRecordingError(path, problem, _ADVICE, f"line {line.number}")


def _in_order(path: Path) -> bool:
    last = -math.inf
    for line in _lines(path, quietly=True):
        usual = _SENT_AT.match(line.text)  # what `_sent_at` does first: of every line of a recording it is asked twice
        sent_at = float(usual[2]) if usual is not None and usual[2] else _sent_at(path, line)
        if sent_at is None:
            continue
        if sent_at < last:
            return False
        last = sent_at
    return True


def _sorted_lines(path: Path, quietly: bool = False, taken: bytes | None = None) -> Iterator[_Line]:
    """The lines sorted by time with an index of 24 bytes a line; without a time, a line stays behind the one before."""
    times, starts, numbers = array("d"), array("q"), array("q")
    last = -math.inf
    for line in _lines(path, quietly):
        sent_at = _sent_at(path, line)
        last = last if sent_at is None else sent_at
        times.append(last)
        starts.append(line.start)
        numbers.append(line.number)
    with opened_to_seek(path) as stream:
        for place, at in enumerate(sorted(range(len(times)), key=times.__getitem__)):
            if taken is None or taken[place]:
                stream.seek(starts[at])
                yield _Line(numbers[at], starts[at], stream.readline(), place)


def _sent_at(path: Path, line: _Line) -> float | None:
    match = _SENT_AT.match(line.text)
    if match and match[2]:
        return float(match[2])
    with reading(path, f"line {line.number}", _ADVICE):
        if match:
            return time_of(None if match[1] == b"null" else _number(match[1]), "sent_at")
        document = _parsed(path, line)
        if not isinstance(document, dict) or HEADER_KEY in document:
            return None
        if _is_in_our_words(document):
            return time_of(document.get("sent_at"), "sent_at")
        exchange = _exchange(document, "")
        return None if exchange is None else exchange.sent_at


def _number(text: bytes) -> float | str:
    try:
        number = float(text)
    except ValueError:
        return text.decode()
    return number if math.isfinite(number) else text.decode()


def _exchange(document: object, label: str) -> Exchange | None:
    document = object_of(document, "it")
    if HEADER_KEY in document:
        RecordingMetadata.of(document[HEADER_KEY])
        return None
    if not _is_in_our_words(document):
        read = flat_exchange if is_flat(document) else foreign_exchange
        return _timed_by_logger(document, read(document, label))
    asked, answer = object_of(document.get("request"), "request"), document.get("response")
    request, has_headers = request_in(asked)
    response = None if answer is None else response_in(object_of(answer, "response"))
    return from_parts(document, request, response, label, has_headers=has_headers)


def _is_in_our_words(document: Mapping[str, Any]) -> bool:
    return not _OURS.isdisjoint(document)


def _timed_by_logger(document: Mapping[str, Any], exchange: Exchange) -> Exchange:
    """The exchange of another logger, with its times (law clocks).

    ``timestamp`` may be when it was sent, or when it was answered: with ``duration_ms``, the exchange lies within both.
    A clock half an hour off the server's ``Date`` is not believed, and without one that date is the time.
    """
    date = exchange.response.date if exchange.response is not None else None
    time, took = times_in(document)
    at = _stamp(time)
    if at is None or (date is not None and abs(at - date) > CLOCK_ERROR):
        return replace(exchange, sent_at=date, answered_at=date, time_resolution=0.0 if date is None else 1.0)
    seconds = took / 1000 if isinstance(took, int | float) and 0 <= took <= 1000 * CLOCK_ERROR else 0.0
    return replace(exchange, sent_at=at - seconds, answered_at=at + seconds, time_resolution=0.0)


def _stamp(value: object) -> float | None:
    """The time that a logger gives; None where it is none that is understood."""
    try:
        return time_of(value, "timestamp")
    except MalformedPartError:
        return None


def _of_events(path: Path) -> Iterator[Exchange]:
    count = 0
    for line in _lines(path):
        for interaction in _interactions(_parsed(path, line)):
            count += 1
            with reading(path, f"line {line.number}", _ADVICE):
                exchange = _of_event(interaction, f"{path.as_posix()}#{count}")
            yield exchange


def _interactions(document: object) -> list[Mapping[str, Any]]:
    found: Any = document
    for name in ("ScenarioFinished", "recorder", "interactions"):
        found = found.get(name, {}) if isinstance(found, dict) else {}
    return [item for item in found.values() if isinstance(item, dict)] if isinstance(found, dict) else []


def _of_event(interaction: Mapping[str, Any], label: str) -> Exchange:
    request, response = object_of(interaction.get("request"), "request"), interaction.get("response")
    answer = {} if response is None else object_of(response, "response")
    at = time_of(interaction.get("timestamp"), "timestamp")
    headers = headers_of(request.get("headers"), "request.headers")
    elapsed = number_of(answer.get("elapsed"), "response.elapsed") or 0.0
    return assemble(
        method=request.get("method"),
        url=request.get("uri"),
        request_headers=headers,
        request_body=body_of(request.get("body"), "", "request.body"),
        status=None if response is None else status_of(answer.get("status_code")),
        response_headers=headers_of(answer.get("headers"), "response.headers"),
        response_body=None if "content_size" in answer else body_of(answer.get("content"), "", "response.content"),
        sent_at=None if at is None else at - elapsed,
        answered_at=at if response is not None else None,
        time_resolution=0.0 if at is None else _SCHEMATHESIS_RESOLUTION,
        label=label,
        headers_complete=bool(headers),
    )
