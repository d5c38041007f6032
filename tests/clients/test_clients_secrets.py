"""A client's own credentials are learnt as they pass, and are in nothing that proxy and certify write."""

from __future__ import annotations

import base64
import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

from conformance.clients.held_exchanges import HeldExchanges
from conformance.http.exchange import Exchange, Response
from conformance.http.exchange import Request as Sent
from conformance.http.redaction.collecting import SecretCollector

TOKEN = "Tk-9fZ3pQ+7xL/2mN8vR4w=Yb6"
SECRET = "cs_R7tY2uW9eK4pL8mQ3zX6vB1n"
FORMATS = ("json", "xml", "md", "html", "py")


def spellings(secret: str) -> dict[str, str]:
    """A secret in six encodings."""
    raw = secret.encode()
    return {
        "plain": secret,
        "base64": base64.b64encode(b"x" + raw).decode(),
        "percent": "".join(f"%{byte:02X}" for byte in raw),
        "hexadecimal": raw.hex(),
        "json": "".join(f"\\u{byte:04x}" for byte in raw),
        "html": "".join(f"&#{byte};" for byte in raw),
    }


def text_of(*secrets: str) -> str:
    return " | ".join(spelling for secret in secrets for spelling in spellings(secret).values())


#: The beginnings that give a secret away, however it is spelt.
TRACES = tuple(
    trace for secret in (TOKEN, SECRET) for spelling in spellings(secret).values() for trace in (spelling[2:26],)
)


class Echo(BaseHTTPRequestHandler):
    """A server that repeats the credentials of its client wherever it can, and breaks rules while it does so."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        said = text_of(TOKEN, SECRET)
        event = {"event_id": "a", "summary": said, "conferencing": {"join_url": 7, "provider_name": said}}
        body = json.dumps({"pages": {"current": 1, "total": 1}, "events": [event]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Echo", quote(TOKEN))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer  # noqa: N815 - the names that the base class looks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the base class gives it
        pass


@contextlib.contextmanager
def echoing() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def reports_in(folder: Path) -> list[str]:
    return [part for suffix in FORMATS for part in ("--report", str(folder / f"report.{suffix}"))]


def assert_nothing_leaks(folder: Path, *outputs: str) -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert set(written) == {f"report.{suffix}" for suffix in FORMATS} | {"evidence.ndjson"}
    assert all(len(text) > 100 for text in written.values())
    for name, text in {**written, **{f"output {number}": output for number, output in enumerate(outputs)}}.items():
        assert [trace for trace in TRACES if trace.lower() in text.lower()] == [], name


def test_what_a_client_sends_through_the_proxy_is_in_nothing_that_is_written(tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "conformance", "proxy"]
    with echoing() as upstream:
        command = [*arguments, "--upstream", upstream, "--evidence", str(tmp_path / "evidence.ndjson")]
        program = subprocess.Popen(
            [*command, *reports_in(tmp_path), "--report", "-"], stdout=-1, stderr=-1, text=True, encoding="utf-8"
        )
        assert program.stdout is not None
        origin = program.stdout.readline().split()[2].rstrip(",")
        # The server says it before the client does.
        urlopen(f"{origin}/v1/events?tzid=Etc%2FUTC&only_managed=true").read()
        event = {"event_id": "a", "summary": text_of(TOKEN), "start": "2031-04-28", "end": "2031-04-29"}
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", "X-Api-Key": SECRET}
        for path, body in (
            ("/v1/calendars/cal_1/events", {**event, "conferencing": {}}),
            ("/oauth/token", {"client_secret": SECRET, "grant_type": "refresh_token"}),
        ):
            urlopen(Request(origin + path, json.dumps(body).encode(), headers)).read()
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=60)
    assert program.returncode == 1, err
    assert_nothing_leaks(tmp_path, out, err)
    again = subprocess.run(
        [*arguments[:-1], "verify", str(tmp_path / "report.json"), str(tmp_path / "evidence.ndjson")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (again.returncode, again.stderr) == (0, ""), again.stdout


PROGRAM = f"""
import json, os, sys, urllib.request
base, token = os.environ["CRONOFY_API_URL"], os.environ["CRONOFY_ACCESS_TOKEN"]
def send(method, path, body=None, token=token):
    headers = {{"Authorization": "Bearer " + token, "Content-Type": "application/json", "X-Api-Key": {SECRET!r}}}
    data = None if body is None else json.dumps(body).encode()
    try:
        return json.load(urllib.request.urlopen(urllib.request.Request(base + path, data, headers, method=method)))
    except (urllib.error.HTTPError, ValueError):
        return {{}}
calendar = send("GET", "/v1/calendars")["calendars"][0]["calendar_id"]
event = {{"event_id": "a", "summary": {text_of(TOKEN)!r}, "description": {text_of(SECRET)!r}}}
event |= {{"start": "2031-04-28", "end": "2031-04-29", "conferencing": {{}}}}
send("POST", "/v1/calendars/" + calendar + "/events", event)
send("GET", "/v1/events?tzid=Etc%2FUTC&only_managed=true")
send("POST", "/v1/calendars/" + calendar + "/events", event, {TOKEN!r})
sys.exit("no luck with " + {TOKEN!r})
"""


def test_what_a_watched_program_sends_is_in_nothing_that_is_written(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    out = tmp_path / "out"
    out.mkdir()
    command = ["certify", "--watch", "--evidence", str(out / "evidence.ndjson"), *reports_in(out), "--report", "-"]
    run = subprocess.run(
        [sys.executable, "-m", "conformance", *command, "--", sys.executable, str(program), TOKEN],
        stdout=-1,
        stderr=-1,
        check=False,
    )
    assert run.returncode == 1
    said = [line for line in run.stderr.decode().splitlines() if not line.startswith("no luck")]
    assert_nothing_leaks(out, run.stdout.decode(), "\n".join(said))
    assert json.loads((out / "report.json").read_text())["run"]["exchanges"] == 4


def test_a_credential_is_concealed_in_what_came_before_it() -> None:
    seen: list[Exchange] = []
    secrets = SecretCollector({})
    held = HeldExchanges(seen.append, secrets)
    before = Exchange(Sent("GET", "http://x/1"), Response(200, (), SECRET.encode()), "#1")
    after = Exchange(Sent("GET", "http://x/2", (("Authorization", f"Bearer {SECRET}"),)), Response(200), "#2")
    held.add(before)
    held.add(after)
    assert seen == []
    held.close()
    assert [exchange.label for exchange in seen] == ["#1", "#2"]
    assert SECRET not in repr(seen)
    assert SECRET not in secrets.redactor().text(SECRET)


def test_what_is_held_is_bounded_and_comes_in_order() -> None:
    seen: list[str] = []
    held = HeldExchanges(lambda exchange: seen.append(exchange.label), SecretCollector({}))
    for number in range(1_003):
        held.add(Exchange(Sent("GET", "http://x/"), Response(200), str(number)))
    assert seen == ["0", "1", "2"]
    held.add(Exchange(Sent("GET", "http://x/"), Response(200, (), bytes(65 * 1024**2)), "large"))
    assert seen[-1] == "large"
    held.close()
    assert (len(seen), seen[:2]) == (1_004, ["0", "1"])
