"""A run: look, plan, live all lives, audit, delete what was made, and say what was found."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.campaign.audit import access, audit, trespasses
from conformance.campaign.cleaning import clean
from conformance.campaign.lives import Lockstep, Pace
from conformance.exchange import NOBODY, Exchange
from conformance.facts import Facts, Observer, Settings
from conformance.judgement import Judge, Verdict
from conformance.ledger import Entry, Ledger
from conformance.pace import Budget, BudgetSpent, Rate
from conformance.preflight import Flags, next_page, preflight
from conformance.redaction import Redactor
from conformance.report import Report
from conformance.rules import Rule, load
from conformance.scenarios import Plan, Run, plan
from conformance.subject import Subject, parse
from conformance.transport import Limits, Transport
from conformance.world import World

if TYPE_CHECKING:
    from conformance.configuration import RunOptions

__all__ = ["Progress", "RunResult", "run"]

#: In the round of this number those who may not try what they may not: late enough for events to be there.
_ACCESS_ROUND = 3


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: `waiting` names the events that something is waited for, `failed` the rules that failed."""

    doing: str
    round: int
    requests: int
    lives_done: int
    lives: int
    waiting: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunResult:
    """What a run leaves: the report, the parts of it that tell of run and subject, and all exchanges that were judged.

    `left` are events that could not be deleted; `cut_short` says why the run ended before its plan.
    """

    report: Report
    rules: tuple[Rule, ...]
    run: dict[str, Any]
    subject: dict[str, Any]
    world: World
    plan: Plan
    settings: Settings
    exchanges: tuple[Exchange, ...] = field(repr=False)
    left: tuple[Entry, ...] = ()
    cut_short: str | None = None
    interrupted: bool = False


async def run(
    options: RunOptions,
    *,
    subject: Subject | None = None,
    rules: Iterable[Rule] | None = None,
    sink: Callable[[Exchange], None] = lambda exchange: None,
    progress: Callable[[Progress], None] = lambda progress: None,
    limits: Limits | None = None,
) -> RunResult:
    """Run a campaign against the subject that `options` name, or against `subject`.

    `sink` gets every exchange that is judged, as it is seen and in the order sent.  Ctrl-C (cancellation) ends in a
    result, after clean-up.  Raises Misconfigured, before anything is written, where nothing can be judged.
    """
    under_test = subject or parse(
        options.subject, options.accounts, default_profiles=options.default_profiles, faults=options.faults
    )
    chosen = tuple(rules) if rules is not None else _server_rules(options.rules)
    settings = Settings(
        quiet=under_test.quiet,
        window=options.window,
        settle_timeout=options.settle_timeout or under_test.settle_timeout,
        default_profiles=dict(under_test.default_profiles),
    )
    bounds = limits or Limits()
    async with under_test.open(bounds) as client:
        session = _Session(options, under_test, chosen, settings, sink, progress)
        session.transport = Transport(
            client,
            under_test.base_url,
            under_test.tokens,
            under_test.clock,
            deliver=session.deliver,
            redact=Redactor({**under_test.tokens, NOBODY: session.nobody}).exchange,
            limits=bounds,
            rate=Rate(under_test.clock, options.rate or under_test.rate),
            budget=Budget(options.budget),
            unknown_token=session.nobody,
        )
        return await session.whole()


def _server_rules(ids: Iterable[str]) -> tuple[Rule, ...]:
    wanted = set(ids)
    return tuple(rule for rule in load() if rule.binds == "server" and (not wanted or rule.id in wanted))


