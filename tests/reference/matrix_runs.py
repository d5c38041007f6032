"""Runs of the core table against the reference server with faults or variations, in-process and without waiting."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from conformance.clock import VirtualClock
from conformance.reference import INVENTORY, reference_app
from conformance.servers.campaign import RunResult, run
from conformance.servers.run_options import RunOptions
from conformance.servers.subject import EPOCH, Subject, in_process

#: The rules that fail for each fault, and the command that computes them again.
MATRIX_FILE = Path(__file__).parents[2] / "conformance" / "reference" / "detection_matrix.json"
KNOWN_FILE = Path(__file__).parents[2] / "conformance" / "judging" / "known_faults.json"
COMPUTE = f"nice python {Path(__file__).with_name('kill_matrix.py')}"


@dataclass(frozen=True)
class MatrixRun:
    """The rules that failed in a run, those that stayed inconclusive, and a message for each rule that failed."""

    failed: tuple[str, ...]
    inconclusive: tuple[str, ...]
    messages: tuple[str, ...] = ()


def run_reference(*faults: str) -> RunResult:
    """The core table on the reference server with faults, as `run --fault` runs it."""
    return asyncio.run(run(RunOptions(faults=faults, max_examples=0), small=False))


def run_quick(*faults: str) -> RunResult:
    """The smallest part of it, as `run --quick --fault` runs it."""
    return asyncio.run(run(RunOptions(faults=faults, quick=True), small=False))


def run_one_calendar(account: str, place: int, *faults: str) -> RunResult:
    """The core table on one calendar of an account of the reference server."""
    clock = VirtualClock(EPOCH)
    app = reference_app(clock=clock, faults=faults)
    calendar = INVENTORY.by_name[account].calendars[place].calendar_id
    subject = in_process(app, {"default": app.tokens[account]}, clock=clock)
    return asyncio.run(run(RunOptions(calendars=(calendar,), max_examples=0), subject=subject, small=False))


def run_on_apple(*faults: str) -> RunResult:
    """The core table on one calendar without integrated conferencing, of an account without profiles."""
    return run_one_calendar("default", 4, *faults)


def run_with_fault(fault: str) -> MatrixRun:
    """What the core table shows of one fault."""
    return outcome_of(run_reference(fault))


def run_with_variations(*variations: str) -> MatrixRun:
    """The core table on the reference server with legal variations."""
    clock = VirtualClock(EPOCH)
    app = reference_app(clock=clock, variations=variations, page_size=8)
    subject = Subject("reference", "reference", "http://localhost", clock, dict(app.tokens), app.default_profiles, app)
    return outcome_of(asyncio.run(run(RunOptions(), subject=subject, small=False)))


def outcome_of(result: RunResult) -> MatrixRun:
    """The rules that failed, and those that stayed inconclusive."""
    tallies = sorted(result.report.tallies.items())
    return MatrixRun(
        tuple(rule for rule, tally in tallies if tally.outcome == "failed"),
        tuple(rule for rule, tally in tallies if tally.outcome == "inconclusive"),
        tuple(f"{rule}: {tally.violations[0].message}" for rule, tally in tallies if tally.violations),
    )
