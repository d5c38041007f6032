"""Writing NDJSON: an exchange a line, as it happens."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from conformance.http.exchange import Exchange, Headers
from conformance.http.redaction import Redactor, scrub
from conformance.recordings.metadata import HEADER_KEY, RecordingMetadata
from conformance.recordings.private_files import private

__all__ = ["NdjsonWriter"]


class NdjsonWriter:
    """Writes exchanges to a file, a line each, flushed at once: they survive a crash.

    The redactor checks every line first: SecretLeakError if it contains a token; it is not written then.
    """

    def __init__(self, path: Path, header: RecordingMetadata, redactor: Redactor | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._redactor = path, redactor
        self._digest = hashlib.sha256()
        self._lines = 0
        self._stream: IO[bytes] = open(path, "wb", opener=private)  # noqa: SIM115 - closed by close
        self._append({HEADER_KEY: header.document()})

    def write(self, exchange: Exchange) -> str:
        """Appends one exchange; gives the SHA-256 of its line, without the line's end, in hexadecimal."""
        return self._append(_document(scrub(exchange)))

    @property
    def sha256(self) -> str:
        """The SHA-256 of the whole file so far, in hexadecimal."""
        return self._digest.hexdigest()

    def close(self) -> None:
        """Closes the file.  Idempotent."""
        self._stream.close()

    def __enter__(self) -> NdjsonWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append(self, document: Mapping[str, Any]) -> str:
        line = _line(document)
        if self._redactor is not None:
            self._redactor.check(line, f"{self._path}, line {self._lines + 1}")
        self._stream.write(line + b"\n")
        self._stream.flush()
        self._digest.update(line + b"\n")
        self._lines += 1
        return hashlib.sha256(line).hexdigest()


def _line(document: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(document, separators=(",", ":")).encode()


def _document(exchange: Exchange) -> dict[str, Any]:
    """An exchange as JSON; the time comes first, so that a file can be sorted without being parsed."""
    request, response = exchange.request, exchange.response
    document: dict[str, Any] = {"sent_at": exchange.sent_at, "answered_at": exchange.answered_at}
    if exchange.time_resolution:
        document["resolution"] = exchange.time_resolution
    document |= {
        "label": exchange.label,
        "whole": exchange.headers_complete,
        "request": {"method": request.method, "url": request.url} | _message(request.headers, request.body),
        "response": response and {"status": response.status} | _message(response.headers, response.body),
    }
    if exchange.notes:
        document["notes"] = exchange.notes
    return document


def _message(headers: Headers, body: bytes) -> dict[str, Any]:
    try:
        return {"headers": headers, "body": body.decode()}
    except UnicodeDecodeError:
        return {"headers": headers, "body": {"base64": base64.b64encode(body).decode()}}
