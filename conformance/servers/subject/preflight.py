"""Preflight: before anything is written, whether the run is set up so that something can be judged."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from conformance.errors import nearest
from conformance.http.exchange import Exchange
from conformance.servers.inventory import Account, Inventory
from conformance.servers.subject.readings import READING, WIDER_READING, Flags, answered_json, read_all_managed
from conformance.servers.subject.subject import ConfigurationError, Subject
from conformance.servers.subject.transport import Transport

__all__ = ["check_default_profiles", "preflight"]

#: Seconds between two clocks with which past and future are still the same: events are at least a day away from now.
_LARGEST_SKEW = 12 * 3600.0

#: Seconds between two clocks that count as showing the same time.
_SAME_TIME = 600.0

#: Seconds that one answer may take longer than another one that was requested at the same time.
_CONCURRENT_WAIT = 4.0

_SCOPES = ("read_events", "create_event", "delete_event")


async def preflight(transport: Transport, subject: Subject, calendars: Iterable[str] = ()) -> tuple[Inventory, Flags]:
    """The inventory of the subject, and the flags with which each account's managed events are read.

    Sends reads only: calendars, userinfo and one complete reading for each account.  Raises ConfigurationError where
    nothing can be judged; odd flags, pages and fields are left to the rules.
    """
    named = tuple(calendars)
    accounts = []
    flags: dict[str, tuple[tuple[str, str], ...]] = {}
    shows_time = True
    for name in subject.tokens:
        listed = await transport.send("GET", "/v1/calendars", account=name, attempts=3)
        body = _calendars(subject, name, listed)
        behind = _behind(listed)
        shows_time = shows_time and behind is not None and abs(behind) < _SAME_TIME
        userinfo, flags[name] = await _userinfo_and_reading(
            transport, name, concurrently=subject.app is None and not flags
        )
        accounts.append(
            Account.from_responses(
                name,
                body,
                answered_json(userinfo),
                named=named,
                only_named=bool(named) or not subject.loopback,
                default_profile=subject.default_profiles.get(name),
            )
        )
    inventory = Inventory(tuple(accounts), shows_time=shows_time)
    _check_targets(subject, inventory, named)
    return inventory, flags


def check_default_profiles(declared: Mapping[str, str], inventory: Inventory) -> None:
    """Check that each account with a declared default profile is there, and lists it where userinfo lists any.

    `declared`: account name to profile_id, as the user gave them.  Raises ConfigurationError.
    """
    for name, profile_id in declared.items():
        account = inventory.by_name.get(name)
        if account is None:
            raise ConfigurationError(
                f"--default-profile names the account {name!r}, which this run does not have; "
                f"{nearest(name, inventory.by_name)}"
            )
        known = [profile.profile_id for profile in account.profiles or ()]
        if account.lists_profiles and profile_id not in known:
            raise ConfigurationError(
                f"userinfo of account {name!r} does not list the profile {profile_id!r} that --default-profile names; "
                f"{nearest(profile_id, known)}"
            )


async def _userinfo_and_reading(
    transport: Transport, account: str, *, concurrently: bool
) -> tuple[Exchange, tuple[tuple[str, str], ...]]:
    """Userinfo, and the flags with which events are read.

    `concurrently` sends both requests at once.  A server that leaves one of them waiting serves one connection only,
    and gets one request at a time from then on.
    """

    async def userinfo() -> Exchange:
        return await transport.send("GET", "/v1/userinfo", account=account)

    if concurrently:
        tasks = asyncio.create_task(userinfo()), asyncio.create_task(_first_reading(transport, account))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            _, waiting = await asyncio.wait(tasks, timeout=_CONCURRENT_WAIT)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if not waiting:
            _check_scope(account, tasks[0].result())
            return tasks[0].result(), tasks[1].result()
        transport.one_at_a_time()
    answer = await userinfo()
    _check_scope(account, answer)
    return answer, await _first_reading(transport, account)


async def _first_reading(transport: Transport, account: str) -> tuple[tuple[str, str], ...]:
    refused = None
    for flags in (READING, WIDER_READING):
        first = (await read_all_managed(transport, account, flags))[0]
        if first.response is not None and first.response.status == 200:
            return flags
        refused = refused or first
    assert refused is not None
    status = refused.response.status if refused.response else None
    if status == 403:
        raise ConfigurationError(
            f"account {account!r} may not read events (403): authorize its token for the scope read_events"
        )
    raise ConfigurationError(
        f"GET {refused.request.path} of account {account!r} is answered {_answer(refused)}: without reading events "
        "nothing can be judged; make the subject serve it"
    )


def _calendars(subject: Subject, account: str, exchange: Exchange) -> Any:
    where = f"GET {subject.base_url}/v1/calendars"
    response = exchange.response
    if response is None:
        raise ConfigurationError(_unreachable(subject, exchange))
    status = response.status
    if 300 <= status < 400:
        location = response.header("location") or "an unnamed location"
        raise ConfigurationError(f"{where} redirects to {location} ({status}): name the API's own URL as the subject")
    if status == 401:
        raise ConfigurationError(
            f"the access token of account {account!r} is refused by {subject.base_url} (401): check the token, that it "
            "has not expired, and that the account belongs to this data center"
        )
    if status in (402, 403):
        raise ConfigurationError(
            f"account {account!r} may not list its calendars ({status}): authorize its token for the scopes "
            "list_calendars, read_events, create_event and delete_event, on a plan that has them"
        )
    if status == 429:
        raise ConfigurationError(f"{where} is answered 429 at every attempt: wait until its rate limit allows more")
    if status == 407:
        raise ConfigurationError(
            f"a proxy asks for credentials (407): put them into HTTPS_PROXY, or {subject.name} into NO_PROXY"
        )
    if status != 200:
        raise ConfigurationError(f"{where} is answered {_answer(exchange)}: this is not the Cronofy API; check the URL")
    body = answered_json(exchange)
    if not isinstance(body, dict) or "calendars" not in body:
        raise ConfigurationError(
            f"{where} is answered {_answer(exchange)} without a list of calendars: this is not the Cronofy API, or "
            "something is in front of it; check the URL and the proxy settings"
        )
    _check_clock(subject, exchange)
    return body


def _check_clock(subject: Subject, exchange: Exchange) -> None:
    off = _behind(exchange)
    if off is not None and subject.app is None and abs(off) > _LARGEST_SKEW:
        raise ConfigurationError(
            f"the clocks differ: {subject.base_url} is {abs(off) / 3600:.1f} h {'ahead of' if off > 0 else 'behind'} "
            "this machine, so that past and future cannot be distinguished; set the clock that is wrong"
        )


def _behind(exchange: Exchange) -> float | None:
    """How many seconds this machine's clock is behind the server's; None without a usable Date header."""
    server = exchange.response.date if exchange.response is not None else None
    if server is None or exchange.sent_at is None or exchange.answered_at is None:
        return None
    return server - (exchange.sent_at + exchange.answered_at) / 2


def _check_scope(account: str, userinfo: Exchange) -> None:
    data = answered_json(userinfo)
    for name in ("cronofy.data", "authorization"):
        data = data.get(name) if isinstance(data, dict) else None
    scope = data.get("scope") if isinstance(data, dict) else None
    if not isinstance(scope, str) or not scope.strip():
        return
    granted = set(scope.replace(",", " ").split())
    if not granted & {"read_events", "create_event", "delete_event", "read_write", "list_calendars"}:
        return  # names that are not the documented ones say nothing
    missing = [name for name in _SCOPES if name not in granted and "read_write" not in granted]
    if missing:
        raise ConfigurationError(
            f"the token of account {account!r} lacks the scope {' and '.join(missing)}: authorize it again with "
            f"{' '.join(_SCOPES)}"
        )


def _check_targets(subject: Subject, inventory: Inventory, named: tuple[str, ...]) -> None:
    """Check that there is something to write to; lists without a single valid calendar are left to the rules."""
    if not any(account.calendars for account in inventory.accounts):
        return
    listed = {calendar.calendar_id for account in inventory.accounts for calendar in account.calendars}
    unknown = [calendar_id for calendar_id in named if calendar_id not in listed]
    if unknown:
        raise ConfigurationError(
            f"no account has the calendar {unknown[0]!r}: name one of {_some(sorted(listed))} with --calendar"
        )
    if inventory.targets:
        return
    writable = sorted(
        calendar.calendar_id for account in inventory.accounts for calendar in account.calendars if calendar.writable
    )
    if not writable:
        raise ConfigurationError(
            "none of the accounts has a calendar that may be written to: connect one that is neither read-only nor "
            "deleted"
        )
    if any(calendar.named for account in inventory.accounts for calendar in account.calendars):
        raise ConfigurationError(
            f"the calendars named are read-only or deleted: name one of {_some(writable)} with --calendar"
        )
    if subject.private:
        raise ConfigurationError(
            f"{subject.base_url} counts as another machine, where only calendars that are named are written to: add "
            f"--calendar {' --calendar '.join(writable[:2])}, or name its port on this machine, such as "
            "http://127.0.0.1:8000, where all are"
        )
    raise ConfigurationError(
        "outside this machine only calendars that are named are written to: choose from "
        f"{_some(writable)} with --calendar"
    )


def _unreachable(subject: Subject, exchange: Exchange) -> str:
    notes = dict(exchange.notes)
    why = notes.get("no-answer") or notes.get("body", "no answer")
    lower = why.lower()
    url = subject.base_url
    if "wrong_version_number" in lower or "record layer" in lower or "unknown_protocol" in lower:
        return f"{url} speaks no TLS ({why}): begin the URL with http:// if that is where the server is"
    if "certificate" in notes:
        return f"the certificate of {url} {notes['certificate']}"
    if any(word in lower for word in ("name or service", "nodename", "resolution", "getaddrinfo", "no address")):
        return f"the host of {url} cannot be resolved ({why}): check its spelling and the network"
    if "refused" in lower or "all connection attempts failed" in lower:
        return f"nothing listens at {url} ({why}): start the server or correct the port"
    if "proxy" in lower:
        return f"the proxy does not let {url} through ({why}): check HTTPS_PROXY and NO_PROXY"
    return f"{url} gives no usable answer ({why}): check that it is the API, and whether it wants http:// or https://"


def _answer(exchange: Exchange) -> str:
    """The status of an answer and what its body is, for messages."""
    response = exchange.response
    if response is None:
        notes = dict(exchange.notes)
        return (
            notes.get("no-answer") or f"{notes.get('response-status', 'not at all')} ({notes.get('body', 'no body')})"
        )
    kind = (response.header("content-type") or "no content type").split(";")[0]
    return f"{response.status} ({kind}, {len(response.body)} bytes)"


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
