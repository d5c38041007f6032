"""A session with one subject: everything sent goes through here, and to the hearing that it is for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache

import httpx

from conformance.facts import Settings
from conformance.http.exchange import UNKNOWN_TOKEN, Exchange, Response
from conformance.http.redaction import Redactor, scrub
from conformance.judging.judge import Judge
from conformance.judging.stream import LiveJudge
from conformance.servers.campaign.cleanup import clean
from conformance.servers.campaign.journal import Journal, JournalEntry
from conformance.servers.campaign.malformed_probe import probe
from conformance.servers.campaign.probes import access, access_checks, audit
from conformance.servers.campaign.scheduler import PollingPolicy, Scheduler
from conformance.servers.scenarios.malformed_requests import MalformedRequest
from conformance.servers.scenarios.scenario import RunContext, Scenario
from conformance.servers.subject import Subject
from conformance.servers.subject.preflight import preflight
from conformance.servers.subject.rate_limit import RateLimiter, RequestBudget
from conformance.servers.subject.readings import Flags, next_page, read_with_retry, reading
from conformance.servers.subject.transport import Limits, Transport

__all__ = ["SubjectSession", "open_session"]

#: In the round of this number those who may not try what they may not: late enough for events to be there.
_ACCESS_ROUND = 3


#: Seconds that a subject on this machine may ask to be left alone for.
_LONGEST_PAUSE_NEARBY = 5.0


@dataclass(slots=True)
class SubjectSession:
    """A subject that was looked at: its world, and the transport to it.

    What comes back goes to `hearing`, or nowhere while there is none; `known` are the exchanges of the first look.
    """

    subject: Subject
    settings: Settings
    judge: Judge
    transport: Transport
    journal: Journal
    hearing: LiveJudge | None
    run: RunContext
    flags: Flags = field(default_factory=dict)
    known: tuple[Exchange, ...] = ()
    next_page: str | None = None
    locksteps: list[Scheduler] = field(default_factory=list)

    def lockstep(self, hearing: LiveJudge, tell: Callable[[Scheduler], None] = lambda lockstep: None) -> Scheduler:
        """A fresh lockstep; what comes back from now on goes to `hearing`."""
        self.hearing = hearing
        pace = PollingPolicy(
            self.settings.quiet, self.settings.settle_timeout, first=0.2 if self.subject.loopback else 1.5
        )
        lockstep = Scheduler(self.transport, hearing, self.journal, self.flags, self.run, pace, tell)
        self.locksteps.append(lockstep)
        return lockstep

    async def live(self, lockstep: Scheduler, waves: Sequence[tuple[Scenario, ...]]) -> None:
        """Live all scenarios; on the way, those who may not try what they may not, and calendars are listed once more.

        What the lists said before and after is not held against the writes between: those after this are told by it.
        """

        async def trespass() -> None:
            existing = next((living.entry for living in lockstep.scenarios if living.exists), None)
            page = self.next_page if self.next_page and self.transport.owns(self.next_page) else None
            requests = access_checks(self.run.inventory, self.run, existing, page, everywhere=self.subject.loopback)
            await access(self.transport, self.journal, requests)
            for account in self.run.inventory.accounts:
                if account.targets:
                    await self.transport.send("GET", "/v1/calendars", account=account.name)

        await lockstep.live(waves, interlude=trespass, interlude_round=_ACCESS_ROUND)
        if self.transport.clock.virtual:
            await lockstep.look_again()

    async def try_scenarios(self, hearing: LiveJudge, scenarios: tuple[Scenario, ...]) -> None:
        """Live a few scenarios at once, and let `hearing` alone know of it."""

        async def nothing() -> None:
            return None

        lockstep = self.lockstep(hearing)
        await lockstep.live((scenarios,), interlude=nothing, interlude_round=0)
        if self.transport.clock.virtual:
            await lockstep.look_again()
        hearing.close()

    async def audit(self) -> None:
        """Read every account in the documented ways."""
        await audit(self.transport, self.run.inventory, self.run, self.flags)

    async def probe(self, requests: Sequence[MalformedRequest]) -> None:
        """Send malformed requests, last of all: what they do to the subject is to harm nothing else."""
        if requests:
            await probe(self.transport, self.journal, self.run, self.flags, requests)
            await self._look_after(sorted({request.account for request in requests}), self.settings.quiet / 2)
            if self._wanting():
                await self._look_after(sorted({request.account for request in requests}), self.settings.quiet + 0.1)

    async def _look_after(self, accounts: Sequence[str], pause: float) -> None:
        await self.transport.clock.sleep(pause)
        for account in accounts:
            await read_with_retry(self.transport, account, reading(*self.flags[account]), "/v1/calendars")

    def _wanting(self) -> set[str]:
        """The rules that one more look may decide and that nothing has passed so far."""
        if self.hearing is None or not self.locksteps:
            return set()
        verdicts = [verdict for facts in self.hearing.advance() for verdict in self.judge(facts)]
        passed = self.locksteps[0].passed | {verdict.rule for verdict in verdicts if verdict.outcome == "passed"}
        return {verdict.rule for verdict in verdicts if verdict.outcome == "inconclusive"} - passed

    async def clean(self) -> tuple[JournalEntry, ...]:
        """Delete what was made; nothing of it is judged.  What could not be deleted."""
        self.hearing = None
        gone = [living.entry for lockstep in self.locksteps for living in lockstep.scenarios if not living.exists]
        return await clean(self.transport, self.journal, gone)

    def fresh_hearing(self) -> LiveJudge:
        """A hearing that knows what the first look showed, and nothing since."""
        hearing = LiveJudge(self.settings, self.judge)
        for exchange in self.known:
            hearing.add(exchange)
        hearing.advance()
        return hearing


@asynccontextmanager
async def open_session(
    subject: Subject,
    settings: Settings,
    judge: Judge,
    run_id: str,
    *,
    calendars: Sequence[str] = (),
    rate: float | None = None,
    max_requests: int | None = None,
    limits: Limits | None = None,
    sink: Callable[[Exchange], None] = lambda exchange: None,
    in_journal: bool = True,
) -> AsyncIterator[SubjectSession]:
    """A session with `subject` after its preflight; `in_journal` says whether it may create anything.

    `sink` gets every exchange that is judged.  Raises ConfigurationError where nothing can be judged.
    """
    bounds = limits or (Limits(longest_pause=_LONGEST_PAUSE_NEARBY) if subject.loopback else Limits())
    nobody = f"nobody-has-this-token-{run_id}"
    hearing = LiveJudge(settings, judge)
    holder: list[SubjectSession] = []
    seen: list[Exchange] = []

    def on_exchange(exchange: Exchange) -> None:
        if not holder:
            seen.append(exchange)
            hearing.add(exchange)
            sink(exchange)
            return
        session = holder[0]
        if session.hearing is not None:
            session.hearing.add(exchange)
            session.next_page = session.next_page or next_page(exchange)
            if session.hearing is hearing:
                sink(exchange)

    async with subject.open(bounds) as client:
        transport = _transport(client, subject, nobody, on_exchange, bounds, rate, max_requests)
        started = subject.clock.now()
        inventory, flags = await preflight(transport, subject, calendars)
        hearing.advance()
        kept = in_journal and subject.kind != "reference"
        journal = Journal.of_run(subject.base_url, run_id) if kept else Journal()
        session = SubjectSession(
            subject,
            settings,
            judge,
            transport,
            journal,
            hearing,
            RunContext(run_id, started, inventory),
            flags,
            tuple(seen),
        )
        session.next_page = next((page for page in map(next_page, seen) if page), None)
        holder.append(session)
        try:
            yield session
        finally:
            journal.close()


def _transport(
    client: httpx.AsyncClient,
    subject: Subject,
    nobody: str,
    on_exchange: Callable[[Exchange], None],
    limits: Limits,
    rate: float | None,
    max_requests: int | None,
) -> Transport:
    # The reference server's tokens are public, and it echoes none.
    secrets = {} if subject.kind == "reference" else {**subject.tokens, UNKNOWN_TOKEN: nobody}
    return Transport(
        client,
        subject.base_url,
        subject.tokens,
        subject.clock,
        on_exchange=on_exchange,
        redact=_redaction(Redactor(secrets)),
        limits=limits,
        rate=RateLimiter(subject.clock, rate or subject.rate),
        max_requests=RequestBudget(max_requests),
        unknown_token=nobody,
    )


def _redaction(redactor: Redactor) -> Callable[[Exchange], Exchange]:
    """What `redactor` does to an exchange of ours, in which the same headers, URLs and bodies come again and again."""
    text = lru_cache(maxsize=4096)(redactor.text)
    body = lru_cache(maxsize=128)(redactor.bytes)

    def redact(exchange: Exchange) -> Exchange:
        clean = scrub(exchange)
        response = clean.response
        return replace(
            clean,
            request=replace(clean.request, url=text(clean.request.url)),  # the rest of a request is our own
            response=response
            and Response(
                response.status,
                tuple((text(name), text(value)) for name, value in response.headers),
                body(response.body),
            ),
            notes=tuple((text(name), text(value)) for name, value in clean.notes),
        )

    return redact
