"""A report on disk: checked for secrets, then written as a whole or not at all, or added to a summary."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from conformance.errors import UsageError, place_of
from conformance.http.redaction import SecretLeakError

__all__ = ["Artefacts", "append", "check_place", "is_stream", "write_atomically"]

#: Bytes that the summary of a step of GitHub Actions may have: a longer one is refused as a whole.
_LONGEST_SUMMARY = 1024 * 1024
_CUT = "\n\nThe rest does not fit here; the other reports have all of it.\n"


class Artefacts:
    """What is written at the end: one that cannot be written does not lose the others.

    `problems` has a sentence for each.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []

    @contextmanager
    def writing(self, what: str) -> Iterator[None]:
        """The writing of one artefact, named by its option and path."""
        try:
            yield
        except OSError as error:
            self.problems.append(f"{what} cannot be written: {error.strerror or error}; choose another place")
        except (UsageError, SecretLeakError) as error:
            if str(error) not in self.problems:
                self.problems.append(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the others are written
            self.problems.append(f"{what} could not be made: {place_of(error)}")

    def complain(self) -> None:
        """Raise UsageError if anything could not be written."""
        if self.problems:
            raise UsageError("; ".join(self.problems))


def check_place(what: str, path: Path, *, is_folder: bool = False) -> None:
    """Check that something can be written to `path`, and create nothing; raises UsageError, which names `what`."""
    try:
        problem = _problem_of(path, is_folder)
    except OSError as error:
        problem = error.errno
    if problem:
        raise UsageError(f"{what} cannot be written: {os.strerror(problem)}; choose another place")


def _problem_of(path: Path, is_folder: bool) -> int | None:
    """The number of the error that writing to `path` would end in, as far as it can be told.  Raises OSError."""
    if path.exists():
        if path.is_dir() != is_folder:
            return errno.EISDIR if path.is_dir() else errno.ENOTDIR
        if not is_folder:
            return None if os.access(path, os.W_OK) else errno.EACCES
    nearest = path if is_folder else path.parent
    while not nearest.exists():
        nearest = nearest.parent
    if not nearest.is_dir():
        return errno.ENOTDIR
    with tempfile.TemporaryFile(dir=nearest) as file:
        file.write(bytes(4096))
    return None


def write_atomically(path: Path, text: str, check: Callable[[str, str], None]) -> None:
    """Write `text` as UTF-8 to `path`; folders are made as needed, and a device or a pipe is written to directly.

    Only its owner may read it.  `check(text, where)` raises if a secret is in the text, and then nothing is written.
    Raises OSError.
    """
    check(text, str(path))
    target = path.resolve()
    data = text.encode("utf-8")
    if is_stream(target):
        target.write_bytes(data)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def is_stream(path: Path) -> bool:
    """Whether this is a device or a pipe, which may have to be waited for."""
    return path.exists() and not path.is_file()


def append(path: Path, text: str, check: Callable[[str, str], None]) -> None:
    """Add `text` to the summary of a build's step, cut to what such a summary may have.

    `check` is that of `write_atomically`.  Raises OSError.
    """
    check(text, str(path))
    data = text.encode("utf-8")
    room = _LONGEST_SUMMARY - (path.stat().st_size if path.exists() else 0)
    if len(data) > room:
        kept = data[: max(0, room - len(_CUT))]
        end = max(kept.rfind(b"\n## "), kept.rfind(b"\n", len(kept) // 2))
        data = kept[: max(0, end)] + _CUT.encode()
    with path.open("ab") as file:
        file.write(data)
