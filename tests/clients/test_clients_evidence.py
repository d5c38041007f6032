"""Whatever a body holds, the proxy keeps its exchange, and verifying what it wrote finds the same."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from clients_server import Answer, answering

TOKEN = "Tk-9fZ3pQ+7xL/2mN8vR4w=Yb6"


def _nested(text: str) -> str:
    for _ in range(6):
        text = base64.b64encode(text.encode()).decode()
    return text


EVENT = {"event_id": "a", "calendar_id": "cal_1", "conferencing": {"pending": True}}
PAGE: dict[str, Any] = {"pages": {"current": 1, "total": 1}, "events": [EVENT]}

#: The status, headers and body of each answer.
ANSWERS: tuple[Answer, ...] = (
    (200, {}, json.dumps(PAGE).encode()),
    (200, {}, b""),
    (200, {}, b"\x00\xff\xfe" * 50),
    (200, {}, b'{"pages": {"current": 1}, "events": [{"event_id": "\\ud800"}]}'),
    (200, {}, b'{"events": [{"event_id": "\xed\xa0\x80"}]}'),
    (200, {}, b'{"events": [' + b"[" * 5_000 + b"]" * 5_000 + b"]}"),
    (200, {}, b'{"events": [NaN, 1e999, -0.0, 12345678901234567890123]}'),
    (200, {"Content-Encoding": "gzip"}, gzip.compress(json.dumps(PAGE).encode())),
    (200, {"Content-Encoding": "gzip"}, b"no gzip at all"),
    (200, {"Content-Encoding": "x-unknown"}, b"whatever"),
    (200, {}, b" " * (4 * 1024 * 1024 + 1)),
    (422, {"X-Odd": "\xe9 \xff"}, json.dumps({"errors": {"summary": [{"key": "errors.required"}]}}).encode()),
    (200, {}, json.dumps({**PAGE, "note": _nested(TOKEN)}).encode()),
    (200, {}, json.dumps({**PAGE, "note": f"Bearer {TOKEN} and <default> {TOKEN[::-1]}"}).encode()),
    (204, {}, b""),
    (503, {"Content-Type": "text/html"}, "<p>Später</p>".encode("latin-1")),
)
BODIES = (
    b"",
    b"\x00\xff",
    b'{"event_id": "a", "conferencing": {"profile_id": "\\udc00"}}',
    b"a=%ff&b=%",
    TOKEN.encode(),
)


def odd(path: str) -> Answer:
    """The answer whose number stands in the query."""
    return ANSWERS[int(path.rpartition("=")[2])]


def test_every_exchange_is_kept_and_verified_whatever_its_bodies_hold(tmp_path: Path) -> None:
    report, evidence = tmp_path / "report.json", tmp_path / "evidence.ndjson"
    tool = [sys.executable, "-m", "conformance"]
    sent = 0
    with answering(odd) as upstream:
        command = [*tool, "proxy", "--upstream", upstream, "--evidence", str(evidence), "--report", str(report)]
        program = subprocess.Popen(command, stdout=-1, stderr=-1, text=True)
        assert program.stdout is not None
        host = program.stdout.readline().split()[2].rstrip(",").removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=30)
        for number, (status, _, body) in enumerate(ANSWERS):
            written = BODIES[number % len(BODIES)]
            headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
            for method, path, content in (
                ("GET", f"/v1/events?tzid=Etc%2FUTC&only_managed=true&n={number}", None),
                ("POST", f"/v1/calendars/cal_1/events?n={number}", written),
            ):
                connection.request(method, path, content, headers)
                answer = connection.getresponse()
                assert (answer.status, answer.read()) == (status, body)
                sent += 1
        connection.close()
        program.send_signal(signal.SIGINT)
        _, err = program.communicate(timeout=60)
    assert "Traceback" not in err
    lines = evidence.read_bytes().splitlines()
    labels = [json.loads(line).get("label") for line in lines[1:-1]]
    assert labels == [f"observed#{number}" for number in range(1, sent + 1)]
    assert TOKEN.encode() not in evidence.read_bytes() + report.read_bytes()
    again = subprocess.run([*tool, "verify", str(report), str(evidence)], capture_output=True, text=True, check=False)
    assert (again.returncode, again.stderr) == (0, ""), again.stdout
