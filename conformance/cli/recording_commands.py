"""Commands that judge what was recorded, and compare reports: check, verify and compare."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from conformance.cli import option_types, options

__all__ = ["check", "compare", "verify"]


complete_recording = click.option(
    "--complete-recording",
    is_flag=True,
    help="The recording shows every write of its events: its first write of an event creates it.",
)


follow = click.option(
    "--follow",
    is_flag=True,
    help="Go on reading one NDJSON, or /dev/stdin, and show what fails as it comes. SIGUSR1 shows a summary.",
)
forget = click.option(
    "--forget",
    type=click.FloatRange(min=1),
    default=3600,
    show_default=True,
    metavar="S",
    help="With --follow: events at rest for S seconds are closed and dropped.",
)
jobs = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Read and judge in N processes. [default: one for each core, and one for little traffic]",
)


cluster = click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Let the workers of a Dask scheduler read and judge, such as tcp://scheduler:8786.",
)


@click.command(short_help="Judge recordings.")
@click.argument("paths", nargs=-1, required=True, type=option_types.recording, metavar="PATH...")
@options.default_profile
@options.timing
@complete_recording
@options.redact_personal
@follow
@forget
@jobs
@cluster
@options.side
@options.strength
@options.judging
def check(
    default_profiles: tuple[tuple[str, str], ...],
    baseline: Path | None,
    write_baseline: bool,
    follow: bool,
    forget: float,
    reports: tuple[str, ...],
    quiet: bool,
    strength: bool,
    verbose: bool,
    **others: Any,
) -> int:
    """Judge recordings: VCR cassettes (of vcrpy and its relatives in Ruby, Go, PHP, R and Elixir), HAR files, NDJSON of
    exchanges, and what nock, WireMock, Postman, Newman, Hoverfly, talkback, responses and mitmproxy wrote, compressed
    or not. Folders are walked; files in them that are no recordings are left out and named. What fsspec reads (s3://,
    gs://, sftp://, ...) is named by its URL: with * for several files, with a slash at its end for a folder.

    A recording made by this suite carries its settings, such as --window. Each run in it is judged by itself. If a
    recording shows every write of its events, --complete-recording decides more rules.

    \b
    Examples:
      cronofy-conformance check traffic.har
      cronofy-conformance check cassettes/ --report - --report report.xml
      cronofy-conformance check tests/cassettes --side server --complete-recording
      tail -F access.ndjson | cronofy-conformance check --follow /dev/stdin
      cronofy-conformance check cassettes/ --cluster tcp://scheduler:8786
      cronofy-conformance check tests/cassettes --rule explicit-is-kept --fail-on inferred
    """
    from conformance.cli.baseline_file import KnownFailures
    from conformance.cli.check_command import CheckOptions
    from conformance.cli.check_command import check as check_recordings
    from conformance.cli.files import Artefacts
    from conformance.cli.output import check_places, write_reports
    from conformance.cli.status_line import StatusLine
    from conformance.cli.strength_notes import with_strength_notes
    from conformance.http.redaction.collecting import SecretCollector
    from conformance.interrupts import Interruption
    from conformance.servers.run_options import tokens

    known = KnownFailures(baseline, write=write_baseline)
    chosen = CheckOptions(default_profiles=options.pairs(default_profiles, "--default-profile"), **others)
    check_places({}, {}, reports)
    with Interruption() as interruption, StatusLine(shown=not quiet) as progress:
        secrets = SecretCollector(tokens({}, os.environ))
        if follow:
            from conformance.cli.follow_command import follow_recording

            run_report = known.applied(follow_recording(chosen, forget, interruption, secrets))
        else:
            run_report = known.applied(check_recordings(chosen, interruption, progress, secrets))
        artefacts = Artefacts()
        with artefacts.writing("--baseline"):
            known.save(run_report, secrets.redactor().check)
        reported = with_strength_notes(run_report) if strength else run_report
    return write_reports(reported, reports, secrets.redactor(), quiet=quiet, verbose=verbose, artefacts=artefacts)


@click.command(short_help="Judge the evidence of a report again.")
@click.argument("report", type=option_types.path)
@click.argument("evidence", type=option_types.path)
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


@click.command(short_help="Compare reports.")
@click.option(
    "--evidence",
    type=option_types.path,
    multiple=True,
    metavar="PATH",
    help="The evidence of a report; once for each, in their order.",
)
@click.option("--fail-on-difference", is_flag=True, help="Exit with 1 if anything differs.")
@options.report
@click.argument("compared", nargs=-1, required=True, type=option_types.path, metavar="REPORT...")
def compare(
    compared: tuple[Path, ...], evidence: tuple[Path, ...], fail_on_difference: bool, reports: tuple[str, ...]
) -> int:
    """Put reports side by side: rules that they decide differently, or break for other causes.

    REPORT is a .json report: of a real server and an emulator, of two versions, of several vendors. The evidence of two
    runs with the same seed also shows the first exchange of the same scenario where the servers part; ids, times and
    wording make no difference. A comparison is written as json, markdown, html, or as text.

    \b
    Examples:
      cronofy-conformance compare real.json emulator.json
      cronofy-conformance compare real.json emulator.json --evidence real.ndjson --evidence emulator.ndjson
      cronofy-conformance compare monday.json tuesday.json --report differences.html --fail-on-difference
    """
    from conformance.cli.compare_command import compare as side_by_side
    from conformance.cli.compare_command import write_comparison
    from conformance.cli.output import echo

    comparison = side_by_side(compared, evidence)
    write_comparison(comparison, reports, echo)
    return 1 if fail_on_difference and comparison.differs else 0
