"""Computes which rules fail for each fault of the reference server, and in which circumstances.

It writes detection_matrix.json, and known_faults.json, by which reports say their strength.

    nice python tests/reference/kill_matrix.py              all faults: takes minutes
    nice python tests/reference/kill_matrix.py FAULT…       these faults; the others keep what was computed before

It works from any directory, with the package that this Python imports.  Read the difference before you commit it: a
fault for which no rule fails any longer is a regression.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import Any

from fault_ways import Judged, judged, section_of, ways
from matrix_runs import KNOWN_FILE, MATRIX_FILE, outcome_of, run_one_calendar, run_reference

from conformance.errors import nearest
from conformance.reference import FAULTS


@cache
def _right() -> Judged:
    """The verdicts of the runs without faults."""
    return _run()[1]


def _run(*faults: str) -> tuple[tuple[str, ...], Judged]:
    runs = run_reference(*faults), run_one_calendar("profiles", 1, *faults)
    return outcome_of(runs[0]).failed, judged(*((run.exchanges, run.settings) for run in runs))


def compute_one(name: str) -> tuple[list[str], dict[str, Any]]:
    """The rules that fail for a fault, and what ``known_faults.json`` says of it."""
    failed, faulty = _run(name)
    fault = FAULTS[name]
    found = ways(faulty, _right()) if failed else ()
    return list(failed), {
        "title": fault.title,
        "section": section_of(fault.clauses),
        "ways": [{"rule": way.rule, "needs": sorted(way.needs), "how": way.how} for way in found],
    }


def main(names: list[str]) -> None:
    """Compute these faults, or all of them, and write the files."""
    for name in names:
        if name not in FAULTS:
            sys.exit(f"there is no fault {name!r}; {nearest(name, FAULTS)}")
    matrix, known = (
        json.loads(file.read_text(encoding="utf-8")) if names else {} for file in (MATRIX_FILE, KNOWN_FILE)
    )
    with ProcessPoolExecutor() as workers:
        chosen = names or list(FAULTS)
        for name, (failed, fault) in zip(chosen, workers.map(compute_one, chosen), strict=True):
            matrix[name], known[name] = failed, fault
            sys.stderr.write(f"{name}: {', '.join(failed) or 'no rule fails'}\n")
    MATRIX_FILE.write_text(f"{json.dumps(_ordered(matrix), indent=1)}\n", encoding="utf-8")
    KNOWN_FILE.write_text(known_text(_ordered(known)), encoding="utf-8")


def _ordered(contents: dict[str, Any]) -> dict[str, Any]:
    return {name: contents[name] for name in FAULTS if name in contents}


def known_text(known: dict[str, Any]) -> str:
    """The text of ``known_faults.json``: a line for each way."""
    faults = []
    for name, fault in known.items():
        head = json.dumps({"title": fault["title"], "section": fault["section"]}, ensure_ascii=False)[1:-1]
        ways = ",\n  ".join(json.dumps(way, ensure_ascii=False) for way in fault["ways"])
        told = f"\n  {ways}" if ways else ""
        faults.append(f' {json.dumps(name)}: {{{head}, "ways": [{told}]}}')
    return "{\n" + ",\n".join(faults) + "\n}\n"


if __name__ == "__main__":
    main(sys.argv[1:])
