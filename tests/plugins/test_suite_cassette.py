"""A recorded run as the subject: the same requests, the same answers, the same report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from conformance.cli.main import cli
from conformance.servers.subject import ConfigurationError, parse

OPTIONS = ("--seed", "5", "--max-requests", "150", "--quiet")


def _call(*args: str | Path) -> Result:
    return CliRunner(env={"CRONOFY_ACCESS_TOKEN": None}).invoke(cli, ["run", *map(str, args)])


def _without_subject(report: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(report.read_text())
    del document["subject"]
    return document


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the cassettes of a run of the reference, and its report."""
    folder = tmp_path_factory.mktemp("recorded")
    done = _call("reference", *OPTIONS, "--record", folder / "cassettes", "--report", folder / "live.json")
    assert done.exit_code == 3, done.output
    return folder


def test_a_replayed_run_gives_the_same_report(recorded: Path) -> None:
    again = recorded / "again.json"
    done = _call(f"cassette:{recorded / 'cassettes'}", *OPTIONS, "--report", again)
    assert done.exit_code == 3, done.output
    assert _without_subject(again) == _without_subject(recorded / "live.json")


def test_a_request_that_was_not_recorded_is_named_once_with_the_remedy(recorded: Path) -> None:
    done = _call(f"cassette:{recorded / 'cassettes'}", *OPTIONS, "--seed", "6")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: POST http://localhost/v1/calendars/cal_")
    assert " was not recorded, or not as often: replay with the options of the recorded run (--seed 5)" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_recording_that_is_no_run_of_the_reference_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"judge it as it is with `cronofy-conformance check .*cassettes`"):
        parse(f"cassette:{Path(__file__).parent / 'cassettes'}", {})
