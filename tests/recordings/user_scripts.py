"""What ordinary test suites record: a few writes, a few readings, a cassette without times.

Each script is played against the reference server, with and without a fault, and recorded as vcrpy does.  A recording
*shows* a fault where its answers differ from those without it, ids and times apart; what it shows, `check` should find.

    python tests/recordings/user_scripts.py [FAULT...]     prints how many faults each script shows, and check finds

What it does not find is told by the law that protects it (`excuses.py`); what no law protects is a missed defect.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
import yaml
from excuses import EXCUSES

from conformance.clock import VirtualClock
from conformance.contract.rules import load
from conformance.facts import Settings
from conformance.judging.access import RefusedWrites
from conformance.judging.check import examine
from conformance.judging.report import Report
from conformance.recordings import read
from conformance.reference import FAULTS, reference_app

__all__ = ["SCRIPTS", "Recording", "examined", "found", "missed", "recorded", "shows"]

START = 1_795_341_600.0  # 2026-11-22T10:00:00Z
EXPLICIT = {"profile_id": "explicit", "provider_description": "Rooms", "join_url": "https://rooms.example.com/j/1"}
OTHER = {**EXPLICIT, "join_url": "https://rooms.example.com/j/2"}
JSON = dict[str, Any]


@dataclass
class Recording:
    """A session of a test suite with the server: it sends, waits and remembers what was sent and answered."""

    client: httpx.AsyncClient
    clock: VirtualClock
    interactions: list[JSON] = field(default_factory=list)
    calendars: list[JSON] = field(default_factory=list)

    async def send(self, method: str, path: str, body: JSON | None = None, **query: str) -> Any:
        await self.clock.sleep(0.05)
        answer = await self.client.request(method, path, json=body, params=query or None)
        headers = {name: [value] for name, value in answer.headers.items() if name != "date"}
        headers["Date"] = [formatdate(self.clock.now(), usegmt=True)]
        sent = answer.request
        self.interactions.append(
            {
                "request": {
                    "body": sent.content.decode() or None,
                    "headers": {name: [value] for name, value in sent.headers.items()},
                    "method": method,
                    "uri": str(sent.url),
                },
                "response": {
                    "body": {"string": answer.text},
                    "headers": headers,
                    "status": {"code": answer.status_code, "message": answer.reason_phrase},
                },
            }
        )
        try:
            return answer.json()
        except ValueError:
            return None

    async def list_calendars(self) -> None:
        await self.send("GET", "/v1/userinfo")
        listed = await self.send("GET", "/v1/calendars")
        self.calendars = listed.get("calendars", []) if isinstance(listed, dict) else []

    def calendar(self, *, integrated: bool = True) -> str:
        """The first calendar to write to with, or without, integrated conferencing."""
        for one in self.calendars:
            flag = one.get("calendar_integrated_conferencing_available")
            if not one.get("calendar_readonly") and not one.get("calendar_deleted") and flag is integrated:
                return str(one["calendar_id"])
        return "cal_unknown"

    async def upsert(self, calendar: str, name: str, conferencing: JSON | None = None, **fields: Any) -> None:
        day = datetime.fromtimestamp(START, UTC) + timedelta(days=20)
        event: JSON = {
            "event_id": name,
            "summary": f"Meeting {name}",
            "description": "Plans",
            "start": day.strftime("%Y-%m-%dT10:00:00Z"),
            "end": day.strftime("%Y-%m-%dT11:00:00Z"),
            **fields,
        }
        if conferencing is not None:
            event["conferencing"] = conferencing
        await self.send("POST", f"/v1/calendars/{calendar}/events", event)

    async def delete(self, calendar: str, name: str) -> None:
        await self.send("DELETE", f"/v1/calendars/{calendar}/events", {"event_id": name})

    async def events(self, **query: str) -> None:
        """One reading, with all its pages."""
        answer = await self.send("GET", "/v1/events", tzid="Etc/UTC", **(query or {"only_managed": "true"}))
        for _ in range(5):
            following = answer.get("pages", {}).get("next_page") if isinstance(answer, dict) else None
            if not isinstance(following, str) or not following.startswith("http"):
                return
            answer = await self.send("GET", following)

    async def poll(self, times: int, seconds: float = 2.0) -> None:
        for _ in range(times):
            await self.clock.sleep(seconds)
            await self.events()


async def create_and_poll(on: Recording) -> None:
    """One event of each kind, polled until it is done and a while longer."""
    await on.list_calendars()
    await on.events()
    kinds: Iterable[JSON] = ({"profile_id": "default"}, EXPLICIT, {"profile_id": "integrated"}, {"profile_id": "8x8"})
    for number, kind in enumerate(kinds):
        await on.upsert(on.calendar(), f"poll-{number}", kind)
        await on.poll(15)


async def crud(on: Recording) -> None:
    """Create, read, update, read, delete, read: each read once."""
    await on.list_calendars()
    calendar = on.calendar()
    for number, (first, second) in enumerate(((EXPLICIT, OTHER), ({"profile_id": "default"}, None))):
        name = f"crud-{number}"
        await on.upsert(calendar, name, first)
        await on.poll(1, 30)
        await on.upsert(calendar, name, second, summary="Renamed")
        await on.poll(1, 30)
        await on.upsert(calendar, name, {"profile_id": "none"}, summary="Renamed")
        await on.poll(1, 30)
        await on.delete(calendar, name)
        await on.poll(1, 30)


async def updates(on: Recording) -> None:
    """One event that is given, changed and deprived of conferencing, read several times after each write."""
    await on.list_calendars()
    calendar = on.calendar()
    steps: tuple[tuple[JSON | None, JSON], ...] = (
        (EXPLICIT, {}),
        (None, {"summary": "Renamed"}),
        (OTHER, {"summary": "Renamed"}),
        ({"profile_id": "none"}, {"summary": "Renamed"}),
        ({"profile_id": "default"}, {"summary": "Again"}),
        (None, {"summary": "At the end"}),
    )
    for conferencing, fields in steps:
        await on.upsert(calendar, "updates", conferencing, **fields)
        await on.poll(14)


async def windows(on: Recording) -> None:
    """Readings of a month, with other people's events among them, and what is refused."""
    await on.list_calendars()
    window = {"from": "2026-12-01", "to": "2027-01-01", "include_managed": "true"}
    await on.events(**window)
    await on.upsert(on.calendar(), "windows-1", EXPLICIT)
    await on.upsert(on.calendar(integrated=False), "windows-2", {"profile_id": "integrated"})
    await on.upsert(on.calendar(integrated=False), "windows-3", {"profile_id": "default"})
    for _ in range(14):
        await on.clock.sleep(2)
        await on.events(**window)
    await on.events(include_managed="true")
    await on.events()


