"""The plugin as a user has it: in a process of its own, with a project of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import click
import pytest

from conformance.cli.server_commands import run
from conformance.contract.rules import load
from conformance.plugins.pytest_plugin import _selected
from conformance.plugins.results import CampaignResults, RuleResult, shared_results

SERVER_RULES = {rule.id for rule in load() if rule.applies_to == "server"}

#: An ASGI application that writes a line whenever a run begins with it.
COUNTED = """
from pathlib import Path
from conformance.reference import reference_app

inner = reference_app(settle=0.0)


class App:
    clock = None

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            with (Path(__file__).parent / "runs.txt").open("a") as file:
                file.write("run\\n")
        await inner(scope, receive, send)


app = App()
"""


def run_pytest(folder: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """pytest in `folder`, with the plugin and those that are named."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **env}
    environment.pop("PYTEST_ADDOPTS", None)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "conformance.plugins.pytest_plugin",
        "-p",
        "no:cacheprovider",
        *args,
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, check=False)


def test_each_rule_is_a_test_and_a_fault_fails_those_that_detect_it(tmp_path: Path) -> None:
    done = run_pytest(
        tmp_path, "--pyargs", "conformance.suite", "--fault", "8x8-refused", "--seed", "3", "--max-examples", "0",
        "--junitxml", "junit.xml",
    )  # fmt: skip
    cases = {case.attrib["name"]: case for case in ET.parse(tmp_path / "junit.xml").iter("testcase")}
    assert set(cases) == {f"test_rule[{rule}]" for rule in SERVER_RULES}
    failures = {name: failure for name, case in cases.items() if (failure := case.find("failure")) is not None}
    assert (done.returncode, set(failures)) == (1, {"test_rule[8x8-is-accepted]"}), done.stdout
    message = "".join(failures["test_rule[8x8-is-accepted]"].itertext())
    assert message.startswith("1. The creation of an event with the profile_id 8x8 is answered 422; expected 2xx\n")
    assert "curl -sS " in message
    assert "smallest scenario\n     1. create the event with the profile_id 8x8" in message
    assert "Traceback" not in done.stdout
    assert "conformance: reference is tested, one test a rule" in done.stdout


def test_two_processes_share_one_campaign_with_the_same_outcome_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "counted.py").write_text(COUNTED)
    (tmp_path / "reversing.py").write_text("def pytest_collection_modifyitems(items):\n    items.reverse()\n")
    outcomes = []
    for others in ((), ("-p", "reversing", "-p", "xdist", "-n", "2")):
        done = run_pytest(
            tmp_path, *others, "--pyargs", "conformance.suite", "--subject", "asgi:counted:app",
            "--account", "default=TOKEN", "--max-requests", "20", "-k", "explicit-is", "--junitxml", "junit.xml",
            TOKEN="reference-default-token", PYTHONPATH=str(tmp_path),
        )  # fmt: skip
        assert done.returncode == 1, done.stdout  # the limit of requests leaves rules of level must inconclusive
        cases = list(ET.parse(tmp_path / "junit.xml").iter("testcase"))
        outcomes.append({case.attrib["name"]: [(one.tag, one.get("message")) for one in case] for case in cases})
    assert (tmp_path / "runs.txt").read_text() == "run\nrun\n"
    assert outcomes[0] == outcomes[1]
    assert set(outcomes[0]) == {f"test_rule[{rule}]" for rule in SERVER_RULES if "explicit-is" in rule}


def test_what_cannot_be_judged_is_one_line_and_2(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "--pyargs", "conformance.suite", "--subject", "http//x", CRONOFY_ACCESS_TOKEN="t")
    assert done.returncode == 2, done.stdout
    assert done.stdout.count("'http//x' is no subject: ") == 1


def test_a_users_tests_keep_their_options_and_use_the_fixtures(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "from pathlib import Path\n"
        "import pytest\n"
        "from conformance import Scenario, Step, in_process\n"
        "from conformance.reference import reference_app\n\n\n"
        "def pytest_addoption(parser):\n"
        "    parser.addoption('--seed')\n"
        "    parser.addoption('--config')\n\n\n"
        "@pytest.fixture(scope='session')\n"
        "def conformance_subject():\n"
        "    app = reference_app(settle=0.0)\n"
        "    return in_process(app, {'default': 'reference-default-token'})\n\n\n"
        "def pytest_conformance_scenarios(inventory):\n"
        "    account, calendar = inventory.targets[0]\n"
        "    Path('hooked.txt').write_text(account.name)\n"
        "    return Scenario('ours', account.name, calendar.calendar_id, (Step('none'),))\n"
    )
    (tmp_path / "test_ours.py").write_text(
        "from conformance.suite.test_server import test_rule\n\n\n"
        "def test_beside_rules(pytestconfig, conformance_options):\n"
        "    assert pytestconfig.getoption('--seed') == '5'\n"
        "    assert (conformance_options.seed, conformance_options.max_requests) == (7, 10)\n"
    )
    done = run_pytest(
        tmp_path, "--seed", "5", "--conformance-seed", "7", "--conformance-max-requests", "10",
        "--conformance-require-coverage", "-k", "beside_rules or 8x8-generates-nothing",
    )  # fmt: skip
    assert (done.returncode, "1 passed" in done.stdout) == (1, True), done.stdout
    assert "the limit of 10 requests was reached" in done.stdout
    assert (tmp_path / "hooked.txt").read_text() == "default"


