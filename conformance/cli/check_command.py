"""Judging recordings: each run in them by itself, with the settings that it was recorded with."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance import recordings
from conformance.cli.advice import for_refused_requests, for_unknown_before, one_sided
from conformance.cli.judging_processes import LostProcessError, Run, judge_runs
from conformance.cli.output import TOOL, format_utc
from conformance.cli.recorded_run import settings_from
from conformance.contract.selection import clause_summaries, contract, of_side, select_rules
from conformance.errors import UsageError
from conformance.facts import Settings
from conformance.http.redaction.collecting import SecretCollector
from conformance.http.redaction.concealing import concealed
from conformance.http.redaction.locations import mask_quotes
from conformance.http.redaction.personal import PersonalData
from conformance.judging.access import RefusedWrites
from conformance.judging.formats.json import render
from conformance.judging.summary import Policy, RunReport
from conformance.recordings import InvalidRecordingError
from conformance.recordings.origins import of_the_api

if TYPE_CHECKING:
    from conformance.cli.status_line import StatusLine
    from conformance.http.exchange import Exchange
    from conformance.interrupts import Interruption
    from conformance.recordings import RecordingMetadata

__all__ = ["CheckOptions", "check", "settings_of"]

#: Recordings of fewer bytes are judged before another process has started.
_SMALL = 4 << 20


@dataclass(frozen=True)
class CheckOptions:
    """The options of `check`; None or empty leaves a setting to the recording, or else to the usual one.

    `side`: ``server`` or ``client`` alone is judged (None: both).  `jobs`: how many processes read and judge (None: as
    many as there are cores, and one where there is little to judge).
    """

    paths: tuple[Path, ...]
    rules: tuple[str, ...] = ()
    held: str | None = None
    default_profiles: Mapping[str, str] = field(default_factory=dict)
    settle_timeout: float | None = None
    window: float | None = None
    fail_on: str = "must"
    require_coverage: bool = False
    side: str | None = None
    complete_recording: bool = False
    jobs: int | None = None
    redact_personal: bool = False


class _Span:
    """How many exchanges were read, and the first and last time in them."""

    def __init__(self) -> None:
        self.count = 0
        self.first: float | None = None
        self.last: float | None = None

    def counting(self, exchanges: Iterable[Exchange], progress: StatusLine) -> Iterator[Exchange]:
        for exchange in exchanges:
            self.count += 1
            for time in (exchange.sent_at, exchange.answered_at):
                if time is not None:
                    self.first = time if self.first is None else min(self.first, time)
                    self.last = time if self.last is None else max(self.last, time)
            if self.count % 100 == 0:
                progress(f"{self.count:,} exchanges, {exchange.label}")
            yield exchange


def check(
    options: CheckOptions, interruption: Interruption, progress: StatusLine, secrets: SecretCollector | None = None
) -> RunReport:
    """The report on all runs in the recordings, as far as they were judged before Ctrl-C.

    `secrets` collects those that the recordings carry; the report has placeholders instead.
    Raises InvalidRecordingError for a file that is not a recording, UsageError for an unknown rule and for recordings
    without exchanges.
    """
    secrets = SecretCollector({}) if secrets is None else secrets
    try:
        try:
            run_report = _check(options, interruption, progress, secrets)
        except LostProcessError:  # whoever killed it did not end the command: what was lost is done again
            options = replace(options, jobs=1)
            run_report = _check(options, interruption, progress, secrets)
        if not interruption.came and secrets.leaks_into(render(run_report)):
            # A secret was encoded deeply, or used before it was recognised: by now all of them are known.
            secrets.enable_deep_scan()
            run_report = _check(options, interruption, progress, secrets)
    except InvalidRecordingError as error:
        error.args = (secrets.redactor().text(mask_quotes(str(error))),)
        raise
    return run_report


def _check(
    options: CheckOptions, interruption: Interruption, progress: StatusLine, secrets: SecretCollector
) -> RunReport:
    runs = _runs(options.paths)
    headers = [header for header, _ in runs if header is not None]
    # In a recording of this suite's own run, one of the two parties is the suite itself: it is not judged.
    applies_to = {header.applies_to for header in headers} if len(headers) == len(runs) else {"server", "client"}
    rules = of_side(select_rules(options.rules, applies_to, options.held), options.side)
    span, writes = _Span(), RefusedWrites()
    personal = PersonalData() if options.redact_personal else None

    def opened() -> Iterator[Run]:
        for header, files in runs:
            read = interruption.until(recordings.read_all(files, secrets.collect))
            exchanges = span.counting(secrets.redact_stream(read), progress)
            if personal is not None:
                exchanges = (concealed(exchange, personal.exchange) for exchange in exchanges)
            if header is None:
                exchanges = of_the_api(exchanges)
            own = {rule.id for rule in rules if options.rules or header is None or rule.applies_to == header.applies_to}
            yield Run(writes.noting(exchanges), frozenset(own), settings_of(options, header))

    report, unknown = judge_runs(opened(), rules, options.jobs or _jobs(file for _, files in runs for file in files))
    if not span.count and not interruption.came:
        names = ", ".join(path.as_posix() for path in options.paths)
        raise UsageError(
            f"{names} {'hold' if len(options.paths) > 1 else 'holds'} no exchange: there is nothing to judge"
        )
    return RunReport(
        report=report,
        rules=rules,
        subject=one_sided(_subject(options.paths, headers), options.side),
        run=_run(span, headers),
        contract=contract(options.held),
        tool=TOOL,
        policy=Policy(
            options.fail_on,
            options.require_coverage,
            unjudged=None if options.side == "client" else writes.problem,
            is_run=any(headers),
            interrupted=interruption.came,
        ),
        clauses=clause_summaries(),
        advice=(
            *for_refused_requests(report, rules, options.side),
            *(() if options.complete_recording else for_unknown_before(report, unknown)),
        ),
    )


def _jobs(files: Iterable[Path]) -> int:
    """As many processes as this one may use cores; one where starting another takes longer than judging."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # The members of a ZIP are no files: the ZIP above them is.
    on_disk = {next(at for at in (file, *file.parents) if at.exists()) for file in files}
    return cores if sum(file.stat().st_size for file in on_disk) >= _SMALL else 1


