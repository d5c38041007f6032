"""What a build service gets: formats by name, the summary of a step, annotations, badges."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from cli_samples import call, error, har

ON_GITHUB = {"GITHUB_ACTIONS": "true"}


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    return har(tmp_path / "broken.har", shown_url="https://other.example.com/\n::error::x")


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return har(tmp_path / "sound.har")


def test_a_format_before_the_path_goes_before_the_suffix(sound: Path, tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    assert call("check", sound, "--report", f"markdown:{path}").exit_code == 0
    assert path.read_text().startswith("# recording ")


def test_a_format_can_go_to_standard_output_alone(sound: Path) -> None:
    assert json.loads(call("check", sound, "--report", "json:-").stdout)["outcome"] == "passed"


def test_a_path_without_a_known_format_is_refused_with_both_ways_to_name_one() -> None:
    said = error("check", "x.har", "--report", "summary")
    assert said.startswith("Invalid value for '--report': 'summary' names no format: end it in .json .xml ")
    assert ", put json: junit: markdown: " in said
    assert "'markdown:' names no file: put a path after the colon" in error("check", "x.har", "--report", "markdown:")


def test_the_summary_of_a_step_needs_no_format_and_keeps_what_is_there(sound: Path, tmp_path: Path) -> None:
    summary = tmp_path / "step_summary_1"
    summary.write_text("# Earlier\n")
    env = {**ON_GITHUB, "GITHUB_STEP_SUMMARY": str(summary)}
    call("check", sound, "--report", summary, env=env)
    assert summary.read_text().startswith("# Earlier\n# recording ")
    full = summary.stat().st_size
    summary.write_text("x" * (1024 * 1024 - full // 2))
    call("check", sound, "--report", summary, env=env)
    assert summary.stat().st_size <= 1024 * 1024
    assert summary.read_text().endswith("The rest does not fit here; the other reports have all of it.\n")


def test_on_github_a_failure_is_an_annotation_of_one_line(broken: Path) -> None:
    lines = call("check", broken, "--report", "json:-", "--rule", "explicit-is-kept", env=ON_GITHUB).stderr.splitlines()
    errors = [line for line in lines if line.startswith("::")]
    assert len(errors) == 1
    assert re.match(r"::error title=explicit-is-kept \(must%2C [^:,]+\)::\S", errors[0])


def test_elsewhere_and_where_nothing_failed_there_is_none(broken: Path, sound: Path) -> None:
    assert "::" not in call("check", broken, "--report", "json:-").stderr
    assert "::" not in call("check", sound, "--report", "json:-", env=ON_GITHUB).stderr
    assert call("check", broken, "--report", "json:-", "--quiet", env=ON_GITHUB).stderr == ""


def test_an_outcome_without_failure_that_is_not_passed_is_an_annotation_too(sound: Path) -> None:
    weak = call("check", sound, "--rule", "8x8-is-accepted", env=ON_GITHUB)
    assert weak.exit_code == 3
    assert "\n::error title=conformance%3A inconclusive::Outcome: inconclusive. Exit code 3: " in weak.output


def test_on_github_no_line_of_a_server_is_taken_for_a_command(broken: Path) -> None:
    text = call("check", broken, env=ON_GITHUB).stdout
    start = re.match(r"::stop-commands::([0-9a-f]{32})\n", text)
    assert start is not None
    assert text.endswith(f"\n::{start[1]}::\n")


def test_a_badge_says_the_outcome_in_json_and_in_svg(broken: Path, sound: Path, tmp_path: Path) -> None:
    rule = ("--rule", "explicit-is-kept")
    shown = json.loads(call("check", broken, *rule, "--report", "badge:-").stdout)
    assert (shown["schemaVersion"], shown["message"], shown["color"]) == (1, "failed, 0 of 1 rules", "red")
    assert json.loads(call("check", sound, *rule, "--report", "badge:-").stdout)["color"] == "brightgreen"
    call("check", broken, *rule, "--report", tmp_path / "badge.svg")
    root = ET.parse(tmp_path / "badge.svg").getroot()
    assert root.get("aria-label") == f"{shown['label']}: {shown['message']}"
    assert "".join(root.itertext()).count("failed, 0 of 1 rules") == 2
