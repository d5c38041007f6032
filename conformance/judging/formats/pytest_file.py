"""The smallest failures as a test file for pytest: it fails on the subject, and passes on a server without them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.http.display import visible

if TYPE_CHECKING:
    from conformance.judging.summary import Reproduction, RunReport

__all__ = ["one", "render"]

_VARIABLE = "CRONOFY_CONFORMANCE_SUBJECT"


def render(run_report: RunReport) -> str:
    """A module in ASCII with a test for each failure that can be reproduced."""
    return "\n".join(_lines(run_report)) + "\n"


def one(run_report: RunReport, reproduction: Reproduction) -> str:
    """A module with the test of one failure."""
    return render(replace(run_report, reproductions=(reproduction,)))


def _lines(run_report: RunReport) -> Iterator[str]:
    subject = str(run_report.subject["name"])
    run_report = replace(run_report, reproductions=tuple(one for one in run_report.reproductions if one.reproduces))
    yield from (f"# {line}" for line in _about(run_report, subject))
    if not run_report.reproductions:
        return
    yield ""
    if any("importlib." in scenario for repro in run_report.reproductions for scenario in repro.scenarios):
        yield "import importlib"
    yield "import os"
    yield ""
    yield "from conformance.servers.replay import Scenario, Step, violations"
    yield ""
    yield f'SUBJECT = os.environ.get("{_VARIABLE}")'
    yield f"ACCOUNTS = {dict(run_report.variables)!a}"
    yield f"DEFAULT_PROFILES = {dict(run_report.subject.get('default_profiles', {}))!a}"
    yield f"FAULTS = {tuple(run_report.subject.get('faults', ()))!a}"
    yield "SETUP = {'accounts': ACCOUNTS, 'default_profiles': DEFAULT_PROFILES, 'faults': FAULTS}"
    yield ""
    yield ""
    yield "def _violations(rule, *scenarios):"
    yield "    if SUBJECT is not None:"
    yield "        return violations(rule, *scenarios, subject=SUBJECT, accounts=ACCOUNTS)"
    yield f"    return violations(rule, *scenarios, subject={subject!a}, **SETUP)"
    rules = [repro.rule for repro in run_report.reproductions]
    for place, repro in enumerate(run_report.reproductions):
        number = rules[:place].count(repro.rule)
        yield from _test(repro, f"_{number + 1}" if number else "")


def _about(run_report: RunReport, subject: str) -> Iterator[str]:
    tool = f"{run_report.tool['name']} {run_report.tool['version']}"
    yield _ascii(f"What failed on {subject}, for pytest. Written by {tool}, which it needs.")
    if not run_report.reproductions:
        yield "There is no failure to reproduce."
        return
    yield f"Set {_VARIABLE} to test another subject; with `reference`, a server without faults, all pass."
    for name, variable in run_report.variables.items():
        yield _ascii(f"The token of account {name} is read from {variable}.")


def _test(repro: Reproduction, suffix: str) -> Iterator[str]:
    yield ""
    yield ""
    yield f"def test_{repro.rule.replace('-', '_')}{suffix}():"
    yield f"    # {_ascii(repro.title)}."
    for command in repro.commands:
        yield f"    # {_ascii(command)}"
    yield "    assert not _violations("
    yield f"        {repro.rule!a},"
    yield from (f"        {scenario}," for scenario in repro.scenarios)
    yield "    )"


def _ascii(text: str) -> str:
    return ascii(visible(text))[1:-1].replace("\\\\", "\\").replace("\\'", "'")
