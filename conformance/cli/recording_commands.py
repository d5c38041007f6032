"""Commands that judge what was recorded: check and verify."""

from __future__ import annotations

import os
from pathlib import Path

import click

from conformance.cli import options

__all__ = ["check", "verify"]


@click.command(short_help="Judge recordings.")
@click.argument("paths", nargs=-1, required=True, type=options.path, metavar="PATH...")
@options.default_profile
@options.timing
@options.judging
def check(
    paths: tuple[Path, ...],
    default_profiles: tuple[tuple[str, str], ...],
    settle_timeout: float | None,
    window: float | None,
    rules: tuple[str, ...],
    fail_on: str,
    require_coverage: bool,
    reports: tuple[str, ...],
    quiet: bool,
) -> int:
    """Judge recordings: VCR cassettes (YAML or JSON, of vcrpy and its relatives in Ruby, Go, PHP, R and Elixir), HAR
    files, and NDJSON of exchanges. Folders are walked; files in them that are plainly no recordings are skipped and
    named.

    A recording is taken to show every write of its events. A recording made by this suite carries its settings, such
    as --window. Each run in it is judged by itself.

    \b
    Examples:
      cronofy-conformance check traffic.har
      cronofy-conformance check cassettes/ --report - --report report.xml
      cronofy-conformance check tests/cassettes --rule explicit-is-kept --fail-on inferred
    """
    from conformance.cli.check_command import CheckOptions
    from conformance.cli.check_command import check as check_recordings
    from conformance.cli.output import write_reports
    from conformance.cli.status_line import StatusLine
    from conformance.http.redaction.collecting import SecretCollector
    from conformance.interrupts import Interruption
    from conformance.servers.run_options import tokens

    chosen = CheckOptions(
        paths=paths,
        rules=rules,
        default_profiles=options.pairs(default_profiles, "--default-profile"),
        settle_timeout=settle_timeout,
        window=window,
        fail_on=fail_on,
        require_coverage=require_coverage,
    )
    with Interruption() as interruption, StatusLine(shown=not quiet) as progress:
        secrets = SecretCollector(tokens({}, os.environ))
        run_report = check_recordings(chosen, interruption, progress, secrets)
    return write_reports(run_report, reports, secrets.redactor(), quiet=quiet)


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
