"""Contract and conformance tests for the Cronofy API's conferencing on events.

What a team imports in its own tests; nothing is loaded before it is asked for::

    from conformance import Exchange, Request, Response, Settings, judge, observe

    for facts in observe(exchanges, Settings()):       # exchanges in the order in which they were sent
        for verdict in judge(facts):                   # by every rule that applies
            assert verdict.outcome != "failed", verdict.violation.message

`read` and `read_all` give the exchanges of recordings; `run_campaign` tests a server, such as what `in_process` makes
of an application; `scenarios` has scenarios as values, and `conformance.strategies` generates more with Hypothesis.
`ConformanceMachine` is a Hypothesis state machine over an application of yours.
The pytest plugin adds the fixtures `conformance_subject` and `conformance_results`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

# Without `typing`, which takes half of the time until a program that starts here has its own signal handlers.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from conformance.contract.rules import Rule
    from conformance.contract.rules import load as load_rules
    from conformance.facts import Facts, Observer, Settings, observe
    from conformance.http.exchange import Exchange, Request, Response
    from conformance.judging.judge import Judge
    from conformance.judging.report import Report
    from conformance.judging.verdict import Verdict, Violation
    from conformance.recordings import read, read_all
    from conformance.servers import scenarios
    from conformance.servers.campaign.run import RunResult
    from conformance.servers.campaign.run import run as run_campaign
    from conformance.servers.inventory import Account, Calendar, Inventory, Profile
    from conformance.servers.machine import BrokenRuleError, ConformanceMachine
    from conformance.servers.run_options import RunOptions
    from conformance.servers.scenarios import RunContext, Scenario, Step, WriteRequest, write_requests
    from conformance.servers.subject import ConfigurationError, Subject, in_process

__all__ = [
    "Account",
    "BrokenRuleError",
    "Calendar",
    "ConfigurationError",
    "ConformanceMachine",
    "Exchange",
    "Facts",
    "Inventory",
    "Judge",
    "Observer",
    "Profile",
    "Report",
    "Request",
    "Response",
    "Rule",
    "RunContext",
    "RunOptions",
    "RunResult",
    "Scenario",
    "Settings",
    "Step",
    "Subject",
    "Verdict",
    "Violation",
    "WriteRequest",
    "in_process",
    "judge",
    "load_rules",
    "observe",
    "read",
    "read_all",
    "run_campaign",
    "scenarios",
    "write_requests",
]

#: Where each name is, and under which other name there.
_PLACES = {
    "contract.rules": ("Rule", "load_rules=load"),
    "errors": ("ConfigurationError",),
    "facts": ("Facts", "Observer", "Settings", "observe"),
    "http.exchange": ("Exchange", "Request", "Response"),
    "judging.judge": ("Judge",),
    "judging.report": ("Report",),
    "judging.verdict": ("Verdict", "Violation"),
    "recordings": ("read", "read_all"),
    "servers.campaign.run": ("RunResult", "run_campaign=run"),
    "servers.inventory": ("Account", "Calendar", "Inventory", "Profile"),
    "servers.machine": ("BrokenRuleError", "ConformanceMachine"),
    "servers.run_options": ("RunOptions",),
    "servers.scenarios": ("Scenario", "Step", "RunContext", "WriteRequest", "write_requests"),
    "servers.subject": ("Subject", "in_process"),
}
_NAMES = {
    name.partition("=")[0]: (module, name.partition("=")[2] or name)
    for module, names in _PLACES.items()
    for name in names
}


def judge(facts: Facts | dict[str, Any], side: Literal["server", "client"] | None = None) -> tuple[Verdict, ...]:
    """The verdicts of all rules that apply to one facts document, in the order of their ids.

    `facts`: what `observe` gives, or a document alone; a ValueError says which kinds there are if it is of none.
    `side`: only of those that bind servers, or clients. A test suite that sends invalid requests on purpose judges
    its server alone.
    """
    return _judge(side)(_alone(facts) if isinstance(facts, dict) else facts)


def _alone(document: dict[str, Any]) -> Facts:
    from conformance.contract.rules import load
    from conformance.errors import nearest
    from conformance.facts import Facts

    about, kinds = document.get("about"), {rule.about for rule in load()}
    if not isinstance(about, str) or about not in kinds:
        raise ValueError(f"a facts document cannot be about {about!r}; {nearest(str(about), sorted(kinds))}")
    return Facts(about, (about,), document, (), closed=True)


@cache
def _judge(side: str | None) -> Judge:
    from conformance.contract.selection import select_rules
    from conformance.judging.judge import Judge

    return Judge(select_rules((), ("server", "client") if side is None else (side,)))


def __getattr__(name: str) -> Any:
    if name == "scenarios":
        return import_module("conformance.servers.scenarios")
    if name not in _NAMES:
        raise AttributeError(f"module 'conformance' has no attribute {name!r}")
    module, there = _NAMES[name]
    return getattr(import_module(f"conformance.{module}"), there)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
