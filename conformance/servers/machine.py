"""A Hypothesis state machine over a server in this process: its steps are writes and readings, and no rule may fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from conformance.clock import VirtualClock
from conformance.contract.rules import LEVELS, Rule
from conformance.contract.selection import select_rules
from conformance.judging.findings import broken_rules, judged, text_of_failure
from conformance.judging.judge import Judge
from conformance.judging.stream import LiveJudge
from conformance.judging.summary import RunReport
from conformance.servers.campaign.concurrency import gather_all
from conformance.servers.campaign.subject_session import SubjectSession, open_session
from conformance.servers.inventory import Account, Inventory, Target
from conformance.servers.scenarios.scenario import Scenario, Step, write_requests
from conformance.servers.scenarios.scenario_strategies import steps as steps_of
from conformance.servers.subject import EPOCH, Subject, in_process
from conformance.servers.subject.readings import read_all_managed

__all__ = ["BrokenRuleError", "ConformanceMachine"]

#: Seconds that may pass before a reading: none, less and more than a conference usually takes, and long enough for
#: what is shown then to be settled.
_PAUSES = (0.0, 0.1, 1.0, 5.0, 60.0)

#: Steps of an example where the profile has what Hypothesis has by itself.
_STEPS, _USUAL_STEPS = 15, 50

_RUN_ID = "machine"


class BrokenRuleError(AssertionError):
    """A rule of the contract failed.  Each rule has a subclass, so that Hypothesis shrinks its failures apart.

    `run_report` is on all that the example sent; it is made into text when it is shown, and not at each attempt.
    """

    def __init__(self, run_report: RunReport) -> None:
        super().__init__(run_report)
        self.run_report = run_report

    def __str__(self) -> str:
        return f"\n{text_of_failure(self.run_report)}"


@cache
def _error_of(rule_id: str) -> type[BrokenRuleError]:
    return type(f"BrokenRuleError[{rule_id}]", (BrokenRuleError,), {"__module__": "conformance"})


class ConformanceMachine(RuleBasedStateMachine):
    """Creates, updates, deletes and reads events of a server in this process; no rule of the contract may fail.

    In a file of tests, where `make_app` takes a clock and gives an ASGI application that reads it::

        from conformance import ConformanceMachine
        from shop.server import make_app

        TestServer = ConformanceMachine.of(make_app, {"default": "token"}).TestCase

    Hypothesis generates, shrinks and replays, under the profile that is loaded.  Where that does not say how many steps
    an example has (`stateful_step_count`), it has at most 15, for requests cost more than calls.  Where it has all
    `phases`, nothing is explained: that would name lines of the code that judges, and make shrinking twice as slow.

    A subclass may override `make_subject` and `steps`, set `fail_on` and `rule_ids`, and add rules and invariants of
    its own: `session` sends requests, `inventory` is what the server lists, and `run` waits for a coroutine.
    """

    #: The weakest level whose failures count: ``must``, ``should`` or ``inferred``.
    fail_on: ClassVar[str] = "must"

    #: The ids of the rules to judge by; empty for all of them.
    rule_ids: ClassVar[tuple[str, ...]] = ()

    events: Bundle[str] = Bundle("events")

    @classmethod
    def of(
        cls,
        make_app: Callable[[VirtualClock], Any],
        tokens: Mapping[str, str],
        *,
        kind: str = "asgi",
        default_profiles: Mapping[str, str] = MappingProxyType({}),
    ) -> type[ConformanceMachine]:
        """The machine of an application, which `make_app` makes anew for each example, given the clock to read.

        `tokens`: account name to bearer token.  `kind`: ``asgi`` or ``wsgi``.  `default_profiles`: account name to the
        profile_id of its default conferencing profile.
        """

        def make_subject(self: ConformanceMachine) -> Subject:
            clock = VirtualClock(EPOCH)
            app = make_app(clock)
            return in_process(app, tokens, kind=kind, clock=clock, default_profiles=default_profiles)

        return type(cls.__name__, (cls,), {"make_subject": make_subject, "__module__": cls.__module__})

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        profile = settings.default
        if profile is not None and profile.stateful_step_count == _USUAL_STEPS:
            cls.TestCase.settings = settings(cls.TestCase.settings, stateful_step_count=_STEPS)
        if profile is not None and set(profile.phases) == set(Phase):
            cls.TestCase.settings = settings(cls.TestCase.settings, phases=set(Phase) - {Phase.explain})

    def make_subject(self) -> Subject:
        """The server, new for each example, on a virtual clock; here it is the reference server."""
        from conformance.servers.subject import parse

        return parse("reference", {})

    def steps(self) -> st.SearchStrategy[Step]:
        """The writes to draw; what names a profile is not sent for an account that has none."""
        return steps_of(max(self.inventory.accounts, key=_profiles))

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._scenarios: dict[str, Scenario] = {}
        self._broken = False
        self._was_read = False  # since the last write
        self._rules, judge = _judging(self.fail_on, self.rule_ids)
        subject = self.make_subject()
        self._settings = subject.settings()
        opening = open_session(subject, self._settings, judge, _RUN_ID)
        try:
            self.session: SubjectSession = self.run(self._stack.enter_async_context(opening))
            self.run(self.session.preflight())
        except BaseException:
            self._runner.close()
            raise
        self.inventory: Inventory = self.session.run.inventory

    def run(self, coroutine: Any) -> Any:
        """What a coroutine gives, in the event loop of this example."""
        return self._runner.run(coroutine)

    # -- steps ------------------------------------------------------------------------------------

    @rule(
        target=events,
        calendar=st.runner().flatmap(lambda machine: st.sampled_from(sorted(machine.targets))),
        step=st.runner().flatmap(lambda machine: machine.steps().filter(lambda step: step.kind != "delete")),
    )
    def create(self, calendar: str, step: Step) -> str:
        """Write an event that is new, on one of the calendars."""
        account, chosen = self.targets[calendar]
        name = f"e{len(self._scenarios) + 1}"
        self._scenarios[name] = Scenario(name, account.name, chosen.calendar_id, ())
        self._write(name, step)
        return name

    @rule(event=events, step=st.runner().flatmap(lambda machine: machine.steps()))
    def write(self, event: str, step: Step) -> None:
        """Write an event again, or delete it, at once: nothing is waited for."""
        self._write(event, step)

    @rule(after=st.sampled_from(_PAUSES))
    def read(self, after: float) -> None:
        """Read the events of every account that has some, so many seconds later."""
        accounts = sorted({scenario.account for scenario in self._scenarios.values()})
        if after or not self._was_read:
            self.run(self._read(after, accounts))
            self._was_read = True

    @invariant()
    def no_rule_failed(self) -> None:
        """Judge what is known so far."""
        self._hearing.advance()
        if self._hearing.failed:
            self._raise_if_broken()

    def teardown(self) -> None:
        """Read until everything has settled, judge for the last time, and close the server."""
        try:
            if not self._broken and self._scenarios:
                window = self._hearing.observer.window + self._settings.quiet + 1.0
                for pause in (window, window):
                    self.read(pause)
                self.no_rule_failed()
        finally:
            self.run(self._stack.aclose())
            self._runner.close()
            super().teardown()

    # -- how --------------------------------------------------------------------------------------

    @property
    def targets(self) -> Mapping[str, Target]:
        """The calendars to write to, by their ids."""
        return {target.calendar.calendar_id: target for target in self.inventory.targets}

    @property
    def _hearing(self) -> LiveJudge:
        assert self.session.hearing is not None
        return self.session.hearing

    def _write(self, event: str, step: Step) -> None:
        scenario = self._scenarios[event]
        posted = [one for one in scenario.steps if one.kind != "delete"]
        if step.kind == "profile" and not self.inventory.by_name[scenario.account].profiles:
            return
        if step.kind == "delete" and (not posted or scenario.steps[-1].kind == "delete"):
            return
        self._scenarios[event] = scenario = replace(scenario, steps=(*scenario.steps, replace(step, timing="settled")))
        self._was_read = False
        request = write_requests(scenario, self.session.run)[-1]
        self.run(
            self.session.transport.send(
                request.method,
                request.path,
                account=scenario.account,
                document=request.body,
                content_type=request.media_type,
            )
        )

    async def _read(self, after: float, accounts: list[str]) -> None:
        transport = self.session.transport
        await transport.clock.sleep(after)
        await gather_all(read_all_managed(transport, account, self.session.flags[account]) for account in accounts)

    def _raise_if_broken(self) -> None:
        """Raise for the first rule that failed, if it still does where nothing more comes."""
        run_report = judged(self._hearing.exchanges, self._rules, self._settings, fail_on=self.fail_on)
        broken = broken_rules(run_report)
        if broken:
            self._broken = True
            raise _error_of(broken[0])(run_report)


def _profiles(account: Account) -> int:
    return len(account.profiles or ())


@cache
def _judging(fail_on: str, ids: tuple[str, ...]) -> tuple[tuple[Rule, ...], Judge]:
    counting = LEVELS[: LEVELS.index(fail_on) + 1]
    rules = tuple(one for one in select_rules(ids, ("server",)) if one.level in counting)
    return rules, Judge(rules)
