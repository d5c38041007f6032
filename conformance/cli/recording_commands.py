"""Commands that judge what was recorded: check and verify."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from conformance.cli import options

__all__ = ["check", "verify"]


complete_recording = click.option(
    "--complete-recording",
    is_flag=True,
    help="The recording shows every write of its events: its first write of an event creates it.",
)


@click.command(short_help="Judge recordings.")
@click.argument("paths", nargs=-1, required=True, type=options.path, metavar="PATH...")
@options.default_profile
@options.timing
@complete_recording
@options.side
@options.strength
@options.judging
def check(
    default_profiles: tuple[tuple[str, str], ...],
    baseline: Path | None,
    write_baseline: bool,
    reports: tuple[str, ...],
    quiet: bool,
    strength: bool,
    **others: Any,
) -> int:
    """Judge recordings: VCR cassettes (of vcrpy and its relatives in Ruby, Go, PHP, R and Elixir), HAR files, NDJSON of
    exchanges, and what nock, WireMock, Postman, Newman, Hoverfly, talkback, responses and mitmproxy wrote, compressed
    or not. Folders are walked; files in them that are no recordings are left out and named.

    A recording made by this suite carries its settings, such as --window. Each run in it is judged by itself. If a
    recording shows every write of its events, --complete-recording decides more rules.

    \b
    Examples:
      cronofy-conformance check traffic.har
      cronofy-conformance check cassettes/ --report - --report report.xml
      cronofy-conformance check tests/cassettes --side server --complete-recording
      cronofy-conformance check tests/cassettes --rule explicit-is-kept --fail-on inferred
    """
    from conformance.cli.baseline_file import KnownFailures
    from conformance.cli.check_command import CheckOptions
    from conformance.cli.check_command import check as check_recordings
    from conformance.cli.output import write_reports
    from conformance.cli.status_line import StatusLine
    from conformance.cli.strength_notes import with_strength_notes
    from conformance.http.redaction.collecting import SecretCollector
    from conformance.interrupts import Interruption
    from conformance.servers.run_options import tokens

    known = KnownFailures(baseline, write=write_baseline)
    chosen = CheckOptions(default_profiles=options.pairs(default_profiles, "--default-profile"), **others)
    with Interruption() as interruption, StatusLine(shown=not quiet) as progress:
        secrets = SecretCollector(tokens({}, os.environ))
        run_report = known.applied(check_recordings(chosen, interruption, progress, secrets))
    known.save(run_report, secrets.redactor().check)
    told = with_strength_notes(run_report) if strength else run_report
    return write_reports(told, reports, secrets.redactor(), quiet=quiet)


@click.command(short_help="Judge the evidence of a report again.")
@click.argument("report", type=options.path)
@click.argument("evidence", type=options.path)
def verify(report: Path, evidence: Path) -> int:
    """Judge the evidence of a report again, offline, and name what differs: first the digests, then the report.

    REPORT is a .json report of a run with --evidence, and EVIDENCE that file. Exits with 0 if they agree, else with 1
    and a line for each difference.

    \b
    Example:
      cronofy-conformance verify report.json evidence.ndjson
    """
    from conformance.cli.evidence import verify as compare
    from conformance.cli.output import echo
    from conformance.http.display import visible

    differences = compare(report, evidence)
    echo("".join(f"{visible(difference)}\n" for difference in differences) or "the same\n")
    return 1 if differences else 0
