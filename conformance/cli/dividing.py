"""A recording as parts that are judged apart: runs, and shares of the accounts of a long one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from conformance.cli.opened_runs import OneRun
from conformance.facts.routes import account_name, route
from conformance.facts.share import Share
from conformance.recordings.containers import is_readable_elsewhere
from conformance.recordings.detection import kind_of_file
from conformance.recordings.heads import Heads
from conformance.recordings.remote import Remote

__all__ = ["SMALL", "RunPart", "is_divisible", "parts_of", "size_of"]

#: Recordings of fewer bytes are judged before another process has started.
SMALL = 4 << 20
#: Parts of many small runs for each process: none is then idle for long at the end.
_ROUNDS = 4
#: The part of a run's lines whose heads must be legible, and that the largest share of it may have.
_LEGIBLE, _LARGEST = 0.9, 0.75
#: How the answer of a line begins that grants what was asked.
_GRANTED = b'"response":{"status":2'


class RunPart(NamedTuple):
    """Runs that are judged together; or the shares of one run, each of which is judged by itself."""

    runs: tuple[OneRun, ...]
    shares: tuple[Share, ...] = ()


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
    sizes: Counter[str] = Counter()
    lines = legible = 0
    in_order, last = True, -math.inf
    accounts = _Accounts()
    heads = Heads()
    with run.files[0].open("rb") as stream:
        for line in stream:
            lines += 1
            head = heads.read(line)
            if head is None or head.sent_at is None:
                in_order = in_order and lines == 1
            if head is None:
                continue
            legible += 1
            if head.sent_at is not None:
                in_order, last = in_order and head.sent_at >= last, head.sent_at
            name = account_name(head.request, whole=True)
            if name is not None:
                sizes[name] += len(line)
                calendar_id = route(head.request.method, head.request.url).calendar_id
                accounts.note(name, calendar_id if calendar_id is not None and _GRANTED in line else None)
    groups = [(sum(sizes[name] for name in group), group) for group in accounts.groups()]
    shares = _balanced(groups, jobs)
    total = sum(sizes.values())
    if len(shares) < 2 or legible < _LEGIBLE * lines or max(size for size, _ in shares) > _LARGEST * total:
        return None
    everybody = frozenset(sizes)
    return RunPart(
        (replace(run, in_order=in_order),),
        tuple(Share(names, everybody - names, number == 0) for number, (_, names) in enumerate(shares)),
    )


def _balanced(groups: Iterable[tuple[int, frozenset[str]]], jobs: int) -> list[tuple[int, frozenset[str]]]:
    """Groups of accounts put together into at most `jobs`, the largest first where there is least yet."""
    shares: list[tuple[int, frozenset[str]]] = [(0, frozenset())] * jobs
    for size, names in sorted(groups, key=lambda group: (-group[0], sorted(group[1]))):
        least = min(range(jobs), key=lambda number: shares[number][0])
        shares[least] = shares[least][0] + size, shares[least][1] | names
    return [share for share in shares if share[1]]


class _Accounts:
    """The tokens of a run, grouped by the calendars to which they write."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def note(self, name: str, calendar_id: str | None) -> None:
        """A token was used, perhaps for a calendar."""
        self._names.setdefault(name, name)
        if calendar_id is not None:
            other = self._root(self._first.setdefault(calendar_id, name))
            self._names[self._root(name)] = other

    def groups(self) -> Iterator[frozenset[str]]:
        """The tokens, those of one account together."""
        roots = {name: self._root(name) for name in self._names}
        for root in dict.fromkeys(roots.values()):
            yield frozenset(name for name, its in roots.items() if its == root)

    def _root(self, name: str) -> str:
        while self._names[name] != name:
            name = self._names[name]
        return name
