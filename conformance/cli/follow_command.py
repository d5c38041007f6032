"""Judging a growing recording: failures are shown as they come, a summary on SIGUSR1 and at the end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

from conformance.cli.advice import one_sided
from conformance.cli.check_command import CheckOptions, settings_of
from conformance.cli.output import TOOL, echo, format_utc
from conformance.contract.selection import clause_summaries, contract, of_side, select_rules
from conformance.errors import UsageError
from conformance.http.display import visible
from conformance.http.redaction.collecting import SecretCollector
from conformance.judging.formats import text
from conformance.judging.report import Report
from conformance.judging.summary import Policy, RunReport
from conformance.judging.unending import HOLD, UnendingJudge
from conformance.recordings.following import follow
from conformance.recordings.origins import of_the_api

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.http.exchange import Exchange
    from conformance.interrupts import Interruption
    from conformance.judging.verdict import Verdict
    from conformance.recordings import RecordingMetadata

__all__ = ["follow_recording"]


def follow_recording(
    options: CheckOptions, forget: float, interruption: Interruption, secrets: SecretCollector
) -> RunReport:
    """The report on a growing NDJSON, until its stream ends, or Ctrl-C or SIGTERM comes.

    Raises UsageError for several paths, and where no exchange came; InvalidRecordingError for a file that cannot be
    read.
    """
    if len(options.paths) != 1:
        raise UsageError("--follow takes one NDJSON, or /dev/stdin; start it once for each")
    following = _Following(options, forget, secrets)
    with _summaries(following.ask):
        report = following.until_the_end(interruption)
    if not report.exchanges:
        raise UsageError(f"{options.paths[0].as_posix()}: no exchange came: there is nothing to judge")
    return following.run_report(report)


@contextmanager
def _summaries(ask: Callable[[], None]) -> Iterator[None]:
    """SIGUSR1 asks for a summary, where there is such a signal."""
    number = getattr(signal, "SIGUSR1", None)
    before = None if number is None else signal.signal(number, lambda *_: ask())
    try:
        yield
    finally:
        if number is not None:
            signal.signal(number, before)


class _Following:
    """One recording that is followed."""

    def __init__(self, options: CheckOptions, forget: float, secrets: SecretCollector) -> None:
        self._options, self._forget, self._secrets = options, forget, secrets
        self._header: RecordingMetadata | None = None
        self._asked = False
        self._judge: UnendingJudge | None = None
        self._rules: Sequence[Rule] = self._chosen()
        self._first: float | None = None
        self._last: float | None = None

    def ask(self) -> None:
        """A summary is wanted at the next occasion."""
        self._asked = True

    def until_the_end(self, interruption: Interruption) -> Report:
        """The report on all exchanges that come."""

        def idle(seconds: float) -> bool:
            if self._judge is not None and seconds >= HOLD:
                self._judge.rest()
            self._summarize()
            return interruption.came

        read = follow(self._options.paths[0], idle, self._secrets.collect, self._describe)
        for exchange in self._of_the_api(map(self._secrets.redacted, read)):
            if self._judge is None:
                settings = settings_of(self._options, self._header)
                self._judge = UnendingJudge(self._rules, settings, self._forget, self._show)
            for moment in (exchange.sent_at, exchange.answered_at):
                if moment is not None:
                    self._first = moment if self._first is None else min(self._first, moment)
                    self._last = moment if self._last is None else max(self._last, moment)
            self._judge.add(exchange)
            self._summarize()
            if interruption.came:
                break
        if self._judge is None:
            return Report()
        report = self._judge.close()
        if self._judge.late:
            echo(f"{self._judge.late} exchanges came more than {HOLD:g} s late and count for nothing\n", sys.stderr)
        return report

    def run_report(self, report: Report) -> RunReport:
        """The whole report on what came so far."""
        run = {
            "id": (self._header.run if self._header else "") or "unnamed",
            "seed": None,
            "started_at": format_utc(self._first),
            "finished_at": format_utc(self._last),
            "requests": report.exchanges,
            "exchanges": report.exchanges,
            "settling_s": {"p50": None, "max": None},
        }
        subject: dict[str, Any] = {"kind": "recording", "name": self._options.paths[0].as_posix()}
        if self._header is not None:
            subject["recorded_from"] = [self._header.recorded_from]
        return RunReport(
            report=report + Report.empty(self._rules),
            rules=tuple(self._rules),
            subject=one_sided(subject, self._options.side),
            run=run,
            contract=contract(self._options.held),
            tool=TOOL,
            policy=Policy(self._options.fail_on, self._options.require_coverage, is_run=False),
            clauses=clause_summaries(),
        )

    def _chosen(self) -> Sequence[Rule]:
        applies_to = {self._header.applies_to} if self._header is not None else {"server", "client"}
        return of_side(select_rules(self._options.rules, applies_to, self._options.held), self._options.side)

    def _describe(self, header: RecordingMetadata) -> None:
        self._header = self._header or header
        self._rules = self._chosen()

    def _of_the_api(self, exchanges: Iterator[Exchange]) -> Iterator[Exchange]:
        first = next(exchanges, None)
        if first is None:
            return
        everything = chain((first,), exchanges)
        yield from everything if self._header is not None else of_the_api(everything, naming=True)

    def _show(self, verdict: Verdict) -> None:
        violation = verdict.violation
        assert violation is not None
        level = next(rule.level for rule in self._rules if rule.id == verdict.rule)
        labels = ", ".join(dict.fromkeys(one.label for one in violation.evidence[-2:]))
        line = f"failed  {verdict.rule} ({level})  {violation.message}  {labels}"
        echo(self._secrets.redactor().text(visible(line)) + "\n")

    def _summarize(self) -> None:
        if self._asked:
            self._asked = False
            report = Report() if self._judge is None else self._judge.report()
            echo(self._secrets.redactor().text(text.summary(self.run_report(report))))
