"""The command line: options in, one of the package's functions, an exit code out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance import options
from conformance.configuration import Refused, RunOptions, tokens
from conformance.version import NAME, VERSION

if TYPE_CHECKING:
    from conformance.redaction import Redactor

__all__ = ["cli", "main"]


@click.group(cls=options.Cli, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name=NAME)
def cli() -> None:
    """Contract and conformance tests for the Cronofy API's conferencing on events.

    \b
    Examples:
      cronofy-conformance run                      the embedded reference server
      cronofy-conformance run http://127.0.0.1:8000
      cronofy-conformance check cassettes/         recordings of any traffic
      cronofy-conformance rules explicit-is-kept   one rule, explained

    \b
    Exit codes:
      0  nothing failed, nothing that binds was left undecided
      1  a rule of the --fail-on level failed
      2  could not be judged because of how it was called
      3  inconclusive: a rule that binds was left undecided, or the budget was spent
    """


def main() -> None:
    """The script's entry point."""
    cli()


@cli.command(short_help="Test a server.")
@click.argument("subject", default="reference", metavar="[SUBJECT]")
@options.account
@options.calendar
@options.default_profile
@options.examples
@options.seed
@options.timing
@options.rate
@options.budget
@options.plan
@options.fuzz
@options.fault
@options.record
@options.evidence
@options.judging
def run(**told: Any) -> int:
    """Test a server: write events, watch what becomes of them, judge all of it, and delete them again.

    SUBJECT is `reference` (the embedded server), a URL, a data center (au ca de sg uk us), or an application in this
    process (asgi:MODULE:ATTRIBUTE, wsgi:MODULE:ATTRIBUTE). Tokens are taken from the environment. Beyond this machine
    nothing is written but to the calendars that --calendar names.

    \b
    Examples:
      cronofy-conformance run
      cronofy-conformance run reference --fault explicit-url-lower-cased
      CRONOFY_ACCESS_TOKEN=... cronofy-conformance run http://127.0.0.1:8000 --report report.html
      cronofy-conformance run us --calendar cal_n23kjnwrw2_jsdfjksn234 --plan
      cronofy-conformance run asgi:myserver.app:app --evidence evidence.ndjson --report report.json
    """
    from conformance.outcome import present, say
    from conformance.progress import Progress
    from conformance.redaction import Redactor
    from conformance.running import plan_in_words, subject_of
    from conformance.running import run as test

    chosen = _run_options(**told)
    subject = subject_of(chosen)
    redactor = Redactor(subject.tokens)
    with Progress(shown=not chosen.quiet) as progress:
        statement, result = test(chosen, subject, redactor, progress)
    if chosen.plan:
        say(plan_in_words(result))
        return statement.exit_code if result.interrupted else 0
    return present(statement, chosen.reports, redactor, quiet=chosen.quiet)


def _run_options(
    accounts: tuple[tuple[str, str], ...], default_profiles: tuple[tuple[str, str], ...], **told: Any
) -> RunOptions:
    import os

    variables = options.pairs(accounts, "--account")
    return RunOptions(
        accounts=tokens(variables, os.environ),
        variables=variables,
        default_profiles=options.pairs(default_profiles, "--default-profile"),
        **told,
    )


@cli.command(short_help="Delete what earlier runs left.")
@click.argument("subject")
@options.account
@options.config
def sweep(subject: str, accounts: tuple[tuple[str, str], ...]) -> int:
    """Delete the events that earlier runs against SUBJECT created and could not delete, by the ledger they kept.

    Ends with 0 where nothing is left, else with 1 and a line for each event that is.

    \b
    Example:
      cronofy-conformance sweep http://127.0.0.1:8000
    """
    from conformance.outcome import say
    from conformance.running import sweep as clean

    deleted, left = clean(_run_options(accounts, (), subject=subject))
    say(f"{deleted} events deleted, {len(left)} left\n")
    say("".join(f"  {entry}\n" for entry in left))
    return 1 if left else 0


