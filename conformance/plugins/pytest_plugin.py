"""The pytest plugin: ``pytest --pyargs conformance.suite --subject URL`` runs a campaign, with one test for each rule.

Any test can use two fixtures: `conformance_subject`, which a conftest may override, and `conformance_results`, the
results of a campaign against it.  No campaign runs before a test requests it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import click
import pytest

from conformance.cli.options import by_name
from conformance.cli.server_commands import run, run_options

if TYPE_CHECKING:
    from conformance.plugins.results import CampaignResults
    from conformance.servers.inventory import Inventory
    from conformance.servers.run_options import RunOptions
    from conformance.servers.scenarios.added_scenarios import Source
    from conformance.servers.subject import Subject

__all__ = ["conformance_options", "conformance_results", "conformance_subject"]

_SUITE = "conformance.suite"

_GROUP = (
    "conformance of a server (the options of `cronofy-conformance run`, each as --conformance-NAME; with "
    "conformance.suite on the command line also as --NAME, unless pytest or another plugin has that option)"
)

#: The parameters of `run` that make no sense here: pytest selects tests and writes reports itself.
_LEFT_OUT = {"plan", "write-baseline", "record", "evidence", "rule", "report", "quiet"}


def _parameters() -> dict[str, click.Parameter]:
    return {name: param for name, param in by_name(run).items() if name not in _LEFT_OUT}


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add each option under a name of its own, and under the plain one where the suite is on the command line."""
    group = parser.getgroup("conformance", _GROUP)
    suite = _suite_is_named(pluginmanager.get_plugin("pytestconfig"))
    taken = _taken(parser)
    for name, param in _parameters().items():
        plain = [f"--{name}"] if suite and f"--{name}" not in taken else []
        group.addoption(f"--conformance-{name}", *plain, dest=_dest(name), **_attributes(param))


def _attributes(param: click.Parameter) -> dict[str, Any]:
    """What pytest is to know of a parameter of `run`, which checks its values later."""
    if isinstance(param, click.Option) and param.is_flag:
        return {"action": "store_true", "help": param.help}
    text = param.help if isinstance(param, click.Option) else "What is tested, as for `cronofy-conformance run`."
    return {"action": "append", "metavar": (param.metavar or "").strip("[]"), "help": text}


def _suite_is_named(config: pytest.Config | None) -> bool:
    return config is not None and any(str(arg).startswith(_SUITE) for arg in config.invocation_params.args)


def _taken(parser: pytest.Parser) -> set[str]:
    """The names of all options so far; pytest has no public way to list them."""
    groups = (*getattr(parser, "_groups", ()), getattr(parser, "_anonymous", None))
    return {name for group in groups if group for option in group.options for name in option.names()}


def _dest(name: str) -> str:
    return f"conformance_{name.replace('-', '_')}"


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks that a conftest may implement."""
    from conformance.plugins import pytest_hooks

    pluginmanager.add_hookspecs(pytest_hooks)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `conformance_rule` is one test for each rule that applies to servers."""
    if "conformance_rule" in metafunc.fixturenames:
        from conformance.contract.rules import load

        rules = [rule.id for rule in load() if rule.applies_to == "server"]
        metafunc.parametrize("conformance_rule", rules, ids=rules)


@pytest.fixture(scope="session")
def conformance_options(pytestconfig: pytest.Config) -> RunOptions:
    """The options of the campaign, from pytest's command line and from the file that ``--config`` names."""
    from conformance.cli.main import cli
    from conformance.errors import UsageError

    try:
        with click.Context(cli, info_name="pytest") as group:
            return run_options(**run.make_context("run", _arguments(pytestconfig), parent=group).params)
    except click.ClickException as error:
        _stop(pytestconfig, error.format_message())
    except UsageError as error:
        _stop(pytestconfig, str(error))


def _arguments(config: pytest.Config) -> list[str]:
    """The options as on the command line of `run`, which checks them."""
    options: list[str] = []
    subject: list[str] = []
    for name, param in _parameters().items():
        given = config.getoption(_dest(name), default=None) or []
        if isinstance(param, click.Argument):
            subject = given[-1:]
        else:
            options += [f"--{name}"] if given is True else [f"--{name}={value}" for value in given]
    return [*options, "--", *subject]


@pytest.fixture(scope="session")
def conformance_subject(conformance_options: RunOptions, pytestconfig: pytest.Config) -> Subject:
    """What is tested; a conftest may override it, for example with ``conformance.in_process(app, tokens)``."""
    from conformance.cli.run_command import subject_of
    from conformance.errors import ConfigurationError, UsageError

    try:
        return subject_of(conformance_options)
    except (UsageError, ConfigurationError) as error:
        _stop(pytestconfig, str(error))


@pytest.fixture(scope="session")
def conformance_results(
    conformance_options: RunOptions,
    conformance_subject: Subject,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> CampaignResults:
    """The results of a campaign against the subject: one campaign, also where pytest-xdist has several processes."""
    from conformance.plugins.results import campaign_results, shared_campaign_results

    def scenarios(inventory: Inventory) -> Source:
        given: list[Source] = pytestconfig.hook.pytest_conformance_scenarios(config=pytestconfig, inventory=inventory)
        return given

    if _is_worker(pytestconfig):
        results = shared_campaign_results(
            conformance_options, conformance_subject, tmp_path_factory.getbasetemp().parent, scenarios
        )
    else:
        results = campaign_results(conformance_options, conformance_subject, scenarios)
    if results.error is not None:
        _stop(pytestconfig, results.error)
    return results


def _is_worker(config: pytest.Config) -> bool:
    """Whether this is one of several processes of pytest-xdist."""
    return hasattr(config, "workerinput")


def _stop(config: pytest.Config, message: str) -> NoReturn:
    """End with one line where the options allow no campaign.

    Where the suite is on the command line, the session ends with 2; else only the test that needs a campaign has an
    error.
    """
    line = " ".join(message.split())
    if _suite_is_named(config) and not _is_worker(config):
        raise pytest.exit.Exception(line, returncode=2) from None
    raise pytest.fail.Exception(line, pytrace=False) from None
