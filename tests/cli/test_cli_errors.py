from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import uvicorn
from cli_samples import call, error, har

import conformance.cli.explanation

MISSING = os.strerror(errno.ENOENT)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("chek",), "there is no command 'chek'; did you mean 'check'? (see cronofy-conformance --help)"),
        (("check",), "(see cronofy-conformance check --help)"),
        (("check", "--fail-on", "mist", "x"), "'mist' is unknown; did you mean 'must'?"),
        (("check", "--windw", "3", "x"), "'--window'"),
        (("check", "--window", "-3", "x"), "expected a number of 0 or more, got '-3'"),
        (("check", "--window", "nan", "x"), "expected a number of 0 or more, got 'nan'"),
        (("check", "--rule", "explict-is-kept", "nope"), f"nope: {MISSING}"),
        (("check", "--default-profile", "a", "x"), "expected ACCOUNT=ID"),
        (("rules", "explict-is-kept"), "there is no rule 'explict-is-kept'; did you mean 'explicit-is-kept'"),
        (("run", "http://127.0.0.1:1"), "needs an access token: export it as CRONOFY_ACCESS_TOKEN"),
        (("run", "eu"), "'eu' is no subject"),
        (("run", "--rate-limit", "0"), "expected a number above 0, got 0"),
        (("run", "--max-requests", "0"), "'--max-requests'"),
        (("run", "--fault", "no-such-fault"), "there is no fault 'no-such-fault'"),
        (("run", "us", "--fault", "x"), "there is no fault 'x'"),
        (("serve", "--fault", "no-such-fault"), "there is no fault 'no-such-fault'"),
        (("serve", "--host", "256.1.1.1"), "cannot listen on 256.1.1.1 port 8000"),
        (("drift", "nope.md"), f"nope.md: {MISSING}; name a copy of the page"),
        (("verify", "nope.json", "nope.ndjson"), f"nope.json: {MISSING}"),
        (("certify", "--watch"), "--watch names no program"),
        (("certify", "--driver-timeout", "0", "--", "x"), "expected a number above 0, got 0"),
        (("certify", "--driver-timeout", "-1", "--", "x"), "expected a number of 0 or more, got '-1'"),
        (("cleanup",), "'SUBJECT'"),
    ],
)
def test_a_wrong_call_is_one_line_and_2(args: tuple[str, ...], expected: str) -> None:
    assert expected in error(*args)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no such device")
@pytest.mark.parametrize(
    "command",
    ["drift", "run --config", "check x --baseline", "serve --inventory", "compare /dev/zero"],
)
def test_a_file_without_an_end_is_refused_at_a_limit(command: str) -> None:
    assert f"/dev/zero: {os.strerror(errno.EFBIG)}; name a" in error(*command.split(), "/dev/zero")


