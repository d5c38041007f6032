"""The report as workflow commands of GitHub Actions: an annotation for each failure, and for what else counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from conformance.http.display import visible
from conformance.judging.formats.failures import failures, outcome_line

if TYPE_CHECKING:
    from conformance.judging.formats.failures import Failure
    from conformance.judging.summary import RunReport

__all__ = ["render", "without_commands"]

#: How many annotations of a kind GitHub shows of one step.
_SHOWN = 10


def render(run_report: RunReport) -> str:
    """A line for each failure, and for what else keeps the outcome from being passed.

    At most ten errors and ten warnings are failures; the last of ten counts the rest.
    """
    found = failures(run_report)
    errors = [failure for failure in found if _counts(run_report, failure)]
    warnings = [failure for failure in found if failure not in errors]
    lines = [*_of_failures("error", errors), *_of_failures("warning", warnings)]
    lines += [
        _command("error", f"stale known failure of {entry.rule}", f"Its failure is gone: {entry.cause}")
        for entry in run_report.stale[:_SHOWN]
    ]
    if not errors and run_report.outcome != "passed":
        lines.append(_command("error", f"conformance: {run_report.outcome}", outcome_line(run_report)))
    return "".join(f"{line}\n" for line in lines)


def without_commands(text: str, token: str) -> str:
    """`text` for a log, between lines that keep what a server answered from being taken for commands.

    `token` is a word that no server can guess.
    """
    if "::" not in text and "##[" not in text:
        return text
    return f"::stop-commands::{token}\n{text.rstrip(chr(10))}\n::{token}::\n"


def _counts(run_report: RunReport, failure: Failure) -> bool:
    """Whether one of the rules that fail for the same reason counts."""
    return any(run_report.is_fatal(rule) for rule in (failure.rule, *failure.also))


def _of_failures(kind: str, found: Sequence[Failure]) -> Iterator[str]:
    shown = found if len(found) <= _SHOWN else found[: _SHOWN - 1]
    for failure in shown:
        rule = failure.rule
        title = f"{rule.id} ({rule.level}, {', '.join(rule.clauses)})"
        yield _command(kind, title, failure.headline)
    if len(shown) < len(found):
        yield _command(kind, f"{len(found) - len(shown)} more failures", "The report has all of them.")


def _command(kind: str, title: str, message: str) -> str:
    return f"::{kind} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
