"""With ``--conformance``: a test that is recorded is judged as it ends, and fails if a rule is broken.

What pytest-recording (or vcrpy) recorded or replays is judged, or else what the fixture `conformance_recorder` saw.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.rules import LEVELS
from conformance.contract.selection import of_side, select_rules
from conformance.errors import UsageError, nearest
from conformance.facts import Settings
from conformance.http.curl import variable_of
from conformance.http.exchange import Exchange
from conformance.http.redaction import scrub
from conformance.http.redaction.collecting import SecretCollector
from conformance.judging.findings import broken_rules, judged, text_of_failure
from conformance.judging.summary import RunReport
from conformance.plugins.markers import arguments_of
from conformance.plugins.recorder import Recorder
from conformance.recordings import InvalidRecordingError, read_cassette
from conformance.recordings.corrections import by_server_clock
from conformance.recordings.origins import of_the_api
from conformance.servers.run_options import tokens

__all__ = ["RecordedTests"]

#: The attribute of a test's report that carries what was judged, also from one process of pytest-xdist to another.
_ATTRIBUTE = "conformance"


@dataclass(frozen=True, slots=True)
class _Terms:
    """How one test is judged; the names are those of the marker's arguments."""

    rules: tuple[str, ...] = ()
    fail_on: str = "must"
    side: str | None = None
    complete_recording: bool = False
    skip: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", tuple(self.rules))
        for name, known in (("fail_on", LEVELS), ("side", ("server", "client"))):
            value = getattr(self, name)
            if value is not None and value not in known:
                raise UsageError(f"{name} {value!r} is unknown; {nearest(str(value), known)}")


