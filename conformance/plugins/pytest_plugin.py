"""The pytest plugin: ``pytest --pyargs conformance.suite --subject URL`` runs a campaign, with one test for each rule.

With ``--recording PATH`` it judges recordings instead.  With ``--conformance``, each test of a project that is recorded
is judged as it ends (`recorded_tests`).

Any test can use four fixtures: `conformance_subject`, which a conftest may override, `conformance_results`, the
results of a campaign against it, `conformance_recorder`, which records what an HTTP client does, and `cronofy_server`,
the reference server for the tests of an application.  No campaign runs before a test requests it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click
import pytest

from conformance.cli.options import by_name, pairs
from conformance.cli.recording_commands import check
from conformance.cli.server_commands import run, run_options

if TYPE_CHECKING:
    from conformance.cli.check_command import CheckOptions
    from conformance.plugins.recorder import ConformanceRecorder
    from conformance.plugins.results import CampaignResults
    from conformance.plugins.served import CronofyServer, ServerThread
    from conformance.servers.inventory import Inventory
    from conformance.servers.run_options import RunOptions
    from conformance.servers.scenarios.added_scenarios import Source
    from conformance.servers.subject import Subject

__all__ = [
    "conformance_options",
    "conformance_recorder",
    "conformance_results",
    "conformance_subject",
    "cronofy_server",
    "cronofy_server_url",
]

T = TypeVar("T")

_SUITE = "conformance.suite"
_JUDGING = "conformance-recorded-tests"

_GROUP = (
    "conformance of a server (the options of `cronofy-conformance run`, each as --conformance-NAME; with "
    "conformance.suite on the command line also as --NAME, unless pytest or another plugin has that option)"
)

#: The parameters of `run` that make no sense here: pytest selects tests and writes reports itself.
_LEFT_OUT = {"paths", "plan", "write-baseline", "record", "evidence", "rule", "report", "quiet", "verbose", "strength"}


def _parameters() -> dict[str, click.Parameter]:
    """What a campaign takes, and what the judging of recordings takes besides."""
    return {name: param for name, param in {**by_name(check), **by_name(run)}.items() if name not in _LEFT_OUT}


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add each option under a name of its own, and under the plain one where the suite is on the command line."""
    group = parser.getgroup("conformance", _GROUP)
    suite = _suite_is_named(pluginmanager.get_plugin("pytestconfig"))
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


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and judge what is recorded where that is asked for."""
    config.addinivalue_line(
        "markers",
        "conformance(rules=[...], fail_on=LEVEL, side=SIDE, complete_recording=BOOL, skip=REASON): "
        "how a recorded test is judged with --conformance.",
    )
    config.addinivalue_line(
        "markers",
        "cronofy_server(fault=NAME, variation=NAME, settling=S, latency=S, page_size=N, inventory=FILE): "
        "how the server of a test behaves that has the fixture cronofy_server.",
    )
    if config.getoption("conformance_of_tests") or config.getini("conformance"):
        _judge_tests(config)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """What was judged in other processes, of pytest-xdist, is summed up in this one."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    reports = [report for some in reporter.stats.values() for report in some] if reporter else []
    if any(hasattr(report, "conformance") for report in reports):
        _judge_tests(session.config, served_only=True)


def _judge_tests(config: pytest.Config, *, served_only: bool = False) -> None:
    """See to it that tests are judged as they end, by the options: all that are recorded, or those with a server."""
    if config.pluginmanager.has_plugin(_JUDGING):
        return
    from conformance.plugins.recorded_tests import RecordedTests

    judging = RecordedTests(
        fail_on=_chosen(config, "fail-on") or "must",
        side=_chosen(config, "side"),
        complete_recording=bool(
            config.getoption(_dest("complete-recording")) or config.getini("conformance_complete_recording")
        ),
        served_only=served_only,
    )
    config.pluginmanager.register(judging, _JUDGING)


def _chosen(config: pytest.Config, name: str) -> str | None:
    """The value of an option: the last one on the command line, else that of the ini file."""
    given: list[str] = config.getoption(_dest(name)) or []
    inis = {"fail-on": "conformance_fail_on", "subject": "conformance_subject"}
    ini = str(config.getini(inis[name]) or "") if name in inis else ""
    return given[-1] if given else ini or None


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
    """A test that takes `conformance_rule` is one test for each rule on servers; on clients too, of recordings."""
    if "conformance_rule" in metafunc.fixturenames:
        from conformance.contract.rules import load

        recorded = bool(metafunc.config.getoption("conformance_recording"))
        rules = [rule.id for rule in load() if recorded or rule.applies_to == "server"]
        metafunc.parametrize("conformance_rule", rules, ids=rules)


@pytest.fixture(scope="session")
def conformance_options(pytestconfig: pytest.Config) -> RunOptions:
    """The options of the campaign, from pytest's command line and from the file that ``--config`` names."""
    subject = _chosen(pytestconfig, "subject") or os.environ.get("CRONOFY_CONFORMANCE_SUBJECT")

    def options(found: dict[str, Any]) -> RunOptions:
        found.pop("strength", None)  # what a report says besides, and pytest has none
        return run_options(**found)

    return _parsed(pytestconfig, run, [subject] if subject else [], options)