def _runs(paths: Sequence[Path]) -> list[tuple[RecordingMetadata | None, tuple[Path, ...]]]:
    """The files of each run with their header; a file that names no run is a run by itself."""
    headers: dict[object, RecordingMetadata | None] = {}
    files: dict[object, list[Path]] = {}
    for path in recordings.paths(paths):
        header = recordings.header(path)
        key = header.run if header and header.run else path
        headers.setdefault(key, header)
        files.setdefault(key, []).append(path)
    return [(headers[key], tuple(files[key])) for key in headers]


def settings_of(options: CheckOptions, header: RecordingMetadata | None) -> Settings:
    """The settings of a recording, as far as the options do not say otherwise.  Raises UsageError."""
    recorded = settings_from(header)
    return replace(
        recorded,
        window=recorded.window if options.window is None else options.window,
        settle_timeout=recorded.settle_timeout if options.settle_timeout is None else options.settle_timeout,
        default_profiles=options.default_profiles or recorded.default_profiles,
        complete_recording=options.complete_recording or recorded.complete_recording,
    )


def _subject(paths: Sequence[Path], headers: Sequence[RecordingMetadata]) -> dict[str, Any]:
    subject: dict[str, Any] = {"kind": "recording", "name": ", ".join(path.as_posix() for path in paths)}
    sources = sorted({header.recorded_from for header in headers})
    return {**subject, "recorded_from": sources} if sources else subject


def _run(span: _Span, headers: Sequence[RecordingMetadata]) -> dict[str, Any]:
    return {
        "id": ", ".join(dict.fromkeys(header.run for header in headers if header.run)) or "unnamed",
        "seed": None,
        "started_at": format_utc(span.first),
        "finished_at": format_utc(span.last),
        "requests": span.count,
        "exchanges": span.count,
        "settling_s": {"p50": None, "max": None},
    }
