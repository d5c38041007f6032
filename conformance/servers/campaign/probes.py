"""Requests beside the scenarios: reads in every documented way, and requests that must be refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from conformance.http.exchange import UNKNOWN_TOKEN, Exchange
from conformance.servers.campaign.journal import Journal, JournalEntry
from conformance.servers.inventory import Account, Inventory
from conformance.servers.scenarios.scenario import RunContext, Scenario, Step, write_requests
from conformance.servers.subject.readings import Flags, NextPage, read_pages, read_with_retry, reading
from conformance.servers.subject.transport import Transport

__all__ = ["AccessCheck", "access_checks", "read_variants", "run_access_checks"]

_TZID = ("tzid", "Etc/UTC")
_MANAGED = ("include_managed", "true")

#: From this hour (UTC) on, tomorrow's midnight is a safer start of a time window than today's.
_AFTERNOON = 13


async def read_variants(transport: Transport, inventory: Inventory, run: RunContext, flags: Flags) -> None:
    """Read the first account in every documented way and once more as usual, the others without flags.

    Managed events among others are read twice where they take several pages.
    """
    accounts = [account for account in inventory.accounts if account.target_calendars or not account.calendars]
    for account in accounts[:1]:
        for target in _variants(account, run.now):
            pages = await read_with_retry(transport, account.name, target, reading(*flags[account.name]))
            if len(pages) > 1 and target == reading(_TZID, _MANAGED):
                # Once more: what only the later pages of mixed readings lose may be stale, in two readings it is not.
                await read_pages(transport, account.name, target)
        for path in ("/v1/calendars", "/v1/userinfo"):
            await transport.send("GET", path, account=account.name)
        await read_pages(transport, account.name, reading(*flags[account.name]))
    for account in accounts[1:]:
        await read_with_retry(transport, account.name, reading(_TZID), reading(*flags[account.name]))


def _variants(account: Account, now: float) -> Iterator[str]:
    yield reading(_TZID)
    yield reading(_TZID, _MANAGED)
    ids = [calendar.calendar_id for calendar in account.target_calendars]
    if ids:
        yield reading(_TZID, ("only_managed", "true"), ("calendar_ids[]", ids[0]))
    if len(ids) > 1:
        both = reading(_TZID, _MANAGED, *(("calendar_ids[]", calendar_id) for calendar_id in ids[:2]))
        yield from (both, both)  # what two readings of several pages lack is missing, what one lacks may have moved
    localized = (("tzid", "Europe/Berlin"), ("only_managed", "true"), ("localized_times", "true"))
    yield reading(*localized)
    moment = datetime.fromtimestamp(now, UTC)
    # An event that ended a day ago is well outside of this window, one that began then and goes on is well inside.
    first = moment + timedelta(days=moment.hour >= _AFTERNOON)
    window = (("from", _day(first)), ("to", _day(first + timedelta(days=30))))
    yield reading(_TZID, ("only_managed", "true"), *window)
    # Both once more: one reading that deviates may be stale, two are not.
    yield reading(*localized, *window)
    since = reading(_TZID, _MANAGED, ("last_modified", _day(moment - timedelta(days=2))))
    yield from (since, since)
    # In the future: nothing can have been modified since.
    yield reading(_TZID, _MANAGED, ("last_modified", _day(moment + timedelta(days=7))))


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")


@dataclass(frozen=True, slots=True)
class AccessCheck:
    """A request that must be refused; `entry` is the event that it would create."""

    method: str
    target: str
    account: str | None
    body: dict[str, object] | None = None
    entry: JournalEntry | None = None


def access_checks(
    inventory: Inventory,
    run: RunContext,
    existing: JournalEntry | None,
    next_page: NextPage | None,
    *,
    everywhere: bool,
) -> tuple[AccessCheck, ...]:
    """The requests that must be refused; calendars that were not named are written to only if `everywhere` is set.

    Requests without a valid token try to delete the event `existing`, and to read the page `next_page`, which is
    asked for with another account's token as well.
    """
    checks = [*_unauthenticated(inventory, run, existing, next_page), *_unauthorized(inventory, run, everywhere)]
    others = [account.name for account in inventory.accounts if next_page and account.name != next_page.account]
    checks += [AccessCheck("GET", next_page.url, other) for other in others[:1] if next_page]
    return tuple(checks)


def _unauthenticated(
    inventory: Inventory, run: RunContext, existing: JournalEntry | None, next_page: NextPage | None
) -> Iterator[AccessCheck]:
    if not inventory.targets:
        return
    account, calendar = inventory.targets[0]
    for number, who in enumerate((None, UNKNOWN_TOKEN)):
        for target in (
            reading(_TZID, _MANAGED),
            "/v1/calendars",
            "/v1/userinfo",
            *((next_page.url,) if next_page else ()),
        ):
            yield AccessCheck("GET", target, who)
        yield _write(run, account.name, calendar.calendar_id, f"nobody{number}", who)
        if existing is not None:
            path = f"/v1/calendars/{quote(existing.calendar_id, safe='')}/events"
            yield AccessCheck("DELETE", path, who, {"event_id": existing.event_id})


def _unauthorized(inventory: Inventory, run: RunContext, everywhere: bool) -> Iterator[AccessCheck]:
    if not inventory.targets:
        return
    account = inventory.targets[0][0]
    yield _write(run, account.name, f"cal_nobody_has_{run.id}", "unknown", account.name)
    yield AccessCheck(
        "DELETE", f"/v1/calendars/cal_nobody_has_{run.id}/events", account.name, {"event_id": f"cfc-{run.id}"}
    )
    for owner in inventory.accounts:
        for number, calendar in enumerate(owner.not_writable):
            if calendar.named or everywhere:
                yield _write(run, owner.name, calendar.calendar_id, f"closed{number}", owner.name)
    own = {calendar.calendar_id for calendar in account.calendars}
    for other, calendar in inventory.targets:
        if calendar.calendar_id not in own:
            yield _write(run, other.name, calendar.calendar_id, "foreign", account.name)
            path = f"/v1/calendars/{quote(calendar.calendar_id, safe='')}/events"
            yield AccessCheck("DELETE", path, account.name, {"event_id": f"cfc-{run.id}-foreign"})
            break


def _write(run: RunContext, owner: str, calendar_id: str, name: str, who: str | None) -> AccessCheck:
    scenario = Scenario(name, owner, calendar_id, (Step("explicit"),), "access")
    write = write_requests(scenario, run)[0]
    return AccessCheck("POST", write.path, who, write.body, JournalEntry(owner, calendar_id, run.event_id(scenario)))


async def run_access_checks(transport: Transport, journal: Journal, checks: tuple[AccessCheck, ...]) -> None:
    """Send requests that must be refused; the journal keeps the events of those that were not."""
    for check in checks:
        if check.entry is not None:
            transport.max_requests.check(reserve=1)
            journal.open(check.entry)
        exchange = await transport.send(
            check.method,
            check.target,
            account=check.account,
            document=check.body,
            reserve=check.entry is not None,
        )
        if check.entry is not None and _refused(exchange):
            journal.settle(check.entry)


def _refused(exchange: Exchange) -> bool:
    return exchange.response is not None and 400 <= exchange.response.status < 500 and exchange.response.status != 429
