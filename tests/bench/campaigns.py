"""What a campaign costs and how soon it finds faults, compared with ``st run``; run it with ``tox -e bench``.

Seconds of runs are on the virtual clock: how long a run takes on a subject with this settling time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from conformance.clock import VirtualClock
from conformance.contract.rules import load
from conformance.contract.schemas import folder
from conformance.facts import Settings
from conformance.judging.judge import Judge
from conformance.reference import FAULTS, reference_app
from conformance.servers.campaign import RunResult, run
from conformance.servers.campaign.subject_session import open_session
from conformance.servers.run_options import RunOptions
from conformance.servers.scenarios import core, waves
from conformance.servers.scenarios.scenario_strategies import explore
from conformance.servers.subject import EPOCH, Subject

#: Faults at even distances in alphabetical order, so that nobody chose them.
SAMPLE = tuple(sorted(name for name, fault in FAULTS.items() if not fault.endless))[:: max(1, len(FAULTS) // 30)]


def reference(settle: float, *faults: str) -> Subject:
    """The reference server on a clock of its own, pages long enough for all events."""
    clock = VirtualClock(EPOCH)
    app = reference_app(clock=clock, settle=settle, faults=faults, page_size=100)
    return Subject("reference", "reference", "http://localhost", clock, dict(app.tokens), app.default_profiles, app)


async def cost(count: int, settle: float) -> tuple[float, int, int]:
    """Seconds, requests and the most writes of a scenario, for `count` scenarios that run side by side."""
    subject = reference(settle)
    rules = tuple(rule for rule in load() if rule.applies_to == "server")
    settings = Settings(quiet=subject.quiet, settle_timeout=120.0)
    async with open_session(subject, settings, Judge(rules), "benchmrk") as session:
        assert session.hearing is not None
        await session.preflight()
        scenarios = core(session.run.inventory)
        if count > len(scenarios):
            scenarios += explore(session.run.inventory, count - len(scenarios), 1)
        chosen = waves(scenarios[:count])
        begun, sent = subject.clock.now(), session.transport.sent
        await session.scheduler(session.hearing).run_waves(chosen)
        seconds = subject.clock.now() - begun
        longest = max(len(scenario.steps) for wave in chosen for scenario in wave)
        return seconds, session.transport.sent - sent, longest


def costs() -> None:
    print("\nwhat scenarios cost (one run each; settling in seconds)")
    for settle in (0.15, 2.5):
        for count in (10, 100, 1_000):
            seconds, requests, longest = asyncio.run(cost(count, settle))
            print(
                f"  settling {settle:>4}: {count:>5} scenarios of at most {longest} writes: {seconds:>6.1f} s, "
                f"{requests:>5} requests ({requests / count:.1f} a scenario)"
            )


def runs() -> None:
    """Requests and CPU of the whole, of its smallest part, and of 100 explored scenarios; what shrinking adds."""
    print("\nwhat runs cost on the reference server (the first begins by reading schemas)")
    asyncio.run(run(RunOptions(), small=False))
    for title, options in (
        ("the whole", RunOptions()),
        ("--quick", RunOptions(quick=True)),
        ("with --max-examples 100", RunOptions(max_examples=100)),
    ):
        begun = time.process_time()
        result = asyncio.run(run(options))
        print(f"  {title:<24} {result.run['requests']:>5} requests, {time.process_time() - begun:>5.1f} s of CPU")
    print("\nwhat looking for smaller failures takes of a run (requests, CPU)")
    for fault in SAMPLE[::6]:
        (plain, plain_cpu), (small, small_cpu) = (_measured(fault, small) for small in (False, True))
        print(f"  {fault:<44} {1 - plain / small:>4.0%} {max(0.0, 1 - plain_cpu / small_cpu):>5.0%}")


def _measured(fault: str, small: bool) -> tuple[int, float]:
    begun = time.process_time()
    result = asyncio.run(run(RunOptions(faults=(fault,)), small=small))
    return result.run["requests"], time.process_time() - begun


def run_of(fault: str) -> RunResult:
    """A whole run against a fault."""
    return asyncio.run(run(RunOptions(faults=(fault,))))


def detection() -> None:
    print(f"\nhow soon a fault is found ({len(SAMPLE)} faults)")
    shares, sizes, missed = [], [], []
    for fault in SAMPLE:
        result = run_of(fault)
        first = result.run.get("first_failure_request")
        if first is None:
            missed.append(fault)
            continue
        shares.append(first / result.run["exchanges"])
        sizes += [len(example.exchanges) for example in result.counterexamples]
    print(f"  caught {len(shares)}, missed {missed or 'none'}")
    print(
        f"  share of the requests at the first failure: median {statistics.median(shares):.2f}, max {max(shares):.2f}"
    )
    print(f"  requests of a counterexample: median {statistics.median(sizes):g}, max {max(sizes)}")


@contextmanager
def served(fault: str) -> Iterator[tuple[str, str]]:
    """The reference server with a fault in a process of its own: its URL and a token."""
    command = [sys.executable, "-m", "conformance", "serve", "--port", "0", "--settle", "0.15"]
    process = subprocess.Popen([*command, "--fault", fault] if fault else command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, f"the server printed {line!r}"
        yield found[0], "reference-default-token"
    finally:
        process.terminate()
        process.wait()


def peer(faults: tuple[str, ...]) -> None:
    print(f"\nst run on the same server ({len(faults)} faults)")
    clean = _schemathesis("")
    kills, requests = [], []
    for fault in faults:
        failures, sent = _schemathesis(fault)
        requests.append(sent)
        if failures > clean[0]:
            kills.append(fault)
    print(f"  caught {len(kills)}: {', '.join(kills) or 'none'}")
    print(f"  requests of a run: median {statistics.median(requests):g}")


def _schemathesis(fault: str) -> tuple[int, int]:
    """How many checks fail in a run, and how many requests it sent."""
    api = folder() / "api"
    with served(fault) as (url, token):
        finished = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(api / "schemathesis.toml"), "run"),
                *(str(api / "openapi.json"), "--url", url, "-H", f"Authorization: Bearer {token}", "--seed", "1"),
                *("--max-examples", "20", "--no-color"),
            ],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            check=False,
        )
    failures = len(re.findall(r"^_{3,} .* _{3,}$", finished.stdout, re.MULTILINE))
    sent = re.search(r"(\d+) generated", finished.stdout)
    return failures, int(sent[1]) if sent else 0


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--full", action="store_true", help="run Schemathesis on the whole sample")
    full = arguments.parse_args().full
    costs()
    runs()
    detection()
    peer(SAMPLE if full else SAMPLE[::5])


if __name__ == "__main__":
    main()
