"""Places that cannot be written are named before anything is sent, and one that fails later loses no other."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from cli_samples import call, error

from conformance.cli import serve_command
from conformance.clients.driver.adapters import driver_httpx
from conformance.errors import UsageError
from conformance.http.exchange import Exchange, Request, Response
from conformance.reference import reference_app

FEW = ("--max-requests", "40")


@pytest.mark.parametrize("option", ["--report", "--evidence", "--record"])
def test_a_file_in_the_place_of_a_folder_is_said_before_the_run(option: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    evidence = tmp_path / "e.ndjson"
    others = () if option == "--evidence" else ("--evidence", evidence)
    line = error("run", *FEW, option, tmp_path / "file" / "r.json", *others)
    assert line.startswith(f"{option} ")
    assert line.endswith(" cannot be written: Not a directory; choose another place")
    assert not evidence.exists()


def test_a_disk_that_is_full_in_the_end_loses_no_other_artefact(tmp_path: Path) -> None:
    result = call(
        "run", *FEW, "--report", "json:/dev/full", "--report", tmp_path / "r.json", "--record", tmp_path / "c"
    )
    assert result.exit_code == 2
    assert result.stderr.splitlines()[1:] == [
        "Error: --report /dev/full cannot be written: No space left on device; choose another place"
    ]
    assert "Outcome: inconclusive." in result.stdout  # as there is no file of it, the report is shown
    assert json.loads((tmp_path / "r.json").read_text())["outcome"] == "inconclusive"
    assert (tmp_path / "c").is_dir()


def test_what_a_run_writes_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        call(
            "run",
            *FEW,
            "--report",
            tmp_path / "r.json",
            "--evidence",
            tmp_path / "e.ndjson",
            "--record",
            tmp_path / "c",
        )
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_file()}
    assert modes == {0o600}


def test_a_home_that_cannot_be_written_is_said_with_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    environment = {
        "CRONOFY_ACCESS_TOKEN": "some-token",
        "CRONOFY_CONFORMANCE_JOURNAL": "",
        "XDG_STATE_HOME": str(tmp_path / "home"),
    }
    line = error("run", "http://127.0.0.1:9", env=environment)
    assert line.endswith(
        "cannot be written: Not a directory; name another folder with --journal or CRONOFY_CONFORMANCE_JOURNAL"
    )


def test_clean_up_takes_the_journal_from_where_the_run_put_it(tmp_path: Path) -> None:
    result = call("cleanup", "http://127.0.0.1:9", "--journal", tmp_path, env={"CRONOFY_ACCESS_TOKEN": "some-token"})
    assert (result.exit_code, result.stdout) == (0, "0 events deleted, 0 left\n")


@pytest.mark.parametrize("command", ["certify --max-examples 0", "proxy --upstream http://127.0.0.1:9 --duration 0"])
@pytest.mark.parametrize("option", ["--evidence", "--report", "--certificate"])
def test_clients_are_not_kept_waiting_for_a_place_that_cannot_be_written(
    command: str, option: str, tmp_path: Path
) -> None:
    if option == "--certificate" and command.startswith("proxy"):
        return
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "r.html"
    line = error(*command.split(), option, place, *(("--", "false") if command.startswith("certify") else ()))
    assert line == f"{option} {place} cannot be written: Not a directory; choose another place"


def test_evidence_that_meets_a_full_disk_loses_no_other_artefact(tmp_path: Path) -> None:
    driver = Path(driver_httpx.__file__)
    certify = [
        "certify",
        "--max-examples",
        "0",
        "--evidence",
        "e.ndjson",
        "--report",
        "r.json",
        "--certificate",
        "c.md",
    ]
    command = ["sh", "-c", 'ulimit -f 512; exec "$@"', "sh", sys.executable, "-m", "conformance", *certify, "--"]
    done = subprocess.run([*command, sys.executable, driver], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        f"Error: --evidence {tmp_path / 'e.ndjson'} cannot be written: File too large"
    )
    assert json.loads((tmp_path / "r.json").read_text())["outcome"] == "passed"
    assert (tmp_path / "c.md").exists()


@pytest.mark.parametrize("command", ["run --max-requests 40", "check cassettes/by-hand"])
def test_a_baseline_that_cannot_be_written_loses_no_report(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise UsageError("--baseline b.toml cannot be written: No space left on device")

    monkeypatch.setattr("conformance.cli.baseline_file.KnownFailures.save", full)
    result = call(*command.split(), "--report", tmp_path / "r.json")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == "Error: --baseline b.toml cannot be written: No space left on device"
    assert (tmp_path / "r.json").exists()


BY_HAND = Path(__file__).parents[2] / "cassettes" / "by-hand" / "explicit.yaml"


def _in_a_shell(words: str, redirection: str) -> subprocess.CompletedProcess[str]:
    shell = f'exec "$0" -m conformance {words} {redirection}'
    environment = {**os.environ, "GITHUB_ACTIONS": ""}
    return subprocess.run(["sh", "-c", shell, sys.executable], capture_output=True, text=True, env=environment)


@pytest.mark.parametrize("command", [f"check {BY_HAND}", f"check {BY_HAND} --quiet --report json:-", "rules"])
def test_a_report_that_standard_output_does_not_take_is_said(command: str) -> None:
    ended = _in_a_shell(command, "> /dev/full")
    said = f"standard output cannot be written: {os.strerror(errno.ENOSPC)}\n"
    assert (ended.returncode, ended.stderr) == (2, f"Error: {said}")


def test_closed_streams_are_nobodys_place_for_a_file(tmp_path: Path) -> None:
    evidence = tmp_path / "e.ndjson"
    ended = _in_a_shell(f"run --max-requests 20 --evidence {evidence}", "<&- >&- 2>&-")
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "", "")
    for line in evidence.read_text("utf-8").splitlines():
        json.loads(line)


def test_a_log_that_cannot_be_written_takes_nobodys_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    options = serve_command.ServeOptions("127.0.0.1", 0, log=True)
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        seen = serve_command._observers(options, reference_app(), ExitStack())
        monkeypatch.setattr(sys, "stdout", full)
        for _ in range(2):
            seen(Exchange(Request("GET", "http://localhost/v1/events"), Response(200), "#1"))
        monkeypatch.undo()
