"""The clean-up journal: events that a run may have created and not yet deleted, on disk before they are created."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from conformance.errors import ConfigurationError
from conformance.recordings.private_files import private

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no such lock: there, clean up after a run, not during one
    fcntl = None  # type: ignore[assignment]

__all__ = ["Journal", "JournalEntry", "JournalError", "folder", "left_behind"]

_VARIABLE = "CRONOFY_CONFORMANCE_JOURNAL"

#: Bytes that must be free when a journal is made: some dozens of entries.
_ROOM = 4096


class JournalEntry(NamedTuple):
    """One event that may exist: in whose account, on which calendar, under which id."""

    account: str
    calendar_id: str
    event_id: str


def folder(chosen: Path | None = None) -> Path:
    """The folder of the journals: `chosen`, else CRONOFY_CONFORMANCE_JOURNAL, else one in the user's state directory.

    Raises ConfigurationError where there is no home directory.
    """
    if chosen is not None or os.environ.get(_VARIABLE):
        return chosen or Path(os.environ[_VARIABLE])
    try:
        state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    except RuntimeError:
        raise ConfigurationError(
            f"there is no home directory for the journal: name a folder with --journal or {_VARIABLE}"
        ) from None
    return Path(state) / "cronofy-conformance" / "journal"


class JournalError(Exception):
    """The journal cannot be written any more: nothing may be created."""


class Journal:
    """The events of one run that may exist; with a `path`, each entry is on disk before `open` returns.

    The file is locked until `close`, which removes it if nothing is left in it.  Raises ConfigurationError where it
    cannot be made.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._entries: dict[JournalEntry, None] = {}
        self._path = path
        self._file: IO[bytes] | None = None
        self._is_torn = False
        if path is not None:
            try:
                self._file = _made(path)
            except OSError as error:
                raise ConfigurationError(
                    f"the journal {path} cannot be written: {error.strerror or error}; name another folder with "
                    f"--journal or {_VARIABLE}"
                ) from None

    @classmethod
    def of_run(cls, base_url: str, run_id: str, chosen: Path | None = None) -> Journal:
        """The journal on disk of one run against one subject; `chosen` as in `folder`."""
        return cls(folder(chosen) / _name(base_url) / f"{run_id}.ndjson")

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
            _remove(self._path)
        self._file.close()
        self._file = None

    def _write(self, line: dict[str, list[str]]) -> None:
        if self._file is None:
            return
        try:
            # A line that a full disk cut off ends here, so that it takes none of those after it with it.
            _write_whole(self._file, (b"\n" if self._is_torn else b"") + _line(line))
            self._is_torn = False
        except OSError as error:
            self._is_torn = True
            if "open" in line:
                raise JournalError(f"the journal {self._path} cannot be written: {error.strerror or error}") from None


@dataclass(slots=True)
class _LeftBehind:
    """The journal file of an earlier run, locked against that run and other clean-ups."""

    path: Path
    file: IO[bytes]
    entries: tuple[JournalEntry, ...]

    def close(self, remaining: tuple[JournalEntry, ...]) -> None:
        """Put `remaining` in the place of the file, or remove it if nothing remains.

        Where the disk is full, all its entries stay: what is gone already is deleted once more.
        """
        with self.file:
            if not remaining:
                _remove(self.path)
                return
            aside = self.path.with_name(f".{self.path.name}.new")
            try:
                with open(aside, "wb", buffering=0, opener=private) as new:
                    _write_whole(new, b"".join(_line({"open": list(entry)}) for entry in remaining))
                aside.replace(self.path)
            except OSError:
                _remove(aside)


def left_behind(base_url: str, chosen: Path | None = None) -> Iterator[_LeftBehind]:
    """What earlier runs against a subject left; journals of runs in progress, and of other clean-ups, are skipped.

    Journals that cannot be opened, and lines that cannot be read, are named in a warning; such lines are kept aside.
    """
    for path in sorted((folder(chosen) / _name(base_url)).glob("*.ndjson")):
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise OSError(errno.EINVAL, "no regular file")  # noqa: TRY301 - named like the others
            file = path.open("r+b", buffering=0)
            if not _locked(file, path):
                file.close()
                continue
        except FileNotFoundError:
            continue  # another clean-up was faster
        except OSError as error:
            warnings.warn(f"the journal {path} cannot be opened: {error.strerror or error}", stacklevel=1)
            continue
        entries, bad = _read(file)
        if bad:
            aside = path.with_name(f"{path.name}.bad")
            with suppress(OSError), open(aside, "ab", opener=private) as kept:
                kept.write(b"\n".join(bad) + b"\n")
            warnings.warn(f"{len(bad)} lines of the journal {path} cannot be read: see {aside}", stacklevel=1)
        yield _LeftBehind(path, file, entries)


def _read(file: IO[bytes]) -> tuple[tuple[JournalEntry, ...], list[bytes]]:
    """The entries still open, and the lines that cannot be read.

    A truncated last line is neither: its event was never sent.  Nor is an empty one.
    """
    entries: dict[JournalEntry, None] = {}
    bad = []
    *lines, _ = file.read().split(b"\n")
    for line in filter(None, lines):
        try:
            [(word, names)] = json.loads(line).items()
            entry = JournalEntry(*names) if isinstance(names, list) else None
        except (ValueError, TypeError, AttributeError, RecursionError):
            entry = None
        if entry is None or word not in ("open", "settled") or not all(isinstance(name, str) for name in entry):
            bad.append(line)
        elif word == "open":
            entries[entry] = None
        else:
            entries.pop(entry, None)
    return tuple(entries), bad


def _made(path: Path) -> IO[bytes]:
    """A new journal, which nobody else can lock or remove."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = open(path, "ab", buffering=0, opener=private)  # noqa: SIM115 - closed by the journal
        if _locked(file, path):
            break
        file.close()  # a clean-up took it for one that was left behind
    try:
        _write_whole(file, b"\n" * _ROOM)  # a full disk is found here, and not by the first event
        file.truncate(0)
    except OSError:
        file.close()
        _remove(path)
        raise
    return file


def _line(entry: dict[str, list[str]]) -> bytes:
    return json.dumps(entry).encode("ascii") + b"\n"


def _write_whole(file: IO[bytes], data: bytes) -> None:
    """Write all of `data`; where there is room for a part of it alone, raises OSError."""
    if file.write(data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _locked(file: IO[bytes], path: Path) -> bool:
    """Whether the file is now locked, and still the one at `path`."""
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _name(base_url: str) -> str:
    return hashlib.sha256(base_url.lower().encode("utf-8", "replace")).hexdigest()[:16]
