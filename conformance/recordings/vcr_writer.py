"""VCR cassettes that vcrpy replays, with more that vcrpy ignores: times, exact headers, unanswered requests."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from conformance.http.exchange import Exchange, Headers, Response
from conformance.http.redaction import Redactor, scrub
from conformance.recordings.metadata import HEADER_KEY, RecordingMetadata
from conformance.recordings.parsing import headers_of
from conformance.recordings.private_files import private
from conformance.recordings.vcr import UNANSWERED

__all__ = ["write_vcr"]


def write_vcr(
    path: Path, exchanges: Iterable[Exchange], header: RecordingMetadata, redactor: Redactor | None = None
) -> None:
    """Writes a cassette that vcrpy replays and `read` reads back unchanged; at an error, no file is written.

    The redactor checks every part first: SecretLeakError if it contains a token.  Exchanges without a response go under
    `unanswered`, since vcrpy has nothing to replay for them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        with open(draft, "w", encoding="utf-8", newline="\n", opener=private) as stream:
            for text, where in _texts([scrub(exchange) for exchange in exchanges], header):
                if redactor is not None:
                    redactor.check(text, f"{path}, {where}")
                stream.write(text)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _texts(exchanges: list[Exchange], header: RecordingMetadata) -> Iterator[tuple[str, str]]:
    yield _yaml({HEADER_KEY: header.document(), "version": 1}), "header"
    numbered = list(enumerate(exchanges, 1))
    lists = (
        (UNANSWERED, [(n, e) for n, e in numbered if e.response is None], True),
        ("interactions", [(n, e) for n, e in numbered if e.response is not None], False),
    )
    for key, held, apart in lists:
        if held or not apart:
            yield f"{key}:\n" if held else f"{key}: []\n", key
        for number, exchange in held:
            position = {"position": number} if apart else {}
            yield _yaml([position | _interaction(exchange)]), f"exchange {number}"


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """YAML without anchors, so that each interaction is self-contained."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(value: Any) -> str:
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**30)
    return text


def _interaction(exchange: Exchange) -> dict[str, Any]:
    request, response = exchange.request, exchange.response
    item: dict[str, Any] = {"label": _printable(exchange.label)}
    times = {"sent": exchange.sent_at, "answered": exchange.answered_at, "resolution": exchange.time_resolution or None}
    item["recorded_at"] = {name: float(value) for name, value in times.items() if value is not None}
    if not exchange.headers_complete:
        item["whole"] = False
    if exchange.notes:
        item["notes"] = [[_printable(name), _printable(value)] for name, value in exchange.notes]
    shown = _shown(request.headers)
    item["request"] = {
        "method": request.method,
        "uri": _printable(request.url),
        "headers": shown,
        "body": _body(request.body),
    }
    exact = {} if headers_of(shown, "") == request.headers else {"request": _exact(request.headers)}
    if response is not None:
        replayed = _shown(_replayable(response))
        item["response"] = {
            "status": {"code": response.status, "message": _phrase(response.status)},
            "headers": replayed,
            "body": {"string": _body(response.body)},
        }
        if headers_of(replayed, "") != response.headers:
            exact["response"] = _exact(response.headers)
    return item | ({"exact": exact} if exact else {})


def _replayable(response: Response) -> Headers:
    """The headers without those of codings that the body no longer has: a client would undo them again."""
    untrue = {"content-encoding", "transfer-encoding"}
    if response.header("content-length") != str(len(response.body)):
        untrue.add("content-length")
    return tuple((name, value) for name, value in response.headers if name.lower() not in untrue)


def _shown(headers: Headers) -> dict[str, list[str]]:
    shown: dict[str, list[str]] = {}
    for name, value in headers:
        shown.setdefault(_printable(name), []).append(_printable(value))
    return shown


def _exact(headers: Headers) -> list[list[str]]:
    return [[_printable(name), _printable(value)] for name, value in headers]


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _body(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def _phrase(status: int) -> str:
    from httpx import codes  # its phrases, unlike those of http.HTTPStatus, are the same in every Python

    return codes.get_reason_phrase(status)
