"""Scenarios side by side: each sends its next write when the last one is conclusive; shared readings watch all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from conformance.facts import Facts
from conformance.http.exchange import Exchange
from conformance.judging.stream import LiveJudge
from conformance.servers.campaign.batch_writing import BATCH, is_refused, send_batch, statuses
from conformance.servers.campaign.concurrency import gather_all
from conformance.servers.campaign.journal import Journal, JournalEntry
from conformance.servers.campaign.pending_steps import PendingSteps
from conformance.servers.campaign.persistent_failures import PersistentFailureCheck
from conformance.servers.campaign.polling import Polling
from conformance.servers.campaign.scenario_state import ScenarioState, items_of, projected
from conformance.servers.scenarios.scenario import RunContext, Scenario, WriteRequest, write_requests
from conformance.servers.subject.readings import Flags, read_all_managed
from conformance.servers.subject.transport import Transport

__all__ = ["Scheduler"]

#: Seconds after which a wrong value that does not change any more is taken for wrong: reads may be stale until then.
_LONGEST_DELAY = 16.0


@dataclass(slots=True)
class Scheduler:
    """Runs scenarios in rounds of writes and shared readings, until each is settled or timed out.

    By account: `rounds` counts its rounds of writes.  `settling` are the seconds that accepted conferences took,
    `passed` are the rules that a write has passed so far, `pending_steps` what the steps met that were meant to meet a
    pending event.
    """

    transport: Transport
    hearing: LiveJudge
    journal: Journal
    flags: Flags
    run: RunContext
    polling: Polling
    on_round: Callable[[Scheduler], None] = lambda scheduler: None
    rounds: Counter[str] = field(default_factory=Counter)
    scenarios: list[ScenarioState] = field(default_factory=list)
    settling: list[float] = field(default_factory=list)
    passed: set[str] = field(default_factory=set)
    pending_steps: PendingSteps = field(default_factory=PendingSteps)
    _waves: dict[str, list[list[Scenario]]] = field(default_factory=dict)
    _by_key: dict[tuple[str, ...], ScenarioState] = field(default_factory=dict)
    _read_at: dict[str, float] = field(default_factory=dict)
    _last_wave_at: dict[str, float] = field(default_factory=dict)
    _update_kinds_read: set[str] = field(default_factory=lambda: {""})
    _batches_refused: bool = False
    _failures: PersistentFailureCheck = field(init=False)

    def __post_init__(self) -> None:
        self._failures = PersistentFailureCheck(self.transport, self.journal, self.run)

    @property
    def not_begun(self) -> int:
        """How many scenarios have not begun."""
        return sum(len(wave) for waves in self._waves.values() for wave in waves)

    @property
    def open(self) -> list[ScenarioState]:
        """The scenarios that still have writes to send or wait for a verdict."""
        return [
            state
            for state in self.scenarios
            if state.sent and not (state.settled and state.done) and not state.timed_out
        ]

    @property
    def watched(self) -> list[ScenarioState]:
        """The scenarios that a reading can show something about."""
        return [state for state in self.scenarios if state.watched]

    async def run_waves(
        self,
        waves: Sequence[tuple[Scenario, ...]],
        *,
        after_round: Callable[[], Awaitable[None]] | None = None,
        round_number: int = 0,
    ) -> None:
        """Run all scenarios, wave after wave, and watch until each is settled or timed out.

        `after_round` is awaited once, between the writes and the readings of round `round_number`, or of the last one.
        """
        for wave in waves:
            for account in dict.fromkeys(scenario.account for scenario in wave):
                self._waves.setdefault(account, []).append(
                    [scenario for scenario in wave if scenario.account == account]
                )
        while True:
            ready = [state for account in self._waves for state in self._ready(account)]
            if ready:
                begun = {state.scenario.account for state in ready if not state.meets_pending}
                await gather_all(map(self._write, _together(ready)))
                self.rounds.update(begun)
                for state in ready:
                    state.written_at = self.transport.clock.now()
                    state.read_immediately = self._reads_immediately(state)
                self._update_kinds_read |= {state.update_kind for state in ready if state.read_immediately}
            if not self.open and not self.not_begun:
                self._try_again(self.pending_steps.back_to_back_retries())
            last = not self.open and not self.not_begun
            if after_round and (last or max(self.rounds.values()) >= round_number):
                await after_round()
                after_round = None
            if last:
                return
            await self._watch()
            self.on_round(self)

    def _reads_immediately(self, state: ScenarioState) -> bool:
        """Whether an event is also read immediately after its write, to observe what precedes a conference.

        That is so for each account's first creations, for the first update of each kind that requests conferencing, and
        where the next write is to meet a pending event.
        """
        return (
            self.rounds[state.scenario.account] <= 1
            or state.awaits_pending
            or state.update_kind not in self._update_kinds_read
        )

    async def final_reads(self, accounts: Collection[str]) -> None:
        """Read these accounts three more times, long after the last write: for clocks on which time costs nothing."""
        for pause in (_LONGEST_DELAY, _LONGEST_DELAY, self.hearing.observer.window + self.polling.quiet + 1.0):
            await self.transport.clock.sleep(pause)
            await gather_all(
                read_all_managed(self.transport, account, flags)
                for account, flags in self.flags.items()
                if account in accounts
            )
            self._record_facts(self.hearing.advance())

    def gave_up_early(self) -> bool:
        """Whether a rule still waited for something about an event when the window was taken for shorter than it is."""
        window = self.hearing.observer.window
        early = [one for one in self.scenarios if one.facts is not None and one.read_at - one.answered_at < window]
        facts = (projected(one.facts, watched=False, final=False) for one in early if one.facts is not None)
        return any(verdict.outcome == "inconclusive" for one in facts for verdict in self.hearing.judge(one))

    def _ready(self, account: str) -> list[ScenarioState]:
        """The scenarios of an account that write next: those that are settled, and the next wave if it begins."""
        scenarios = [state for state in self.scenarios if state.scenario.account == account]
        ready = [] if self._more_soon(scenarios) else [state for state in scenarios if state.settled and not state.done]
        if self._waves[account] and self._next_wave_may_begin(account, scenarios, ready):
            ready += [self._begin(scenario) for scenario in self._waves[account].pop(0)]
            self._last_wave_at[account] = self.transport.clock.now()
        return ready + [state for state in scenarios if state.meets_pending and not state.settled]

    def _try_again(self, scenarios: Iterable[Scenario]) -> None:
        """Run these scenarios too, with the next wave."""
        for scenario in scenarios:
            waves = self._waves[scenario.account]
            if not waves:
                waves.append([])
            waves[0].append(scenario)

    def _more_soon(self, scenarios: list[ScenarioState]) -> bool:
        """Whether more of these will be ready shortly, so that they are better written and read with the others."""
        until = self.transport.clock.now() + self.polling.slack
        return any(
            not (state.pending or state.looks_wrong) and state.reads > 1 and self._next_read(state) <= until
            for state in scenarios
            if state.watched
        )

    def _next_wave_may_begin(self, account: str, scenarios: list[ScenarioState], ready: list[ScenarioState]) -> bool:
        """Whether half of the running scenarios are ready, or the last wave has had the time that a write takes."""
        waits = sum(state.watched for state in scenarios)
        begun = self._last_wave_at.get(account)
        return (
            begun is None
            or len(ready) * 2 >= len(ready) + waits
            or self.transport.clock.now() - begun > self.polling.patience
        )

    def _begin(self, scenario: Scenario) -> ScenarioState:
        entry = JournalEntry(scenario.account, scenario.calendar_id, self.run.event_id(scenario))
        state = ScenarioState(scenario, write_requests(scenario, self.run), entry)
        self.scenarios.append(state)
        self.pending_steps.expect(scenario)
        self._by_key[entry] = state
        return state

    # -- writing --------------------------------------------------------------------------------

    async def _write(self, states: Sequence[ScenarioState]) -> None:
        """Send the next write of a scenario and the back-to-back steps after it, or those of several as a batch."""
        if states[0].next_is_batched:
            await self._send_batch(states)
            return
        [state] = states
        while True:
            await self._send(state, state.requests[state.sent])
            if state.done or state.requests[state.sent].step.timing != "back-to-back":
                break

    async def _send(self, state: ScenarioState, write: WriteRequest) -> None:
        existed = state.exists
        creates = self._open([state])
        pending, before = state.meets_pending, state.answered_at
        exchange = await self._failures.send(state.scenario, write, reserve=creates)
        gap = (exchange.sent_at or 0.0) - before
        again = self.pending_steps.sent(state.scenario, state.sent, pending=pending, gap=gap)
        self._try_again([] if again is None else [again])
        status = exchange.response.status if exchange.response is not None else None
        state.wrote(exchange.answered_at or self.transport.clock.now(), status, existed=existed)

    async def _send_batch(self, states: Sequence[ScenarioState]) -> None:
        """Send the next writes of scenarios of one account; none where a batch was refused as a whole before."""
        if not self._batches_refused:
            existed = [state.exists for state in states]
            creates = self._open(states)
            writes = [state.requests[state.sent] for state in states]
            batch = await send_batch(self.transport, states[0].scenario.account, writes, reserve=creates)
            self._batches_refused = is_refused(batch)
            answered_at = batch.answered_at or self.transport.clock.now()
            for state, status, was_there in zip(states, statuses(batch, len(states)), existed, strict=True):
                state.wrote(answered_at, status, existed=was_there)
        for state in states if self._batches_refused else ():
            state.cut_short = state.settled = True

    def _open(self, states: Sequence[ScenarioState]) -> int:
        """How many events the next writes create; these are in the journal from now on."""
        writing = [state for state in states if state.requests[state.sent].method == "POST"]
        creates = sum(state.entry not in self.journal.entries for state in writing)
        if writing:
            self.transport.max_requests.check(reserve=creates)  # what is not sent creates nothing
        for state in writing:
            self.journal.open(state.entry)
            state.exists = True
        return creates

    # -- reading --------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Sleep until a reading is due in some account, and read all accounts where one is."""
        accounts = {state.scenario.account for state in self.watched}
        if not accounts:
            return
        now = self.transport.clock.now()
        due = {account: self._due(account) for account in accounts}
        first = min(due.values())
        if first > now:
            await self.transport.clock.sleep(first - now)
            now = self.transport.clock.now()
        chosen = sorted(account for account in accounts if due[account] <= now)
        readings = await gather_all(
            read_all_managed(self.transport, account, self.flags[account]) for account in chosen
        )
        self._record_facts(self.hearing.advance())
        for account, reading in zip(chosen, readings, strict=True):
            self._record_reading(account, reading)
            self._read_at[account] = self.transport.clock.now()
        for state in self.watched:
            self._settle(state)
            self._time_out(state)

    def _due(self, account: str) -> float:
        """When to read an account next."""
        states = [state for state in self.watched if state.scenario.account == account]
        return self.polling.due(states, self._last_read(account), self.hearing.observer.window)

    def _next_read(self, state: ScenarioState) -> float:
        """When the next reading can show something new about one scenario."""
        return self.polling.next_read(state, self._last_read(state.scenario.account), self.hearing.observer.window)

    def _last_read(self, account: str) -> float:
        return self._read_at.get(account, 0.0)

    def _record_facts(self, facts: list[Facts]) -> None:
        """Keep the newest facts about the last write of each scenario."""
        for one in facts:
            if one.about in ("write", "batched_write"):
                state = self._by_key.get(one.key[1:4])
                episode = int(one.key[4])
                if state is not None and episode >= state.episode and episode > state.last_episode:
                    state.episode, state.facts = episode, one

    def _record_reading(self, account: str, reading: list[Exchange]) -> None:
        items = items_of(reading)
        if items is None:
            return
        sent, answered = reading[0].sent_at or 0.0, reading[-1].answered_at or 0.0
        for state in self.scenarios:
            if state.scenario.account == account and state.answered_at <= sent:
                delay = state.read(items.get((state.scenario.calendar_id, state.entry.event_id)), sent, answered)
                if delay is not None:
                    self.polling.record_delay(delay)
                if state.pending and state.accepted:
                    self.pending_steps.record_pending(account, sent - state.answered_at)
                    state.late = self.pending_steps.lateness(state.scenario, state.sent)

    # -- when the next write may go ---------------------------------------------------------------

    def _time_out(self, state: ScenarioState) -> None:
        """Give a scenario up that has not settled by now, with the reading that came last."""
        waited = self._last_read(state.scenario.account) - state.answered_at
        longest = max(self.polling.settle_timeout, _LONGEST_DELAY, self.hearing.observer.window)
        if not state.settled and state.sent and waited > longest + 2 * self.polling.quiet:
            state.timed_out = state.cut_short = True

    def _settle(self, state: ScenarioState) -> None:
        """Settle a scenario: verdicts on projected facts decide when to go on, and are never reported."""
        if state.settled or not state.sent or state.facts is None or state.reads < 2:
            return
        document = state.facts.document
        watched = state.read_at - state.answered_at >= self.hearing.observer.window
        verdicts = self.hearing.judge(projected(state.facts, watched=watched, final=False))
        self.passed |= {verdict.rule for verdict in verdicts if verdict.outcome == "passed"}
        inconclusive = any(verdict.outcome == "inconclusive" for verdict in verdicts)
        new = any(verdict.outcome == "inconclusive" and verdict.rule not in self.passed for verdict in verdicts)
        stable = document["after"].get("stable")
        state.looks_wrong = False
        if inconclusive and stable is not None:
            verdicts = self.hearing.judge(projected(state.facts, watched=watched, final=True))
            state.looks_wrong = any(verdict.outcome == "failed" for verdict in verdicts)
            inconclusive = state.looks_wrong or ((state.done or new) and not watched)
        mismatches = state.accepted and stable is not None and bool(stable.get("mismatching_fields"))
        if mismatches and not self._hold_elapsed(state):
            state.looks_wrong = True
            return
        if state.done and state.pending and state.accepted:
            return  # what takes longest to come tells how long what must never come is awaited
        if not state.done and stable is None and not (state.pending and self._hold_elapsed(state)):
            return  # the next write would begin from an unknown state
        state.settled = not inconclusive
        if state.settled and state.accepted and '"join_url"' in state.signature:
            self.settling.append(max(0.0, state.stable_since - state.answered_at))

    def _hold_elapsed(self, state: ScenarioState) -> bool:
        return state.read_at - state.stable_since > self.hearing.observer.window + self.polling.quiet


def _together(ready: Iterable[ScenarioState]) -> Iterable[list[ScenarioState]]:
    """Each scenario by itself, but for those of an account whose next steps are entries of a batch."""
    batches: dict[str, list[ScenarioState]] = {}
    for state in ready:
        if state.next_is_batched:
            batches.setdefault(state.scenario.account, []).append(state)
        else:
            yield [state]
    for states in batches.values():
        yield from (states[start : start + BATCH] for start in range(0, len(states), BATCH))
