"""What is asked once when all is quiet, and by those who may not: flags, filters, tokens, other people's calendars."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from conformance.campaign.ledger import Entry, Ledger
from conformance.exchange import NOBODY, Exchange
from conformance.scenarios.model import Life, Move, Run, writes
from conformance.subject.readings import Flags, read_insisting, read_pages, reading
from conformance.subject.transport import Transport
from conformance.world import Account, World

__all__ = ["Trespass", "access", "audit", "trespasses"]

_TZID = ("tzid", "Etc/UTC")
_MANAGED = ("include_managed", "true")

#: From this hour on tomorrow's midnight is nearer to what goes on for another day than today's.
_AFTERNOON = 13


async def audit(transport: Transport, world: World, run: Run, flags: Flags) -> None:
    """Read the first account in every documented way and once more as usual, the others without flags."""
    accounts = [account for account in world.accounts if account.places or not account.calendars]
    for account in accounts[:1]:
        for target in _targets(account, run.now):
            await read_insisting(transport, account.name, target, reading(*flags[account.name]))
        for path in ("/v1/calendars", "/v1/userinfo"):
            await transport.send("GET", path, account=account.name)
        await read_pages(transport, account.name, reading(*flags[account.name]))
    for account in accounts[1:]:
        await read_insisting(transport, account.name, reading(_TZID), reading(*flags[account.name]))


def _targets(account: Account, now: float) -> Iterator[str]:
    yield reading(_TZID)
    yield reading(_TZID, _MANAGED)
    ids = [calendar.calendar_id for calendar in account.places]
    if ids:
        yield reading(_TZID, ("only_managed", "true"), ("calendar_ids[]", ids[0]))
    if len(ids) > 1:
        yield reading(_TZID, _MANAGED, *(("calendar_ids[]", calendar_id) for calendar_id in ids[:2]))
    localized = (("tzid", "Europe/Berlin"), ("only_managed", "true"), ("localized_times", "true"))
    yield reading(*localized)
    moment = datetime.fromtimestamp(now, UTC)
    # What ended a day ago lies far enough outside, what began a day ago and goes on far enough inside.
    first = moment + timedelta(days=moment.hour >= _AFTERNOON)
    window = (("from", _day(first)), ("to", _day(first + timedelta(days=30))))
    yield reading(_TZID, ("only_managed", "true"), *window)
    # Both once more: one reading that shows something else may be a stale one, two are not.
    yield reading(*localized, *window)
    # What is modified by then would have to be so from tomorrow on.
    yield reading(_TZID, _MANAGED, ("last_modified", _day(moment + timedelta(days=7))))


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")


@dataclass(frozen=True, slots=True)
class Trespass:
    """A request that is to be refused; `entry` is what it would create."""

    method: str
    target: str
    account: str | None
    body: dict[str, object] | None = None
    entry: Entry | None = None


def trespasses(
    world: World, run: Run, existing: Entry | None, next_page: str | None, *, everywhere: bool
) -> tuple[Trespass, ...]:
    """The requests that are to be refused; writes to calendars that were not named only where `everywhere` is set.

    `existing` is an event of the run that a stranger tries to delete, `next_page` a page that one tries to read.
    """
    return tuple(_strangers(world, run, existing, next_page)) + tuple(_elsewhere(world, run, everywhere))


def _strangers(world: World, run: Run, existing: Entry | None, next_page: str | None) -> Iterator[Trespass]:
    if not world.places:
        return
    account, calendar = world.places[0]
    for number, who in enumerate((None, NOBODY)):
        for target in (reading(_TZID, _MANAGED), "/v1/calendars", "/v1/userinfo", *((next_page,) if next_page else ())):
            yield Trespass("GET", target, who)
        yield _write(run, account.name, calendar.calendar_id, f"nobody{number}", who)
        if existing is not None:
            path = f"/v1/calendars/{quote(existing.calendar_id, safe='')}/events"
            yield Trespass("DELETE", path, who, {"event_id": existing.event_id})


def _elsewhere(world: World, run: Run, everywhere: bool) -> Iterator[Trespass]:
    if not world.places:
        return
    account = world.places[0][0]
    yield _write(run, account.name, f"cal_nobody_has_{run.id}", "unknown", account.name)
    yield Trespass(
        "DELETE", f"/v1/calendars/cal_nobody_has_{run.id}/events", account.name, {"event_id": f"cfc-{run.id}"}
    )
    for owner in world.accounts:
        for number, calendar in enumerate(owner.refusing):
            if calendar.named or everywhere:
                yield _write(run, owner.name, calendar.calendar_id, f"closed{number}", owner.name)
    own = {calendar.calendar_id for calendar in account.calendars}
    for other, calendar in world.places:
        if calendar.calendar_id not in own:
            yield _write(run, other.name, calendar.calendar_id, "foreign", account.name)
            path = f"/v1/calendars/{quote(calendar.calendar_id, safe='')}/events"
            yield Trespass("DELETE", path, account.name, {"event_id": f"cfc-{run.id}-foreign"})
            break


def _write(run: Run, owner: str, calendar_id: str, name: str, who: str | None) -> Trespass:
    life = Life(name, owner, calendar_id, (Move("explicit"),), "access")
    write = writes(life, run)[0]
    return Trespass("POST", write.path, who, write.body, Entry(owner, calendar_id, run.event_id(life)))


async def access(transport: Transport, ledger: Ledger, requests: tuple[Trespass, ...]) -> None:
    """Send what is to be refused; what is not refused is left to the ledger."""
    for request in requests:
        if request.entry is not None:
            ledger.open(request.entry)
        exchange = await transport.send(
            request.method,
            request.target,
            account=request.account,
            document=request.body,
            reserve=request.entry is not None,
        )
        if request.entry is not None and _refused(exchange):
            ledger.settle(request.entry)


def _refused(exchange: Exchange) -> bool:
    return exchange.response is not None and 400 <= exchange.response.status < 500 and exchange.response.status != 429
