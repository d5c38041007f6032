"""`certify` and `proxy` on the command line: levels, exit codes, and the help for whoever writes an adapter."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from conformance.cli.main import cli
from conformance.clients.driver import adapters
from conformance.contract import schemas

ADAPTERS = Path(str(adapters.__path__[0]))
BROKEN_DRIVERS = Path(__file__).parent / "broken" / "broken_drivers.py"
NOTHING_REACHED = "nothing reached the gateway: does the client use CRONOFY_API_URL or HTTPS_PROXY?"

#: An adapter in which a test changes one thing.
ADAPTER = f"""
import json, os, sys
sys.path.insert(0, {str(ADAPTERS)!r})
from driver_httpx import HttpxAdapter

class Adapter(HttpxAdapter):
    answered = 0

    def answer(self, method, params):
        self.answered += 1
        return self.change(method, params) or super().answer(method, params)

    def change(self, method, params):
        CHANGE

Adapter().run()
"""


def call(*args: str | Path, **environment: str) -> Result:
    return CliRunner(env={"FORCE_COLOR": None, **environment}).invoke(cli, [str(arg) for arg in args])


def certified(tmp_path: Path, *command: str | Path, options: tuple[str, ...] = ()) -> tuple[Result, dict[str, Any]]:
    """The result of certifying a driver, and its report."""
    path = tmp_path / "report.json"
    result = call("certify", "--max-examples", "0", *options, "--report", path, "--", sys.executable, *command)
    return result, json.loads(path.read_text())


def changed(tmp_path: Path, change: str) -> Path:
    """An adapter of which `change` answers, where it does not give None."""
    path = tmp_path / "adapter.py"
    path.write_text(ADAPTER.replace("CHANGE", change))
    return path


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {rule["id"]: rule["outcome"] for rule in report["rules"]}


def test_a_certificate_names_the_level_that_it_attests(tmp_path: Path) -> None:
    result, report = certified(tmp_path, ADAPTERS / "driver_httpx.py", options=("--report", "-"))
    assert (result.exit_code, report["outcome"]) == (0, "passed")
    assert report["subject"]["attested_level"] == "inferred"
    attested = "This certificate attests level inferred: no rule of level must, should or inferred failed"
    passed = list(outcomes(report).values()).count("passed")
    assert f"{attested}, and {passed} of {len(report['rules'])} rules passed." in result.stdout


@pytest.mark.parametrize("name", ["event-fields-are-sent-as-requested", "a-refusal-is-reported"])
def test_a_client_that_loses_or_misreports_something_is_not_certified(name: str, tmp_path: Path) -> None:
    result, report = certified(tmp_path, BROKEN_DRIVERS, name)
    assert [rule for rule, outcome in outcomes(report).items() if outcome == "failed"] == [name]
    assert {rule["id"]: rule["level"] for rule in report["rules"]}[name] == "should"
    assert (result.exit_code, report["subject"]["attested_level"]) == (1, "must")


def test_a_weaker_certificate_is_given_where_it_is_asked_for(tmp_path: Path) -> None:
    options = ("--fail-on", "must")
    result, report = certified(tmp_path, BROKEN_DRIVERS, "event-fields-are-sent-as-requested", options=options)
    assert (result.exit_code, report["subject"]["attested_level"]) == (0, "must")


def test_verdicts_before_an_adapter_fails_are_reported(tmp_path: Path) -> None:
    result, report = certified(tmp_path, changed(tmp_path, "if self.answered > 60: os._exit(3)"))
    assert (result.exit_code, report["outcome"]) == (2, "inconclusive")
    assert outcomes(report)["a-write-is-sent"] == "passed"
    assert report["subject"]["attested_level"] is None
    error = result.stderr.splitlines()[0]
    assert error.startswith("Error: the driver ")
    assert "ended before it answered request 61" in error


def test_a_failure_that_was_proven_goes_before_the_failure_of_an_adapter(tmp_path: Path) -> None:
    lose = 'if method == "upsert_event": params["event"].pop("conferencing", None)'
    adapter = changed(tmp_path, f"{lose}\n        if self.answered > 60: os._exit(3)")
    result, report = certified(tmp_path, adapter)
    assert (result.exit_code, outcomes(report)["conferencing-is-sent-when-requested"]) == (1, "failed")
    assert "ended before it answered request 61" in result.stderr


def test_a_client_of_which_nothing_comes_is_not_judged(tmp_path: Path) -> None:
    lacks = 'if method in ("batch", "verify_notification"): return {"error": {"code": -32601, "message": "none"}}'
    change = 'return {"result": {"events": [], "calendars": []}} if method != "stop" else None'
    adapter = changed(tmp_path, f'if method == "start": return None\n        {lacks}\n        {change}')
    result, report = certified(tmp_path, adapter)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == f"Error: nothing was judged: {NOTHING_REACHED}"
    assert report["subject"]["attested_level"] is None


def test_hosts_that_were_refused_are_named(tmp_path: Path) -> None:
    send = "import httpx; httpx.get('http://example.com/v1/calendars')"
    result = call("certify", "--watch", "--", sys.executable, "-c", send)
    assert result.exit_code == 2
    expected = f"{NOTHING_REACHED} Refused: GET http://example.com/v1/calendars was refused by the proxy"
    assert result.stderr == f"Error: nothing was judged: {expected}\n"


GET = "import os, httpx; httpx.get(os.environ['CRONOFY_API_URL'] + '/v1/calendars'); "


@pytest.mark.parametrize(
    ("program", "code", "said"),
    [
        (GET + "os._exit(5)", 1, "failed with exit code 5\n"),
        (GET + "os.kill(os.getpid(), 9)", 1, "was killed by signal 9\n"),
        ("raise SystemExit(3)", 1, f"failed with exit code 3; {NOTHING_REACHED}\n"),
        ("pass", 2, f"{NOTHING_REACHED}\n"),
    ],
)
def test_a_watched_programs_own_failure_is_said_first(program: str, code: int, said: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    result = call("certify", "--watch", "--report", report, "--", sys.executable, "-c", program)
    assert result.exit_code == code
    first = result.stderr.partition("\n")[0] + "\n"
    assert first.startswith("Error: ")
    assert first.endswith(said)
    assert json.loads(report.read_text())["outcome"] != "passed"


def test_a_proxy_without_traffic_judges_nothing() -> None:
    result = call("proxy", "--upstream", "http://127.0.0.1:9", "--duration", "0.05")
    assert result.exit_code == 2
    assert (
        "Error: nothing was judged: nothing reached the proxy: does the client use http://127.0.0.1:" in result.stderr
    )


def test_the_users_own_tokens_are_in_no_environment_and_in_no_message(tmp_path: Path) -> None:
    own = {"CRONOFY_ACCESS_TOKEN": "users-own-token-9f3", "CRONOFY_CLIENT_SECRET": "users-own-secret-7b1"}
    names = ["CRONOFY_ACCESS_TOKEN", "CRONOFY_CLIENT_SECRET", "MY_TOKEN", "UNRELATED"]
    shown = f"*[os.environ[name] for name in {names}], {own['CRONOFY_CLIENT_SECRET']!r}, 'Bearer abc.def.ghi'"
    show = f"print({shown}, file=sys.stderr, flush=True); os._exit(1)"
    copied = {"MY_TOKEN": own["CRONOFY_ACCESS_TOKEN"], "UNRELATED": "untouched-value"}
    result = call("certify", "--", sys.executable, str(changed(tmp_path, show)), **own, **copied)
    assert result.exit_code == 2
    kept = "<profiles> <profiles> <profiles> untouched-value <CRONOFY_CLIENT_SECRET> Bearer <redacted>"
    assert result.stderr.endswith(f"its last lines on stderr: {kept}\n")


def test_an_adapter_that_keeps_the_protocol_is_told_so() -> None:
    result = call("certify", "--check-driver", "--", sys.executable, str(ADAPTERS / "driver_httpx.py"))
    assert result.exit_code == 0, result.output
    lines = [line.split(None, 1) for line in result.stdout.splitlines()]
    assert [(mark, text.rpartition("  ")[0].strip()) for mark, text in lines] == [
        ("ok", "start"),
        ("ok", "list_calendars"),
        ("ok", "upsert_event"),
        ("ok", "read_events"),
        ("ok", "upsert_event, answered 422"),
        ("ok", "upsert_event, answered 403"),
        ("ok", "delete_event"),
        ("ok", "batch"),
        ("ok", "verify_notification"),
        ("ok", "a method that is not known"),
        ("ok", "stop"),
    ]


RAISE = 'return {"error": {"code": -32000, "message": "m", "data": {"status": 500}}}'


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ('if method == "start": return {"error": {"code": 1, "message": "no licence"}}', "no licence"),
        (f'if method == "upsert_event": {RAISE}', "expected a result, got the error 'm'"),
        ('if method == "upsert_event": return {"result": {}}', "expected a request to the gateway, none came"),
        ('if method == "read_events": return {"result": {}}', "expected it to have events"),
        (
            'if method == "read_events": super().answer(method, params); return {"result": {"events": []}}',
            "expected result.events to have the event_id 'check-driver'",
        ),
        (
            f'if method == "upsert_event" and "result" not in super().answer(method, params): {RAISE}',
            "expected error.data.status 422, got 500",
        ),
        (
            'answer = super().answer(method, params); answer.get("error", {}).get("data", {}).pop("errors", 0); '
            "return answer",
            "expected error.data.errors {'summary':",
        ),
        ('if method == "no_such_method": return {"result": {}}', "expected the error code -32601"),
        ('if method == "stop": os._exit(4)', "ended before it answered stop (exit code 4)"),
        ('if method == "upsert_event": return {"ok": {}}', "expected either result or error"),
    ],
)
def test_what_an_adapter_gets_wrong_is_named(change: str, problem: str, tmp_path: Path) -> None:
    result = call("certify", "--check-driver", "--", sys.executable, str(changed(tmp_path, change)))
    assert result.exit_code == 2
    found = [line for line in result.stdout.splitlines() if line.startswith("problem")]
    assert found, result.output
    assert problem in found[0]


def test_an_adapter_to_check_has_to_be_named() -> None:
    result = call("certify", "--check-driver")
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: --check-driver names no driver: put it behind --, as in `--check-driver -- python driver.py`\n",
    )


@pytest.mark.parametrize(
    ("language", "file"),
    [
        ("python", "driver_httpx.py"),
        ("node", "driver_cronofy.js"),
        ("ruby", "driver_cronofy.rb"),
        ("shell", "driver_curl.sh"),
    ],
)
def test_an_example_driver_is_printed(language: str, file: str) -> None:
    assert call("certify", "--print-driver", language).stdout == (ADAPTERS / file).read_text("utf-8")


def test_the_protocol_is_printed_for_who_has_no_checkout() -> None:
    assert json.loads(call("certify", "--print-driver", "schema").stdout) == schemas.read("driver")
