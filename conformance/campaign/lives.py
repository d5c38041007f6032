"""Lives in lockstep: each sends its next write when what became of the last one is known; shared readings watch all."""

from __future__ import annotations

import asyncio
from bisect import insort
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from conformance.campaign.hearing import Hearing
from conformance.campaign.insistence import Insistence
from conformance.campaign.ledger import Entry, Ledger
from conformance.campaign.living import Living, as_if, items_of, signature
from conformance.exchange import Exchange
from conformance.facts import Facts
from conformance.scenarios.model import Life, Run, Write, writes
from conformance.subject.readings import Flags, complete_reading
from conformance.subject.transport import Transport

__all__ = ["Lockstep", "Pace", "together"]

T = TypeVar("T")

#: A state that did not move is wrong only after this many seconds, and a little for the reading that shows it.
_LONGEST_HOLD = 16.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: `quiet` as the observer has it, `settle_timeout`, and `first` between a write and its second reading."""

    quiet: float
    settle_timeout: float
    first: float
    growth: float = 1.5
    longest: float = 10.0


@dataclass(slots=True)
class Lockstep:
    """Rounds of writes and shared readings over `waves` of lives, until all are settled or out of time."""

    transport: Transport
    hearing: Hearing
    ledger: Ledger
    flags: Flags
    run: Run
    pace: Pace
    tell: Callable[[Lockstep], None] = lambda lockstep: None
    rounds: Counter[str] = field(default_factory=Counter)
    lives: list[Living] = field(default_factory=list)
    settling: list[float] = field(default_factory=list)
    typical: float = 0.0
    passed: set[str] = field(default_factory=set)
    _waiting: dict[str, list[list[Life]]] = field(default_factory=dict)
    _by_key: dict[tuple[str, ...], Living] = field(default_factory=dict)
    _read_at: dict[str, float] = field(default_factory=dict)
    _lags: list[float] = field(default_factory=list)
    _begun: dict[str, float] = field(default_factory=dict)
    _looked: set[str] = field(default_factory=lambda: {""})
    _insistence: Insistence = field(init=False)

    def __post_init__(self) -> None:
        self._insistence = Insistence(self.transport, self.ledger, self.run)

    @property
    def to_come(self) -> int:
        """How many lives have not begun."""
        return sum(len(wave) for waves in self._waiting.values() for wave in waves)

    @property
    def open(self) -> list[Living]:
        """The lives that are watched for a verdict."""
        return [
            living
            for living in self.lives
            if living.sent and not (living.settled and living.done) and not living.gave_up
        ]

    @property
    def unsettled(self) -> list[Living]:
        """The lives from which a reading can teach something."""
        return [living for living in self.lives if living.watched]

    async def live(
        self, waves: Sequence[tuple[Life, ...]], *, interlude: Callable[[], Awaitable[None]], interlude_round: int
    ) -> None:
        """Live all lives, wave after wave, and watch until what is known of each is settled.

        `interlude` is awaited once, between the writes and the readings of its round, or of the last.
        """
        for wave in waves:
            for account in dict.fromkeys(life.account for life in wave):
                self._waiting.setdefault(account, []).append([life for life in wave if life.account == account])
        pending: list[Callable[[], Awaitable[None]]] = [interlude]
        while True:
            ready = [living for account in self._waiting for living in self._ready(account)]
            if ready:
                await together(self._go_on(living) for living in ready)
                for account in {living.life.account for living in ready}:
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

    def _looks_at_once(self, living: Living) -> bool:
        """Whether an event is read at once after its write too, to see what precedes a conference.

        That is so for each account's first creations, and for the first updates that ask for conferencing: an event's
        first, and another than it has.
        """
        return self.rounds[living.life.account] <= 1 or living.updated not in self._looked

    async def look_again(self) -> None:
        """Read everything three times more, long after: for where time costs nothing."""
        for pause in (_LONGEST_HOLD, _LONGEST_HOLD, self.hearing.observer.window + self.pace.quiet + 1.0):
            await self.transport.clock.sleep(pause)
            await together(complete_reading(self.transport, account, flags) for account, flags in self.flags.items())
            self._take(self.hearing.advance())

    def _ready(self, account: str) -> list[Living]:
        """The lives of an account that write next: those that are settled, and those that begin."""
        lives = [living for living in self.lives if living.life.account == account]
        ready = [] if self._soon_more(lives) else [living for living in lives if living.settled and not living.done]
        if self._waiting[account] and self._next_wave_may_begin(account, lives, ready):
            ready += [self._begin(life) for life in self._waiting[account].pop(0)]
            self._begun[account] = self.transport.clock.now()
        return ready

    def _soon_more(self, lives: list[Living]) -> bool:
        """Whether others of these are about to be ready, so that all go on together and are read together."""
        until = self.transport.clock.now() + self._slack
        return any(
            not (living.pending or living.wrong) and living.readings > 1 and self._next_look(living) <= until
            for living in lives
            if living.watched
        )

    def _next_wave_may_begin(self, account: str, lives: list[Living], ready: list[Living]) -> bool:
        """A wave begins with the next writes of half of the others, or as long after the last as those mostly take."""
        patience = self.pace.quiet + 1.2 * max(self.typical, self.pace.first) + 2 * self.pace.first
        waits = sum(living.watched for living in lives)
        begun = self._begun.get(account)
        return begun is None or len(ready) * 2 >= len(ready) + waits or self.transport.clock.now() - begun > patience

    def _begin(self, life: Life) -> Living:
        entry = Entry(life.account, life.calendar_id, self.run.event_id(life))
        living = Living(life, writes(life, self.run), entry)
        self.lives.append(living)
        self._by_key[entry] = living
        return living

    # -- writing --------------------------------------------------------------------------------

    async def _go_on(self, living: Living) -> None:
        """Send the next write of a life, and after it those that do not wait."""
        while True:
            await self._send(living, living.writes[living.sent])
            if living.done or not living.writes[living.sent].move.hasty:
                break

    async def _send(self, living: Living, write: Write) -> None:
        creates = write.method == "POST" and living.entry not in self.ledger.entries
        if write.method == "POST":
            self.ledger.open(living.entry)
        existed, living.exists = living.exists, living.exists or write.method == "POST"
        exchange = await self._insistence.send(living.life, write, reserve=creates)
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
        accounts = {living.life.account for living in self.unsettled}
        if not accounts:
            return
        now = self.transport.clock.now()
        due = {account: self._due(account) for account in accounts}
        first = min(due.values())
        if first > now:
            await self.transport.clock.sleep(first - now)
            now = self.transport.clock.now()
        chosen = sorted(account for account in accounts if due[account] <= now)
        readings = await together(complete_reading(self.transport, account, self.flags[account]) for account in chosen)
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
            if living.life.account == account
        )
        first, moving = looks[0]
        until = first + (self._slack / 4 if moving else self._slack)
        return max(moment for moment, _ in looks if moment <= until)

    def _next_look(self, living: Living) -> float:
        """When the next reading can teach something of one life."""
        read_at = max(living.wrote, self._read_at.get(living.life.account, 0.0))
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

    def _following(self, living: Living, after: float) -> float:
        """The moment to look at what is under way: about when conferences came so far, then later and later."""
        moment = living.wrote + max(self.pace.first, self.typical)
        pause = max(self.pace.first, self.typical / 4)
        while moment <= after:
            moment, pause = moment + pause, min(pause * self.pace.growth, self.pace.longest)
        return moment

    def _take(self, facts: list[Facts]) -> None:
        """Keep the newest facts of each life's newest episode."""
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
        for living in self.lives:
            if living.life.account != account or living.answered > sent:
                continue
            item = items.get((living.life.calendar_id, living.entry.event_id))
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

    def _settle(self, living: Living) -> None:
        """Whether nothing is left to wait for before the next write; what it means is decided elsewhere."""
        if living.settled or not living.sent:
            return
        waited = self._read_at.get(living.life.account, 0.0) - living.answered
        if waited > max(self.pace.settle_timeout, _LONGEST_HOLD, self.hearing.observer.window) + 2 * self.pace.quiet:
            living.gave_up = living.over = True
            return
        if living.facts is None or living.readings < 2:
            return
        document = living.facts.document
        watched = living.read_at - living.answered >= self.hearing.observer.window
        verdicts = self.hearing.judge(as_if(living.facts, watched=watched, final=False))
        self.passed |= {verdict.rule for verdict in verdicts if verdict.outcome == "passed"}
        undecided = any(verdict.outcome == "undecided" for verdict in verdicts)
        new = any(verdict.outcome == "undecided" and verdict.rule not in self.passed for verdict in verdicts)
        quiet = "quiet" in document["after"]
        living.wrong = False
        if undecided and quiet:
            verdicts = self.hearing.judge(as_if(living.facts, watched=watched, final=True))
            living.wrong = any(verdict.outcome == "failed" for verdict in verdicts)
            undecided = living.wrong or ((living.done or new) and not watched)
        stale = living.accepted and quiet and bool(document["after"]["quiet"].get("not_as_written"))
        if stale and not self._held(living):
            living.wrong = True
            return
        if not living.done and not quiet and not (living.pending and self._held(living)):
            return  # what the next write finds would not be known
        living.settled = not undecided
        if living.settled and living.accepted and '"join_url"' in living.shown:
            self.settling.append(max(0.0, living.since - living.answered))

    def _held(self, living: Living) -> bool:
        return living.read_at - living.since > self.hearing.observer.window + self.pace.quiet


async def together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of all, each run to its end; then the first exception, if there was one."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]
