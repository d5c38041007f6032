"""Recordings: VCR cassettes (YAML, JSON), HAR and NDJSON become exchanges, and exchanges become recordings.

What a file is, its content says, not its suffix.  Tokens are replaced by account names on the way in.
"""

from __future__ import annotations

import codecs
import heapq
import json
import math
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from conformance.exchange import Exchange
from conformance.recordings import har, ndjson, vcr
from conformance.recordings.header import HEADER_KEY, CutOff, Header, LeftOut, NoRecording, Unreadable, kind_of, reading
from conformance.recordings.ndjson import NdjsonWriter
from conformance.recordings.parts import NOT_RECORDED
from conformance.recordings.piped import reopenable
from conformance.recordings.vcr_writing import write_vcr

__all__ = [
    "NOT_RECORDED",
    "CutOff",
    "Header",
    "LeftOut",
    "NdjsonWriter",
    "Unreadable",
    "header",
    "paths",
    "read",
    "read_all",
    "write_vcr",
]

_NAME_A_RECORDING = "name a VCR cassette, a HAR or an NDJSON of exchanges"
_REPAIR = "record it again, or repair it there"
_SUFFIXES = frozenset({".yaml", ".yml", ".json", ".har", ".ndjson", ".jsonl"})
#: What may stand beside recordings and be none.
_ANYTHING = frozenset({".yaml", ".yml", ".json"})
_HEAD = 2**16
#: How gzip, ZIP, zlib (mitmproxy's .zhar), bzip2, XZ and Zstandard begin.
_COMPRESSED = (b"\x1f\x8b", b"PK\x03\x04", b"x\x01", b"x\x9c", b"x\xda", b"BZh9", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
#: How far out of order a foreign file may be: exchanges that are held back to be sorted.
_WINDOW = 10_000
_FIRST_KEY = re.compile(r'\{\s*"(\w+)"\s*:')
_SERIAL = re.compile(r"#(\d{1,18})\Z")
_DOCUMENTS: Mapping[str, Callable[[Path, Mapping[str, Any]], Iterator[Exchange]]] = {
    "log": har.read_document,
    **dict.fromkeys(vcr.INTERACTIONS, vcr.read_document),
    ndjson.LINES: ndjson.read_document,
}


def read(path: Path) -> Iterator[Exchange]:
    """The exchanges of one recording, in the order in which they were sent where their times tell it.

    NDJSON and YAML are streamed; a HAR and VCR's JSON are held in memory.  Raises Unreadable, which may come after
    some exchanges; warns with CutOff.
    """
    for _, exchange in _timed(path):
        yield exchange


def read_all(recordings: Iterable[Path]) -> Iterator[Exchange]:
    """The exchanges of several recordings: files of one run are merged by time and label, others follow.

    Folders are walked as `paths` says.  Raises Unreadable before the first exchange where a file is no recording.
    """
    runs: dict[object, list[Path]] = {}
    for path in paths(recordings):
        known = header(path)
        runs.setdefault(known.run if known and known.run else path, []).append(path)
    for files in runs.values():
        if len(files) == 1:
            yield from read(files[0])
        else:
            merged = heapq.merge(*map(_timed, files), key=lambda timed: (timed[0], _serial(timed[1])))
            yield from (exchange for _, exchange in merged)


def paths(recordings: Iterable[Path]) -> tuple[Path, ...]:
    """Files as they are, pipes read, folders walked: sorted, hidden files and other suffixes skipped, nothing twice.

    Warns with LeftOut of the YAML and JSON files in a folder that are plainly something else.
    """
    found: dict[Path, None] = {}
    for path in recordings:
        if not path.is_dir():
            found[reopenable(path)] = None
            continue
        inside = [file for file in sorted(path.rglob("*")) if _is_recording(file, path) and not _is_other(file)]
        if not inside:
            raise Unreadable(path, "a folder without a recording", f"recordings end in {' '.join(sorted(_SUFFIXES))}")
        found |= dict.fromkeys(inside)
    return tuple(found)


def header(path: Path) -> Header | None:
    """What a recording of ours says of itself, from its first lines; None for a foreign one.  Raises Unreadable."""
    match _kind(path):
        case "yaml":
            return vcr.header_of_yaml(path)
        case "exchanges":
            return ndjson.header_of(path)
        case "document":
            document = _document(path)
            with reading(path, HEADER_KEY):
                return Header.of(document[HEADER_KEY]) if HEADER_KEY in document else None
    return None


def _is_recording(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return not hidden and file.suffix.lower() in _SUFFIXES and file.is_file()


def _is_other(file: Path) -> bool:
    if file.suffix.lower() not in _ANYTHING:
        return False
    try:
        header(file)
    except NoRecording as error:
        warnings.warn(f"{error.problem}; left out", LeftOut, stacklevel=2)
        return True
    except Unreadable:
        pass  # told when it is read
    return False


def _timed(path: Path) -> Iterator[tuple[float, Exchange]]:
    """The exchanges in the order in which they were sent, each with the time by which it is put there."""
    kind = _kind(path)
    if kind == "exchanges":
        return _keyed(ndjson.read_ours(path))
    if kind == "events":
        return _in_order(ndjson.read_events(path))
    if kind == "yaml":
        return _in_order(vcr.read_yaml(path))
    document = _document(path)
    reader = next(reader for key, reader in _DOCUMENTS.items() if key in document)
    return _in_order(reader(path, document))


def _keyed(exchanges: Iterable[Exchange]) -> Iterator[tuple[float, Exchange]]:
    """Where times are unknown, or no finer than a second, an exchange stays behind the one before it."""
    last = -math.inf
    for exchange in exchanges:
        if exchange.sent_at is not None and exchange.resolution < 1:
            last = exchange.sent_at
        yield last, exchange


def _serial(exchange: Exchange) -> int:
    """The number in the label that a run gave it: what tells the order where a virtual clock stood still."""
    match = _SERIAL.search(exchange.label)
    return int(match[1]) if match else 0


def _in_order(exchanges: Iterable[Exchange]) -> Iterator[tuple[float, Exchange]]:
    held: list[tuple[float, int, Exchange]] = []
    for number, (key, exchange) in enumerate(_keyed(exchanges)):
        item = (key, number, exchange)
        if len(held) < _WINDOW:
            heapq.heappush(held, item)
        else:
            key, _, exchange = heapq.heappushpop(held, item)
            yield key, exchange
    while held:
        key, _, exchange = heapq.heappop(held)
        yield key, exchange


def _kind(path: Path) -> str:
    """What a file holds: ``yaml``, ``exchanges`` (our NDJSON), ``events`` (Schemathesis') or a JSON ``document``."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except IsADirectoryError:
        raise Unreadable(path, "a folder", "name the recordings in it") from None
    except OSError as error:
        raise Unreadable(path, error.strerror or str(error), "name a file that can be read") from None
    text = _text(path, head).lstrip("\ufeff \t\r\n")
    if not text:
        raise Unreadable(path, "an empty file", _NAME_A_RECORDING)
    if not text.startswith(("{", "[")):
        return "yaml"
    first = _FIRST_KEY.match(text)
    if first and first[1] in _DOCUMENTS:
        return "document"
    return _kind_of_line(path)


def _text(path: Path, head: bytes) -> str:
    if head.startswith(_COMPRESSED):
        raise Unreadable(path, "a compressed file", "unpack it first")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Unreadable(path, "text in UTF-16", "save it as UTF-8")
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < _HEAD)
    except UnicodeDecodeError as error:
        if b"\0" in head:
            raise Unreadable(path, "a binary file", _NAME_A_RECORDING) from None
        place = f"line {head.count(10, 0, error.start) + 1}, byte {error.start + 1} of the file"
        raise Unreadable(path, "not UTF-8", "save it as UTF-8", place) from None
    if text.count("\0") * 3 > len(text):
        raise Unreadable(path, "text in UTF-16", "save it as UTF-8")
    if "\0" in text:
        raise Unreadable(path, "a NUL character", _REPAIR, f"line {text[: text.index(chr(0))].count(chr(10)) + 1}")
    return text


def _kind_of_line(path: Path) -> str:
    with path.open("rb") as stream:
        line = b""
        while not line.strip(b"\xef\xbb\xbf \t\r\n"):
            line = stream.readline(ndjson.LONGEST_LINE)
    try:
        first = json.loads(line)
    except (ValueError, RecursionError):
        return "document"
    if isinstance(first, Mapping) and not any(key in first for key in _DOCUMENTS):
        if ndjson.is_ours(first):
            return "exchanges"
        if "Initialize" in first:
            return "events"
    return "document"


def _document(path: Path) -> Mapping[str, Any]:
    try:
        with path.open(encoding="utf-8-sig") as stream:
            document = json.load(stream)
    except json.JSONDecodeError as error:
        if problem := _problem_of_first_line(error):
            raise Unreadable(path, problem, _NAME_A_RECORDING, "line 1") from None
        place = f"line {error.lineno} column {error.colno}"
        raise Unreadable(path, f"broken JSON ({error.msg})", _REPAIR, place) from None
    except UnicodeDecodeError:
        raise Unreadable(path, "no text in UTF-8", _REPAIR) from None
    except (RecursionError, ValueError):
        raise Unreadable(path, "JSON nested too deep, or with a number too long", _REPAIR) from None
    document = _in_a_mapping(document)
    if not isinstance(document, Mapping) or not any(key in document for key in _DOCUMENTS):
        raise NoRecording(path, "no recording: JSON without `log`, `interactions` or exchanges", _NAME_A_RECORDING)
    return document


def _in_a_mapping(document: object) -> object:
    """Lists of exchanges, and the archives that Polly.js stores side by side, as if they had been written as one."""
    if isinstance(document, list) and document and ndjson.is_ours(document[0]):
        first = document[0]
        if HEADER_KEY in first or "sent_at" in first:
            return {key: first[key] for key in first if key == HEADER_KEY} | {ndjson.LINES: document}
        return {vcr.INTERACTIONS[0]: document}
    if (
        isinstance(document, dict)
        and document
        and all(isinstance(it, dict) and "log" in it for it in document.values())
    ):
        logs = [archive["log"] for archive in document.values()]
        if all(isinstance(log, dict) and isinstance(log.get("entries"), list) for log in logs):
            return {"log": {**logs[0], "entries": [entry for log in logs for entry in log["entries"]]}}
    return document


def _problem_of_first_line(error: json.JSONDecodeError) -> str:
    """What is wrong in the first of several lines that each hold JSON; empty for any other broken JSON."""
    line = error.doc[: error.pos].strip()
    if error.msg != "Extra data" or "\n" in line:
        return ""
    first = json.loads(line)
    if not isinstance(first, dict):
        return f"no exchange: expected an object, found {kind_of(first)}"
    return "" if any(key in first for key in _DOCUMENTS) else "no exchange: an object without `request`"
