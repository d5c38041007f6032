"""A recording as parts that are judged apart: runs, and shares of the accounts of a long one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from conformance.cli.learning import learn
from conformance.cli.opened_runs import OneRun
from conformance.facts.share import Share
from conformance.recordings.containers import is_readable_elsewhere
from conformance.recordings.detection import kind_of_file
from conformance.recordings.heads import Selection
from conformance.recordings.remote import Remote

__all__ = ["SMALL", "RunPart", "is_divisible", "parts_of", "size_of"]

#: Recordings of fewer bytes are judged before another process has started.
SMALL = 4 << 20
#: Parts of many small runs for each process: none is then idle for long at the end.
_ROUNDS = 4
#: The part of a run that the largest share of it may have.
_LARGEST = 0.75


class RunPart(NamedTuple):
    """Runs that are judged together; or the shares of one run, each of which is judged by itself.

    `selections` are the lines that each share reads.
    """

    runs: tuple[OneRun, ...]
    shares: tuple[Share, ...] = ()
    selections: tuple[Selection, ...] = ()

    @property
    def given(self) -> list[tuple[tuple[OneRun, ...], Share | None]]:
        """What is judged at a time."""
        if not self.shares:
            return [(self.runs, None)]
        both = zip(self.shares, self.selections, strict=True)
        return [((replace(self.runs[0], selection=selection),), share) for share, selection in both]


def is_divisible(runs: Iterable[OneRun]) -> bool:
    """Whether other processes can read the files of the runs."""
    return all(is_readable_elsewhere(file) for run in runs for file in run.files)


def size_of(run: OneRun) -> int:
    """How many bytes the files of a run have, packed if they are."""
    elsewhere = [file for file in run.files if isinstance(file, Remote)]
    # The members of a ZIP are no files: the ZIP above them is.
    on_disk = {
        next(at for at in (file, *file.parents) if Path(at).exists()) for file in run.files if file not in elsewhere
    }
    return sum(file.size for file in elsewhere) + sum(Path(file).stat().st_size for file in on_disk)


def parts_of(runs: Sequence[OneRun], jobs: int) -> list[RunPart]:
    """The runs, in their order, as parts for `jobs` processes: long ones in shares, small ones together."""
    sizes = [size_of(run) for run in runs]
    enough = sum(sizes) // (jobs * _ROUNDS)
    parts: list[RunPart] = []
    together: list[OneRun] = []
    held = 0
    for run, size in zip(runs, sizes, strict=True):
        divided = _divided(run, jobs) if size * jobs >= sum(sizes) else None
        if divided or (together and held + size > enough):
            parts += [RunPart(tuple(together))] if together else []
            together, held = [], 0
        if divided:
            parts.append(divided)
        else:
            together.append(run)
            held += size
    return [*parts, RunPart(tuple(together))] if together else parts


def _divided(run: OneRun, jobs: int) -> RunPart | None:
    """A run in shares of its accounts that take about as long; None where its accounts cannot be told apart.

    Tokens that may write to the same calendar are of the same account.  What is overlooked here costs time only.
    """
    if len(run.files) != 1 or kind_of_file(run.files[0]) != "exchanges":
        return None
    learnt = learn(run.files[0], is_ours=run.header is not None)
    if learnt is None:
        return None
    groups = learnt.groups()
    shares = _balanced(groups, jobs)
    if len(shares) < 2 or max(size for size, _ in shares) > _LARGEST * sum(size for size, _ in groups):
        return None
    everybody = frozenset().union(*(names for _, names in groups))
    of_shares = tuple(Share(names, everybody - names, number == 0) for number, (_, names) in enumerate(shares))
    return RunPart((run,), of_shares, tuple(learnt.selection(share.has) for share in of_shares))


def _balanced(groups: Iterable[tuple[int, frozenset[str]]], jobs: int) -> list[tuple[int, frozenset[str]]]:
    """Groups of accounts put together into at most `jobs`, the largest first where there is least yet."""
    shares: list[tuple[int, frozenset[str]]] = [(0, frozenset())] * jobs
    for size, names in sorted(groups, key=lambda group: (-group[0], sorted(group[1]))):
        least = min(range(jobs), key=lambda number: shares[number][0])
        shares[least] = shares[least][0] + size, shares[least][1] | names
    return [share for share in shares if share[1]]
