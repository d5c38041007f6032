"""Computes which rules fail for each fault of the reference server, and writes detection_matrix.json.

    nice python tests/reference/kill_matrix.py              all faults: takes minutes
    nice python tests/reference/kill_matrix.py FAULT…       these faults; the others keep what was computed before

It works from any directory, with the package that this Python imports.  Read the difference before you commit it: a
fault for which no rule fails any longer is a regression.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from matrix_runs import MATRIX_FILE, run_with_fault

from conformance.errors import nearest
from conformance.reference import FAULTS


def compute(names: Iterable[str]) -> dict[str, list[str]]:
    """The rules that fail for each of these faults."""
    faults = list(names)
    matrix = {}
    with ProcessPoolExecutor() as workers:
        for name, outcome in zip(faults, workers.map(run_with_fault, faults), strict=True):
            matrix[name] = list(outcome.failed)
            sys.stderr.write(f"{name}: {', '.join(matrix[name]) or 'no rule fails'}\n")
    return matrix


def main(names: list[str]) -> None:
    """Compute these faults, or all of them, and write the file."""
    for name in names:
        if name not in FAULTS:
            sys.exit(f"there is no fault {name!r}; {nearest(name, FAULTS)}")
    matrix = json.loads(MATRIX_FILE.read_text(encoding="utf-8")) if names and MATRIX_FILE.exists() else {}
    matrix |= compute(names or FAULTS)
    text = json.dumps({name: matrix[name] for name in FAULTS if name in matrix}, indent=1)
    MATRIX_FILE.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
