"""The file of ``--baseline``: known failures as TOML, small enough to be reviewed by people."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.contract.rules import load
from conformance.errors import UsageError, content_of, nearest
from conformance.judging.baseline import Baseline, KnownFailure

if TYPE_CHECKING:
    from conformance.judging.summary import RunReport

__all__ = ["KnownFailures", "baseline_text", "read_baseline"]

_HEAD = """\
# Known failures: they do not count. `--write-baseline` adds what fails and drops what is gone; reasons and dates stay.
# reason: why it is put up with, and where it is followed up. until: the last day on which it does not count.
"""

#: The keys of an entry, and what each must be.
_KEYS = {
    "rule": (str, "the id of a rule"),
    "cause": (str, "the cause of a violation, as a report has it"),
    "reason": (str, "a sentence"),
    "until": (date, "a date, as in 2026-12-31"),
    "cases": (list, "a list of coverage classes"),
    "requested": (list, "a list of kinds of requests"),
    "examples": (int, "a number"),
    "seed": (int, "a number"),
}
_REQUIRED = ("rule", "cause", "reason")


def read_baseline(path: Path, today: date, *, missing: bool = False) -> Baseline:
    """The baseline in a file; with `missing`, an empty one where there is no file.

    Raises UsageError for a file that cannot be read, and for an entry that is not as it should be.
    """
    if not path.exists():
        if missing:
            return Baseline(path.name, today)
        raise UsageError(f"--baseline {path}: there is no such file; write it with --write-baseline")
    content = content_of(path, f"--baseline {path}", "name a TOML file")
    try:
        contents = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"--baseline {path} is not TOML: {error}") from None
    for name in contents:
        if name != "known":
            raise UsageError(f"--baseline {path}: unknown key {name!r}; each entry begins with [[known]]")
    listed = contents.get("known", [])
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise UsageError(f"--baseline {path}: known is no list of tables; begin each entry with [[known]]")
    entries = [_entry(entry, f"--baseline {path}, entry {number}") for number, entry in enumerate(listed, 1)]
    seen: set[tuple[str, str]] = set()
    for number, entry in enumerate(entries, 1):
        if (entry.rule, entry.cause) in seen:
            raise UsageError(
                f"--baseline {path}, entry {number} knows the same cause as one before; delete one of them"
            )
        seen.add((entry.rule, entry.cause))
    return Baseline(path.name, today, tuple(entries))


def _entry(contents: dict[str, Any], where: str) -> KnownFailure:
    for name, value in contents.items():
        if name not in _KEYS:
            raise UsageError(f"{where}: unknown key {name!r}; {nearest(name, _KEYS)}")
        kind, expected = _KEYS[name]
        if not isinstance(value, kind) or isinstance(value, bool | datetime):
            raise UsageError(f"{where}: {name} is {value!r}, expected {expected}")
        if isinstance(value, list) and not all(isinstance(one, str) for one in value):
            raise UsageError(f"{where}: {name} has an item that is no text, expected {expected}")
    for name in _REQUIRED:
        if not str(contents.get(name, "")).strip():
            raise UsageError(f"{where} has no {name}, expected {_KEYS[name][1]}")
    known = {rule.id for rule in load()}
    if contents["rule"] not in known:
        raise UsageError(
            f"{where}: there is no rule {contents['rule']!r}; delete the entry, or name another: "
            f"{nearest(contents['rule'], known)}"
        )
    lists: dict[str, Any] = {name: tuple(contents[name]) for name in ("cases", "requested") if name in contents}
    return KnownFailure(**{**contents, **lists})


def _write_baseline(path: Path, baseline: Baseline, check: Callable[[str, str], None]) -> None:
    from conformance.cli.files import write_atomically

    try:
        write_atomically(path, baseline_text(baseline.entries), check)
    except OSError as error:
        raise UsageError(
            f"--baseline {path} cannot be written: {error.strerror or error}; choose another place"
        ) from None


def baseline_text(entries: Iterable[KnownFailure]) -> str:
    """The entries as TOML, in their order."""
    return "\n".join([_HEAD, *("\n".join(_lines(entry)) + "\n" for entry in entries)])


def _lines(entry: KnownFailure) -> Iterator[str]:
    yield "[[known]]"
    for name, value in entry.document().items():
        yield f"{name} = {value if name == 'until' else _toml(value)}"


def _toml(value: Any) -> str:
    """Text, numbers and lists of text as TOML, whose escapes are those of JSON."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


class KnownFailures:
    """What ``--baseline`` and ``--write-baseline`` do to a report; the file is read at once.

    Raises UsageError as `read_baseline` does, and for ``--write-baseline`` without a file.
    """

    def __init__(self, path: Path | None, *, write: bool) -> None:
        if write and path is None:
            raise UsageError("--write-baseline names no file; add --baseline FILE")
        self._path, self._write = path, write
        today = datetime.now(UTC).date()
        self._baseline = None if path is None else read_baseline(path, today, missing=write)

    def knows(self, rule: str, cause: str) -> bool:
        """Whether a cause of a rule's failure is in the file and has not expired."""
        return self._baseline is not None and self._baseline.knows(rule, cause)

    def applied(self, run_report: RunReport) -> RunReport:
        """The report in which known failures do not count, and stale entries do."""
        if self._baseline is None:
            return run_report
        baseline = self._baseline
        if self._writes(run_report):
            rules = [rule for rule in run_report.rules if rule.level in run_report.policy.fatal_levels]
            baseline = baseline.rewritten(run_report.report, rules, run_report.run)
        judged = replace(run_report, policy=replace(run_report.policy, baseline=baseline))
        written = [f"{self._path} has {len(baseline.entries)} known failures"] if self._writes(run_report) else []
        known = {rule.id for rule in judged.known}
        return replace(
            judged,
            notes=(*judged.notes, *written, *_notes(judged, baseline)),
            counterexamples=tuple(one for one in judged.counterexamples if one.partition(":")[0] not in known),
            reproductions=tuple(one for one in judged.reproductions if one.rule not in known),
        )

    def save(self, run_report: RunReport, check: Callable[[str, str], None]) -> None:
        """Write the file if it is to be written; after a run that ended early it stays as it is."""
        baseline = run_report.policy.baseline
        if self._path is not None and baseline is not None and self._writes(run_report):
            _write_baseline(self._path, baseline, check)

    def _writes(self, run_report: RunReport) -> bool:
        return self._write and not run_report.is_partial and run_report.policy.unjudged is None


def _notes(run_report: RunReport, baseline: Baseline) -> Iterator[str]:
    for entry in baseline.entries:
        if entry.cause in run_report.report.tally(entry.rule).causes:
            if baseline.expired(entry):
                yield f"Known until {entry.until}, and counts again: {entry.rule} ({entry.cause}): {entry.reason}"
            else:
                until = f", until {entry.until}" if entry.until else ""
                yield f"Known failure: {entry.rule} ({entry.cause}){until}: {entry.reason}"
    for entry in run_report.stale:
        yield f"Stale entry of {baseline.name}: {entry.rule} ({entry.cause}): its failure is gone"
