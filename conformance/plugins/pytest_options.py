"""The options of `run` and `check` as options of pytest, and what the commands make of those that are given."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click
import pytest

from conformance.cli.options import by_name, pairs
from conformance.cli.recording_commands import check
from conformance.cli.server_commands import run, run_options

if TYPE_CHECKING:
    from conformance.cli.check_command import CheckOptions
    from conformance.servers.run_options import RunOptions

__all__ = [
    "add_options",
    "campaign_options",
    "check_options",
    "is_set",
    "is_worker",
    "stop",
    "subject_named",
    "suite_is_named",
    "value_of",
]

T = TypeVar("T")

_SUITE = "conformance.suite"

_GROUP = (
    "conformance of a server (the options of `cronofy-conformance run`, each as --conformance-NAME; with "
    "conformance.suite on the command line also as --NAME, unless pytest or another plugin has that option)"
)

#: The parameters of `run` that make no sense here: pytest selects tests and writes reports itself.
_LEFT_OUT = {"paths", "plan", "write-baseline", "record", "evidence", "rule", "report", "quiet", "verbose", "strength"}


def _parameters() -> dict[str, click.Parameter]:
    """What a campaign takes, and what the judging of recordings takes besides."""
    return {name: param for name, param in {**by_name(check), **by_name(run)}.items() if name not in _LEFT_OUT}


def add_options(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add each option under a name of its own, and under the plain one where the suite is on the command line."""
    group = parser.getgroup("conformance", _GROUP)
    suite = suite_is_named(pluginmanager.get_plugin("pytestconfig"))
    taken = _taken(parser)
    for name, param in _parameters().items():
        plain = [f"--{name}"] if suite and f"--{name}" not in taken else []
        group.addoption(f"--conformance-{name}", *plain, dest=_dest(name), **_attributes(param))
    plain = ["--recording"] if suite and "--recording" not in taken else []
    help_of_recording = "A recording to judge instead of a server, or a folder of them; repeatable."
    group.addoption(
        "--conformance-recording", *plain, action="append", default=[], metavar="PATH", help=help_of_recording
    )
    help_of_conformance = "Judge each test that is recorded, as it ends."
    group.addoption("--conformance", action="store_true", dest="conformance_of_tests", help=help_of_conformance)
    parser.addini("conformance", help_of_conformance, type="bool", default=False)
    parser.addini("conformance_subject", "What is tested; also CRONOFY_CONFORMANCE_SUBJECT in the environment.")
    parser.addini("conformance_complete_recording", "Each test records every write of its events.", type="bool")
    parser.addini("cronofy_server_inventory", "The inventory of cronofy_server: a TOML file, below the root folder.")
    parser.addini("conformance_fail_on", "The weakest level whose failures count: must, should or inferred.")


def value_of(config: pytest.Config, name: str) -> str | None:
    """The value of an option: the last one on the command line, else that of the ini file."""
    given: list[str] = config.getoption(_dest(name)) or []
    inis = {"fail-on": "conformance_fail_on", "subject": "conformance_subject"}
    ini = str(config.getini(inis[name]) or "") if name in inis else ""
    return given[-1] if given else ini or None


def is_set(config: pytest.Config, name: str) -> bool:
    """Whether a flag is given on the command line."""
    return bool(config.getoption(_dest(name)))


def subject_named(config: pytest.Config) -> str | None:
    """The subject of a campaign that an option, the ini file or the environment names."""
    return value_of(config, "subject") or os.environ.get("CRONOFY_CONFORMANCE_SUBJECT")


def campaign_options(config: pytest.Config) -> RunOptions:
    """The options of a campaign."""
    subject = subject_named(config)

    def made(found: dict[str, Any]) -> RunOptions:
        found.pop("strength", None)  # what a report says besides, and pytest has none
        return run_options(**found)

    return _parsed(config, run, [subject] if subject else [], made)


def check_options(config: pytest.Config) -> CheckOptions:
    """The options of judging recordings."""
    from conformance.cli.check_command import CheckOptions

    def made(found: dict[str, Any]) -> CheckOptions:
        known = {name: value for name, value in found.items() if name in CheckOptions.__dataclass_fields__}
        profiles = pairs(found["default_profiles"], "--default-profile")
        return CheckOptions(**{**known, "default_profiles": profiles, "paths": tuple(map(Path, found["paths"]))})

    return _parsed(config, check, config.getoption("conformance_recording"), made)


def _parsed(
    config: pytest.Config, command: click.Command, arguments: list[str], made: Callable[[dict[str, Any]], T]
) -> T:
    """What `made` makes of the parameters of a command, which checks them."""
    from conformance.cli.main import cli
    from conformance.errors import UsageError

    try:
        with click.Context(cli, info_name="pytest") as group:
            line = [*_arguments(config, command), "--", *arguments]
            return made(command.make_context(str(command.name), line, parent=group).params)
    except click.ClickException as error:
        stop(config, error.format_message())
    except UsageError as error:
        stop(config, str(error))


def _arguments(config: pytest.Config, command: click.Command) -> list[str]:
    """The options as on the command line of a command."""
    options: list[str] = []
    level = value_of(config, "fail-on")
    for name, param in by_name(command).items():
        if name in _LEFT_OUT or isinstance(param, click.Argument):
            continue
        given = config.getoption(_dest(name), default=None) or ([level] if name == "fail-on" and level else [])
        options += [f"--{name}"] if given is True else [f"--{name}={value}" for value in given]
    return options


def _attributes(param: click.Parameter) -> dict[str, Any]:
    """What pytest is to know of a parameter of `run`, which checks its values later."""
    if isinstance(param, click.Option) and param.is_flag:
        return {"action": "store_true", "help": param.help}
    text = param.help if isinstance(param, click.Option) else "What is tested, as for `cronofy-conformance run`."
    return {"action": "append", "metavar": (param.metavar or "").strip("[]"), "help": text}


def suite_is_named(config: pytest.Config | None) -> bool:
    """Whether `conformance.suite` is on the command line."""
    return config is not None and any(str(arg).startswith(_SUITE) for arg in config.invocation_params.args)


def _taken(parser: pytest.Parser) -> set[str]:
    """The names of all options so far; pytest has no public way to list them."""
    groups = (*getattr(parser, "_groups", ()), getattr(parser, "_anonymous", None))
    return {name for group in groups if group for option in group.options for name in option.names()}


def _dest(name: str) -> str:
    return f"conformance_{name.replace('-', '_')}"


def is_worker(config: pytest.Config) -> bool:
    """Whether this is one of several processes of pytest-xdist."""
    return hasattr(config, "workerinput")


def stop(config: pytest.Config, message: str) -> NoReturn:
    """End with one line where the options allow no campaign.

    Where the suite is on the command line, the session ends with 2; else only the test that needs a campaign has an
    error.
    """
    line = " ".join(message.split())
    if suite_is_named(config) and not is_worker(config):
        raise pytest.exit.Exception(line, returncode=2) from None
    raise pytest.fail.Exception(line, pytrace=False) from None
