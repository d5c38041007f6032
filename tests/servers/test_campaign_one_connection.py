"""A server that serves a single connection gets one request at a time."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from conformance.servers.campaign import run
from conformance.servers.run_options import RunOptions
from conformance.servers.subject import preflight

CALENDAR = {
    "calendar_id": "cal_1", "provider_name": "google", "calendar_readonly": False, "calendar_deleted": False,
    "calendar_integrated_conferencing_available": True,
}  # fmt: skip
ANSWERS: dict[str, Any] = {
    "/v1/calendars": {"calendars": [CALENDAR]},
    "/v1/userinfo": {"sub": "acc_1", "cronofy.data": {"profiles": []}},
    "/v1/events": {"pages": {"current": 1, "total": 1}, "events": []},
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections stay open, and the server has one thread

    def do_GET(self) -> None:
        body = json.dumps(ANSWERS[self.path.partition("?")[0]]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


@contextmanager
def serving() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_server_of_one_connection_gets_one_request_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_CONCURRENT_WAIT", 0.5)
    with serving() as url:
        result = asyncio.run(run(RunOptions(url, {"default": "token"}, plan=True)))
    assert [exchange.response.status for exchange in result.exchanges if exchange.response] == [200] * len(
        result.exchanges
    )
    paths = [exchange.request.path for exchange in result.exchanges]
    assert set(paths) == set(ANSWERS)
    assert result.plan.scenarios
