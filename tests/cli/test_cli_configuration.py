from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from cli_samples import call, error, har
from click.testing import CliRunner

from conformance.cli import server_commands as servers
from conformance.cli.configuration import parse_default_profile
from conformance.cli.main import cli
from conformance.errors import nearest
from conformance.servers.run_options import RunOptions


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[RunOptions]:
    """The options of each `run`, instead of runs."""
    options: list[RunOptions] = []
    run_options = servers.run_options

    def note(*args: Any, **more: Any) -> RunOptions:
        options.append(run_options(*args, **more))
        raise KeyboardInterrupt

    monkeypatch.setattr(servers, "run_options", note)
    return options


def _file(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


EVERYTHING = """\
subject = "http://127.0.0.1:8000"
calendar = ["cal_1", "cal_2"]
max-examples = 5
seed = 7
settle-timeout = 3
window = 1.5
rate-limit = 8
max-requests = 400
plan = true
rule = "explicit-is-kept"
fail-on = "should"
require-coverage = true
record = "out"
evidence = "e.ndjson"
report = ["r.json", "-"]
quiet = true

[account]
default = "TOKEN_1"
"second" = "TOKEN_2"

[default-profile]
second = "pro_1"
"""


def test_every_option_can_come_from_a_file(tmp_path: Path, chosen: list[RunOptions]) -> None:
    file = _file(tmp_path / "c.toml", EVERYTHING)
    call("run", "--config", file, env={"TOKEN_1": "one", "TOKEN_2": "two"})
    assert chosen == [
        RunOptions(
            subject="http://127.0.0.1:8000",
            accounts={"default": "one", "second": "two"},
            variables={"default": "TOKEN_1", "second": "TOKEN_2"},
            calendars=("cal_1", "cal_2"),
            default_profiles={"second": "pro_1"},
            max_examples=5,
            seed=7,
            settle_timeout=3.0,
            window=1.5,
            rate_limit=8.0,
            max_requests=400,
            plan=True,
            rules=("explicit-is-kept",),
            fail_on="should",
            require_coverage=True,
            record=Path("out").absolute(),
            evidence=Path("e.ndjson").absolute(),
            reports=(f"json:{Path('r.json').absolute()}", "-"),
            quiet=True,
        )
    ]


def test_the_same_options_on_the_command_line_come_to_the_same(tmp_path: Path, chosen: list[RunOptions]) -> None:
    env = {"TOKEN_1": "one", "TOKEN_2": "two"}
    call("run", "--config", _file(tmp_path / "c.toml", EVERYTHING), env=env)
    line = (
        "run http://127.0.0.1:8000 --account default=TOKEN_1 --account second=TOKEN_2 "
        "--calendar cal_1 --calendar cal_2 --default-profile second=pro_1 --max-examples 5 --seed 7 "
        "--settle-timeout 3 --window 1.5 --rate-limit 8 --max-requests 400 --plan --rule explicit-is-kept "
        "--fail-on should --require-coverage --record out --evidence e.ndjson --report r.json --report - --quiet"
    )
    call(*line.split(), env=env)
    assert chosen[0] == chosen[1]


def test_the_command_line_goes_before_the_file(tmp_path: Path, chosen: list[RunOptions]) -> None:
    file = _file(tmp_path / "c.toml", 'subject = "us"\nseed = 7\ncalendar = ["a"]\n')
    call("run", "uk", "--config", file, "--calendar", "b")
    assert [(one.subject, one.seed, one.calendars) for one in chosen] == [("uk", 7, ("b",))]


def test_without_anything_the_reference_is_run(chosen: list[RunOptions]) -> None:
    call("run")
    assert chosen == [RunOptions()]


def test_the_default_account_is_the_variable_that_everybody_uses(chosen: list[RunOptions]) -> None:
    call("run", "us", env={"CRONOFY_ACCESS_TOKEN": "t"})
    assert chosen == [RunOptions(subject="us", accounts={"default": "t"})]
    assert "'t'" not in repr(chosen)


def test_options_of_other_commands_are_ignored(tmp_path: Path) -> None:
    file = _file(tmp_path / "c.toml", 'max-requests = 3\nrule = ["explicit-is-kept"]\nreport = ["-"]\nsubject = "us"\n')
    result = call("check", har(tmp_path / "passes.har"), "--config", file)
    assert result.exit_code == 0, result.output
    assert "explicit-is-kept" in result.stdout
    assert "none-is-accepted" not in result.stdout


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seeed = 1", "unknown option 'seeed'; did you mean 'seed'"),
        ("settle_timeout = 1", "unknown option 'settle_timeout'; did you mean 'settle-timeout'"),
        ('seed = "x"', "seed: 'x' "),
        ("seed = true", "seed is no flag, got bool"),
        ("seed = inf", "seed: inf is no number that it takes"),
        ("seed = [1, 2]", "seed takes one value, got a list of 2"),
        ("plan = 1", "plan is true or false, got int"),
        ('fail-on = "mist"', "fail-on: 'mist' is unknown; did you mean 'must'?"),
        ("[window]\na = 1", "window is a table; only account, client-secret and default-profile can be tables"),
        ("window = inf", "window: expected a number of 0 or more, got inf"),
        ('account = ["default"]', "account: expected NAME=ENVVAR"),
        ('[account]\ndefault = "sk-123.4"', "put the token into a variable"),
        ("seed = ", "is not TOML: "),
        ("seed = " + 5000 * "[", "is not TOML: "),
        ('config = "other.toml"', "unknown option 'config'"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_the_place(tmp_path: Path, text: str, expected: str) -> None:
    file = _file(tmp_path / "c.toml", text)
    line = error("run", "--config", file)
    assert line.startswith(f"--config {file}")
    assert expected in line
    assert "sk-123" not in line


def test_a_file_that_is_missing_or_not_text_is_one_line(tmp_path: Path) -> None:
    assert error("run", "--config", tmp_path / "no.toml").endswith(f"{os.strerror(errno.ENOENT)}; name a TOML file")
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    assert "is not TOML" in error("run", "--config", tmp_path / "b.toml")


def test_an_error_names_the_nearest_words_or_all_or_some() -> None:
    many = [f"rule-{number:02}" for number in range(30)]
    assert nearest("explict", ["explicit", "none"]) == "did you mean 'explicit'?"
    assert (
        nearest("kept", ["explicit-is-kept-as-it-was-sent", "none"])
        == "did you mean 'explicit-is-kept-as-it-was-sent'?"
    )
    assert nearest("zzz", ["b", "a"]) == "there is a, b"
    assert nearest("zzz", []) == "there is none"
    assert nearest("zzz", many) == "there are 30, rule-00 and rule-01 among them"


def test_a_default_profile_is_any_id() -> None:
    assert parse_default_profile("a=int_667c=1") == ("a", "int_667c=1")
    with pytest.raises(ValueError, match="cannot name an account"):
        parse_default_profile("=x")


def test_every_option_of_a_command_that_has_config_is_known_to_it() -> None:
    options = {
        option.removeprefix("--")
        for command in cli.commands.values()
        for param in command.params
        for option in param.opts
        if option.startswith("--")
    }
    assert {
        "account",
        "calendar",
        "default-profile",
        "config",
        "max-examples",
        "seed",
        "settle-timeout",
        "window",
    } <= options
    assert {
        "rate-limit",
        "max-requests",
        "plan",
        "rule",
        "fail-on",
        "require-coverage",
        "fault",
        "record",
        "evidence",
    } <= options
    assert {"report", "quiet", "driver-timeout", "duration", "host", "port", "settle"} <= options
    assert CliRunner().invoke(cli, ["run", "--config"]).exit_code == 2