def test_each_option_of_run_is_one_of_pytest_or_is_left_to_it(tmp_path: Path) -> None:
    shown = " ".join(run_pytest(tmp_path, "--help").stdout.split())
    left_out = {
        "--plan",
        "--write-baseline",
        "--record",
        "--evidence",
        "--rule",
        "--report",
        "--quiet",
        "--verbose",
        "--strength",
    }
    for param in run.params:
        option = param.opts[0].removeprefix("--")
        assert bool(re.search(rf"--conformance-{option}\b(?!-|ing)", shown)) is (f"--{option}" not in left_out)
        if isinstance(param, click.Option) and f"--{option}" not in left_out:
            value = "" if param.is_flag else f"={param.metavar}"
            assert f"--conformance-{option}{value} {param.help}" in shown


def test_starting_pytest_imports_nothing_heavy() -> None:
    heavy = ("httpx", "hypothesis", "jsonschema", "jsonschema_rs", "schemathesis", "uvicorn", "yaml")
    script = (
        f"import sys, conformance.plugins.pytest_plugin\nprint([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_results_are_computed_by_one_process_and_read_by_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = CampaignResults(
        {"a": RuleResult("failed", "why", is_fatal=True), "b": RuleResult("passed", "", is_fatal=False)}
    )
    given = [expected]
    assert [shared_results(given.pop, tmp_path) for _ in range(2)] == [expected, expected]
    assert expected.failed == ("a",)


def test_a_known_failure_is_a_strict_xfail_with_its_reason(tmp_path: Path) -> None:
    entry = '[[known]]\nrule = "8x8-is-accepted"\ncause = "8x8-is-accepted 8x8 response/status"\nreason = "Ticket 7"\n'
    (tmp_path / "known.toml").write_text(entry.replace("8x8-is-accepted 8x8 response/status", _cause(tmp_path)))
    suite = (
        "--pyargs",
        "conformance.suite",
        "--max-examples",
        "0",
        "--baseline",
        "known.toml",
        "-k",
        "8x8-is-accepted",
        "-rxf",
    )
    known = run_pytest(tmp_path, *suite, "--fault", "8x8-refused")
    assert known.returncode == 0, known.stdout
    assert "1 xfailed" in known.stdout
    assert "Ticket 7" in known.stdout
    gone = run_pytest(tmp_path, *suite)
    assert gone.returncode == 1, gone.stdout
    assert "XPASS(strict)" in gone.stdout
    assert "1 failed" in gone.stdout


def _cause(folder: Path) -> str:
    path = folder / "written.toml"
    command = (
        "run",
        "--max-examples",
        "0",
        "--fault",
        "8x8-refused",
        "--rule",
        "8x8-is-accepted",
        "--baseline",
        path,
        "--write-baseline",
    )
    subprocess.run([sys.executable, "-m", "conformance", *command], check=True, capture_output=True)
    cause: str = tomllib.loads(path.read_text())["known"][0]["cause"]
    return cause


def test_only_what_decides_the_selected_rules_is_sent() -> None:
    """Whatever selected them, but for ``--lf``: what failed beside other writes might pass without them."""

    def item(rule: str | None, fixture: str = "conformance_results") -> SimpleNamespace:
        params = {} if rule is None else {"conformance_rule": rule}
        return SimpleNamespace(fixturenames=(fixture,), callspec=SimpleNamespace(params=params))

    def selected(*items: SimpleNamespace, lf: bool = False) -> set[str]:
        config = SimpleNamespace(getoption=lambda name, default: lf if name == "lf" else default)
        return set(_selected(cast(Any, SimpleNamespace(items=items, config=config)), None))

    one, other = item("explicit-is-kept"), item("8x8-is-accepted")
    assert selected(one, other, item(None, "tmp_path")) == {"explicit-is-kept", "8x8-is-accepted"}
    assert selected(one, other, lf=True) == set()
    assert selected(one, item(None)) == set()  # a team's own test may ask for any rule
    assert selected(*map(item, SERVER_RULES)) == set()