@cli.command(short_help="Judge recordings.")
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
    require_complete: bool,
    reports: tuple[str, ...],
    quiet: bool,
) -> int:
    """Judge recordings: VCR cassettes (YAML or JSON), HAR, or NDJSON of exchanges; folders are walked.

    A recording is taken to hold every write of the events that it shows. What it was recorded with (how long is
    quiet, how long to wait) it says itself where it is one of ours; each run in it is judged by itself.

    \b
    Examples:
      cronofy-conformance check traffic.har
      cronofy-conformance check cassettes/ --report - --report report.xml
      cronofy-conformance check tests/cassettes --rule explicit-is-kept --fail-on inferred
    """
    from conformance.checking import CheckOptions
    from conformance.checking import check as judge
    from conformance.outcome import present
    from conformance.progress import Interruption, Progress

    told = CheckOptions(
        paths=paths,
        rules=rules,
        default_profiles=options.pairs(default_profiles, "--default-profile"),
        settle_timeout=settle_timeout,
        window=window,
        fail_on=fail_on,
        require_complete=require_complete,
    )
    with Interruption() as interruption, Progress(shown=not quiet) as progress:
        statement = judge(told, interruption, progress)
    return present(statement, reports, _redactor(), quiet=quiet)


def _redactor() -> Redactor:
    """A gate for the token that the environment holds, where it holds one: recordings bring none of their own."""
    import os

    from conformance.redaction import Redactor

    return Redactor(tokens({}, os.environ))


@cli.command(short_help="Run the reference server.")
@options.fault
@click.option("--host", default="127.0.0.1", show_default=True, metavar="HOST", help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The port; 0 takes a free one."
)
@click.option(
    "--settle",
    type=options.seconds,
    default=0.5,
    show_default=True,
    metavar="S",
    help="Seconds until conferencing is no longer pending.",
)
@options.config
def serve(faults: tuple[str, ...], host: str, port: int, settle: float) -> int:
    """Run the reference server until Ctrl-C: something to try a client on, or to see a fault with one's own eyes.

    \b
    Examples:
      cronofy-conformance serve
      cronofy-conformance serve --port 0 --settle 3
      cronofy-conformance serve --fault join-url-is-lower-cased
    """
    from conformance.serving import serve as listen

    listen(host, port, settle, faults)
    return 0


@cli.command(short_help="List the rules, or explain one.")
@click.argument("rule", required=False, metavar="[ID]")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def rules(rule: str | None, as_json: bool) -> int:
    """List the rules, or explain one: when it applies, what must hold, its clauses, an example kept and one broken.

    \b
    Examples:
      cronofy-conformance rules
      cronofy-conformance rules explicit-is-kept
      cronofy-conformance rules --json
    """
    from conformance import explain
    from conformance.outcome import chosen_rules, say
    from conformance.rules import load_clauses

    chosen = chosen_rules(() if rule is None else (rule,))
    said: Any
    if as_json:
        said = explain.summaries(chosen) if rule is None else explain.as_json(chosen[0], load_clauses())
        say(json.dumps(said, indent=2) + "\n")
    else:
        say(explain.listing(chosen) if rule is None else explain.explanation(chosen[0], load_clauses()))
    return 0


@cli.command(short_help="Judge the evidence of a report again.")
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
    from conformance.evidence import verify as compare
    from conformance.outcome import say
    from conformance.visible import visible

    differences = compare(report, evidence)
    say("".join(f"{visible(difference)}\n" for difference in differences) or "the same\n")
    return 1 if differences else 0


@cli.command(short_help="Compare a copy of the documented page with the clauses.")
@click.argument("page", type=options.path)
def drift(page: Path) -> int:
    """Compare a copy of the documented page, Markdown or HTML, with the clauses that the rules stand on.

    Ends with 0 where they are the same, else with 1 and a line for each difference.

    \b
    Example:
      cronofy-conformance drift create.md
    """
    from conformance import schemas
    from conformance.drift import drift as compare
    from conformance.outcome import say
    from conformance.visible import visible

    try:
        text = page.read_text(encoding="utf-8")
    except OSError as error:
        raise Refused(f"{page}: {error.strerror or error}; name a copy of the page") from None
    except UnicodeDecodeError:
        raise Refused(f"{page} is no text in UTF-8; save the page as Markdown or HTML") from None
    changes = compare(text, schemas.read("clauses"))
    say("".join(f"{visible(str(change))}\n" for change in changes) or "no drift\n")
    return 1 if changes else 0
