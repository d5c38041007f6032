"""A run: preflight, plan, scenarios, reads in every documented way, malformed requests, clean-up, report."""

from __future__ import annotations

import base64
import hashlib
import os
import statistics
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.contract.rules import LEVELS, Rule, load
from conformance.facts import Settings
from conformance.http.exchange import Exchange
from conformance.http.redaction.personal import PersonalData
from conformance.judging.judge import Judge
from conformance.judging.report import Report
from conformance.judging.stream import LiveJudge
from conformance.servers.campaign.deadline import Deadline
from conformance.servers.campaign.ending import SHORTEST_LIMIT, Ending, FirstFailureError
from conformance.servers.campaign.journal import Journal, JournalEntry
from conformance.servers.campaign.pending_steps import PendingCase
from conformance.servers.campaign.rehearsal import reduced
from conformance.servers.campaign.scenario_shrinking import SEARCH_REQUESTS, ScenarioCounterexample, counterexamples
from conformance.servers.campaign.scheduler import Scheduler
from conformance.servers.campaign.subject_session import SubjectSession, open_session
from conformance.servers.inventory import Inventory
from conformance.servers.scenarios import Plan, plan
from conformance.servers.scenarios.added_scenarios import Source, named_source
from conformance.servers.subject import Subject, parse
from conformance.servers.subject.preflight import check_default_profiles
from conformance.servers.subject.reception import Limits

if TYPE_CHECKING:
    from conformance.servers.run_options import RunOptions

__all__ = ["RunProgress", "RunResult", "run"]

#: What a run does last of all.
_SHRINKING = "counterexamples"

