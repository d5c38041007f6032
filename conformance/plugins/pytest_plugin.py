"""The pytest plugin: ``pytest --pyargs conformance.suite --subject URL`` runs a campaign and gives a test a rule.

Its fixtures are there for any test: `conformance_subject`, which a conftest may give anew, and `conformance_results`,
what a campaign against it found.  Nothing runs before a test asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from conformance.plugins.results import CampaignResults
    from conformance.servers.run_options import RunOptions
    from conformance.servers.subject import Subject

__all__ = ["conformance_options", "conformance_results", "conformance_subject"]

_SUITE = "conformance.suite"

_GROUP = (
    "conformance of a server (each option is --conformance-NAME; with conformance.suite on the command line also "
    "--NAME, as far as pytest and the plugins before have no such option)"
)

#: The options of `cronofy-conformance run` that are taken here too, each with what stands for its value (None: a flag).
_OPTIONS = {
    "subject": ("SUBJECT", "what is tested, as for `cronofy-conformance run`; [default: reference]"),
    "account": ("NAME=ENVVAR", "an account and the environment variable that holds its token; repeatable"),
    "calendar": ("ID", "a calendar that may be written to; repeatable; beyond this machine no other one is"),
    "default-profile": ("ACCOUNT=ID", "the profile_id that an account's user chose as the default; repeatable"),
    "max-examples": ("N", "how many generated scenarios beyond the core table"),
    "fuzz": (None, "send malformed requests beyond this machine too; here they are always sent"),
    "seed": ("N", "what they are generated from"),
    "settle-timeout": ("S", "seconds after which pending conferencing is given up"),
    "window": ("S", "seconds to watch that something never happens"),
    "rate-limit": ("N", "requests a second, at most"),
    "max-requests": ("N", "requests in all, clean-up included"),
    "fail-on": ("LEVEL", "must, should or inferred: weaker rules that fail are reported as xfailed"),
    "require-coverage": (None, "a rule of level must that was not decided fails instead of being skipped"),
    "fault": ("NAME", "a defect of the reference server; repeatable"),
    "side": ("SIDE", "server: a campaign sends the requests itself, so that there is no client to judge"),
    "config": ("FILE", "a TOML file with options by the same names"),
}


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Take the options by names that are ours alone, and by the plain ones where the suite is what is asked for."""
    group = parser.getgroup("conformance", _GROUP)
    asked_for = _suite_is_asked_for(pluginmanager.get_plugin("pytestconfig"))
    plain = {f"--{name}" for name in _OPTIONS} - _taken(parser) if asked_for else set()
    for name, (metavar, told) in _OPTIONS.items():
        names = [f"--conformance-{name}", *({f"--{name}"} & plain)]
        if metavar is None:
            group.addoption(*names, dest=_dest(name), action="store_true", help=told)
        else:
            group.addoption(*names, dest=_dest(name), action="append", metavar=metavar, help=told)


def _suite_is_asked_for(config: pytest.Config | None) -> bool:
    return config is not None and any(str(arg).startswith(_SUITE) for arg in config.invocation_params.args)


def _taken(parser: pytest.Parser) -> set[str]:
    """The names that options have by now; pytest has no public way to ask."""
    groups = getattr(parser, "_groups", ())
    return {name for group in (*groups, getattr(parser, "_anonymous", None)) if group for name in _names_in(group)}


def _names_in(group: Any) -> set[str]:
    return {name for option in group.options for name in option.names()}


def _dest(name: str) -> str:
    return f"conformance_{name.replace('-', '_')}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `conformance_rule` is one test for each rule that binds servers."""
    if "conformance_rule" in metafunc.fixturenames:
        from conformance.contract.rules import load

        rules = [rule.id for rule in load() if rule.applies_to == "server"]
        metafunc.parametrize("conformance_rule", rules, ids=rules)


@pytest.fixture(scope="session")
def conformance_options(pytestconfig: pytest.Config) -> RunOptions:
    """What the campaign is told, from the command line of pytest and the file that ``--config`` names."""
    import click

    from conformance.cli.main import cli
    from conformance.cli.server_commands import run, run_options
    from conformance.errors import UsageError

    side = (pytestconfig.getoption(_dest("side"), default=None) or ["server"])[-1]
    if side != "server":
        _refuse(pytestconfig, f"--side {side}: a campaign sends the requests itself and judges the server")
    try:
        with click.Context(cli, info_name="pytest") as group:
            return run_options(**run.make_context("run", _arguments(pytestconfig), parent=group).params)
    except click.ClickException as error:
        _refuse(pytestconfig, error.format_message())
    except UsageError as error:
        _refuse(pytestconfig, str(error))


def _arguments(config: pytest.Config) -> list[str]:
    """The options as the command line of `run` has them, which checks them."""
    arguments = []
    for name, (metavar, _) in _OPTIONS.items():
        given = config.getoption(_dest(name), default=None)
        if metavar is None:
            arguments += [f"--{name}"] if given else []
        elif name not in ("subject", "side"):
            arguments += [f"--{name}={value}" for value in given or ()]
    subject = config.getoption(_dest("subject"), default=None)
    return [*arguments, "--", subject[-1]] if subject else arguments


@pytest.fixture(scope="session")
def conformance_subject(conformance_options: RunOptions, pytestconfig: pytest.Config) -> Subject:
    """What is tested; a conftest may give another, such as ``conformance.in_process(app, tokens)``."""
    from conformance.cli.run_command import subject_of
    from conformance.errors import UsageError
    from conformance.servers.subject import ConfigurationError

    try:
        return subject_of(conformance_options)
    except (UsageError, ConfigurationError) as error:
        _refuse(pytestconfig, str(error))


@pytest.fixture(scope="session")
def conformance_results(
    conformance_options: RunOptions,
    conformance_subject: Subject,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> CampaignResults:
    """What a campaign against the subject found: one campaign, also where pytest-xdist has several processes."""
    from conformance.plugins.results import found, results_once

    if _is_worker(pytestconfig):
        results = results_once(conformance_options, conformance_subject, tmp_path_factory.getbasetemp().parent)
    else:
        results = found(conformance_options, conformance_subject)
    if results.refused is not None:
        _refuse(pytestconfig, results.refused)
    return results


def _is_worker(config: pytest.Config) -> bool:
    """Whether this is one of several processes of pytest-xdist."""
    return hasattr(config, "workerinput")


def _refuse(config: pytest.Config, message: str) -> NoReturn:
    """End with one line where nothing can be judged because of how it was called.

    Where the suite is what was asked for, the session ends with 2; among other tests, the test that asked has an error.
    """
    line = " ".join(message.split())
    if _suite_is_asked_for(config) and not _is_worker(config):
        raise pytest.exit.Exception(line, returncode=2) from None
    raise pytest.fail.Exception(line, pytrace=False) from None
