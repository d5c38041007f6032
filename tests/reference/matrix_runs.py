"""Runs of the core table against the reference server with faults or variations, here and without waiting."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from conformance.clock import VirtualClock
from conformance.reference import reference_app
from conformance.servers.campaign import RunResult, run
from conformance.servers.run_options import RunOptions
from conformance.servers.subject import EPOCH, Subject

#: Where the rules that each fault breaks are kept, and the command that computes them again.
KILLS = Path(__file__).parents[2] / "conformance" / "reference" / "detection_matrix.json"
COMPUTE = "nice python tests/matrix/kill_matrix.py"


@dataclass(frozen=True)
class Found:
    """What a run found: the rules that failed, and those that applied and stayed inconclusive."""

    failed: tuple[str, ...]
    inconclusive: tuple[str, ...]
    messages: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing was accused."""
        return not self.failed


def broken(fault: str) -> Found:
    """What the core table finds on the reference server with one fault, as `run --fault` runs it."""
    app_options = RunOptions(faults=(fault,) if fault else ())
    return _found(asyncio.run(run(app_options, small=False)))


def varied(*variations: str) -> Found:
    """What the core table finds on the reference server with legal variations."""
    clock = VirtualClock(EPOCH)
    app = reference_app(clock=clock, variations=variations, page_size=8)
    subject = Subject("reference", "reference", "http://localhost", clock, dict(app.tokens), app.default_profiles, app)
    return _found(asyncio.run(run(RunOptions(), subject=subject, small=False)))


def _found(result: RunResult) -> Found:
    tallies = sorted(result.report.tallies.items())
    return Found(
        tuple(rule for rule, tally in tallies if tally.outcome == "failed"),
        tuple(rule for rule, tally in tallies if tally.outcome == "inconclusive"),
        tuple(f"{rule}: {tally.violations[0].message}" for rule, tally in tallies if tally.violations),
    )
