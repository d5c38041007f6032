"""A plan says what a run takes: requests, and seconds within a factor of two."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conformance.cli.plan_text import limit_warning
from conformance.clock import VirtualClock
from conformance.reference import INVENTORY, reference_app
from conformance.servers.campaign import run
from conformance.servers.campaign.scheduler import Scheduler
from conformance.servers.run_options import RunOptions
from conformance.servers.subject import EPOCH, Subject, in_process


class _Far(Subject):
    loopback = False  # type: ignore[assignment]


def _subject(kind: type[Subject], settle: float) -> Subject:
    clock = VirtualClock(EPOCH)
    app = reference_app(clock=clock, settle=settle)
    near = in_process(app, {"default": app.tokens["default"]}, clock=clock)
    return kind(near.kind, near.name, near.base_url, clock, near.tokens, {}, app)


@pytest.mark.parametrize(
    ("kind", "settle", "options"),
    [
        (Subject, 0.5, {}),
        (Subject, 4.5, {}),
        (Subject, 1.0, {"rate_limit": 3.0}),
        (_Far, 2.0, {"calendars": tuple(one.calendar_id for one in INVENTORY.accounts[0].calendars)}),
    ],
)
def test_a_run_takes_what_its_plan_expects_within_a_factor_of_two(
    kind: type[Subject], settle: float, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(_: Scheduler, accounts: object) -> None:
        """A real clock has no such readings."""

    monkeypatch.setattr(Scheduler, "final_reads", nothing)
    result = asyncio.run(run(RunOptions(**options), subject=_subject(kind, settle)))
    took = result.run["finished_at"] - result.run["started_at"]
    assert result.cut_short is None
    assert result.plan.expected_seconds / 2 <= took <= result.plan.expected_seconds * 2
    assert result.plan.expected / 2 <= result.run["requests"] <= result.plan.expected * 1.5
    assert took <= result.plan.seconds
    assert result.run["requests"] <= result.plan.requests


def test_a_limit_that_is_too_small_is_said_before_anything_is_sent() -> None:
    sent: list[str] = []
    said: list[str | None] = []
    subject = _subject(Subject, 0.5)
    options = RunOptions(max_requests=40)
    asyncio.run(
        run(
            options,
            subject=subject,
            sink=lambda exchange: sent.append(exchange.request.method),
            planned=lambda plan: said.append(f"{limit_warning(plan, 40)} {set(sent)}"),
        )
    )
    assert len(said) == 1
    assert said[0] is not None
    assert said[0].startswith("--max-requests 40 is too small for this plan, which is expected to take about ")
    assert said[0].endswith("{'GET'}")


def test_a_limit_that_fits_or_none_is_not_remarked_upon() -> None:
    plan = asyncio.run(run(RunOptions(plan=True), subject=_subject(Subject, 0.5))).plan
    assert [limit_warning(plan, limit) for limit in (None, plan.expected, plan.requests)] == [None] * 3
    assert limit_warning(plan, plan.expected - 1) is not None
