"""The format of a file, detected by its content, and documents of every kind with their readers."""

from __future__ import annotations

import codecs
import importlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from conformance.http.exchange import Exchange
from conformance.recordings import har, ndjson, vcr
from conformance.recordings.containers import LARGEST
from conformance.recordings.dialects import Dialect, dialect_of, exchanges_of
from conformance.recordings.dialects.no_recordings import refusal_of
from conformance.recordings.metadata import HEADER_KEY, InvalidRecordingError, NotARecordingError, kind_of
from conformance.recordings.mitmproxy_flows import are_flows

__all__ = ["COMPRESSED", "document_in", "is_part", "kind_of_file", "read_parts", "reader_of", "shows_an_exchange"]

_NAME_A_RECORDING = "name a VCR cassette, a HAR or an NDJSON of exchanges"
_REPAIR = "record it again, or repair it there"
_HEAD = 2**16
#: The first bytes of zlib (mitmproxy's .zhar), bzip2 and XZ, and of what is compressed several times over.
COMPRESSED = (b"x\x01", b"x\x9c", b"x\xda", b"BZh9", b"\xfd7zXZ", b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd")
_FIRST_KEY = re.compile(r'\{\s*"(\w+)"\s*:')
#: A key without quotes: JSON5, as talkback writes it.
_JSON5 = re.compile(r"\{\s*[A-Za-z_]\w*\s*:")
#: A key that recordings of every kind have, and the bytes in which it comes.
_EXCHANGE, _SOON = re.compile(rb"\b(?:req|request|response|scope)[\"']?\s*:"), 2**20
_OTHER_YAML = "a YAML document without `interactions`"
_Reader = Callable[[Path, Mapping[str, Any]], Iterator[Exchange]]
#: The reader of a JSON document, by a key in it.
_READERS: Mapping[str, _Reader] = {
    "log": har.read_document,
    **dict.fromkeys(vcr.INTERACTIONS, vcr.read_document),
    ndjson.LINES: ndjson.read_document,
}


def kind_of_file(path: Path) -> str:
    """The format of a file: ``yaml`` (VCR), ``har``, ``exchanges`` (our NDJSON), ``events`` (Schemathesis'), ``flows``
    (mitmproxy's) or a ``document``.

    Raises InvalidRecordingError.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except IsADirectoryError:
        raise InvalidRecordingError(path, "a folder", "name the recordings in it") from None
    except OSError as error:
        raise InvalidRecordingError(path, error.strerror or str(error), "name a file that can be read") from None
    if are_flows(head):
        return "flows"
    text = _text(path, head).lstrip("\ufeff \t\r\n")
    if not text:
        raise InvalidRecordingError(path, "an empty file", _NAME_A_RECORDING)
    if not text.startswith(("{", "[")):
        return "yaml" if vcr.is_cassette(path) else "document"
    first = _FIRST_KEY.match(text)
    if first and first[1] in _READERS:
        return "har" if first[1] == "log" else "document"
    return _kind_of_line(path)


def _text(path: Path, head: bytes) -> str:
    if head.startswith(COMPRESSED):
        raise InvalidRecordingError(path, "a compressed file", "unpack it first")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InvalidRecordingError(path, "text in UTF-16", "save it as UTF-8")
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < _HEAD)
    except UnicodeDecodeError as error:
        if b"\0" in head:
            raise InvalidRecordingError(path, "a binary file", _NAME_A_RECORDING) from None
        place = f"line {head.count(10, 0, error.start) + 1}, byte {error.start + 1} of the file"
        raise InvalidRecordingError(path, "not UTF-8", "save it as UTF-8", place) from None
    if text.count("\0") * 3 > len(text):
        raise InvalidRecordingError(path, "text in UTF-16", "save it as UTF-8")
    if "\0" in text:
        raise InvalidRecordingError(
            path, "a NUL character", _REPAIR, f"line {text[: text.index(chr(0))].count(chr(10)) + 1}"
        )
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
    if isinstance(first, Mapping) and _reader(first) is None:
        if ndjson.is_ours(first):
            return "exchanges"
        if "Initialize" in first:
            return "events"
    return "document"


def document_in(path: Path) -> Any:
    """The document in a file of JSON, JSON5 or YAML; `reader_of` has its reader.  Raises InvalidRecordingError."""
    with path.open("rb") as stream:
        content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise InvalidRecordingError(path, f"larger than {LARGEST >> 20} MiB", "split it, or write it as NDJSON")
    start = content[:_HEAD].decode("utf-8", "ignore").lstrip("\ufeff \t\r\n")
    if _JSON5.match(start):
        document = _json5(path, content)
    elif start.startswith(("{", "[")):
        document = _in_a_mapping(_json(path, content))
    else:
        document = vcr.document_in_yaml(path)
    if refusal := refusal_of(document):
        raise NotARecordingError(path, f"no recording: {refusal.name}", refusal.advice)
    if _reader(document) is None:
        found = "JSON without `log`, `interactions` or exchanges" if start[0] in "{[" else _OTHER_YAML
        raise NotARecordingError(path, f"no recording: {found}", _NAME_A_RECORDING)
    return document


def shows_an_exchange(path: Path) -> bool:
    """Whether a file that cannot be read has what every recording has, so that it is a broken one."""
    try:
        with path.open("rb") as stream:
            return _EXCHANGE.search(stream.read(_SOON)) is not None
    except (OSError, InvalidRecordingError):
        return True


def reader_of(document: Any) -> _Reader:
    """The reader of a document that `document_in` gave."""
    reader = _reader(document)
    assert reader is not None
    return reader


def _reader(document: Any) -> _Reader | None:
    if isinstance(document, Mapping):
        for key, reader in _READERS.items():
            if key in document:
                return reader
    dialect = dialect_of(document)
    return None if dialect is None else partial(_read_dialect, dialect)


def _read_dialect(dialect: Dialect, path: Path, document: Any) -> Iterator[Exchange]:
    return exchanges_of(dialect, [(path, document)])


def is_part(document: Any) -> bool:
    """Whether a document is a part of a recording, whose others are in the same folder."""
    dialect = dialect_of(document)
    return dialect is not None and dialect.is_part(document)


def read_parts(paths: Iterable[Path]) -> Iterator[Exchange]:
    """The exchanges of files that are the parts of one recording."""
    documents = [(path, document_in(path)) for path in paths]
    dialect = dialect_of(documents[0][1])
    assert dialect is not None
    return exchanges_of(dialect, documents)


def _json(path: Path, content: bytes) -> Any:
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        if problem := _problem_of_first_line(error.doc):
            raise InvalidRecordingError(path, problem, _NAME_A_RECORDING, "line 1") from None
        place = f"line {error.lineno} column {error.colno}"
        raise InvalidRecordingError(path, f"broken JSON ({error.msg})", _REPAIR, place) from None
    except UnicodeDecodeError:
        raise InvalidRecordingError(path, "no text in UTF-8", _REPAIR) from None
    except (RecursionError, ValueError):
        raise InvalidRecordingError(path, "JSON nested too deep, or with a number too long", _REPAIR) from None
    if isinstance(document, dict):
        document.pop(ndjson.LINES, None)
    return document


def _json5(path: Path, content: bytes) -> Any:
    try:
        json5 = importlib.import_module("json5")
    except ImportError:
        raise InvalidRecordingError(
            path, "JSON5, as talkback writes it", "install cronofy-conformance[talkback] to read it"
        ) from None
    try:
        return json5.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise InvalidRecordingError(path, "broken JSON5", _REPAIR) from None


def _in_a_mapping(document: object) -> object:
    """A list of exchanges, or the separate archives of Polly.js, as one document."""
    if isinstance(document, list) and document and ndjson.is_ours(document[0]):
        first = document[0]
        if HEADER_KEY in first or "sent_at" in first or "request" not in first:
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


def _problem_of_first_line(text: str) -> str:
    """The problem of the first of several lines of JSON; empty for any other broken JSON."""
    text = text.lstrip()
    try:
        first, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return ""
    if "\n" in text[:end]:
        return ""
    if not isinstance(first, dict):
        return f"no exchange: expected an object, found {kind_of(first)}"
    return "" if _reader(first) is not None else "no exchange: an object without `request`"
