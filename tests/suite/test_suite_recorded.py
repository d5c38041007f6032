"""A life of one event against the reference server on a socket, recorded once and replayed since.

To record again: ``python -m conformance serve --settle 0 --port 8917``, another one with ``--fault`` as below on port
8918, then pytest with ``--record-mode=rewrite``; and `RECORDED` is to be about the time of it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from conformance.campaign.session import open_session
from conformance.clock import VirtualClock
from conformance.facts import Settings
from conformance.judgement import Judge
from conformance.recordings import read
from conformance.report import Report
from conformance.rules import load
from conformance.scenarios import Life, Move
from conformance.subject import Subject

#: When the cassettes were recorded, in seconds since the epoch.
RECORDED = 1795369459.0

LIFE = (Move("explicit"), Move("explicit", url="upper"), Move("nothing"), Move("none"), Move("delete"))
RULES = tuple(rule for rule in load() if rule.binds == "server" and rule.about == "write")


@pytest.fixture(scope="module")
def vcr_config() -> dict[str, Any]:
    """What tells requests apart, and how a token is kept."""
    return {
        "filter_headers": [("authorization", "Bearer <default>")],
        "match_on": ["method", "scheme", "host", "port", "path", "query", "raw_body"],
    }


async def _lived(port: int) -> Report:
    """One life, lived against the server on `port`, on a clock that only the requests and the pauses move."""
    base_url = f"http://127.0.0.1:{port}"
    subject = Subject("url", base_url, base_url, VirtualClock(RECORDED), {"default": "reference-default-token"})
    settings = Settings(quiet=subject.quiet, settle_timeout=subject.settle_timeout)
    async with open_session(subject, settings, Judge(RULES), "recorded", in_ledger=False) as session:
        hearing = session.fresh_hearing()
        account, calendar = session.run.world.places[0]
        try:
            await session.try_lives(hearing, (Life("one", account.name, calendar.calendar_id, LIFE),))
        finally:
            await session.clean()
        return Report.empty(RULES).with_verdicts(hearing.verdicts)


def _failed(report: Report) -> set[str]:
    return {rule for rule, tally in report.tallies.items() if tally.failed}


@pytest.mark.vcr
def test_a_recorded_life_keeps_the_rules() -> None:
    report = asyncio.run(_lived(8917))
    passed = {rule for rule, tally in report.tallies.items() if tally.outcome == "passed"}
    assert _failed(report) == set()
    assert {"explicit-is-kept", "explicit-replaces-earlier-conferencing", "left-out-keeps-explicit"} <= passed


@pytest.mark.vcr
def test_a_recorded_life_on_a_broken_server_breaks_them() -> None:
    """The server has the fault ``explicit-url-lower-cased``."""
    assert "explicit-replaces-earlier-conferencing" in _failed(asyncio.run(_lived(8918)))


def test_the_cassettes_name_the_account_and_hold_no_token() -> None:
    cassettes = sorted((Path(__file__).parent / "cassettes" / "test_suite_recorded").glob("*.yaml"))
    assert len(cassettes) == 2
    for cassette in cassettes:
        assert b"-token" not in cassette.read_bytes()
        assert {exchange.request.account for exchange in read(cassette)} == {"default"}
