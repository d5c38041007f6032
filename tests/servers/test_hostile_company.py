"""Several runs at once on one account: none accuses for what another does, and none deletes what is another's."""

from __future__ import annotations

import asyncio

from conformance.clock import RealClock, VirtualClock
from conformance.reference import reference_app
from conformance.servers.campaign import RunResult, run
from conformance.servers.run_options import RunOptions
from conformance.servers.subject import EPOCH, in_process

RUNS = 2


def test_runs_side_by_side_on_one_account_accuse_nobody_and_leave_nothing() -> None:
    clock = VirtualClock(EPOCH)
    app = reference_app(clock=clock, page_size=20)
    token = app.tokens["default"]

    async def all_runs() -> list[RunResult]:
        subjects = [in_process(app, {"default": token}, clock=clock) for _ in range(RUNS)]
        runs = (run(RunOptions(seed=seed), subject=subject, small=False) for seed, subject in enumerate(subjects))
        return await asyncio.gather(*runs)

    results = asyncio.run(all_runs())
    assert len({result.run["id"] for result in results}) == RUNS
    for result in results:
        assert {rule for rule, tally in result.report.tallies.items() if tally.failed} == set()
        assert (result.cut_short, result.left) == (None, ())


def test_the_ids_of_two_runs_on_a_real_clock_differ() -> None:
    from conformance.servers.campaign.run import _run_id

    assert not RealClock().virtual
    assert len({_run_id(0, fresh=True) for _ in range(100)}) == 100