class RecordedTests:
    """The pytest plugin that judges tests; `fail_on`, `side` and `complete_recording` count where no marker says else.

    `served_only`: nobody asked for it, and only what `cronofy_server` was sent is judged.  `beside_suite`: tests of the
    suite run too, which record nothing.
    Raises pytest.UsageError for an unknown level or side.
    """

    def __init__(
        self,
        *,
        fail_on: str,
        side: str | None,
        complete_recording: bool,
        served_only: bool = False,
        beside_suite: bool = False,
    ) -> None:
        self._served_only, self._beside_suite = served_only, beside_suite
        try:
            self._terms = _Terms((), fail_on, side, complete_recording)
        except UsageError as error:
            raise pytest.UsageError(f"conformance: {error}") from None

    def pytest_report_header(self) -> str:
        """What is judged, and how."""
        terms = self._terms
        return f"conformance: tests that are recorded are judged by {len(_rules(terms))} rules, fail on {terms.fail_on}"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Judge what the test did: a broken rule fails it, or is shown beside its own failure."""
        try:
            result = yield
        except (Exception, pytest.fail.Exception):
            text = self._judge(item)
            if text:
                item.add_report_section("call", "conformance", text)
            raise
        text = self._judge(item)
        if text:
            pytest.fail(text, pytrace=False)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """The report of a test carries what was judged."""
        report = yield
        if call.when == "call" and (found := item.stash.get(_FOUND, None)) is not None:
            setattr(report, _ATTRIBUTE, found)
        return report

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """How many tests were judged, by what, and what was broken."""
        reports = [report for some in terminalreporter.stats.values() for report in some]
        found = [getattr(report, _ATTRIBUTE) for report in reports if hasattr(report, _ATTRIBUTE)]
        if not found and self._beside_suite:
            return
        terminalreporter.write_line(_summary(found))
        still_open = {rule for one in found for rule in one.get("open", ())}
        still_open -= {rule for one in found for rule in one.get("passed", ())}
        if still_open and not self._terms.complete_recording:
            terminalreporter.write_line(
                f"conformance: {_count(len(still_open), 'rule')} stayed open; if each test records every write of its "
                "events, set conformance_complete_recording = true in the ini file"
            )

    def _judge(self, item: pytest.Item) -> str:
        """What is wrong with what a test did; empty where nothing is, or nothing was recorded."""
        recorders = [value for value in _values(item) if isinstance(value, Recorder)]
        served = next((recorder for recorder in recorders if recorder.complete), None)
        if served is None and self._served_only:
            return ""
        usual = self._terms
        if served is not None:
            usual = replace(usual, side=usual.side or served.side, complete_recording=True)
        try:
            terms = replace(usual, **arguments_of(item.iter_markers("conformance"), _Terms))
            rules = _rules(terms)
        except UsageError as error:
            return f"marker conformance of {item.nodeid}: {error}"
        if terms.skip is not None:
            item.stash[_FOUND] = {"skipped": terms.skip}
            return ""
        secrets = SecretCollector(tokens({}, os.environ))
        try:
            recorded = _recorded(item, [served] if served else recorders, secrets)
            exchanges = list(of_the_api(secrets.redact_stream(recorded)))
        except InvalidRecordingError as error:
            return f"the cassette of {item.nodeid} cannot be judged: {error}"
        if not exchanges:
            return ""
        settings = replace(Settings(), complete_recording=terms.complete_recording)
        accounts = {exchange.request.account for exchange in exchanges} - {None}
        variables = {account: variable_of(account, {}) for account in accounts if account is not None}
        run_report = judged(exchanges, rules, settings, fail_on=terms.fail_on, variables=variables)
        _record(item, run_report)
        broken = broken_rules(run_report)  # they come first, for the line of a test in pytest's summary
        return secrets.redactor().text(f"{', '.join(broken)}\n{text_of_failure(run_report)}") if broken else ""


_FOUND = pytest.StashKey[dict[str, Any]]()


def _rules(terms: _Terms) -> tuple[Any, ...]:
    return of_side(select_rules(terms.rules), terms.side)


def _values(item: pytest.Item) -> tuple[Any, ...]:
    """The values of the fixtures that a test has."""
    return tuple(getattr(item, "funcargs", {}).values())


def _recorded(item: pytest.Item, recorders: Iterable[Recorder], secrets: SecretCollector) -> Iterable[Exchange]:
    """The exchanges of a test: those in its cassette, whether recorded now or before, else what `recorders` saw.

    What `cronofy_server` was sent goes before a cassette.
    """
    for value in _values(item):
        if type(value).__module__ == "vcr.cassette" and len(value) and not any(one.complete for one in recorders):
            yield from read_cassette(*_document(value, item), secrets.collect)
            return
    for recorder in recorders:
        yield from by_server_clock(scrub(exchange, collect=secrets.collect) for exchange in recorder.exchanges)


def _document(cassette: Any, item: pytest.Item) -> tuple[Mapping[str, Any], str]:
    """What the file of a cassette of vcrpy holds or will hold, and its name."""
    from vcr.serialize import serialize

    class Unwritten:
        """A serializer that writes nothing."""

        @staticmethod
        def serialize(document: Mapping[str, Any]) -> Mapping[str, Any]:
            return document

    recorded = {"requests": cassette.requests, "responses": cassette.responses}
    return serialize(recorded, Unwritten), os.path.relpath(str(cassette._path), Path(str(item.config.rootpath)))


def _record(item: pytest.Item, run_report: RunReport) -> None:
    """Keep what was judged for the summary, and for JUnit."""
    outcomes = {rule.id: run_report.report.tally(rule.id).outcome for rule in run_report.rules}
    found: dict[str, Any] = {
        "exchanges": run_report.report.exchanges,
        "passed": [rule for rule, outcome in outcomes.items() if outcome == "passed"],
        "broken": list(broken_rules(run_report)),
        "warnings": [rule.id for rule in run_report.warnings],
        "open": [rule for rule, outcome in outcomes.items() if outcome == "inconclusive"],
    }
    item.stash[_FOUND] = found
    item.user_properties += [
        ("conformance_exchanges", str(found["exchanges"])),
        ("conformance_passed", str(len(found["passed"]))),
        ("conformance_failed", " ".join(found["broken"])),
    ]


def _summary(found: list[dict[str, Any]]) -> str:
    judged_tests = [one for one in found if "exchanges" in one]
    if not judged_tests:
        return "conformance: no test was judged; no cassette, recorder or server saw one"
    exchanges = sum(one["exchanges"] for one in judged_tests)
    passed = {rule for one in judged_tests for rule in one["passed"]}
    parts = [
        f"conformance: {_count(len(judged_tests), 'test')} judged, {_count(exchanges, 'exchange')}, "
        f"{_count(len(passed), 'rule')} passed"
    ]
    for name, word in (("broken", "failed"), ("warnings", "failed with a level that does not count")):
        rules = sorted({rule for one in judged_tests for rule in one[name]})
        parts += [f"{len(rules)} {word} ({', '.join(rules)})"] if rules else []
    skipped = sum("skipped" in one for one in found)
    parts += [f"{_count(skipped, 'test')} not judged, as marked"] if skipped else []
    return ", ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
