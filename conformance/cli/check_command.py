"""Judging recordings: each run in them by itself, with the settings that it was recorded with."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance import recordings
from conformance.cli.advice import for_refused_requests, for_unknown_before, one_sided
from conformance.cli.dividing import SMALL, RunPart, is_divisible, parts_of, size_of
from conformance.cli.judging_parts import Judged, RuleChoice, judge_apart, say
from conformance.cli.judging_processes import LostProcessError, Run, judge_runs
from conformance.cli.opened_runs import OneRun, OpenedRuns, Span
from conformance.cli.output import TOOL, format_utc
from conformance.cli.recorded_run import settings_from
from conformance.contract.selection import clause_summaries, contract
from conformance.errors import UsageError
from conformance.facts import Settings
from conformance.http.redaction.collecting import SecretCollector
from conformance.http.redaction.locations import mask_quotes
from conformance.judging.formats.json import render
from conformance.judging.summary import Policy, RunReport
from conformance.judging.unknown_before import UnknownBefore
from conformance.recordings import InvalidRecordingError

if TYPE_CHECKING:
    from conformance.cli.status_line import StatusLine
    from conformance.contract.rules import Rule
    from conformance.interrupts import Interruption
    from conformance.recordings import RecordingMetadata

__all__ = ["CheckOptions", "check", "settings_of"]

#: What is said where several processes were asked for, and there is nothing to share among them.
_UNDIVIDED = "its accounts cannot be told apart, or it has only one; it is read on one core and judged on another"


class OneCoreWarning(UserWarning):
    """More processes than one were asked for, and a recording cannot be divided among them."""


@dataclass(frozen=True)
class CheckOptions:
    """The options of `check`; None or empty leaves a setting to the recording, or else to the usual one.

    `side`: ``server`` or ``client`` alone is judged (None: both).  `jobs`: how many processes read and judge (None: as
    many as there are cores, and one where there is little to judge).  `cluster` is the address of a scheduler of Dask,
    whose workers do it instead.
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
    cluster: str | None = None
    redact_personal: bool = False


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
            options = replace(options, jobs=1, cluster=None)
            run_report = _check(options, interruption, progress, secrets)
        if len(secrets) and not interruption.came and secrets.leaks_into(render(run_report)):
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
    found = interruption.unless_it_comes(partial(recordings.runs, options.paths), [])
    headers = [header for header, _ in found if header is not None]
    # In a recording of this suite's own run, one of the two parties is the suite itself: it is not judged.
    applies_to = {header.applies_to for header in headers} if 0 < len(headers) == len(found) else {"server", "client"}
    choice = RuleChoice(options.rules, frozenset(applies_to), options.held, options.side)
    rules = choice.rules()
    runs = [
        OneRun(files, header, _ids(rules, header, options), settings_of(options, header)) for header, files in found
    ]
    judged = _judged(options, runs, choice, interruption, progress, secrets)
    say(judged.warnings)
    if judged.error is not None:
        raise judged.error
    span, report = judged.span, judged.report
    unknown = UnknownBefore(rules)
    unknown.add(*judged.undecided)
    if not span.count and not interruption.came:
        hold = "hold" if len(options.paths) > 1 else "holds"
        raise UsageError(f"{_names(options.paths)} {hold} no exchange: there is nothing to judge")
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
            unjudged=None if options.side == "client" else judged.writes.problem,
            is_run=any(headers),
            interrupted=interruption.came,
        ),
        clauses=clause_summaries(),
        advice=(
            *for_refused_requests(report, rules, options.side),
            *(() if options.complete_recording else for_unknown_before(report, unknown)),
        ),
    )


def _ids(rules: Sequence[Rule], header: RecordingMetadata | None, options: CheckOptions) -> frozenset[str]:
    """The rules by which a run is judged."""
    return frozenset(
        rule.id for rule in rules if options.rules or header is None or rule.applies_to == header.applies_to
    )


def _judged(
    options: CheckOptions,
    runs: Sequence[OneRun],
    choice: RuleChoice,
    interruption: Interruption,
    progress: StatusLine,
    secrets: SecretCollector,
) -> Judged:
    """What becomes of the runs: in parts, each of which is read and judged in a process, where there is more than one.

    Else one process reads, and with more than one of them another judges.
    """
    if not runs:
        return Judged.nothing(choice.rules())
    jobs = options.jobs or _jobs(runs)
    asked = options.jobs is not None or options.cluster is not None
    if (jobs > 1 or options.cluster) and not options.redact_personal and not secrets.is_deep and is_divisible(runs):
        judged = _apart(options, runs, jobs, choice, interruption, progress, secrets.known)
        if judged is not None:
            for secret in judged.secrets:
                secrets.collect(secret)
            return judged
    if jobs > 1 and asked and not secrets.is_deep and not interruption.came:
        warnings.warn(f"{_names(options.paths)}: {_UNDIVIDED}", OneCoreWarning, stacklevel=2)
    opened = OpenedRuns(secrets, interruption, progress, redact_personal=options.redact_personal)
    rules = choice.rules()
    report, unknown = judge_runs((Run(opened.exchanges(run), run.rules, run.settings) for run in runs), rules, jobs)
    return Judged(report, (unknown.events, unknown.decided), opened.span, opened.writes, ())


def _apart(
    options: CheckOptions,
    runs: Sequence[OneRun],
    jobs: int,
    choice: RuleChoice,
    interruption: Interruption,
    progress: StatusLine,
    known: Mapping[str, str],
) -> Judged | None:
    """What becomes of the runs if others judge them; None where there is nothing to share among several processes."""
    whole = [RunPart(tuple(runs))]
    if options.cluster is not None:
        from conformance.cli.cluster import cluster  # the extra is not always installed

        with cluster(options.cluster, choice, interruption) as (submit, at_once):
            parts = interruption.unless_it_comes(partial(parts_of, runs, options.jobs or at_once), whole)
            return judge_apart(parts, submit, _Finished(parts, progress))
    parts = interruption.unless_it_comes(partial(parts_of, runs, jobs), whole)
    if len(parts) == 1 and not parts[0].shares:
        return None
    from conformance.cli.pool import pool  # where there is one process, start-up would pay

    with pool(jobs, choice, known, interruption) as submit:
        return judge_apart(parts, submit, _Finished(parts, progress))


class _Finished:
    """Shows how many parts are done."""

    def __init__(self, parts: Sequence[RunPart], progress: StatusLine) -> None:
        self._count, self._of, self._progress = 0, len(parts), progress

    def __call__(self) -> None:
        self._count += 1
        self._progress(f"{self._count} of {self._of} parts")


def _jobs(runs: Iterable[OneRun]) -> int:
    """As many processes as this one may use cores; one where starting another takes longer than judging."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores if sum(map(size_of, runs)) >= SMALL else 1


def _names(paths: Iterable[Path]) -> str:
    return ", ".join(path.as_posix() for path in paths)


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
    subject: dict[str, Any] = {"kind": "recording", "name": _names(paths)}
    sources = sorted({header.recorded_from for header in headers})
    return {**subject, "recorded_from": sources} if sources else subject


def _run(span: Span, headers: Sequence[RecordingMetadata]) -> dict[str, Any]:
    return {
        "id": ", ".join(dict.fromkeys(header.run for header in headers if header.run)) or "unnamed",
        "seed": None,
        "started_at": format_utc(span.first),
        "finished_at": format_utc(span.last),
        "requests": span.count,
        "exchanges": span.count,
        "settling_s": {"p50": None, "max": None},
    }
