"""A client's own credentials are learnt as they pass, and are in nothing that proxy and certify write."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from clients_server import Answer, answering

from conformance.cli.evidence import EvidenceFile, run_metadata
from conformance.cli.main import cli
from conformance.clients import certify
from conformance.clients.cases.standard_cases import standard_cases
from conformance.clients.held_exchanges import HeldExchanges
from conformance.contract.rules import load
from conformance.facts import Settings
from conformance.http.exchange import Exchange, Response
from conformance.http.exchange import Request as Sent
from conformance.http.redaction import Redactor
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


def echo(_path: str) -> Answer:
    """A server that repeats the credentials of its client wherever it can, and breaks rules while it does so."""
    said = text_of(TOKEN, SECRET)
    event = {"event_id": "a", "summary": said, "conferencing": {"join_url": 7, "provider_name": said}}
    body = json.dumps({"pages": {"current": 1, "total": 1}, "events": [event]}).encode()
    return 200, {"Content-Type": "application/json", "X-Echo": quote(TOKEN)}, body


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
    with answering(echo) as upstream:
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


LATE = f"""
from conformance.clients.driver.adapters.driver_httpx import Client, HttpxAdapter

class Late(Client):
    def upsert_event(self, calendar_id, event):
        super().upsert_event(calendar_id, {{**event, "summary": event["summary"] + {text_of(SECRET)!r}}})

class Adapter(HttpxAdapter):
    client_class = Late

    def answer(self, method, params):
        answer = super().answer(method, params)
        if "error" in answer:
            answer["error"]["message"] += {text_of(SECRET)!r}
        return answer

    def stop(self, params):
        self.client.request("GET", "/v1/calendars", headers={{"X-Api-Key": {SECRET!r}}})
        return super().stop(params)

Adapter().run()
"""


def exit_code(*arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    return ended.value.code


def test_what_a_driven_client_shows_to_be_secret_at_the_very_end_is_in_nothing_that_is_written(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certify, "standard_cases", lambda here: standard_cases(here)[:5])
    program = tmp_path / "late.py"
    program.write_text(LATE, encoding="utf-8")
    out = tmp_path / "out"
    out.mkdir()
    report, evidence = str(out / "report.json"), str(out / "evidence.ndjson")
    rule = "event-fields-are-sent-as-requested"
    command = ["certify", "--max-examples", "0", "--rule", rule, "--evidence", evidence, *reports_in(out)]
    assert exit_code(*command, "--report", "-", "--", sys.executable, str(program)) == 1
    output = capfd.readouterr()
    assert_nothing_leaks(out, output.out, output.err)
    assert rule in output.out
    assert exit_code("verify", report, evidence) == 0, capfd.readouterr().out


def test_what_was_written_before_it_was_known_to_be_secret_is_concealed_in_the_file(tmp_path: Path) -> None:
    secrets = SecretCollector({})
    path = tmp_path / "evidence.ndjson"
    with EvidenceFile(path, run_metadata("1", SECRET, (), Settings(), "client"), Redactor({})) as file:
        held = HeldExchanges(file.add, secrets)
        for number in range(1_001):
            held.add(Exchange(Sent("GET", "http://x/"), Response(200, (), SECRET.encode()), f"#{number}"))
        assert SECRET in path.read_text()
        assert not held.learnt_late
        held.add(Exchange(Sent("GET", "http://x/", (("Authorization", f"Bearer {SECRET}"),)), Response(200), "#last"))
        held.close()
        assert held.learnt_late
        report = file.conceal(secrets.redacted, secrets.redactor(), load())
    assert SECRET not in path.read_text()
    assert report.exchanges == 1_002
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_secret_in_what_was_judged_is_concealed_whatever_it_stands_in() -> None:
    redactor = Redactor({"a": SECRET})
    exchange = Exchange(Sent("GET", f"http://x/?{SECRET}"), Response(200, (), SECRET.encode()), "#1")
    value = {SECRET: [exchange, (1, None, {"b": f"x {SECRET}"})], "cut": f"{SECRET[:9]}…", "whole": SECRET[:9]}
    clean = redactor.value(value)
    assert SECRET not in repr(clean)
    assert clean["<a>"][0] == Exchange(Sent("GET", "http://x/?<a>"), Response(200, (), b"<a>"), "#1")
    assert (clean["<a>"][1], clean["cut"], clean["whole"]) == ((1, None, {"b": "x <a>"}), "…", SECRET[:9])


def test_a_secret_that_is_encoded_too_deep_costs_its_own_string_of_a_document_alone() -> None:
    deep = SECRET.encode()
    for _ in range(3):
        deep = base64.b64encode(deep)
    clean = Redactor({"a": SECRET}).text(json.dumps({"one": deep.decode(), "other": ["kept", SECRET, 1.5]}))
    assert json.loads(clean) == {"one": "<redacted>", "other": ["kept", "<a>", 1.5]}
