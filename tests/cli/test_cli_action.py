"""The action for GitHub, the template for GitLab and the image: their scripts are run, their paths exist."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from action_steps import Action
from cli_samples import call, har

from conformance.cli.main import cli
from conformance.version import VERSION

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"

pytestmark = [
    pytest.mark.skipif(not GITHUB.is_dir(), reason="a distribution has no .github"),
    pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash"),
]


@pytest.fixture
def action(tmp_path: Path) -> Action:
    """The action where cronofy-conformance is installed already, as this Python has it."""
    commands = tmp_path / "bin"
    commands.mkdir()
    command = commands / "cronofy-conformance"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m conformance "$@"\n')
    command.chmod(0o755)
    here = {"PATH": f"{commands}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    return Action(GITHUB / "actions" / "conformance", tmp_path, here)


def check(action: Action, recording: Path, **inputs: str):  # type: ignore[no-untyped-def]
    return action.run(command="check", subject=str(recording), install="false", **inputs)[-1]


def test_green_has_a_summary_outputs_and_reports(action: Action, tmp_path: Path) -> None:
    step = check(action, har(tmp_path / "sound.har"))
    assert step.code == 0, step.log
    assert (step.outputs["outcome"], step.outputs["exit-code"]) == ("passed", "0")
    reports = Path(step.outputs["reports"])
    assert sorted(path.name for path in reports.iterdir()) == [
        "badge.json", "badge.svg", "junit.xml", "report.html", "report.json",
    ]  # fmt: skip
    assert step.summary.startswith("# ")
    assert "passed" in step.summary
    assert "::error" not in step.log


def test_red_has_annotations_and_its_exit_code(action: Action, tmp_path: Path) -> None:
    step = check(action, har(tmp_path / "broken.har", shown_url="https://other.example.com/"))
    assert step.code == 1, step.log
    assert (step.outputs["outcome"], step.outputs["exit-code"]) == ("failed", "1")
    assert re.search(r"^::error title=explicit-is-kept ", step.log, re.MULTILINE)
    assert "explicit" in step.summary
    assert json.loads((Path(step.outputs["reports"]) / "badge.json").read_text())["color"] == "red"


def test_a_baseline_makes_it_green_and_a_stale_one_red(action: Action, tmp_path: Path) -> None:
    broken, sound = har(tmp_path / "b.har", shown_url="https://other.example.com/"), har(tmp_path / "s.har")
    baseline = tmp_path / "known failures.toml"
    call("check", broken, "--baseline", baseline, "--write-baseline")
    assert check(action, broken, baseline=str(baseline)).code == 0
    stale = check(action, sound, baseline=str(baseline))
    assert stale.code == 1
    assert re.search(r"^::error title=stale known failure of explicit-is-kept::", stale.log, re.MULTILINE)
    assert re.search(r"^::error title=conformance%3A failed::.* stale, because the failure is gone", stale.log, re.M)


def test_a_server_is_tested_with_every_input_and_nothing_in_them_is_run(action: Action, tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text("seed = 3\n")
    step = action.run(
        subject="reference", install="false", config=str(config), fail_on="should", contract="0.1.0",
        default_profiles="profiles=$(touch never)\n", accounts="", calendars="\n  \r\n", wait="1",
        args="--rule=explicit-is-kept\n--max-examples=1\n",
    )[-1]  # fmt: skip
    assert step.code == 2
    assert "userinfo of account 'profiles' does not list the profile '$(touch never)'" in step.log
    assert not (tmp_path / "never").exists()
    assert step.outputs["outcome"] == ""


def test_what_a_runner_lacks_is_said_before_anything_is_installed(action: Action, tmp_path: Path) -> None:
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    (step,) = action.run(subject="reference", python=str(old))
    assert (step.code, step.log.count("\n")) == (2, 1)
    assert "is no Python 3.11 or newer: add actions/setup-python before this action" in step.log


def test_the_action_installs_itself_into_an_environment_of_its_own(action: Action, tmp_path: Path) -> None:
    installed = tmp_path / "installed.txt"
    stand_in = tmp_path / "python"
    stand_in.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = -c ]; then exit 0; fi\n'
        'if [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; exit 0; fi\n'
        f'printf "%s\\n" "$@" > "{installed}"\n'
    )
    stand_in.chmod(0o755)
    action.run(subject="no-such-recording.har", command="check", python=str(stand_in))
    words = installed.read_text().splitlines()
    assert words[:3] == ["-m", "pip", "install"]
    assert Path(words[-1]).resolve() == ROOT
    assert Path(words[words.index("--constraint") + 1]).resolve() == ROOT / "tests" / "constraints.txt"
    assert action.environment["PATH"].startswith(str(tmp_path / "conformance-venv" / "bin"))


def test_each_option_in_the_scripts_is_one_of_the_command_line() -> None:
    text = (GITHUB / "actions/conformance/action.yml").read_text() + (GITHUB / "gitlab/conformance.yml").read_text()
    ours = {option for param in cli.commands["run"].params for option in param.opts}
    others = {"--quiet", "--disable-pip-version-check", "--constraint"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - ours - others == set()


def test_the_script_of_the_gitlab_template_runs_a_server(action: Action, tmp_path: Path) -> None:
    job = yaml.safe_load((GITHUB / "gitlab" / "conformance.yml").read_text())[".cronofy-conformance"]
    script = "\n".join(job["script"][1:])  # the first line installs
    chosen = {"CONFORMANCE_SUBJECT": "reference", "CONFORMANCE_OPTIONS": "--rule explicit-is-kept --wait 60"}
    environment = {**os.environ, **job["variables"], **action.environment, **chosen}
    environment.pop("GITHUB_ACTIONS", None)
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert job["script"][0] == 'python -m pip install --quiet "$CONFORMANCE_PACKAGE"'
    assert (tmp_path / job["artifacts"]["reports"]["junit"]).is_file()


def test_what_the_image_copies_is_there_and_it_runs_the_command() -> None:
    text = (GITHUB / "Containerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        assert [path for path in line.split()[:-1] if not (ROOT / path).exists()] == []
    assert 'ENTRYPOINT ["cronofy-conformance"]' in text
    assert "\nUSER conformance\n" in text


def test_the_examples_of_the_readme_are_pinned_to_this_version() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pinned = re.findall(r"(?:conformance@v|cronofy-conformance/v|cronofy-conformance==)([^/\s,]+)", readme)
    assert pinned == [VERSION] * 3
    assert "uses: OWNER/cronofy-conformance/.github/actions/conformance@v" in readme
    assert "/.github/gitlab/conformance.yml" in readme
