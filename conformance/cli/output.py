"""What a command leaves behind: reports on disk and on standard output, and its exit code."""

from __future__ import annotations

import errno
import os
import secrets
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.errors import UsageError
from conformance.version import NAME, VERSION

if TYPE_CHECKING:
    from conformance.cli.files import Artefacts
    from conformance.http.redaction import Redactor
    from conformance.judging.formats import Destination
    from conformance.judging.summary import RunReport

__all__ = ["TOOL", "check_places", "colour_on", "echo", "format_utc", "write_reports"]

#: The reader of a pipe has gone, or the terminal hung up.
_GONE = (errno.EPIPE, errno.EIO)

TOOL: Mapping[str, str] = {"name": NAME, "version": VERSION}


def format_utc(seconds: float | None) -> str | None:
    """Seconds since the epoch as a time in UTC, to the millisecond.

    >>> format_utc(1777366800.25)
    '2026-04-28T09:00:00.250Z'
    """
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_reports(
    run_report: RunReport,
    reports: Sequence[str],
    redactor: Redactor,
    *,
    quiet: bool,
    verbose: bool = False,
    artefacts: Artefacts | None = None,
) -> int:
    """Write each of `reports`, as ``--report`` takes them, and return the exit code.

    The text report goes to standard output, whatever files there are, and what was written is named after it. Where
    another report takes standard output, the failures in a line each go to standard error. On GitHub Actions, failures
    become annotations. `quiet` writes `reports` and nothing else.
    Where a file, or one of `artefacts` before it, could not be written, the text report goes to standard output too.
    A signal waits for the files, and not for whoever reads standard output or a pipe.
    Raises UsageError at the end for all that could not be written.
    """
    from conformance.cli.files import Artefacts, is_stream
    from conformance.interrupts import Interruption
    from conformance.judging.formats import text

    artefacts = artefacts or Artefacts()
    chosen = [_destination(report) for report in reports]
    places = [one for one in chosen if one is not None]
    printed = [one for one in places if one.path == "-"]
    files = [one for one in places if one.path != "-"]
    streams = [one for one in files if is_stream(Path(one.path))]
    with Interruption() as interruption:
        _write_all([one for one in files if one not in streams], run_report, redactor, artefacts)
    _write_all([*streams, *printed], run_report, redactor, artefacts)
    with artefacts.writing("the text report"):
        if None in chosen or artefacts.problems or not (printed or quiet):
            width = _width(sys.stdout)
            _show(
                lambda colour: text.render(run_report, colour=colour, verbose=verbose, width=width),
                sys.stdout,
                redactor,
            )
        elif not quiet:
            _show(lambda colour: text.summary(run_report, colour=colour), sys.stderr, redactor)
        if not quiet and os.environ.get("GITHUB_ACTIONS") == "true":
            _annotate(run_report, redactor)
    if not quiet and not artefacts.problems:
        echo("".join(f"Written: {one.path}\n" for one in files), sys.stderr)
    artefacts.complain()
    return 130 if interruption.came else run_report.exit_code


def check_places(
    options: Mapping[str, Path | None], folders: Mapping[str, Path | None], reports: Sequence[str]
) -> None:
    """Check that files, folders and reports can be written, by the names of their options; raises UsageError."""
    from conformance.cli.files import check_place

    for name, path in options.items():
        if path is not None:
            check_place(f"{name} {path}", path)
    for name, path in folders.items():
        if path is not None:
            check_place(f"{name} {path}", path, is_folder=True)
    for report in reports:
        where = _destination(report)
        if where is not None and where.path != "-":
            check_place(f"--report {where.path}", Path(where.path))


def _destination(report: str) -> Destination | None:
    """Where a report goes; None for text on standard output."""
    from conformance.judging.formats import destination

    return None if report == "-" else destination(report)


def _write_all(places: Iterable[Destination], run_report: RunReport, redactor: Redactor, artefacts: Artefacts) -> None:
    for where in places:
        with artefacts.writing(f"--report {where.path}"):
            _write(where, run_report, redactor)


def _write(where: Destination, run_report: RunReport, redactor: Redactor) -> None:
    from conformance.cli.files import append, write_atomically
    from conformance.judging.formats import renderer

    rendered = renderer(where.format)(run_report)
    if where.path == "-":
        redactor.check(rendered, f"the {where.format} report")
        echo(rendered)
        return
    write = append if where.path == os.environ.get("GITHUB_STEP_SUMMARY") else write_atomically
    write(Path(where.path), rendered, redactor.check)


def _annotate(run_report: RunReport, redactor: Redactor) -> None:
    """Annotations on standard error, which GitHub Actions reads as well, whatever standard output is for."""
    from conformance.judging.formats import workflow_commands

    lines = workflow_commands.render(run_report)
    redactor.check(lines, "the annotations")
    echo(lines, sys.stderr)


def _show(render: Callable[[bool], str], stream: Any, redactor: Redactor) -> None:
    text = render(colour_on(stream))
    redactor.check(text, "the text report")
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from conformance.judging.formats.workflow_commands import without_commands

        text = without_commands(text, secrets.token_hex(16))
    echo(text, stream)


def _width(stream: Any) -> int:
    """How many columns a terminal has; elsewhere what is not too long to read."""
    import shutil

    from conformance.judging.formats.text import WIDTH

    return shutil.get_terminal_size((WIDTH, 0)).columns if stream.isatty() else WIDTH


def colour_on(stream: Any) -> bool:
    """Whether `stream` takes colours: a terminal that is not dumb, or FORCE_COLOR; never with NO_COLOR."""
    if not (stream.isatty() or os.environ.get("FORCE_COLOR")):
        return False
    from rich.console import Console  # takes as long to import as the command line: only terminals pay for it

    console = Console(file=stream)
    return console.color_system is not None and not console.no_color


def echo(text: str, stream: Any = None) -> None:
    """Write text as it is, in UTF-8 or what the stream takes; a reader that has gone away is no error.

    Raises UsageError where standard output cannot be written, as on a full disk; then, nothing more is written there.
    """
    target = sys.stdout if stream is None else stream
    try:
        encoding = target.encoding or "utf-8"
        target.write(text.encode(encoding, "backslashreplace").decode(encoding))
        target.flush()
    except OSError as error:
        # What is left in the buffer would raise again when Python closes the stream at exit.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), target.fileno())
        if target is sys.stdout and error.errno not in _GONE:
            raise UsageError(f"standard output cannot be written: {error.strerror or error}") from None
