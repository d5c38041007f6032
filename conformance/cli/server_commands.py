"""Commands that test servers: run and sweep."""

from __future__ import annotations

from typing import Any

import click

from conformance.cli import options
from conformance.servers.run_options import RunOptions, tokens

__all__ = ["cleanup", "run", "run_options"]


@click.command(short_help="Test a server.")
@click.argument("subject", default="reference", metavar="[SUBJECT]")
@options.account
@options.calendar
@options.default_profile
@options.max_examples
@options.fuzz
@options.seed
@options.timing
@options.rate_limit
@options.max_requests
@options.plan
@options.fault
@options.record
@options.evidence
@options.judging
def run(**told: Any) -> int:
    """Test a server: write events, watch what becomes of them, judge all of it, and delete them again.

    SUBJECT is `reference` (the embedded server), a URL, a data center (au ca de sg uk us), an application in this
    process (asgi:MODULE:ATTRIBUTE, wsgi:MODULE:ATTRIBUTE), or a run of the reference that was recorded with --record,
    to be lived again with the same options (cassette:PATH). Tokens are taken from the environment. Beyond this machine
    nothing is written but to the calendars that --calendar names.

    \b
    Examples:
      cronofy-conformance run
      cronofy-conformance run reference --fault explicit-url-lower-cased
      CRONOFY_ACCESS_TOKEN=... cronofy-conformance run http://127.0.0.1:8000 --report report.html
      cronofy-conformance run us --calendar cal_n23kjnwrw2_jsdfjksn234 --plan
      cronofy-conformance run asgi:myserver.app:app --evidence evidence.ndjson --report report.json
      cronofy-conformance run cassette:recorded/ --seed 7
    """
    chosen = run_options(**told)
    from conformance.cli.output import present, say
    from conformance.cli.run_command import plan_in_words, subject_of
    from conformance.cli.run_command import run as test
    from conformance.cli.status_line import StatusLine
    from conformance.http.redaction import Redactor

    subject = subject_of(chosen)
    redactor = Redactor(subject.tokens)
    with StatusLine(shown=not chosen.quiet) as progress:
        statement, result = test(chosen, subject, redactor, progress)
    if chosen.plan:
        say(plan_in_words(result))
        return statement.exit_code if result.interrupted else 0
    return present(statement, chosen.reports, redactor, quiet=chosen.quiet)


def run_options(
    accounts: tuple[tuple[str, str], ...], default_profiles: tuple[tuple[str, str], ...], **told: Any
) -> RunOptions:
    """The parameters of `run` as options, tokens taken from the environment; raises UsageError where one is not there."""
    import os

    variables = options.pairs(accounts, "--account")
    return RunOptions(
        accounts=tokens(variables, os.environ),
        variables=variables,
        default_profiles=options.pairs(default_profiles, "--default-profile"),
        **told,
    )


@click.command(short_help="Delete what earlier runs left.")
@click.argument("subject")
@options.account
@options.config
def cleanup(subject: str, accounts: tuple[tuple[str, str], ...]) -> int:
    """Delete the events that earlier runs against SUBJECT created and could not delete, by the journal they kept.

    Ends with 0 where nothing is left, else with 1 and a line for each event that is.

    \b
    Example:
      cronofy-conformance cleanup http://127.0.0.1:8000
    """
    chosen = run_options(accounts, (), subject=subject)
    from conformance.cli.output import say
    from conformance.cli.run_command import cleanup as clean

    deleted, left = clean(chosen)
    say(f"{deleted} events deleted, {len(left)} left\n")
    say("".join(f"  {entry}\n" for entry in left))
    return 1 if left else 0
