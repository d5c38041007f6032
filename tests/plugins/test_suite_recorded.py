"""The scenario of one event against the reference server on a socket, recorded once and replayed since then.

To record again: ``python -m conformance serve --settle 0 --port 8917``, another one with ``--fault
explicit-url-lower-cased`` on port 8918, then pytest with ``--record-mode=rewrite``, and set `RECORDED`
to about that time.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from conformance.clock import VirtualClock
from conformance.contract.rules import load
from conformance.facts import Settings
from conformance.http.exchange import Exchange
from conformance.judging.check import examine
from conformance.judging.report import Report
from conformance.recordings import read
from conformance.servers.subject.transport import Transport

#: When the cassettes were recorded, in seconds since the epoch.
RECORDED = 1795370376.0

RULES = tuple(rule for rule in load() if rule.applies_to == "server" and rule.about == "write")
CALENDAR = "cal_oxhXTMa8EbiiywkB1fyu"
EVENTS = "/v1/events?tzid=Etc/UTC&only_managed=true"


def _event(url: str | None, summary: str) -> dict[str, Any]:
    explicit = {"profile_id": "explicit", "provider_description": "Rooms", "join_url": url}
    return {
        "event_id": "recorded-life",
        "summary": summary,
        "start": "2031-05-05T10:00:00Z",
        "end": "2031-05-05T11:00:00Z",
        **({} if url is None else {"conferencing": explicit}),
    }


SCENARIO = (
    ("POST", _event("https://rooms.example.com/Room-1", "created")),
    ("POST", _event("https://rooms.example.com/Room-2?pwd=aB", "moved to another room")),
    ("POST", _event(None, "renamed")),
    ("DELETE", {"event_id": "recorded-life"}),
)


@pytest.fixture(scope="module")
def vcr_config() -> dict[str, Any]:
    """What tells requests apart, and how a token is kept."""
    return {
        "filter_headers": [("authorization", "Bearer <default>")],
        "match_on": ["method", "scheme", "host", "port", "path", "query", "raw_body"],
    }


async def _run(port: int) -> Report:
    """Run one scenario against the server on `port`, on a clock that only requests and pauses advance."""
    clock = VirtualClock(RECORDED)
    exchanges: list[Exchange] = []
    async with httpx.AsyncClient(trust_env=False) as client:
        tokens = {"default": "reference-default-token"}
        transport = Transport(client, f"http://127.0.0.1:{port}", tokens, clock, on_exchange=exchanges.append)
        await transport.send("GET", "/v1/calendars", account="default")
        await transport.send("GET", EVENTS, account="default")
        for method, document in SCENARIO:
            path = f"/v1/calendars/{CALENDAR}/events"
            await transport.send(method, path, account="default", document=document)
            for pause in (1.0, 3.0, 12.0):
                await clock.sleep(pause)
                await transport.send("GET", EVENTS, account="default")
    return examine(exchanges, RULES, Settings(quiet=2.0))


def _failed(report: Report) -> set[str]:
    return {rule for rule, tally in report.tallies.items() if tally.failed}


@pytest.mark.vcr
def test_a_recorded_scenario_passes() -> None:
    report = asyncio.run(_run(8917))
    passed = {rule for rule, tally in report.tallies.items() if tally.outcome == "passed"}
    assert _failed(report) == set()
    assert {"explicit-is-kept", "omitted-keeps-explicit"} <= passed


@pytest.mark.vcr
def test_a_recorded_scenario_on_a_faulty_server_fails() -> None:
    assert "explicit-is-kept" in _failed(asyncio.run(_run(8918)))


def test_the_cassettes_name_the_account_and_hold_no_token() -> None:
    cassettes = sorted((Path(__file__).parent / "cassettes" / "test_suite_recorded").glob("*.yaml"))
    assert len(cassettes) == 2
    for cassette in cassettes:
        assert b"-token" not in cassette.read_bytes()
        assert {exchange.request.account for exchange in read(cassette)} == {"default"}
