from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from cli_samples import call
from emulators.reference_process import ReferenceProcess, reference_process

from conformance.contract import schemas

FAULT = "8x8-refused"
RULES = ("--rule", "8x8-is-accepted", "--rule", "explicit-is-kept")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A run of the reference with a fault, with everything that a run can write."""
    folder = tmp_path_factory.mktemp("ran")
    files = {name: folder / name for name in ("r.json", "r.py", "r.html", "evidence.ndjson", "cassettes")}
    result = call(
        "run", "--max-examples", 0, "--fault", FAULT, *RULES,
        "--evidence", files["evidence.ndjson"], "--record", files["cassettes"],
        "--report", "-", "--report", files["r.json"], "--report", files["r.py"], "--report", files["r.html"],
    )  # fmt: skip
    return {"result": result, "document": json.loads(files["r.json"].read_text()), "folder": folder, **files}


def test_a_fault_is_named_by_its_rule_with_the_smallest_failure(ran: dict[str, Any]) -> None:
    assert ran["result"].exit_code == 1, ran["result"].output
    assert [rule["id"] for rule in ran["document"]["rules"] if rule["outcome"] == "failed"] == ["8x8-is-accepted"]
    assert "\n   smallest scenario\n     1. create the event with the profile_id 8x8" in ran["result"].stdout


def test_the_same_seed_gives_the_same_report_byte_for_byte(ran: dict[str, Any], tmp_path: Path) -> None:
    report, evidence = tmp_path / "r.json", tmp_path / "evidence.ndjson"
    command = ["run", "--max-examples", "0", "--fault", FAULT, *RULES, "--evidence", evidence, "--report", report]
    environment = {**os.environ, "PYTHONHASHSEED": "1"}  # sets have another order there
    done = subprocess.run([sys.executable, "-m", "conformance", *command], env=environment, check=False)
    assert done.returncode == 1
    assert report.read_bytes() == ran["r.json"].read_bytes()
    assert evidence.read_bytes() == ran["evidence.ndjson"].read_bytes()


def test_the_report_of_a_run_is_valid_and_has_subject_run_and_evidence(ran: dict[str, Any]) -> None:
    document = ran["document"]
    jsonschema.Draft202012Validator(schemas.read("report")).validate(document)
    assert (document["subject"]["kind"], document["subject"]["name"], document["subject"]["faults"]) == (
        "reference",
        "reference",
        [FAULT],
    )
    assert document["run"]["requests"] >= document["run"]["exchanges"] > document["run"]["first_failure_request"] > 0
    assert len(document["evidence"]["lines"]) == document["run"]["exchanges"] + 2


def test_the_evidence_of_a_run_gives_the_same_report(ran: dict[str, Any]) -> None:
    assert call("verify", ran["r.json"], ran["evidence.ndjson"]).stdout == "the same\n"


def test_the_evidence_of_a_run_judged_as_a_recording_gives_the_same_verdicts(
    ran: dict[str, Any], tmp_path: Path
) -> None:
    assert call("check", ran["evidence.ndjson"], *RULES, "--report", tmp_path / "c.json").exit_code == 1
    again = json.loads((tmp_path / "c.json").read_text())
    assert [(rule["id"], rule["counts"], rule["outcome"]) for rule in again["rules"]] == [
        (rule["id"], rule["counts"], rule["outcome"]) for rule in ran["document"]["rules"]
    ]


def test_cassettes_are_written_by_account_and_family_and_are_small(ran: dict[str, Any]) -> None:
    cassettes = sorted(path.relative_to(ran["cassettes"]).as_posix() for path in ran["cassettes"].rglob("*.yaml"))
    assert {"nobody/access.yaml", "default/directory.yaml"} <= set(cassettes)
    assert any(path.startswith("default/readings") for path in cassettes)
    assert {path.split("/")[0] for path in cassettes} == {
        "chosen", "default", "disconnected", "nobody", "profiles", "receiver", "several",
    }  # fmt: skip


def test_no_token_is_in_anything_that_a_run_writes(ran: dict[str, Any]) -> None:
    for path in ran["folder"].rglob("*"):
        if path.is_file():
            assert b"reference-default-token" not in path.read_bytes(), path
    assert "reference-default-token" not in ran["result"].output


def test_the_file_of_tests_fails_on_the_subject_and_passes_on_the_reference(ran: dict[str, Any]) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(ran["r.py"])]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    failing = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    passing = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**environment, "CRONOFY_CONFORMANCE_SUBJECT": "reference"},
        check=False,
    )
    assert (failing.returncode, passing.returncode) == (1, 0), failing.stdout + passing.stdout
    assert "1 failed" in failing.stdout


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    for folder in (first, second):
        call("run", "--max-requests", 90, "--evidence", folder / "e.ndjson", "--report", folder / "r.json", "--quiet")
    assert (first / "r.json").read_bytes() == (second / "r.json").read_bytes()
    assert (first / "e.ndjson").read_bytes() == (second / "e.ndjson").read_bytes()


def test_a_run_that_reaches_max_requests_is_inconclusive(tmp_path: Path) -> None:
    result = call("run", "--max-requests", 60, "--report", tmp_path / "r.json")
    assert result.exit_code == 3
    assert result.stderr.startswith("Warning: --max-requests 60 is too small for this plan, which is expected to take ")
    assert result.stdout.endswith("Outcome: inconclusive. Exit code 3: the limit of 60 requests was reached.\n")
    document = json.loads((tmp_path / "r.json").read_text())
    assert (document["outcome"], document["fully_covered"], document["run"]["requests"] <= 60) == (
        "inconclusive",
        False,
        True,
    )


@pytest.mark.parametrize("requests", [1, 5])
def test_the_evidence_of_a_run_that_ends_in_its_preflight_gives_the_same_report(tmp_path: Path, requests: int) -> None:
    report, evidence = tmp_path / "r.json", tmp_path / "e.ndjson"
    call("run", "--max-requests", requests, "--report", report, "--evidence", evidence, "--quiet")
    assert call("verify", report, evidence).stdout == "the same\n"


def test_a_plan_lists_scenarios_and_costs_and_writes_nothing(tmp_path: Path) -> None:
    result = call(
        "run", "--max-examples", 0, "--plan", "--evidence", tmp_path / "e.ndjson", "--record", tmp_path / "cas"
    )
    assert result.exit_code == 0
    assert "explicit" in result.stdout
    assert "\nExpected: about " in result.stdout
    assert "\nAt most " in result.stdout
    assert "Push notifications come to a receiver in this process" in result.stdout
    assert "Sent to make this plan: " in result.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("limit", "said"),
    [("50", "--max-requests 50 is too small for this plan, "), ("2000", "--max-requests 2,000 is enough ")],
)
def test_a_plan_says_whether_it_fits_into_max_requests(limit: str, said: str) -> None:
    assert f"\n{said}" in call("run", "--plan", "--max-requests", limit).stdout


@pytest.fixture
def served() -> Iterator[ReferenceProcess]:
    with reference_process("--settle", "0", "--fault", FAULT) as process:
        yield process


def test_serve_accepts_the_tokens_that_it_prints_until_ctrl_c(served: ReferenceProcess) -> None:
    headers = {"Authorization": f"Bearer {served.tokens['CRONOFY_ACCESS_TOKEN']}"}
    assert httpx.get(f"{served.url}/v1/calendars", headers=headers).status_code == 200
    assert "CRONOFY_ACCESS_TOKEN_PROFILES" in served.tokens
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(60) == 130
    assert served.process.stderr is not None
    assert served.process.stderr.read().strip() == ""


def test_ctrl_c_ends_a_run_with_130_after_clean_up_and_with_a_report(served: ReferenceProcess, tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    command = [
        sys.executable, "-m", "conformance", "run", served.url, "--rate-limit", "40", "--max-examples", "0",
        "--report", str(report), "--evidence", str(tmp_path / "e.ndjson"),
    ]  # fmt: skip
    environment = {**os.environ, **served.tokens, "CRONOFY_CONFORMANCE_JOURNAL": str(tmp_path / "journal")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        evidence = tmp_path / "e.ndjson"
        while process.poll() is None and (not evidence.exists() or evidence.read_bytes().count(b"\n") < 30):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        told, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert told.endswith("Exit code 130: the run was interrupted.\n")
    assert json.loads(report.read_text())["fully_covered"] is False
    headers = {"Authorization": f"Bearer {served.tokens['CRONOFY_ACCESS_TOKEN']}"}
    left = httpx.get(f"{served.url}/v1/events?tzid=Etc/UTC&only_managed=true", headers=headers).json()["events"]
    assert left == []
    assert call("cleanup", served.url, env=dict(served.tokens)).stdout == "0 events deleted, 0 left\n"
    assert call("verify", report, evidence).stdout == "the same\n"


def test_proxy_and_certify_listen_for_the_duration() -> None:
    proxied = call("proxy", "--upstream", "http://127.0.0.1:9", "--duration", "0.1", "--quiet")
    assert (proxied.exit_code, proxied.stdout.count("\n")) == (2, 1)
    assert proxied.stdout.startswith("listening on http://127.0.0.1:")
    watched = call("certify", "--duration", "0.1", "--quiet")
    assert watched.exit_code == 2
    assert "export CRONOFY_API_URL=http://127.0.0.1:" in watched.stdout


def test_a_program_that_is_no_driver_is_one_line_and_2() -> None:
    result = call("certify", "--driver-timeout", "5", "--", sys.executable, "-c", "print('no')")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1


def test_a_driver_that_supports_nothing_is_one_line_and_2_and_its_report_is_not_passed(tmp_path: Path) -> None:
    program = (
        "import json\n"
        "for line in open(0):\n"
        "  request = json.loads(line)\n"
        "  known = request['method'] in ('start', 'stop')\n"
        "  answer = {'result': {}} if known else {'error': {'code': -32601, 'message': 'nothing at all'}}\n"
        "  print(json.dumps({'jsonrpc': '2.0', 'id': request['id'], **answer}), flush=True)\n"
    )
    report = tmp_path / "report.json"
    result = call("certify", "--max-examples", "0", "--report", report, "--", sys.executable, "-c", program)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == (
        "Error: nothing was judged: the driver answered every call that could be judged with unsupported"
    )
    assert json.loads(report.read_text())["outcome"] == "inconclusive"


def test_a_server_without_a_calendar_to_write_to_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "no_calendars.py").write_text(
        "import json\n"
        "async def app(scope, receive, send):\n"
        "    answers = {'/v1/calendars': {'calendars': []}, '/v1/userinfo': {'cronofy.data': {'profiles': []}}}\n"
        "    body = answers.get(scope['path'], {'pages': {'current': 1, 'total': 1}, 'events': []})\n"
        "    headers = [(b'content-type', b'application/json')]\n"
        "    await send({'type': 'http.response.start', 'status': 200, 'headers': headers})\n"
        "    await send({'type': 'http.response.body', 'body': json.dumps(body).encode()})\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    result = call("run", "asgi:no_calendars:app", env={"CRONOFY_ACCESS_TOKEN": "secret-token-of-nobody"})
    assert result.exit_code == 2, result.output
    assert "no account lists a calendar that may be written to" in result.output
