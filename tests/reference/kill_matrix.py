"""Computes which rules each fault breaks, and keeps it with the reference server: faults that are named, or all."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from matrix_runs import KILLS, broken

from conformance.reference import FAULTS


def compute(names: Iterable[str]) -> dict[str, list[str]]:
    """The rules that fail for each of the faults."""
    faults = list(names)
    found = {}
    with ProcessPoolExecutor() as workers:
        for name, run in zip(faults, workers.map(broken, faults), strict=True):
            found[name] = list(run.failed)
            sys.stderr.write(f"{name}: {', '.join(found[name]) or 'nothing'}\n")
    return found


def main(names: list[str]) -> None:
    """Replace what is kept of these faults, or of all of them."""
    kept = json.loads(KILLS.read_text(encoding="utf-8")) if names and KILLS.exists() else {}
    kept |= compute(names or FAULTS)
    text = json.dumps({name: kept[name] for name in FAULTS if name in kept}, indent=1)
    KILLS.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
