"""Lives in lockstep: each sends its next write when what became of the last one is known; shared readings watch all."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from conformance.facts import Facts
from conformance.http.exchange import Exchange
from conformance.judging.stream import LiveJudge
from conformance.servers.campaign.concurrency import gather_all
from conformance.servers.campaign.journal import Journal, JournalEntry
from conformance.servers.campaign.persistent_failures import PersistentFailureCheck
from conformance.servers.campaign.scenario_state import ScenarioState, as_if, items_of, signature
from conformance.servers.scenarios.scenario import RunContext, Scenario, WriteRequest, write_requests
from conformance.servers.subject.readings import Flags, read_all_managed
from conformance.servers.subject.transport import Transport

__all__ = ["PollingPolicy", "Scheduler"]


#: A state that did not step is wrong only after this many seconds, and a little for the reading that shows it.
_LONGEST_HOLD = 16.0


@dataclass(frozen=True, slots=True)
class PollingPolicy:
    """Seconds: `quiet` as the observer has it, `settle_timeout`, and `first` between a write and its second reading."""

    quiet: float
    settle_timeout: float
    first: float
    growth: float = 1.5
    longest: float = 10.0


@dataclass(slots=True)
class Scheduler:
    """Rounds of writes and shared readings over `waves` of scenarios, until all are settled or out of time."""

    transport: Transport
    hearing: LiveJudge
    journal: Journal
    flags: Flags
    run: RunContext
    pace: PollingPolicy
    tell: Callable[[Scheduler], None] = lambda lockstep: None
    rounds: Counter[str] = field(default_factory=Counter)
    scenarios: list[ScenarioState] = field(default_factory=list)
    settling: list[float] = field(default_factory=list)
    typical: float = 0.0
    passed: set[str] = field(default_factory=set)
    _waiting: dict[str, list[list[Scenario]]] = field(default_factory=dict)
    _by_key: dict[tuple[str, ...], ScenarioState] = field(default_factory=dict)
    _read_at: dict[str, float] = field(default_factory=dict)
    _lags: list[float] = field(default_factory=list)
    _begun: dict[str, float] = field(default_factory=dict)
    _looked: set[str] = field(default_factory=lambda: {""})
    _insistence: PersistentFailureCheck = field(init=False)

    def __post_init__(self) -> None:
        self._insistence = PersistentFailureCheck(self.transport, self.journal, self.run)

    @property
    def to_come(self) -> int:
        """How many scenarios have not begun."""
        return sum(len(wave) for waves in self._waiting.values() for wave in waves)

    @property
    def open(self) -> list[ScenarioState]:
        """The scenarios that are watched for a verdict."""
        return [
            living
            for living in self.scenarios
            if living.sent and not (living.settled and living.done) and not living.gave_up
        ]

    @property
    def unsettled(self) -> list[ScenarioState]:
        """The scenarios from which a reading can teach something."""
        return [living for living in self.scenarios if living.watched]

    async def live(
        self, waves: Sequence[tuple[Scenario, ...]], *, interlude: Callable[[], Awaitable[None]], interlude_round: int
    ) -> None:
        """Live all scenarios, wave after wave, and watch until what is known of each is settled.

        `interlude` is awaited once, between the writes and the readings of its round, or of the last.
        """
        for wave in waves:
            for account in dict.fromkeys(scenario.account for scenario in wave):
                self._waiting.setdefault(account, []).append(
                    [scenario for scenario in wave if scenario.account == account]
                )
        pending: list[Callable[[], Awaitable[None]]] = [interlude]
        while True:
            ready = [living for account in self._waiting for living in self._ready(account)]
            if ready:
                await gather_all(self._go_on(living) for living in ready)
                for account in {living.scenario.account for living in ready}:
                    self.rounds[account] += 1
                for living in ready:
                    living.wrote = self.transport.clock.now()
                    living.eager = self._looks_at_once(living)
                self._looked |= {living.updated for living in ready if living.eager}
            last = not self.open and not self.to_come
            if pending and (last or max(self.rounds.values()) >= interlude_round):
                await pending.pop()()
            if last:
                return
            await self._watch()
            self.tell(self)

    def _looks_at_once(self, living: ScenarioState) -> bool:
        """Whether an event is read at once after its write too, to see what precedes a conference.

        That is so for each account's first creations, and for the first updates that ask for conferencing: an event's
        first, and another than it has.
        """
        return self.rounds[living.scenario.account] <= 1 or living.updated not in self._looked

    async def look_again(self) -> None:
        """Read everything three times more, long after: for where time costs nothing."""
        for pause in (_LONGEST_HOLD, _LONGEST_HOLD, self.hearing.observer.window + self.pace.quiet + 1.0):
            await self.transport.clock.sleep(pause)
            await gather_all(read_all_managed(self.transport, account, flags) for account, flags in self.flags.items())
            self._take(self.hearing.advance())

    def _ready(self, account: str) -> list[ScenarioState]:
        """The scenarios of an account that write next: those that are settled, and those that begin."""
        scenarios = [living for living in self.scenarios if living.scenario.account == account]
        ready = (
            [] if self._soon_more(scenarios) else [living for living in scenarios if living.settled and not living.done]
        )
        if self._waiting[account] and self._next_wave_may_begin(account, scenarios, ready):
            ready += [self._begin(scenario) for scenario in self._waiting[account].pop(0)]
            self._begun[account] = self.transport.clock.now()
        return ready

    def _soon_more(self, scenarios: list[ScenarioState]) -> bool:
        """Whether others of these are about to be ready, so that all go on together and are read together."""
        until = self.transport.clock.now() + self._slack
        return any(
            not (living.pending or living.wrong) and living.readings > 1 and self._next_look(living) <= until
            for living in scenarios
            if living.watched
        )

    def _next_wave_may_begin(self, account: str, scenarios: list[ScenarioState], ready: list[ScenarioState]) -> bool:
        """A wave begins with the next writes of half of the others, or as long after the last as those mostly take."""
        patience = self.pace.quiet + 1.2 * max(self.typical, self.pace.first) + 2 * self.pace.first
        waits = sum(living.watched for living in scenarios)
        begun = self._begun.get(account)
        return begun is None or len(ready) * 2 >= len(ready) + waits or self.transport.clock.now() - begun > patience

    def _begin(self, scenario: Scenario) -> ScenarioState:
        entry = JournalEntry(scenario.account, scenario.calendar_id, self.run.event_id(scenario))
        living = ScenarioState(scenario, write_requests(scenario, self.run), entry)
        self.scenarios.append(living)
        self._by_key[entry] = living
        return living

    # -- writing --------------------------------------------------------------------------------

    async def _go_on(self, living: ScenarioState) -> None:
        """Send the next write of a scenario, and after it those that do not wait."""
        while True:
            await self._send(living, living.requests[living.sent])
            if living.done or not living.requests[living.sent].step.immediate:
                break

    async def _send(self, living: ScenarioState, write: WriteRequest) -> None:
        creates = write.method == "POST" and living.entry not in self.journal.entries
        if write.method == "POST":
            self.journal.open(living.entry)
        existed, living.exists = living.exists, living.exists or write.method == "POST"
        exchange = await self._insistence.send(living.scenario, write, reserve=creates)
        living.sent += 1
        living.answered = exchange.answered_at or self.transport.clock.now()
        living.readings = 0
        living.settled = living.wrong = living.pending = False
        living.floor = living.number
        living.facts = None
        status = exchange.response.status if exchange.response is not None else None
        living.accepted = status is not None and status < 300
        if status is not None and 400 <= status < 500:
            living.exists = existed
        elif living.accepted:
            living.exists = write.method == "POST"
        living.over = living.over or status == 429

    # -- reading --------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Read each account in which something can be learnt by now, and sleep until the next can be."""
        accounts = {living.scenario.account for living in self.unsettled}
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
        self._take(self.hearing.advance())
        for account, reading in zip(chosen, readings, strict=True):
            self._note(account, reading)
            self._read_at[account] = self.transport.clock.now()
        for living in self.unsettled:
            self._settle(living)

    @property
    def _slack(self) -> float:
        return 0.25 * self.pace.quiet

    def _due(self, account: str) -> float:
        """When the next reading of an account can teach something; what is due soon after waits for it together."""
        looks = sorted(
            (self._next_look(living), living.pending or not living.readings)
            for living in self.unsettled
            if living.scenario.account == account
        )
        first, moving = looks[0]
        until = first + (self._slack / 4 if moving else self._slack)
        return max(moment for moment, _ in looks if moment <= until)

    def _next_look(self, living: ScenarioState) -> float:
        """When the next reading can teach something of one scenario."""
        read_at = max(living.wrote, self._read_at.get(living.scenario.account, 0.0))
        if not living.readings and living.eager:
            return living.wrote
        if living.pending or living.wrong or living.readings <= living.eager:
            held = living.since + self.hearing.observer.window + self.pace.quiet
            grown = self._following(living, read_at)
            return min(grown, held) if living.wrong and held > read_at else grown
        for moment in (living.since + self.pace.quiet, living.answered + self.hearing.observer.window):
            if moment > read_at:
                return moment
        return self._following(living, read_at)

    def _following(self, living: ScenarioState, after: float) -> float:
        """The moment to look at what is under way: about when conferences came so far, then later and later."""
        moment = living.wrote + max(self.pace.first, self.typical)
        pause = max(self.pace.first, self.typical / 4)
        while moment <= after:
            moment, pause = moment + pause, min(pause * self.pace.growth, self.pace.longest)
        return moment

    def _take(self, facts: list[Facts]) -> None:
        """Keep the newest facts of each scenario's newest episode."""
        for one in facts:
            if one.about == "write":
                living = self._by_key.get(one.key[1:4])
                number = int(one.key[4])
                if living is not None and number >= living.number and number > living.floor:
                    living.number, living.facts = number, one

    def _note(self, account: str, reading: list[Exchange]) -> None:
        items = items_of(reading)
        if items is None:
            return
        sent, answered = reading[0].sent_at or 0.0, reading[-1].answered_at or 0.0
        for living in self.scenarios:
            if living.scenario.account != account or living.answered > sent:
                continue
            item = items.get((living.scenario.calendar_id, living.entry.event_id))
            shown = signature(item)
            if not living.readings or shown != living.shown:
                if living.readings:
                    self._took(living.read_at - living.wrote)
                living.shown, living.since = shown, answered
            living.readings += 1
            living.exists = living.exists or item is not None
            living.read_at = sent
            value = item.get("conferencing") if item else None
            living.pending = isinstance(value, dict) and bool(value.get("pending")) and not value.get("join_url")

    def _took(self, seconds: float) -> None:
        """Something changed later than so many seconds after its write: most changes are to be there at `typical`."""
        insort(self._lags, min(max(0.0, seconds), self.pace.longest))
        self.typical = self._lags[len(self._lags) * 4 // 5]

    # -- deciding when to go on -----------------------------------------------------------------

    def _settle(self, living: ScenarioState) -> None:
        """Whether nothing is left to wait for before the next write; what it means is decided elsewhere."""
        if living.settled or not living.sent:
            return
        waited = self._read_at.get(living.scenario.account, 0.0) - living.answered
        if waited > max(self.pace.settle_timeout, _LONGEST_HOLD, self.hearing.observer.window) + 2 * self.pace.quiet:
            living.gave_up = living.over = True
            return
        if living.facts is None or living.readings < 2:
            return
        document = living.facts.document
        watched = living.read_at - living.answered >= self.hearing.observer.window
        verdicts = self.hearing.judge(as_if(living.facts, watched=watched, final=False))
        self.passed |= {verdict.rule for verdict in verdicts if verdict.outcome == "passed"}
        inconclusive = any(verdict.outcome == "inconclusive" for verdict in verdicts)
        new = any(verdict.outcome == "inconclusive" and verdict.rule not in self.passed for verdict in verdicts)
        quiet = "stable" in document["after"]
        living.wrong = False
        if inconclusive and quiet:
            verdicts = self.hearing.judge(as_if(living.facts, watched=watched, final=True))
            living.wrong = any(verdict.outcome == "failed" for verdict in verdicts)
            inconclusive = living.wrong or ((living.done or new) and not watched)
        stale = living.accepted and quiet and bool(document["after"]["stable"].get("mismatching_fields"))
        if stale and not self._held(living):
            living.wrong = True
            return
        if not living.done and not quiet and not (living.pending and self._held(living)):
            return  # what the next write finds would not be known
        living.settled = not inconclusive
        if living.settled and living.accepted and '"join_url"' in living.shown:
            self.settling.append(max(0.0, living.since - living.answered))

    def _held(self, living: ScenarioState) -> bool:
        return living.read_at - living.since > self.hearing.observer.window + self.pace.quiet