SCRIPTS: dict[str, Callable[[Recording], Awaitable[None]]] = {
    "create-and-poll": create_and_poll,
    "crud": crud,
    "updates": updates,
    "windows": windows,
}


def recorded(script: str, *faults: str) -> list[JSON]:
    """The interactions of a script with the reference server."""

    async def play() -> list[JSON]:
        clock = VirtualClock(START)
        app = reference_app(clock=clock, settle=1.5, faults=faults)
        headers = {"Authorization": f"Bearer {app.tokens['default']}"}
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="https://api.cronofy.com", headers=headers, trust_env=False
        ) as client:
            recording = Recording(client, clock)
            await SCRIPTS[script](recording)
            return recording.interactions

    return asyncio.run(play())


_MADE_UP = re.compile(r"evt_[\w-]+|pages/[\w-]+|\d{4}-\d\d-\d\dT[\d:.]+Z|https://(?!rooms\.example)[\w.]+/[\w/-]{8,}")


def shows(interactions: list[JSON], without: list[JSON]) -> bool:
    """Whether the answers differ from those without the fault: ids, times, made-up URLs and the order of keys apart."""

    def said(one: JSON) -> tuple[int, str]:
        text = one["response"]["body"]["string"]
        with suppress(ValueError):
            text = json.dumps(json.loads(text), sort_keys=True)
        return one["response"]["status"]["code"], _MADE_UP.sub("*", text)

    return [said(one) for one in interactions] != [said(one) for one in without]


def examined(interactions: list[JSON], writes: RefusedWrites | None = None) -> Report:
    """What `check` makes of a cassette of these interactions."""
    with tempfile.TemporaryDirectory() as folder:
        cassette = Path(folder) / "cassette.yaml"
        cassette.write_text(yaml.dump({"interactions": interactions, "version": 1}), encoding="utf-8")
        rules = [rule for rule in load() if rule.applies_to == "server"]
        return examine((writes or RefusedWrites()).noting(read(cassette)), rules, Settings())


def found(interactions: list[JSON]) -> set[str]:
    """The rules that `check` fails on a cassette of these interactions, and what it says was refused of everything."""
    writes = RefusedWrites()
    rules = {rule for rule, tally in examined(interactions, writes).tallies.items() if tally.failed}
    return rules | ({writes.problem} if writes.problem else set())


def missed(script: str, names: Iterable[str] = tuple(FAULTS)) -> tuple[int, list[str]]:
    """How many of these faults a script's recording shows, and which of those `check` does not find."""
    without = recorded(script)
    shown = [(name, one) for name in names if shows(one := recorded(script, name), without)]
    return len(shown), [name for name, one in shown if not found(one)]


def main() -> None:
    """Print, for each script, how many faults its recording shows, how many are found, and what protects the others."""
    total: Counter[str] = Counter()
    for script in SCRIPTS:
        shown, open_ones = missed(script, sys.argv[1:] or sorted(FAULTS))
        laws = Counter(EXCUSES[name][0] for name in open_ones if name in EXCUSES)
        counts = {"shown": shown, "found": shown - len(open_ones), "decidable": shown - laws.total()}
        total.update(counts)
        why = ", ".join(f"{law} {number}" for law, number in laws.most_common())
        print(f"{script}: {counts['found']} of {shown} faults found, {counts['decidable']} decidable; protected: {why}")
        for name in open_ones:
            print(f"    {name}: {': '.join(EXCUSES.get(name, ('', 'MISSED')))}")
    print(json.dumps(total))


if __name__ == "__main__":
    main()