#: What looks for counterexamples after a run.
Search = Callable[[SubjectSession, LiveJudge, Plan], Awaitable[tuple[ScenarioCounterexample, ...]]]


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is: `waiting` are the ids of events that are not settled, `failed` the rules that failed so far."""

    phase: str
    round: int
    requests: int
    scenarios_done: int
    scenarios: int
    waiting: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunResult:
    """The result of a run: its report, what the report says of run and subject, and all exchanges that were judged.

    `counterexamples` has the smallest scenario found for each failed rule.  `unmet` are the cases of a pending event
    that no step met.  `left` are events that could not be deleted.  `cut_short` says why the run is not all that it
    was to be, `notes` what disturbed it.  `receiver` is where notifications come to, `subscribed` whether the subject
    accepted subscriptions.
    """

    report: Report
    rules: tuple[Rule, ...]
    run: dict[str, Any]
    subject: dict[str, Any]
    inventory: Inventory
    plan: Plan
    settings: Settings
    exchanges: tuple[Exchange, ...] = field(repr=False)
    counterexamples: tuple[ScenarioCounterexample, ...] = ()
    unmet: tuple[PendingCase, ...] = ()
    left: tuple[JournalEntry, ...] = ()
    cut_short: str | None = None
    interrupted: bool = False
    notes: tuple[str, ...] = ()
    receiver: str | None = None
    subscribed: bool = False


async def run(
    options: RunOptions,
    *,
    subject: Subject | None = None,
    rules: Iterable[Rule] | None = None,
    sink: Callable[[Exchange], None] = lambda exchange: None,
    progress: Callable[[RunProgress], None] = lambda progress: None,
    planned: Callable[[Plan], None] = lambda plan: None,
    limits: Limits | None = None,
    small: bool = True,
    known: Callable[[str, str], bool] = lambda rule, cause: False,
    scenarios: Source = (),
) -> RunResult:
    """Run a campaign against the subject that `options` name, or against `subject`.

    `sink` gets every exchange that is judged, at once and in the order sent; `small` asks for counterexamples,
    but for failures that are `known` by rule and cause.
    `scenarios` run beside the core table: Scenario values, a Hypothesis strategy of them (from which as many are drawn
    as are explored, and at least one), or a function of the inventory that gives either.
    `planned` gets the plan before anything is written.
    Ctrl-C (cancellation) ends in a result, after clean-up.  Raises ConfigurationError, before anything is written,
    where nothing can be judged.
    """
    under_test = subject or parse(
        options.subject,
        options.accounts,
        default_profiles=options.default_profiles,
        faults=options.faults,
        authority=options.ca,
    )
    chosen = tuple(rules) if rules is not None else _server_rules(options.rules)
    settings = under_test.run_settings(window=options.window, settle_timeout=options.settle_timeout)
    run_id = _run_id(options.seed, fresh=not under_test.clock.virtual)
    # The embedded server, and a subject on a virtual clock, end with the process.
    in_journal = not (options.plan or under_test.clock.virtual or under_test.kind == "reference")
    async with open_session(
        under_test,
        settings,
        Judge(chosen),
        run_id,
        rate=options.rate_limit,
        max_requests=options.max_requests,
        limits=limits,
        sink=sink,
        personal=PersonalData() if options.redact_personal else None,
        journal=Journal.of_run(under_test.base_url, run_id, options.journal) if in_journal else None,
        notifications=options.notifications,
    ) as session:
        plan_of_run = partial(_plan, session, options, chosen, scenarios, planned)
        search = partial(counterexamples, known=known) if small and options.shrink else None
        if options.fail_fast:
            progress = _ending_at_a_failure(session.hearing, options, chosen, known, progress)
        # From here on: what opens the session has limits of its own, and no result that could say that time was up.
        with Deadline(options.max_time or options.wait + SHORTEST_LIMIT) as deadline:
            return await _run(session, options, chosen, plan_of_run, progress, Ending(deadline), search)


async def _run(
    session: SubjectSession,
    options: RunOptions,
    rules: tuple[Rule, ...],
    plan_of_run: Callable[[], Awaitable[Plan]],
    progress: Callable[[RunProgress], None],
    ending: Ending,
    search: Search | None,
) -> RunResult:
    assert session.hearing is not None
    hearing = session.hearing
    planned = plan(session.run, session.settings)
    with ending.recorded():
        try:
            await session.preflight(options.calendars, options.wait)
        except BaseException:
            hearing.close()  # what the preflight showed until it ended is judged, as the evidence of it will be
            raise
        planned = await plan_of_run()
        ending.deadline.set(options.max_time or options.wait + max(SHORTEST_LIMIT, 3 * planned.seconds))
        if not options.plan:
            await _execute(session, hearing, planned, progress, ending, search)
    return RunResult(
        Report.empty(rules) + hearing.report,
        rules,
        _run_facts(session, hearing, options.seed),
        _subject_facts(session),
        session.run.inventory,
        planned,
        session.settings,
        tuple(hearing.exchanges),
        ending.counterexamples,
        session.schedulers[0].pending_steps.unmet if session.schedulers else (),
        ending.left,
        "; ".join(ending.reasons) or None,
        ending.interrupted,
        (*session.transport.notes, *(session.receiver.notes() if session.receiver else ())),
        session.receiver.base_url if session.receiver else None,
        session.run.receiver is not None,
    )


async def _plan(
    session: SubjectSession,
    options: RunOptions,
    rules: tuple[Rule, ...],
    scenarios: Source,
    take: Callable[[Plan], None],
) -> Plan:
    """The plan for what the preflight found; `take` gets it, and the limit of requests follows it if none was given."""
    check_default_profiles(options.default_profiles, session.run.inventory)
    rate = options.rate_limit or session.subject.rate
    planned = plan(
        session.run,
        session.settings,
        options.max_examples or 0,
        options.seed,
        malformed=session.subject.loopback or options.fuzz,
        rate=rate,
        added=(scenarios, *map(named_source, options.scenarios)),
    )
    if (options.rules or options.quick) and session.subject.kind != "cassette":
        planned = await reduced(planned, session.run, rules, session.settings, rate=rate)
    take(planned)
    if options.max_requests is None:
        session.transport.max_requests.limit = (
            session.transport.sent + planned.requests + max(SEARCH_REQUESTS, planned.requests // 4)
        )
    return planned


async def _execute(
    session: SubjectSession,
    hearing: LiveJudge,
    planned: Plan,
    progress: Callable[[RunProgress], None],
    ending: Ending,
    search: Search | None,
) -> None:
    """Carry out the plan, look for counterexamples, and clean up, however it ends."""

    def report_progress(phase: str, scheduler: Scheduler) -> None:
        progress(_progress(phase, session, hearing, scheduler))

    scheduler = session.scheduler(hearing, partial(report_progress, "scenarios"))
    try:
        with ending.recorded():
            try:
                await session.carry_out(scheduler, planned, lambda part: report_progress(part, scheduler))
            finally:
                hearing.close()
            if search is not None and hearing.failed:
                report_progress(_SHRINKING, scheduler)
                ending.counterexamples = await search(session, hearing, planned)
    finally:
        await ending.clean(session)


def _ending_at_a_failure(
    hearing: LiveJudge | None,
    options: RunOptions,
    rules: tuple[Rule, ...],
    known: Callable[[str, str], bool],
    progress: Callable[[RunProgress], None],
) -> Callable[[RunProgress], None]:
    """Tells `progress`, and ends the run where a rule of the level that counts failed for a cause not `known`."""
    counting = {rule.id for rule in rules if LEVELS.index(rule.level) <= LEVELS.index(options.fail_on)}

    def tell(state: RunProgress) -> None:
        progress(state)
        failed = hearing.failed if hearing is not None else {}
        for rule, violations in failed.items():
            is_new = any(not known(rule, one.cause) for one in violations)
            # What fails while it is open has no cause yet; a baseline may know it.
            if rule in counting and (is_new or not (violations or options.baseline)) and state.phase != _SHRINKING:
                raise FirstFailureError(f"it ended at the first failure that counts, of {rule} (--fail-fast)")

    return tell


def _progress(phase: str, session: SubjectSession, hearing: LiveJudge, scheduler: Scheduler) -> RunProgress:
    return RunProgress(
        phase,
        max(scheduler.rounds.values(), default=0),
        session.transport.sent,
        sum(state.done for state in scheduler.scenarios),
        len(scheduler.scenarios) + scheduler.not_begun,
        tuple(state.entry.event_id for state in scheduler.open),
        tuple(hearing.failed),
    )


def _run_facts(session: SubjectSession, hearing: LiveJudge, seed: int) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": session.run.id,
        "seed": seed,
        "started_at": session.run.now,
        "finished_at": session.subject.clock.now(),
        "requests": session.transport.sent,
        "exchanges": len(hearing.exchanges),
    }
    if hearing.first_failure is not None:
        document["first_failure_request"] = hearing.first_failure
    settling = sorted(session.schedulers[0].settling) if session.schedulers else []
    if settling:
        document["settling_s"] = {"p50": round(statistics.median(settling), 3), "max": round(settling[-1], 3)}
    return document


def _subject_facts(session: SubjectSession) -> dict[str, Any]:
    return {
        "kind": session.subject.kind,
        "name": session.subject.name,
        "accounts": [account.name for account in session.run.inventory.accounts],
        "calendars": len(session.run.inventory.targets),
    }


def _server_rules(ids: Iterable[str]) -> tuple[Rule, ...]:
    wanted = set(ids)
    return tuple(rule for rule in load() if rule.applies_to == "server" and (not wanted or rule.id in wanted))


def _run_id(seed: int, *, fresh: bool) -> str:
    """Eight characters that are safe in a URL; on a virtual clock the same for the same seed."""
    text = os.urandom(10) if fresh else f"seed {seed}".encode()
    return base64.b32encode(hashlib.sha256(text).digest()).decode().lower()[:8]
