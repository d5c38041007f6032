"""Contract and conformance tests for the Cronofy API's conferencing on events.

What a team imports in its own tests; nothing is loaded before it is asked for::

    from conformance import Exchange, Request, Response, Settings, judge, observe

    for facts in observe(exchanges, Settings()):       # exchanges in the order in which they were sent
        for verdict in judge(facts):                   # by every rule that applies
            assert verdict.outcome != "failed", verdict.violation.message

`read` and `read_all` give the exchanges of recordings; `run_campaign` tests a server, such as what `in_process` makes
of an application; `scenarios` has lives of events as values, and `lives` is the Hypothesis strategy for more of them.
The pytest plugin adds the fixtures `conformance_subject` and `conformance_findings`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conformance import scenarios
    from conformance.campaign.run import RunResult
    from conformance.campaign.run import run as run_campaign
    from conformance.configuration import RunOptions
    from conformance.exchange import Exchange, Request, Response
    from conformance.facts import Facts, Observer, Settings, observe
    from conformance.judgement import Judge, Verdict, Violation
    from conformance.recordings import read, read_all
    from conformance.report import Report
    from conformance.rules import Rule
    from conformance.rules import load as load_rules
    from conformance.scenarios import Life, Move, Run, Write, writes
    from conformance.scenarios.strategies import lives, moves
    from conformance.subject import Misconfigured, Subject, in_process
    from conformance.world import Account, Calendar, Profile, World

__all__ = [
    "Account",
    "Calendar",
    "Exchange",
    "Facts",
    "Judge",
    "Life",
    "Misconfigured",
    "Move",
    "Observer",
    "Profile",
    "Report",
    "Request",
    "Response",
    "Rule",
    "Run",
    "RunOptions",
    "RunResult",
    "Settings",
    "Subject",
    "Verdict",
    "Violation",
    "World",
    "Write",
    "in_process",
    "judge",
    "lives",
    "load_rules",
    "moves",
    "observe",
    "read",
    "read_all",
    "run_campaign",
    "scenarios",
    "writes",
]

#: Where each name is, and under which other name there.
_PLACES = {
    "campaign.run": ("RunResult", "run_campaign=run"),
    "configuration": ("RunOptions",),
    "exchange": ("Exchange", "Request", "Response"),
    "facts": ("Facts", "Observer", "Settings", "observe"),
    "judgement": ("Judge", "Verdict", "Violation"),
    "recordings": ("read", "read_all"),
    "report": ("Report",),
    "rules": ("Rule", "load_rules=load"),
    "scenarios": ("Life", "Move", "Run", "Write", "writes"),
    "scenarios.strategies": ("lives", "moves"),
    "subject": ("Misconfigured", "Subject", "in_process"),
    "world": ("Account", "Calendar", "Profile", "World"),
}
_NAMES = {
    name.partition("=")[0]: (module, name.partition("=")[2] or name)
    for module, names in _PLACES.items()
    for name in names
}


def judge(facts: Facts) -> tuple[Verdict, ...]:
    """The verdicts of all rules that apply to one facts document, in the order of their ids."""
    return _judge()(facts)


@cache
def _judge() -> Judge:
    from conformance.judgement import Judge
    from conformance.rules import load

    return Judge(load())


def __getattr__(name: str) -> Any:
    if name == "scenarios":
        return import_module("conformance.scenarios")
    if name not in _NAMES:
        raise AttributeError(f"module 'conformance' has no attribute {name!r}")
    module, there = _NAMES[name]
    return getattr(import_module(f"conformance.{module}"), there)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
