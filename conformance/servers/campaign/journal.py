"""The clean-up journal: events that a run may have created and not yet deleted, on disk before they are created."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no such lock: there, clean up after a run, not during one
    fcntl = None  # type: ignore[assignment]

__all__ = ["Journal", "JournalEntry", "folder", "left_behind"]

_VARIABLE = "CRONOFY_CONFORMANCE_JOURNAL"


class JournalEntry(NamedTuple):
    """One event that may exist: in whose account, on which calendar, under which id."""

    account: str
    calendar_id: str
    event_id: str


def folder() -> Path:
    """The folder of the journals: CRONOFY_CONFORMANCE_JOURNAL, else a folder in the user's state directory."""
    chosen = os.environ.get(_VARIABLE)
    if chosen:
        return Path(chosen)
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "cronofy-conformance" / "journal"


class Journal:
    """The events of one run that may exist; with a `path`, each entry is on disk before `open` returns.

    The file is locked until `close`, which removes it if nothing is left in it.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._entries: dict[JournalEntry, None] = {}
        self._path = path
        self._file: IO[str] | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")
            _lock(self._file)

    @classmethod
    def of_run(cls, base_url: str, run_id: str) -> Journal:
        """The journal on disk of one run against one subject."""
        return cls(folder() / _name(base_url) / f"{run_id}.ndjson")

    def open(self, entry: JournalEntry) -> None:
        """Add an event that is about to be created."""
        if entry not in self._entries:
            self._entries[entry] = None
            self._write({"open": list(entry)})

    def settle(self, entry: JournalEntry) -> None:
        """Remove an event that is surely gone, or was never created."""
        if self._entries.pop(entry, entry) is None:
            self._write({"settled": list(entry)})

    @property
    def entries(self) -> tuple[JournalEntry, ...]:
        """The events that may exist, in the order of their creation."""
        return tuple(self._entries)

    def close(self) -> None:
        """Close the file; remove it if nothing is left in it."""
        if self._file is None or self._path is None:
            return
        if not self._entries:
            self._path.unlink(missing_ok=True)
        self._file.close()
        self._file = None

    def _write(self, line: dict[str, list[str]]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._file.flush()


@dataclass(slots=True)
class _LeftBehind:
    """The journal file of an earlier run, locked against that run and other clean-ups."""

    path: Path
    file: IO[str]
    entries: tuple[JournalEntry, ...]

    def close(self, remaining: tuple[JournalEntry, ...]) -> None:
        """Write `remaining` to the file, or remove it if nothing remains."""
        if remaining:
            self.file.seek(0)
            self.file.truncate()
            self.file.writelines(json.dumps({"open": list(entry)}) + "\n" for entry in remaining)
        else:
            self.path.unlink(missing_ok=True)
        self.file.close()


def left_behind(base_url: str) -> Iterator[_LeftBehind]:
    """What earlier runs against a subject left; journals of runs in progress are skipped."""
    for path in sorted((folder() / _name(base_url)).glob("*.ndjson")):
        file = path.open("r+", encoding="utf-8")
        try:
            _lock(file)
        except BlockingIOError:
            file.close()
            continue
        yield _LeftBehind(path, file, _read(file))


def _read(file: IO[str]) -> tuple[JournalEntry, ...]:
    """The entries still open; a truncated last line is skipped, because its event was never sent."""
    entries: dict[JournalEntry, None] = {}
    for line in file:
        try:
            document = json.loads(line)
        except ValueError:
            continue
        if "open" in document:
            entries[JournalEntry(*document["open"])] = None
        elif "settled" in document:
            entries.pop(JournalEntry(*document["settled"]), None)
    return tuple(entries)


def _lock(file: IO[str]) -> None:
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _name(base_url: str) -> str:
    return hashlib.sha256(base_url.lower().encode()).hexdigest()[:16]
