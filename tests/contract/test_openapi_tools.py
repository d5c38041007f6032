"""Tools of others take the description of the API as it is; `tox -e openapi` has all of them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from conformance.contract import schemas

#: Set by `tox -e openapi`: a tool that is not there fails.
NEEDED = bool(os.environ.get("OPENAPI_TOOLS"))
DESCRIPTION = schemas.folder() / "api" / "openapi.json"
OPERATIONS = {"list_calendars", "upsert_event", "delete_event", "read_events", "read_next_page", "userinfo"}


def tool(name: str) -> str:
    """The path of a program; the test is skipped where it is not installed."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None and not NEEDED:
        pytest.skip(f"{name} is not installed: tox -e openapi has it")
    assert found is not None
    return found


def ran(*command: str, cwd: Path) -> str:
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_redocly_finds_nothing(tmp_path: Path) -> None:
    told = ran(tool("redocly"), "lint", str(DESCRIPTION), cwd=tmp_path)
    assert "warning" not in told.replace("Deprecation warning", ""), told


def test_openapi_python_client_makes_every_operation_and_model(tmp_path: Path) -> None:
    command = ("generate", "--path", str(DESCRIPTION), "--output-path", "made", "--meta", "none", "--fail-on-warning")
    ran(tool("openapi-python-client"), *command, cwd=tmp_path)
    assert {path.stem for path in (tmp_path / "made" / "api").rglob("*.py")} - {"__init__"} == OPERATIONS
    code = (
        "from made.models import EventsPage; "
        "page = EventsPage.from_dict({'pages': {'current': 1, 'total': 1}, 'events': [{'event_id': 'e', "
        "'conferencing': {'provider_name': 'zoom', 'join_url': 'https://zoom.example/1'}}]}); "
        "assert page.events[0].conferencing.join_url == 'https://zoom.example/1'"
    )
    ran(sys.executable, "-c", code, cwd=tmp_path)


def test_datamodel_codegen_makes_every_model(tmp_path: Path) -> None:
    options = ("--output-model-type", "pydantic_v2.BaseModel", "--output", "models.py", "--disable-warnings")
    ran(tool("datamodel-codegen"), "--input", str(DESCRIPTION), "--input-file-type", "openapi", *options, cwd=tmp_path)
    names = sorted(json.loads(DESCRIPTION.read_text(encoding="utf-8"))["components"]["schemas"])
    code = f"import models; assert [name for name in {names} if not hasattr(models, name)] == []"
    ran(sys.executable, "-c", code, cwd=tmp_path)


@pytest.mark.parametrize(
    "name", ["EventAsWritten", "ConferencingAsWritten", "EventsPage", "Calendars", "Userinfo", "Errors", "Delete"]
)
def test_hypothesis_jsonschema_draws_from_the_main_shapes(name: str) -> None:
    drawn = pytest.importorskip("hypothesis_jsonschema") if not NEEDED else __import__("hypothesis_jsonschema")
    import jsonschema_rs

    components = json.loads(DESCRIPTION.read_text(encoding="utf-8"))["components"]
    schema: dict[str, Any] = {"$ref": f"#/components/schemas/{name}", "components": components}
    validator = jsonschema_rs.validator_for(schema)

    @settings(max_examples=25, phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None)
    @given(drawn.from_schema(schema))
    def check(value: Any) -> None:
        assert validator.is_valid(value)

    check()


@pytest.fixture
def prism(tmp_path: Path) -> Iterator[str]:
    """The base URL of a mock that Prism makes of the description."""
    program = tool("prism")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [program, "mock", str(DESCRIPTION), "--port", str(port)]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)  # there is nothing that tells when a process listens
        yield url
        process.terminate()


def test_prism_serves_and_validates_it(prism: str) -> None:
    event = {"event_id": "e", "summary": "s", "start": "2031-01-01T00:00:00Z", "end": "2031-01-01T01:00:00Z"}

    def status(method: str, path: str, body: Any = None) -> int:
        headers = {"Authorization": "Bearer any", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(prism + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    assert [status("GET", path) for path in ("/v1/calendars", "/v1/userinfo", "/v1/events?tzid=Etc/UTC")] == [200] * 3
    assert status("GET", "/v1/events") == 422
    path = "/v1/calendars/cal/events"
    assert status("POST", path, {**event, "conferencing": {"profile_id": "default"}}) == 202
    assert status("POST", path, {**event, "conferencing": {"profile_id": "explicit"}}) == 422
    assert (status("DELETE", path, {"event_id": "e"}), status("DELETE", path, {})) == (202, 422)
