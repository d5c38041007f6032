"""The command line as a test calls it, and a small recording to give it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from conformance.cli.main import cli
from conformance.version import NAME

START, END = "2031-05-05T10:00:00Z", "2031-05-05T11:00:00Z"
EXPLICIT = {
    "profile_id": "explicit",
    "provider_description": "Rooms",
    "join_url": "https://rooms.example.com/Room-1?pwd=a",
}


def call(*args: str | Path, env: dict[str, str] | None = None) -> Result:
    """A command's result; without a token in the environment unless `env` has one."""
    unset = ("CRONOFY_ACCESS_TOKEN", "FORCE_COLOR", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY")
    environment: dict[str, str | None] = {**dict.fromkeys(unset), **(env or {})}
    return CliRunner(env=environment).invoke(cli, [str(arg) for arg in args], prog_name=NAME)


def error(*args: str | Path, env: dict[str, str] | None = None) -> str:
    """The one line that a refused command leaves on standard error."""
    result = call(*args, env=env)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("Error: ")
    return lines[0].removeprefix("Error: ")


def har(path: Path, shown_url: str = EXPLICIT["join_url"], seconds: float = 20.0) -> Path:
    """A HAR of a client that creates one event and reads it every second: the server shows `shown_url`."""
    entries = [
        _entry(0.0, "GET", "/v1/events?tzid=Etc/UTC&only_managed=true", None, _page([])),
        _entry(0.5, "POST", "/v1/calendars/cal_1/events", _event(conferencing=EXPLICIT), None),
    ]
    number = 1.0
    while number <= seconds:
        shown = {"provider_name": None, "join_url": shown_url}
        read = _event(calendar_id="cal_1", event_uid="evt_1", deleted=False, conferencing=shown)
        entries.append(_entry(number, "GET", "/v1/events?tzid=Etc/UTC&only_managed=true", None, _page([read])))
        number += 1.0
    path.write_text(
        json.dumps({"log": {"version": "1.2", "creator": {"name": "t", "version": "1"}, "entries": entries}})
    )
    return path


def _event(**more: Any) -> dict[str, Any]:
    return {"event_id": "evt-1", "summary": "Board", "start": START, "end": END, **more}


def _page(events: list[Any]) -> dict[str, Any]:
    return {"pages": {"current": 1, "total": 1}, "events": events}


def _entry(seconds: float, method: str, target: str, body: Any, answer: Any) -> dict[str, Any]:
    request: dict[str, Any] = {
        "method": method,
        "url": f"https://api.cronofy.com{target}",
        "headers": [{"name": "Authorization", "value": "Bearer REDACTED"}],
    }
    if body is not None:
        request["headers"].append({"name": "Content-Type", "value": "application/json; charset=utf-8"})
        request["postData"] = {"mimeType": "application/json", "text": json.dumps(body)}
    clock = f"{seconds:06.3f}"
    return {
        "startedDateTime": f"2026-11-22T10:00:{clock}Z",
        "time": 20,
        "request": request,
        "response": {
            "status": 202 if answer is None else 200,
            "headers": [{"name": "Content-Type", "value": "application/json; charset=utf-8"}],
            "content": {"mimeType": "application/json", "text": "" if answer is None else json.dumps(answer)},
        },
    }
