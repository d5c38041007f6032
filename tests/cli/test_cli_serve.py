"""`serve` with an inventory of one's own, a log, and evidence that `check` judges."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path

import httpx
import pytest
import uvicorn
from cli_samples import call

INVENTORY = """
settling = 0
[[accounts]]
name = "ours"
[[accounts.calendars]]
calendar_id = "cal_ours"
name = "Work"
provider_name = "google"
"""
TOKEN = "reference-ours-token"
EVENT = {"event_id": "e", "summary": "s", "start": "2031-05-05T10:00:00Z", "end": "2031-05-05T11:00:00Z"}
WRONG = {"profile_id": "explicit", "provider_description": "R", "join_url": "rooms.example.com\x1b[2J"}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """While it serves, somebody writes, reads, and tells a secret."""

    async def use(app: object) -> None:
        headers = {"authorization": f"Bearer {TOKEN}"}
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers) as http:
            path = "/v1/calendars/cal_ours/events"
            await http.post(path, json={**EVENT, "summary": TOKEN, "conferencing": {"profile_id": "none"}})
            await http.post(path, json={**EVENT, "conferencing": WRONG})
            answer = await http.get("/v1/events?tzid=Etc/UTC", headers={"authorization": "Bearer what-is-this-1234567"})
            assert (answer.status_code, "date" in answer.headers) == (401, True)

    def run(self: uvicorn.Server, sockets: list[socket.socket]) -> None:
        asyncio.run(use(self.config.app))
        sockets[0].close()

    monkeypatch.setattr(uvicorn.Server, "run", run)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inventory.toml").write_text(INVENTORY)


@pytest.mark.usefixtures("client")
def test_what_is_served_is_logged_and_kept_as_evidence_without_secrets(tmp_path: Path) -> None:
    result = call("serve", "--port", "0", "--inventory", "inventory.toml", "--log", "--evidence", "traffic.ndjson")
    assert result.exit_code == 0, result.output
    told = result.stdout.partition(f"export CRONOFY_ACCESS_TOKEN_OURS={TOKEN}\n")[2]
    lines = [re.sub(r"^\d\d:\d\d:\d\d\.\d\d\d  ", "", line) for line in told.splitlines()]
    assert lines == [
        'ours  POST /v1/calendars/cal_ours/events e {"profile_id": "none"} → 202',
        'ours  POST /v1/calendars/cal_ours/events e {"profile_id": "explicit", "provider_description": "R", '
        '"join_url": "rooms.example.com\\u001b[2J"} → 422 conferencing.join_url',
        "token-b3a93c10  GET /v1/events?tzid=Etc/UTC → 401",
    ]
    evidence = (tmp_path / "traffic.ndjson").read_text()
    assert (TOKEN in evidence, "what-is-this" in evidence) == (False, False)
    checked = call("check", "traffic.ndjson")
    assert checked.exit_code == 1
    assert re.findall(r"^   rule       (\S+)", checked.stdout, re.MULTILINE) == ["an-explicit-join-url-is-http"]


@pytest.mark.usefixtures("client")
def test_settling_is_the_options_before_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    settled = []
    served = uvicorn.Server.run
    monkeypatch.setattr(
        uvicorn.Server,
        "run",
        lambda self, sockets: (settled.append(self.config.app.app.server.store.settle), served(self, sockets)),
    )
    for options in ((), ("--settle", "3")):
        assert call("serve", "--port", "0", "--inventory", "inventory.toml", *options).exit_code == 0
    assert settled == [0.0, 3.0]


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    ("option", "told"),
    [
        (("--inventory", "nowhere.toml"), "inventory nowhere.toml: No such file or directory; name a TOML file"),
        (("--evidence", "inventory.toml/x.ndjson"), "--evidence {here}/inventory.toml/x.ndjson cannot be written: "),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(option: tuple[str, ...], told: str) -> None:
    result = call("serve", "--port", "0", *option)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {told.format(here=Path.cwd())}")
