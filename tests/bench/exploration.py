"""Which faults exploration finds alone: scenarios that Hypothesis makes, without the core table and without probes.

python tests/bench/exploration.py           ten faults with five seeds each: three minutes of CPU
python tests/bench/exploration.py --every N each N-th of all faults, with the first seed; 1 for all: twenty minutes
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import replace

from conformance.clock import VirtualClock
from conformance.contract.rules import load
from conformance.judging.judge import Judge
from conformance.reference import FAULTS, reference_app
from conformance.servers.campaign.subject_session import open_session
from conformance.servers.scenarios import waves
from conformance.servers.scenarios.scenario_strategies import explore
from conformance.servers.subject import EPOCH, in_process

#: Scenarios of a run, and the seeds.
COUNT, SEEDS = 300, (1, 2, 3, 4, 5)

#: Faults that any scenario may show, as they always act, and that are about what conferencing a write leads to; what
#: calendar lists and userinfo say (B12) is for probes.
_PLAIN = sorted(
    name
    for name, fault in FAULTS.items()
    if fault.scope == "always"
    and not fault.endless
    and any(clause[0] in "ABDPS" for clause in fault.clauses)
    and "B12" not in fault.clauses
)
#: Ten of them, at even distances in alphabetical order, so that nobody chose them.
TEN = tuple(_PLAIN[number * len(_PLAIN) // 10] for number in range(10))


async def explored(fault: str, seed: int, count: int = COUNT) -> tuple[str, ...]:
    """The rules that fail for a fault over `count` scenarios that Hypothesis makes of `seed`."""
    clock = VirtualClock(EPOCH)
    app = reference_app(clock=clock, faults=(fault,), page_size=100)
    own = in_process(app, app.tokens, clock=clock, default_profiles=app.default_profiles)
    subject = replace(own, kind="reference", client_secrets=app.client_secrets)
    rules = tuple(rule for rule in load() if rule.applies_to == "server")
    async with open_session(subject, subject.settings(), Judge(rules), "explored") as session:
        assert session.hearing is not None
        await session.preflight()
        made = explore(session.run.inventory, count, seed)
        await session.run_scenarios(session.scheduler(session.hearing), waves(made), ())
        session.hearing.close()
        return tuple(sorted(session.hearing.failed))


def found(faults: Sequence[str], seeds: Sequence[int]) -> dict[str, int]:
    """With how many of the seeds each fault is found."""
    return {fault: sum(bool(asyncio.run(explored(fault, seed))) for seed in seeds) for fault in faults}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--every", type=int, metavar="N", help="try each N-th of all faults")
    every = arguments.parse_args().every
    if every is None:
        print(f"\nfaults that exploration alone finds within {COUNT} scenarios")
        for fault, times in found(TEN, SEEDS).items():
            print(f"  {times} of {len(SEEDS)} seeds  {fault}", flush=True)
        return
    chosen = sorted(name for name, fault in FAULTS.items() if not fault.endless)[::every]
    by_name = found(chosen, SEEDS[:1])
    missed = [name for name, times in by_name.items() if not times]
    print(f"\n{len(chosen) - len(missed)} of {len(chosen)} faults are found by {COUNT} scenarios of one seed")
    for scope in ("always", "case", "sequence"):
        of_scope = [name for name in chosen if FAULTS[name].scope == scope]
        print(f"  {scope}: {sum(by_name[name] for name in of_scope)} of {len(of_scope)}")
    print(f"  missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