class _Session:
    """One run while it goes on."""

    transport: Transport

    def __init__(
        self,
        options: RunOptions,
        subject: Subject,
        rules: tuple[Rule, ...],
        settings: Settings,
        sink: Callable[[Exchange], None],
        progress: Callable[[Progress], None],
    ) -> None:
        self.options, self.subject, self.rules, self.settings = options, subject, rules, settings
        self.id = _run_id(options.seed, fresh=not subject.clock.virtual)
        self.nobody = f"nobody-has-this-token-{self.id}"
        self.judge = Judge(rules)
        self.observer = Observer(settings)
        self.verdicts: list[Verdict] = []
        self.failed: dict[str, None] = {}
        self.first_failure: int | None = None
        self.exchanges: list[Exchange] = []
        self.next_page: str | None = None
        self.judging = True
        self.sink, self.progress = sink, progress
        self.started = subject.clock.now()
        self.cut_short: str | None = None
        self.interrupted = False

    async def whole(self) -> RunResult:
        world, flags = await preflight(self.transport, self.subject, self.options.calendars)
        ours = Run(self.id, self.started, world)
        planned = plan(ours, self.settings, self.options.examples or 0, self.options.seed)
        left: tuple[Entry, ...] = ()
        lockstep: Lockstep | None = None
        if not self.options.plan:
            ledger = Ledger() if self.subject.kind == "reference" else Ledger.of_run(self.subject.base_url, self.id)
            lockstep = self._lockstep(ours, ledger, flags)
            try:
                await self._live(lockstep, planned, ours, flags)
            except BudgetSpent as spent:
                self.cut_short = str(spent)
            except asyncio.CancelledError:
                self.interrupted = True
                task = asyncio.current_task()
                if task is not None:
                    task.uncancel()
            finally:
                self._end()
                left = await self._clean(lockstep, ledger)
        report = Report.empty(self.rules).with_verdicts(self.verdicts).with_exchanges(len(self.exchanges))
        return RunResult(
            report,
            self.rules,
            self._run_facts(lockstep),
            self._subject_facts(world),
            world,
            planned,
            self.settings,
            tuple(self.exchanges),
            left,
            self.cut_short,
            self.interrupted,
        )

    # -- what is seen ---------------------------------------------------------------------------

    def deliver(self, exchange: Exchange) -> None:
        """Take an exchange in: it is kept, handed on, and observed, but for those of the clean-up."""
        if not self.judging:
            return
        self.exchanges.append(exchange)
        self.sink(exchange)
        self.next_page = self.next_page or next_page(exchange)
        self.observer.add(exchange)

    def learn(self, facts: Iterable[Facts]) -> None:
        """Judge facts: closed ones count, open ones tell early what will fail."""
        for one in facts:
            for verdict in self.judge(one):
                if verdict.outcome == "failed" and verdict.rule not in self.failed:
                    self.failed[verdict.rule] = None
                    self.first_failure = self.first_failure or self.transport.sent
                if one.closed:
                    self.verdicts.append(verdict)

    # -- what is done ---------------------------------------------------------------------------

    def _lockstep(self, ours: Run, ledger: Ledger, flags: Flags) -> Lockstep:
        near = self.subject.loopback
        pace = Pace(self.settings.quiet, self.settings.settle_timeout, first=0.2 if near else 1.5)
        return Lockstep(
            self.transport, self.observer, self.judge, self.learn, ledger, flags, ours, pace, tell=self._tell
        )

    async def _live(self, lockstep: Lockstep, planned: Plan, ours: Run, flags: Flags) -> None:
        async def trespass() -> None:
            existing = next((living.entry for living in lockstep.lives if living.exists), None)
            page = self.next_page if self.next_page and self.transport.owns(self.next_page) else None
            requests = trespasses(ours.world, ours, existing, page, everywhere=self.subject.loopback)
            await access(self.transport, lockstep.ledger, requests)

        await lockstep.live(planned.waves, interlude=trespass, interlude_round=_ACCESS_ROUND)
        self._tell(lockstep, "audit")
        await audit(self.transport, ours.world, ours, flags)

    def _tell(self, lockstep: Lockstep, doing: str = "lives") -> None:
        waiting = tuple(living.entry.event_id for living in lockstep.open)
        self.progress(
            Progress(
                doing,
                lockstep.rounds,
                self.transport.sent,
                sum(living.done for living in lockstep.lives),
                len(lockstep.lives) + lockstep.to_come,
                waiting,
                tuple(self.failed),
            )
        )

    def _end(self) -> None:
        self.observer.advance()
        self.learn(self.observer.changed())
        self.observer.close()
        self.learn(self.observer.changed())
        self.judging = False

    async def _clean(self, lockstep: Lockstep, ledger: Ledger) -> tuple[Entry, ...]:
        gone = [living.entry for living in lockstep.lives if not living.exists]
        try:
            return await asyncio.shield(clean(self.transport, ledger, gone))
        finally:
            ledger.close()

    # -- what is told ---------------------------------------------------------------------------

    def _run_facts(self, lockstep: Lockstep | None) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": self.id,
            "seed": self.options.seed,
            "started_at": self.started,
            "finished_at": self.subject.clock.now(),
            "requests": self.transport.sent,
            "exchanges": len(self.exchanges),
        }
        if self.first_failure is not None:
            told["first_failure_request"] = self.first_failure
        settling = sorted(lockstep.settling) if lockstep is not None else []
        if settling:
            told["settling_s"] = {"p50": round(statistics.median(settling), 3), "max": round(settling[-1], 3)}
        return told

    def _subject_facts(self, world: World) -> dict[str, Any]:
        return {
            "kind": self.subject.kind,
            "name": self.subject.name,
            "accounts": [account.name for account in world.accounts],
            "calendars": len(world.places),
        }


def _run_id(seed: int, *, fresh: bool) -> str:
    """Eight characters that are safe in a URL; on a virtual clock the same for the same seed."""
    text = os.urandom(10) if fresh else f"seed {seed}".encode()
    return base64.b32encode(hashlib.sha256(text).digest()).decode().lower()[:8]
