"""A script for mitmproxy, which runs it: prints each flow as a line of NDJSON, with bodies as they were sent."""

from __future__ import annotations

import base64
import json
from typing import Any


def response(flow: Any) -> None:
    """Print a flow that was answered."""
    _print(flow, flow.response)


def error(flow: Any) -> None:
    """Print a flow that got no answer, or none to its end."""
    _print(flow, None)


def _print(flow: Any, answer: Any) -> None:
    asked, notes = flow.request, []
    request = {"method": asked.method, "url": asked.url, **_message(asked)}
    if asked.raw_content is None:
        notes.append(["request-body", "not-recorded"])
    if answer is not None and answer.raw_content is None:  # it was streamed
        notes += [["response-body", "not-recorded"], ["response-status", str(answer.status_code)]]
        answer = None
    line = {
        "sent_at": asked.timestamp_start,
        "answered_at": None if answer is None else answer.timestamp_end,
        "whole": True,
        "request": request,
        "response": answer and {"status": answer.status_code, **_message(answer)},
        "notes": notes,
    }
    print(json.dumps(line), flush=True)


def _message(message: Any) -> dict[str, Any]:
    """Headers and body, its content coding undone."""
    body = message.get_content(strict=False) or b""
    return {
        "headers": [list(pair) for pair in message.headers.items(multi=True)],
        "body": {"base64": base64.b64encode(body).decode()},
    }
