"""Recordings judged: every run in them by itself, by the settings that it was recorded with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from conformance import recordings
from conformance.cli.output import TOOL, instant
from conformance.contract.selection import clause_summaries, contract, select_rules
from conformance.errors import UsageError
from conformance.facts import Settings
from conformance.http.redaction.collecting import SecretCollector
from conformance.http.redaction.locations import mask_quotes
from conformance.judging.check import examine
from conformance.judging.formats.json import render
from conformance.judging.report import Report
from conformance.judging.summary import Policy, RunReport
from conformance.recordings import InvalidRecordingError
from conformance.recordings.origins import of_the_api

if TYPE_CHECKING:
    from conformance.cli.status_line import StatusLine
    from conformance.contract.rules import Rule
    from conformance.http.exchange import Exchange
    from conformance.interrupts import Interruption
    from conformance.recordings import RecordingMetadata

__all__ = ["CheckOptions", "check", "judged", "settings_of"]

T = TypeVar("T")


@dataclass(frozen=True)
class CheckOptions:
    """What `check` is told; what is None or empty is as the recording says, or else as for any server."""

    paths: tuple[Path, ...]
    rules: tuple[str, ...] = ()
    default_profiles: Mapping[str, str] = field(default_factory=dict)
    settle_timeout: float | None = None
    window: float | None = None
    fail_on: str = "must"
    require_coverage: bool = False


class _Seen:
    """When the exchanges that passed by were sent and answered, and how many they were."""

    def __init__(self) -> None:
        self.count = 0
        self.first: float | None = None
        self.last: float | None = None

    def passing(self, exchanges: Iterable[Exchange], progress: StatusLine) -> Iterator[Exchange]:
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
    options: CheckOptions, interruption: Interruption, progress: StatusLine, credentials: SecretCollector | None = None
) -> RunReport:
    """The statement over all runs in the recordings, as far as they were judged before Ctrl-C.

    `credentials` collects those that the recordings carry: the statement holds their names in their place.
    Raises InvalidRecordingError for what is no recording, UsageError for an unknown rule or where nothing was recorded.
    """
    secret = SecretCollector({}) if credentials is None else credentials
    try:
        statement = _judged(options, interruption, progress, secret)
        if not interruption.came and secret.leaks_into(render(statement)):
            # One hides deep, or was there before it was known: now all of them are.
            secret.enable_deep_scan()
            statement = _judged(options, interruption, progress, secret)
    except InvalidRecordingError as error:
        error.args = (secret.redactor().text(mask_quotes(str(error))),)
        raise
    return statement


def _judged(
    options: CheckOptions, interruption: Interruption, progress: StatusLine, credentials: SecretCollector
) -> RunReport:
    runs = _runs(options.paths)
    headers = [header for header, _ in runs if header is not None]
    # A recording of one party's run says nothing of the other: there it is the suite that speaks.
    applies_to = {header.applies_to for header in headers} if len(headers) == len(runs) else {"server", "client"}
    rules = select_rules(options.rules, applies_to)
    seen = _Seen()
    report = Report.empty(rules)
    for header, files in runs:
        exchanges = seen.passing(
            credentials.redact_stream(interruption.until(recordings.read_all(files, credentials.collect))), progress
        )
        if header is None:
            exchanges = of_the_api(exchanges)
        own = [rule for rule in rules if options.rules or header is None or rule.applies_to == header.applies_to]
        report += judged(exchanges, own, _settings(options, header))
    if not seen.count and not interruption.came:
        names = ", ".join(path.as_posix() for path in options.paths)
        raise UsageError(
            f"{names} {'hold' if len(options.paths) > 1 else 'holds'} no exchange: there is nothing to judge"
        )
    return RunReport(
        report=report,
        rules=rules,
        subject=_subject(options.paths, headers),
        run=_run(seen, headers),
        contract=contract(),
        tool=TOOL,
        terms=Policy(options.fail_on, options.require_coverage, interrupted=interruption.came),
        clauses=clause_summaries(),
    )


def judged(exchanges: Iterable[Exchange], rules: Sequence[Rule], settings: Settings) -> Report:
    """The report on one run's exchanges: those of a driven client by what was asked, all others by what was seen."""
    rest = iter(exchanges)
    first = next(rest, None)
    if first is None:
        return Report.empty(rules)
    everything = chain((first,), rest)
    if not first.request.url.startswith("http"):
        from conformance.clients.transcript import is_driven, judge_records

        if is_driven(first):
            return judge_records(everything, rules)
    return examine(everything, rules, settings)


def _runs(paths: Sequence[Path]) -> list[tuple[RecordingMetadata | None, tuple[Path, ...]]]:
    """The files of each run together, with their header; a file of which that is not known is a run by itself."""
    headers: dict[object, RecordingMetadata | None] = {}
    files: dict[object, list[Path]] = {}
    for path in recordings.paths(paths):
        header = recordings.header(path)
        key = header.run if header and header.run else path
        headers.setdefault(key, header)
        files.setdefault(key, []).append(path)
    return [(headers[key], tuple(files[key])) for key in headers]


def _settings(options: CheckOptions, header: RecordingMetadata | None) -> Settings:
    recorded = settings_of(header)
    return replace(
        recorded,
        window=recorded.window if options.window is None else options.window,
        settle_timeout=recorded.settle_timeout if options.settle_timeout is None else options.settle_timeout,
        default_profiles=options.default_profiles or recorded.default_profiles,
    )


def settings_of(header: RecordingMetadata | None) -> Settings:
    """The settings that a recording was made with, and the usual ones where it does not tell.

    Raises UsageError for what are none.
    """
    recorded, usual = (header.settings if header else {}), Settings()
    declared = recorded.get("default_profiles") or {}
    if not isinstance(declared, Mapping) or not all(isinstance(name, str) for name in declared.values()):
        raise UsageError("the recording's default_profiles are no profile ids by account; record it again")
    return Settings(
        quiet=_seconds(recorded, "quiet", usual.quiet),
        window=_seconds(recorded, "window", usual.window),
        settle_timeout=_seconds(recorded, "settle_timeout", usual.settle_timeout),
        default_profiles=dict(declared),
    )


def _seconds(recorded: Mapping[str, Any], name: str, usual: T) -> float | T:
    value = recorded.get(name)
    if value is None:
        return usual
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise UsageError(f"the recording's setting {name} is {value!r}, expected seconds; record it again")
    return float(value)


def _subject(paths: Sequence[Path], headers: Sequence[RecordingMetadata]) -> dict[str, Any]:
    subject: dict[str, Any] = {"kind": "recording", "name": ", ".join(path.as_posix() for path in paths)}
    sources = sorted({header.recorded_from for header in headers})
    return {**subject, "recorded_from": sources} if sources else subject


def _run(seen: _Seen, headers: Sequence[RecordingMetadata]) -> dict[str, Any]:
    return {
        "id": ", ".join(dict.fromkeys(header.run for header in headers if header.run)) or "unnamed",
        "seed": None,
        "started_at": instant(seen.first),
        "finished_at": instant(seen.last),
        "requests": seen.count,
        "exchanges": seen.count,
        "settling_s": {"p50": None, "max": None},
    }
