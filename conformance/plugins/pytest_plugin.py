"""The pytest plugin: ``pytest --pyargs conformance.suite --subject URL`` runs a campaign, with one test for each rule.

With ``--recording PATH`` it judges recordings instead.  With ``--conformance``, each test of a project that is recorded
is judged as it ends (`recorded_tests`).

Any test can use four fixtures: `conformance_subject`, which a conftest may override, `conformance_results`, the
results of a campaign against it, `conformance_recorder`, which records what an HTTP client does, and `cronofy_server`,
the reference server for the tests of an application.  No campaign runs before a test requests it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from conformance.plugins.pytest_options import (
    add_options,
    campaign_options,
    check_options,
    is_set,
    is_worker,
    stop,
    subject_named,
    suite_is_named,
    value_of,
)

if TYPE_CHECKING:
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

_JUDGING = "conformance-recorded-tests"


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add each option under a name of its own, and under the plain one where the suite is on the command line."""
    add_options(parser, pluginmanager)


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


def pytest_report_header(config: pytest.Config) -> str | None:
    """What the suite judges, where it is on the command line."""
    if not suite_is_named(config):
        return None
    from conformance.http.display import without_userinfo

    recordings: list[str] = config.getoption("conformance_recording")
    what = ", ".join(recordings) or without_userinfo(subject_named(config) or "reference").partition("?")[0]
    return f"conformance: {what} is {'judged' if recordings else 'tested'}, one test a rule"


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
        fail_on=value_of(config, "fail-on") or "must",
        side=value_of(config, "side"),
        complete_recording=bool(
            is_set(config, "complete-recording") or config.getini("conformance_complete_recording")
        ),
        served_only=served_only,
        beside_suite=suite_is_named(config),
    )
    config.pluginmanager.register(judging, _JUDGING)


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
    return campaign_options(pytestconfig)


@pytest.fixture(scope="session")
def conformance_subject(conformance_options: RunOptions, pytestconfig: pytest.Config) -> Subject:
    """What is tested; a conftest may override it, for example with ``conformance.in_process(app, tokens)``."""
    from conformance.cli.run_command import subject_of
    from conformance.errors import ConfigurationError, UsageError

    try:
        return subject_of(conformance_options)
    except (UsageError, ConfigurationError) as error:
        stop(pytestconfig, str(error))


@pytest.fixture(scope="session")
def conformance_results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> CampaignResults:
    """The results of a campaign against the subject: one campaign, also where pytest-xdist has several processes.

    With ``--recording`` they are the results of judging recordings.
    """
    from conformance.plugins.results import shared_results

    config = request.config
    work = _of_recordings(config) if config.getoption("conformance_recording") else _of_campaign(request)
    folder = tmp_path_factory.getbasetemp().parent
    results = shared_results(work, folder) if is_worker(config) else work()
    if results.error is not None:
        stop(config, results.error)
    return results


def _of_recordings(config: pytest.Config) -> Callable[[], CampaignResults]:
    from conformance.plugins.results import recording_results

    options = check_options(config)
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
