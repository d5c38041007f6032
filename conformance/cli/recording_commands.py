"""Commands that judge what was recorded: check and verify."""

from __future__ import annotations

from pathlib import Path

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
@options.judging
def check(
    paths: tuple[Path, ...],
    default_profiles: tuple[tuple[str, str], ...],
    settle_timeout: float | None,
    window: float | None,
    complete_recording: bool,
    side: str | None,
    rules: tuple[str, ...],
    fail_on: str,
    require_coverage: bool,
    reports: tuple[str, ...],
    quiet: bool,
) -> int:
    """Judge recordings: VCR cassettes (YAML or JSON, of vcrpy and its kin in Ruby, Go, PHP, R and Elixir), HAR, or
    NDJSON of exchanges; folders are walked, and what in them is plainly no recording is left out and named.

    What a recording was made with (how long is quiet, how long to wait) it says itself where it is one of ours; each
    run in it is judged by itself. Where it holds every write of its events, --complete-recording says so, and decides
    more rules.

    \b
    Examples:
      cronofy-conformance check traffic.har
      cronofy-conformance check cassettes/ --report - --report report.xml
      cronofy-conformance check tests/cassettes --side server --complete-recording
      cronofy-conformance check tests/cassettes --rule explicit-is-kept --fail-on inferred
    """
    import os

    from conformance.cli.check_command import CheckOptions
    from conformance.cli.check_command import check as judge
    from conformance.cli.output import present
    from conformance.cli.status_line import StatusLine
    from conformance.http.redaction.collecting import SecretCollector
    from conformance.interrupts import Interruption
    from conformance.servers.run_options import tokens

    told = CheckOptions(
        paths=paths,
        rules=rules,
        default_profiles=options.pairs(default_profiles, "--default-profile"),
        settle_timeout=settle_timeout,
        window=window,
        fail_on=fail_on,
        require_coverage=require_coverage,
        side=side,
        complete_recording=complete_recording,
    )
    with Interruption() as interruption, StatusLine(shown=not quiet) as progress:
        credentials = SecretCollector(tokens({}, os.environ))
        statement = judge(told, interruption, progress, credentials)
    return present(statement, reports, credentials.redactor(), quiet=quiet)


@click.command(short_help="Judge the evidence of a report again.")
@click.argument("report", type=options.path)
@click.argument("evidence", type=options.path)
def verify(report: Path, evidence: Path) -> int:
    """Judge the evidence of a report again, offline, and compare: the digests first, then everything that was said.

    Ends with 0 where REPORT (written as .json, with --evidence) and EVIDENCE agree, else with 1 and a line for each
    difference.

    \b
    Example:
      cronofy-conformance verify report.json evidence.ndjson
    """
    from conformance.cli.evidence import verify as compare
    from conformance.cli.output import say
    from conformance.http.display import visible

    differences = compare(report, evidence)
    say("".join(f"{visible(difference)}\n" for difference in differences) or "the same\n")
    return 1 if differences else 0