@pytest.mark.parametrize("command", [("certify",), ("proxy", "--upstream", "http://127.0.0.1:9")], ids=str)
def test_a_port_that_is_taken_is_one_line_and_2(command: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert error(*command, "--duration", "2", "--port", port) == (
            f"--port {port}: cannot listen there on 127.0.0.1: {os.strerror(errno.EADDRINUSE)}; "
            "choose another, or 0 for a free one"
        )


def test_the_address_that_serve_tells_takes_connections_already(monkeypatch: pytest.MonkeyPatch) -> None:
    connected = []

    def before_it_serves(self: uvicorn.Server, sockets: list[socket.socket]) -> None:
        with sockets[0], socket.create_connection(sockets[0].getsockname(), timeout=5):
            connected.append(sockets[0])

    monkeypatch.setattr(uvicorn.Server, "run", before_it_serves)
    assert call("serve", "--port", "0").exit_code == 0
    assert len(connected) == 1


def test_a_program_that_does_not_exist_is_one_line_and_2() -> None:
    result = call("certify", "--watch", "--", "no-such-program")
    assert (result.exit_code, result.stderr) == (
        2,
        f"Error: --watch: 'no-such-program' could not be started: {MISSING}; name a program after --\n",
    )


@pytest.mark.parametrize(
    "command", ["run asgi:raising:app", "cleanup asgi:raising:app", "run --scenarios raising:them --plan"]
)
def test_what_a_module_raises_is_told_without_a_token(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "raising.py").write_text("import os\nraise RuntimeError('no such ' + os.environ['MY_TOKEN'])\n")
    monkeypatch.syspath_prepend(tmp_path)
    environment = {"CRONOFY_ACCESS_TOKEN": "a-token-of-mine", "MY_TOKEN": "CRN_q7Zk3pXw9vB2mT8dLr5sY1"}
    line = error(*command.split(), env=environment)
    assert "(RuntimeError: no such <MY_TOKEN>)" in line


def test_what_nobody_foresaw_is_one_line_without_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise RuntimeError("secret-token")

    monkeypatch.setattr(conformance.cli.explanation, "listing", broken)
    line = error("rules")
    assert line.startswith("the command could not go on: RuntimeError at contract_commands.py:")
    assert "secret-token" not in line


def test_control_characters_of_an_argument_are_shown_as_escapes() -> None:
    assert "\\x1b[2J" in error("rules", "\x1b[2J")


def test_ctrl_c_before_there_is_a_report_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(conformance.cli.explanation, "listing", interrupted)
    assert call("rules").exit_code == 130


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("default", "expected NAME=ENVVAR, such as default=CRONOFY_ACCESS_TOKEN"),
        ("default=sk-abc.def", "put the token into a variable, and the variable's name here"),
        ("no body=TOKEN", "'no body' cannot name an account"),
        ("nobody=TOKEN", "'nobody' cannot name an account"),
        ("default=MY_TOKEN", "--account default: the variable MY_TOKEN is not set or empty; export the token in it"),
        ("default=kX9secretLooking", "the variable that is named is not set or empty"),
    ],
)
def test_a_token_in_the_place_of_a_variable_is_refused_and_not_repeated(value: str, expected: str) -> None:
    line = error("run", "http://127.0.0.1:1", "--account", value)
    assert expected in line
    assert "sk-abc" not in line
    assert "kX9" not in line


def test_an_account_that_is_given_twice_is_refused() -> None:
    env = {"A": "1", "B": "2"}
    line = error("run", "http://127.0.0.1:1", "--account", "a=A", "--account", "a=B", env=env)
    assert line == "--account a is given twice with different values; give it once"


@pytest.mark.parametrize(
    "command", ["run", "check", "certify", "proxy", "serve", "rules", "verify", "drift", "cleanup"]
)
def test_help_has_an_example(command: str) -> None:
    result = call(command, "--help")
    assert result.exit_code == 0
    assert f"  cronofy-conformance {command}" in result.stdout or f" cronofy-conformance {command}" in result.stdout


def test_a_warning_is_one_line_on_standard_error(tmp_path: Path) -> None:
    cut = tmp_path / "cut.ndjson"
    line = '{"sent_at":null,"answered_at":null,"label":"a","whole":true,"request":{"method":"GET","url":"https://api.cronofy.com/v1/account","headers":[],"body":""},"response":null}\n'
    cut.write_text(line + line[:40])
    result = call("check", cut, "--quiet")
    assert result.exit_code == 3
    assert result.stderr.startswith("Warning: ")
    assert result.stderr.count("\n") == 1


def _python(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "conformance", *args], capture_output=True, text=True, check=False)


def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    done = _python("check", str(har(tmp_path / "passes.har")), "--rule", "explicit-is-kept")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("Exit code 0: nothing failed.\n")


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m conformance rules | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "0"


@pytest.mark.parametrize("args", [("--help",), ("rules",)])
def test_what_must_start_quickly_imports_nothing_heavy(args: tuple[str, ...]) -> None:
    heavy = (
        "httpx",
        "hypothesis",
        "jsonschema",
        "jsonschema_rs",
        "rich",
        "schemathesis",
        "starlette",
        "uvicorn",
        "yaml",
    )
    script = (
        "import sys\nfrom conformance.cli.main import cli\n"
        f"try:\n    cli({list(args)!r})\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
