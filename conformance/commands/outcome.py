"""What a command leaves behind: the statement of a run, its reports on disk and on standard output, its exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.configuration import Refused, nearest
from conformance.version import NAME, VERSION

if TYPE_CHECKING:
    from conformance.redaction import Redactor
    from conformance.rules import Rule
    from conformance.statement import Statement

__all__ = ["TOOL", "about_clauses", "chosen_rules", "contract", "instant", "present", "say"]

TOOL: Mapping[str, str] = {"name": NAME, "version": VERSION}


def chosen_rules(ids: Sequence[str], binds: Iterable[str] = ("server", "client")) -> tuple[Rule, ...]:
    """The rules with these ids, or without any all that bind one of the parties; raises Refused for an unknown id."""
    from conformance.rules import load

    rules = {rule.id: rule for rule in load()}
    for name in ids:
        if name not in rules:
            raise Refused(f"there is no rule {name!r}; {nearest(name, rules)}")
    parties = frozenset(binds)
    return tuple(rule for rule in rules.values() if (rule.id in ids if ids else rule.binds in parties))


def contract() -> dict[str, str]:
    """The version and the digest of all rules, what they refer to, and all clauses."""
    from conformance.rules import load, load_clauses, load_shared
    from conformance.statement import contract_of

    return contract_of(load(), load_clauses(), load_shared(), VERSION)


def about_clauses() -> dict[str, str]:
    """What each clause states, in our words."""
    from conformance.rules import load_clauses

    return {name: clause["about"] for name, clause in load_clauses().items()}


def instant(seconds: float | None) -> str | None:
    """Seconds since the epoch as a time in UTC, to the millisecond.

    >>> instant(1777366800.25)
    '2026-04-28T09:00:00.250Z'
    """
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def present(statement: Statement, reports: Sequence[str], redactor: Redactor, *, quiet: bool) -> int:
    """Write every report that was asked for, and give the exit code.

    ``-`` is text on standard output, which is also what comes where nothing was asked for.  With reports on disk
    alone, the summary goes to standard error; `quiet` leaves out what was not asked for.
    """
    from conformance.commands import artefact
    from conformance.render import renderer, text

    files = [path for path in reports if path != "-"]
    for path in files:
        said = renderer(Path(path).suffix.lower())(statement)
        try:
            artefact.write(Path(path), said, redactor.check)
        except OSError as error:
            raise Refused(
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
