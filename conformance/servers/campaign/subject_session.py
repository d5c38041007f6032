"""A session with one subject: everything is sent through here, and what comes back goes to the hearing it is for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache

import httpx
from msgspec import structs

from conformance.facts import Facts, Settings
from conformance.http.exchange import UNKNOWN_TOKEN, Exchange, Response
from conformance.http.redaction import Redactor, scrub
from conformance.http.redaction.personal import PersonalData
from conformance.judging.stream import LiveJudge
from conformance.judging.verdict import Verdict
from conformance.servers.campaign.cleanup import clean
from conformance.servers.campaign.concurrency import gather_all
from conformance.servers.campaign.journal import Journal, JournalEntry
from conformance.servers.campaign.persistent_failures import PersistentFailureCheck
from conformance.servers.campaign.polling import Polling
from conformance.servers.campaign.probes import access_checks, read_variants, run_access_checks
from conformance.servers.campaign.scheduler import Scheduler
from conformance.servers.campaign.subscription_probe import subscriptions_are_accepted
from conformance.servers.inventory import Inventory
from conformance.servers.run_options import NotificationOptions
from conformance.servers.scenarios.malformed_requests import MalformedRequest, event_after
from conformance.servers.scenarios.plan import PROBES, Plan
from conformance.servers.scenarios.scenario import RunContext, Scenario
from conformance.servers.subject import Subject
from conformance.servers.subject.preflight import preflight
from conformance.servers.subject.rate_limit import RateLimiter, RequestBudget
from conformance.servers.subject.readings import Flags, NextPage, next_page, read_with_retry, reading
from conformance.servers.subject.receiver import Receiver, receiving
from conformance.servers.subject.reception import Limits
from conformance.servers.subject.transport import Transport

__all__ = ["SubjectSession", "open_session"]

#: The round in which access checks are sent: late enough for events to exist.
_ACCESS_ROUND = 3

#: The longest pause in seconds, between two attempts, that a subject on this machine may ask for.
_LONGEST_LOCAL_PAUSE = 5.0

#: The longest time in seconds that such a subject may take for one answer.
_LOCAL_SECONDS = 10.0


@dataclass(slots=True)
class SubjectSession:
    """A subject, the transport to it and, after `preflight`, its inventory.

    What comes back goes to `hearing`, if there is one; `preflight_exchanges` are those of the preflight.  `part` names
    the part of the plan that is being sent.
    """

    subject: Subject
    settings: Settings
    judge: Callable[[Facts], tuple[Verdict, ...]]
    transport: Transport
    journal: Journal
    hearing: LiveJudge | None
    run: RunContext
    flags: Flags = field(default_factory=dict)
    preflight_exchanges: tuple[Exchange, ...] = ()
    next_page: NextPage | None = None
    schedulers: list[Scheduler] = field(default_factory=list)
    receiver: Receiver | None = None
    part: str = "preflight"

    async def subscribe(self, accounts: Collection[str]) -> None:
        """Where there is a receiver, find out whether subscriptions are accepted: if not, other writes have none.

        `accounts` are those whose events are read.
        """
        if self.receiver is None:
            return
        run = replace(self.run, receiver=self.receiver.base_url)
        if await subscriptions_are_accepted(self.transport, self.journal, run, accounts):
            self.run = run

    async def await_notifications(self) -> None:
        """Wait for what was subscribed to, until the settle time-out, and read once more what is there then."""
        if self.run.receiver is None or self.hearing is None:
            return
        clock = self.transport.clock
        until = clock.now() + self.settings.settle_timeout + self.settings.quiet
        self.hearing.advance()
        if not self.hearing.observer.awaits_notifications:
            return
        while self.hearing.observer.awaits_notifications and clock.now() < until:
            await clock.sleep(min(1.0, until - clock.now()))
        await self._read_after(self.settings.quiet + self.hearing.observer.window, list(self.flags))
        self.hearing.advance()

    async def preflight(self, calendars: Sequence[str] = (), wait: float = 0.0) -> None:
        """Learn what the subject offers; `wait`: seconds in which a server that is starting may begin to answer.

        Raises ConfigurationError where nothing can be judged.
        """
        assert self.hearing is not None
        if wait and self.subject.app is None:
            await self.transport.wait_for_answer(wait)
        inventory, self.flags = await preflight(self.transport, self.subject, calendars)
        self.hearing.advance()
        self.preflight_exchanges = tuple(self.hearing.exchanges)
        self.run = replace(self.run, inventory=inventory)
        if inventory.accounts:
            self.transport.watch_availability(inventory.accounts[0].name)

    def scheduler(
        self, hearing: LiveJudge, on_round: Callable[[Scheduler], None] = lambda scheduler: None
    ) -> Scheduler:
        """A new scheduler; what comes back from now on goes to `hearing`."""
        self.hearing = hearing
        polling = Polling(
            self.settings.quiet, self.settings.settle_timeout, first=0.2 if self.subject.loopback else 1.5
        )
        scheduler = Scheduler(self.transport, hearing, self.journal, self.flags, self.run, polling, on_round)
        self.schedulers.append(scheduler)
        return scheduler

    async def carry_out(self, scheduler: Scheduler, planned: Plan, tell: Callable[[str], None]) -> None:
        """Send all that is planned; `tell` is told the name of each part after the scenarios, as it begins."""
        await self.run_scenarios(scheduler, planned.waves, planned.probes)
        await self.await_notifications()
        if "readings" in planned.probes:
            self.part = "readings"
            tell("audit")
            await self.read_variants()
        if planned.malformed:
            self.part = "malformed"
            scheduler.on_round = lambda _: tell("malformed requests")
            scheduler.on_round(scheduler)
            await self.send_malformed(planned.malformed)
        elif scheduler.gave_up_early():  # what took longest may have come after what must not come was given up
            await self._read_after(self.settings.quiet + scheduler.hearing.observer.window, list(self.flags))

    async def run_scenarios(
        self, scheduler: Scheduler, waves: Sequence[tuple[Scenario, ...]], probes: Collection[str] = tuple(PROBES)
    ) -> None:
        """Run all scenarios; on the way, send the access checks, and list the calendars once more.

        What the lists show before and after is not held against the writes in between; later writes are judged by it.
        """

        async def check_access() -> None:
            if "access" in probes:
                self.part = "access"
                existing = next((state.entry for state in scheduler.scenarios if state.exists), None)
                page = self.next_page if self.next_page and self.transport.owns(self.next_page.url) else None
                checks = access_checks(self.run.inventory, self.run, existing, page, everywhere=self.subject.loopback)
                await run_access_checks(self.transport, self.journal, checks)
            self.part = "lists"
            for account in self.run.inventory.accounts if "lists" in probes else ():
                if account.target_calendars:
                    await self.transport.send("GET", "/v1/calendars", account=account.name)
            self.part = "scenarios"

        if "notifications" in probes:
            self.part = "notifications"
            await self.subscribe({scenario.account for wave in waves for scenario in wave})
        self.part = "scenarios"
        scheduler.run = self.run
        await scheduler.run_waves(waves, after_round=check_access, round_number=_ACCESS_ROUND)
        if self.transport.clock.virtual:
            await scheduler.final_reads(self.flags)

    async def try_scenarios(self, hearing: LiveJudge, scenarios: tuple[Scenario, ...]) -> None:
        """Run a few scenarios at once, judged by `hearing` alone, however that ends."""
        scheduler = self.scheduler(hearing)
        try:
            await scheduler.run_waves((scenarios,))
            if self.transport.clock.virtual:
                await scheduler.final_reads({scenario.account for scenario in scenarios})
        finally:
            hearing.close()

    async def read_variants(self) -> None:
        """Read every account in the documented ways."""
        await read_variants(self.transport, self.run.inventory, self.run, self.flags)

    async def send_malformed(self, requests: Sequence[MalformedRequest]) -> None:
        """Send malformed requests, last of all, so that what they do to the subject disturbs nothing else.

        An event with explicit conferencing after them proves that the subject still works.
        """
        if not requests:
            return
        scheduler = self.schedulers[0]
        check = PersistentFailureCheck(self.transport, self.journal, self.run)
        await gather_all(check.send_malformed(request, self.flags) for request in requests)
        accounts = sorted({request.account for request in requests})
        await self._read_after(0.0, accounts)
        await scheduler.run_waves([tuple(event_after(request) for request in requests[:1])])
        if self._inconclusive():
            await self._read_after(self.settings.quiet + 0.1, accounts)

    async def _read_after(self, pause: float, accounts: Sequence[str]) -> None:
        await self.transport.clock.sleep(pause)
        for account in accounts:
            await read_with_retry(self.transport, account, reading(*self.flags[account]), "/v1/calendars")

    def _inconclusive(self) -> set[str]:
        """The rules that nothing has passed so far and that one more read may make conclusive."""
        if self.hearing is None or not self.schedulers:
            return set()
        verdicts = [verdict for facts in self.hearing.advance() for verdict in self.judge(facts)]
        passed = self.schedulers[0].passed | {verdict.rule for verdict in verdicts if verdict.outcome == "passed"}
        return {verdict.rule for verdict in verdicts if verdict.outcome == "inconclusive"} - passed

    async def clean(self) -> tuple[JournalEntry, ...]:
        """Delete what was created, unjudged.  Returns what could not be deleted."""
        self.hearing = None
        gone = [state.entry for scheduler in self.schedulers for state in scheduler.scenarios if not state.exists]
        return await clean(self.transport, self.journal, gone, quiet=self.settings.quiet)

    def fresh_hearing(self, window: float | None = None) -> LiveJudge:
        """A hearing that knows what the preflight showed, and nothing since; `window`, where it is known already."""
        hearing = LiveJudge(replace(self.settings, window=window or self.settings.window), self.judge)
        for exchange in self.preflight_exchanges:
            hearing.add(exchange)
        hearing.advance()
        return hearing


@asynccontextmanager
async def open_session(
    subject: Subject,
    settings: Settings,
    judge: Callable[[Facts], tuple[Verdict, ...]],
    run_id: str,
    *,
    rate: float | None = None,
    max_requests: int | None = None,
    limits: Limits | None = None,
    sink: Callable[[Exchange], None] = lambda exchange: None,
    journal: Journal | None = None,
    personal: PersonalData | None = None,
    notifications: NotificationOptions | None = None,
) -> AsyncIterator[SubjectSession]:
    """A session with `subject` before its preflight; without a `journal`, what it creates is not journalled on disk.

    `personal` replaces personal data before anything is judged.  `sink` gets every exchange that is judged.
    """
    limits = limits or _limits(subject)
    unknown_token = f"nobody-has-this-token-{run_id}"
    hearing = LiveJudge(settings, judge)

    def on_exchange(exchange: Exchange) -> None:
        if session.hearing is not None:
            session.hearing.add(exchange)
            session.next_page = session.next_page or _page_after(exchange)
            if session.hearing is hearing:
                sink(exchange)

    journal = journal or Journal()
    async with AsyncExitStack() as stack:
        stack.callback(journal.close)  # also where the subject cannot be opened
        client = await stack.enter_async_context(subject.open(limits))
        wanted = notifications or NotificationOptions()
        secrets = {UNKNOWN_TOKEN: unknown_token, **wanted.named_secrets}
        transport = _transport(client, subject, secrets, on_exchange, limits, rate, max_requests, personal)
        context = RunContext(run_id, subject.clock.now(), Inventory())
        session = SubjectSession(subject, settings, judge, transport, journal, hearing, context)
        async with receiving(subject, transport, run_id, wanted) as session.receiver:
            yield session


def _limits(subject: Subject) -> Limits:
    """The usual limits: a subject on this machine answers sooner."""
    return Limits(longest_pause=_LONGEST_LOCAL_PAUSE, seconds=_LOCAL_SECONDS) if subject.loopback else Limits()


def _page_after(exchange: Exchange) -> NextPage | None:
    url, account = next_page(exchange), exchange.request.account
    return None if url is None or account is None else NextPage(account, url)


def _transport(
    client: httpx.AsyncClient,
    subject: Subject,
    others: Mapping[str, str],
    on_exchange: Callable[[Exchange], None],
    limits: Limits,
    rate: float | None,
    max_requests: int | None,
    personal: PersonalData | None,
) -> Transport:
    # The reference server's tokens are public, and it echoes none.
    secrets = {} if subject.kind == "reference" else {**subject.tokens, **others}
    return Transport(
        client,
        subject.base_url,
        subject.tokens,
        subject.clock,
        on_exchange=on_exchange,
        redact=_redaction(Redactor(secrets), personal),
        limits=limits,
        rate=RateLimiter(subject.clock, rate or subject.rate),
        max_requests=RequestBudget(max_requests),
        unknown_token=others[UNKNOWN_TOKEN],
    )


def _redaction(redactor: Redactor, personal: PersonalData | None) -> Callable[[Exchange], Exchange]:
    """What `redactor` does to an exchange of a run, where the same headers, URLs and bodies recur; hence the caches.

    With `personal`, stand-ins for personal data too.
    """
    text = lru_cache(maxsize=4096)(redactor.text)
    body = lru_cache(maxsize=128)(redactor.bytes)

    def redact(exchange: Exchange) -> Exchange:
        clean = scrub(exchange)
        if personal is not None:
            clean = personal.exchange(clean)
        response = clean.response
        return structs.replace(
            clean,
            # The rest of a request is this package's own.
            request=structs.replace(clean.request, url=text(clean.request.url)),
            response=response
            and Response(
                response.status,
                tuple((text(name), text(value)) for name, value in response.headers),
                body(response.body),
            ),
            notes=tuple((text(name), text(value)) for name, value in clean.notes),
        )

    return redact
