"""Receiving an answer: its body within limits, and what could not be received as a note."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from conformance.http.content_coding import ContentCodingError, OversizedBodyError, decode
from conformance.http.exchange import NOT_RECORDED, Headers, Response

__all__ = ["Limits", "Notes", "receive"]

Notes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on what a subject may answer.

    On one response: decoded `body` bytes, JSON objects and arrays in it (`values`), `seconds` in all, and `attempts`
    while the subject is busy.  On a reading: `pages`.  On a run: bytes of different `bodies`, and different `events`.
    The pause between attempts begins at `first_pause` seconds and doubles up to `longest_pause`.  After `patience`
    seconds in which nothing was answered the subject is gone.
    """

    body: int = 8 * 1024 * 1024
    values: int = 20_000
    pages: int = 200
    bodies: int = 128 * 1024 * 1024
    events: int = 50_000
    seconds: float = 20.0
    attempts: int = 6
    first_pause: float = 0.1
    longest_pause: float = 60.0
    connections: int = 16
    patience: float = 15.0


async def receive(client: httpx.AsyncClient, request: httpx.Request, limits: Limits) -> tuple[Response | None, Notes]:
    """The response to a request.  A body that does not decode is empty, and a note says so.

    A response whose body is over a limit is None, with notes of its status and of why: nothing is known of its body.
    Raises what `httpx` raises where there is no response.
    """
    answer = await client.send(request, stream=True, follow_redirects=False)
    try:
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers.raw)
        raw = bytearray()
        async for chunk in answer.aiter_raw():
            raw += chunk
            if len(raw) > limits.body:
                break
        try:
            body, notes = _decoded(bytes(raw), headers, limits)
        except OversizedBodyError as error:
            status = ("response-status", str(answer.status_code))
            return None, (("response-body", NOT_RECORDED), status, ("body", f"{error}: left unread"))
        return Response(answer.status_code, headers, body), notes
    finally:
        await answer.aclose()


def _decoded(raw: bytes, headers: Headers, limits: Limits) -> tuple[bytes, Notes]:
    """The body without its content coding, and a note if it does not decode.  Raises OversizedBodyError."""
    coding = ",".join(value for name, value in headers if name.lower() == "content-encoding")
    try:
        body = decode(raw, coding, limits.body)
    except OversizedBodyError:
        raise
    except ContentCodingError as error:
        return b"", (("body", f"its Content-Encoding does not decode: {error}"),)
    if body.count(b"{") + body.count(b"[") > limits.values:
        raise OversizedBodyError(f"over {limits.values} JSON objects and arrays")
    return body, ()
