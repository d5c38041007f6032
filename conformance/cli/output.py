"""What a command leaves behind: the statement of a run, its reports on disk and on standard output, its exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.errors import UsageError
from conformance.version import NAME, VERSION

if TYPE_CHECKING:
    from conformance.http.redaction import Redactor
    from conformance.judging.summary import RunReport

__all__ = ["TOOL", "instant", "present", "say"]

TOOL: Mapping[str, str] = {"name": NAME, "version": VERSION}


def instant(seconds: float | None) -> str | None:
    """Seconds since the epoch as a time in UTC, to the millisecond.

    >>> instant(1777366800.25)
    '2026-04-28T09:00:00.250Z'
    """
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def present(statement: RunReport, reports: Sequence[str], redactor: Redactor, *, quiet: bool) -> int:
    """Write every report that was asked for, and give the exit code.

    ``-`` is text on standard output, which is also what comes where nothing was asked for.  With reports on disk
    alone, the summary goes to standard error; `quiet` leaves out what was not asked for.
    """
    from conformance.cli import files as files_module
    from conformance.judging.formats import renderer, text

    files = [path for path in reports if path != "-"]
    for path in files:
        said = renderer(Path(path).suffix.lower())(statement)
        try:
            files_module.write(Path(path), said, redactor.check)
        except OSError as error:
            raise UsageError(
                f"--report {path} cannot be written: {error.strerror or error}; choose another place"
            ) from None
    if "-" in reports or not (files or quiet):
        _show(lambda colour: text.render(statement, colour=colour), sys.stdout, redactor)
    elif not quiet:
        _show(lambda colour: text.summary(statement, colour=colour), sys.stderr, redactor)
    return statement.exit_code


def _show(render: Callable[[bool], str], stream: Any, redactor: Redactor) -> None:
    said = render(stream.isatty() and "NO_COLOR" not in os.environ)
    redactor.check(said, "the text report")
    say(said, stream)


def say(text: str, stream: Any = None) -> None:
    """Write text as it is, in UTF-8 or what the stream takes; a reader that has gone away is no error."""
    target = sys.stdout if stream is None else stream
    encoding = target.encoding or "utf-8"
    try:
        target.write(text.encode(encoding, "backslashreplace").decode(encoding))
        target.flush()
    except BrokenPipeError:
        # What is left in the buffer would raise again when Python closes the stream at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), target.fileno())