def _check_options(config: pytest.Config) -> CheckOptions:
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
        _stop(config, error.format_message())
    except UsageError as error:
        _stop(config, str(error))


def _arguments(config: pytest.Config, command: click.Command) -> list[str]:
    """The options as on the command line of a command."""
    options: list[str] = []
    level = _chosen(config, "fail-on")
    for name, param in by_name(command).items():
        if name in _LEFT_OUT or isinstance(param, click.Argument):
            continue
        given = config.getoption(_dest(name), default=None) or ([level] if name == "fail-on" and level else [])
        options += [f"--{name}"] if given is True else [f"--{name}={value}" for value in given]
    return options


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
def conformance_results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> CampaignResults:
    """The results of a campaign against the subject: one campaign, also where pytest-xdist has several processes.

    With ``--recording`` they are the results of judging recordings.
    """
    from conformance.plugins.results import shared_results

    config = request.config
    work = _of_recordings(config) if config.getoption("conformance_recording") else _of_campaign(request)
    folder = tmp_path_factory.getbasetemp().parent
    results = shared_results(work, folder) if _is_worker(config) else work()
    if results.error is not None:
        _stop(config, results.error)
    return results


def _of_recordings(config: pytest.Config) -> Callable[[], CampaignResults]:
    from conformance.plugins.results import recording_results

    options = _check_options(config)
    return lambda: recording_results(options)


def _of_campaign(request: pytest.FixtureRequest) -> Callable[[], CampaignResults]:
    from conformance.plugins.results import campaign_results

    config = request.config
    options: RunOptions = request.getfixturevalue("conformance_options")
    subject: Subject = request.getfixturevalue("conformance_subject")

    def scenarios(inventory: Inventory) -> Source:
        given: list[Source] = config.hook.pytest_conformance_scenarios(config=config, inventory=inventory)
        return given

    chosen = replace(options, rules=_selected(request.session, options.held))
    return lambda: campaign_results(chosen, subject, scenarios)


def _selected(session: pytest.Session, version: str | None) -> tuple[str, ...]:
    """The rules that the selected tests are about, so that only what decides them is sent; none if all are needed.

    `version` is that of the contract which is held; None for the newest.  With ``--lf`` all is sent again: what failed
    beside other writes would pass without them, and nothing was mended.
    """
    from conformance.contract.selection import select_rules

    if session.config.getoption("lf", False):
        return ()
    rules: list[str] = []
    for item in session.items:
        if "conformance_results" in getattr(item, "fixturenames", ()):
            parameters = getattr(getattr(item, "callspec", None), "params", {})
            if "conformance_rule" not in parameters:
                return ()  # a test of the team's own, which may ask for any rule
            rules.append(parameters["conformance_rule"])
    held = [rule.id for rule in select_rules((), ("server",), version)]
    selected = tuple(rule for rule in held if rule in rules)
    return () if len(selected) == len(held) else selected


@pytest.fixture
def conformance_recorder() -> ConformanceRecorder:
    """Records what HTTP clients do: ``conformance_recorder.watch(client)``, of httpx or requests.

    With ``--conformance``, it is judged as the test ends.
    """
    from conformance.plugins.recorder import ConformanceRecorder

    return ConformanceRecorder()


@pytest.fixture(scope="session")
def cronofy_server_thread() -> Iterator[ServerThread]:
    """Where the servers of tests listen, one after the other."""
    from conformance.plugins.served import ServerThread

    thread = ServerThread()
    yield thread
    thread.close()


@pytest.fixture(scope="session")
def cronofy_server_url(cronofy_server_thread: ServerThread) -> str:
    """The URL of `cronofy_server`, which is the same for all tests of a session."""
    return cronofy_server_thread.url


@pytest.fixture
def cronofy_server(
    request: pytest.FixtureRequest, cronofy_server_thread: ServerThread, pytestconfig: pytest.Config
) -> Iterator[CronofyServer]:
    """A fresh reference server, for the tests of an application; what these send is judged as they end.

    It has `url`, `token`, `calendar_id`, `inventory`, `advance()` for its clock, and `exchanges`.  The marker
    ``@pytest.mark.cronofy_server(fault=…, variation=…, settling=…, latency=…, page_size=…, inventory=…)`` says how it
    behaves; the ini option ``cronofy_server_inventory`` names the inventory of all tests.
    """
    from conformance.errors import UsageError
    from conformance.plugins.served import ServerMarks

    _judge_tests(pytestconfig, served_only=True)
    usual = str(pytestconfig.getini("cronofy_server_inventory") or "") or None
    try:
        marks = ServerMarks.of(request.node.iter_markers("cronofy_server"), usual)
        server = cronofy_server_thread.fresh(marks, pytestconfig.rootpath)
    except UsageError as error:
        raise pytest.fail.Exception(f"cronofy_server of {request.node.nodeid}: {error}", pytrace=False) from None
    with cronofy_server_thread.serving(server):
        yield server


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
