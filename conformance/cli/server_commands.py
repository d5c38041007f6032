"""Commands that test servers: run and cleanup."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.cli import options

if TYPE_CHECKING:
    from conformance.servers.run_options import RunOptions

__all__ = ["cleanup", "run", "run_options"]


@click.command(short_help="Test a server.")
@click.argument("subject", default="reference", metavar="[SUBJECT]")
@options.account
@options.calendar
@options.default_profile
@options.max_scenarios
@options.no_shrink
@options.scenarios
@options.fuzz
@options.quick
@options.fail_fast
@options.notifications
@options.seed
@options.timing
@options.rate_limit
@options.max_requests
@options.max_time
@options.wait
@options.plan
@options.fault
@options.record
@options.evidence
@options.redact_personal
@options.strength
@options.ca
@options.journal
@options.judging
def run(strength: bool, **parameters: Any) -> int:
    """Test a server: create, change and delete events, read them back, and judge every exchange.

    SUBJECT is `reference` (the embedded server), a URL, a data center (au ca de sg uk us), an application in this
    process (asgi:MODULE:ATTRIBUTE, wsgi:MODULE:ATTRIBUTE), or a run of the reference server that was recorded with
    --record, replayed with the same options (cassette:PATH). Tokens come from the environment. Outside loopback, a
    run writes only to the calendars that --calendar names.

    \b
    Examples:
      cronofy-conformance run
      cronofy-conformance run reference --fault explicit-url-lower-cased
      cronofy-conformance run http://127.0.0.1:8000 --report report.html
      cronofy-conformance run us --calendar cal_n23kjnwrw2_jsdfjksn234 --plan
      cronofy-conformance run http://127.0.0.1:8000 --quick --fail-fast
      cronofy-conformance run http://127.0.0.1:8000 --rule explicit-is-kept
      cronofy-conformance run asgi:myserver.app:app --evidence evidence.ndjson --report report.json
      cronofy-conformance run cassette:recorded/ --seed 7
      cronofy-conformance run http://127.0.0.1:8000 --notifications
    """
    chosen = run_options(**parameters)
    from conformance.cli.files import Artefacts
    from conformance.cli.output import check_places, echo, write_reports
    from conformance.cli.plan_text import plan_text
    from conformance.cli.run_command import leftovers, subject_of
    from conformance.cli.run_command import run as run_campaign
    from conformance.cli.status_line import StatusLine
    from conformance.cli.strength_notes import with_strength_notes
    from conformance.http.redaction import Redactor
    from conformance.interrupts import Interruption

    def warn(sentence: str) -> None:
        if not chosen.quiet:
            click.echo(f"Warning: {sentence}", err=True)

    if not chosen.plan:
        check_places({"--evidence": chosen.evidence}, {"--record": chosen.record}, chosen.reports)
    artefacts = Artefacts()
    with Interruption() as interruption:
        subject = subject_of(chosen)
        redactor = Redactor({**subject.tokens, **chosen.notifications.named_secrets})
        with StatusLine(shown=not chosen.quiet) as progress:
            run_report, result = run_campaign(
                chosen, subject, redactor, progress, warn=warn, interruption=interruption, artefacts=artefacts
            )
        for sentence in leftovers(chosen, result):
            click.echo(f"Warning: {sentence}", err=True)
        if chosen.plan:
            echo(plan_text(result, chosen.max_requests, virtual=subject.clock.virtual))
            return run_report.exit_code if result.interrupted or result.cut_short else 0
        reported = with_strength_notes(run_report) if strength else run_report
    code = write_reports(
        reported, chosen.reports, redactor, quiet=chosen.quiet, verbose=chosen.verbose, artefacts=artefacts
    )
    return 130 if interruption.came else code


def run_options(
    accounts: tuple[tuple[str, str], ...],
    default_profiles: tuple[tuple[str, str], ...],
    *,
    notifications: bool = False,
    notification_url: str | None = None,
    notification_listen: tuple[str, str] | None = None,
    client_secrets: tuple[tuple[str, str], ...] = (),
    **others: Any,
) -> RunOptions:
    """The parameters of `run` as options, with tokens from the environment; raises UsageError if one is not there."""
    from conformance.servers.run_options import NotificationOptions, RunOptions, secrets_of, tokens

    variables = options.pairs(accounts, "--account")
    receiver = NotificationOptions.of(
        enabled=notifications,
        url=notification_url,
        listen=notification_listen,
        client_secrets=secrets_of(options.pairs(client_secrets, "--client-secret"), os.environ),
    )
    return RunOptions(
        accounts=tokens(variables, os.environ),
        variables=variables,
        default_profiles=options.pairs(default_profiles, "--default-profile"),
        notifications=receiver,
        **others,
    )


@click.command(short_help="Delete what earlier runs left.")
@click.argument("subject")
@options.account
@options.ca
@options.journal
@options.config
def cleanup(subject: str, accounts: tuple[tuple[str, str], ...], ca: Path | None, journal: Path | None) -> int:
    """Delete the events that earlier runs against SUBJECT created and did not delete, as their journal lists them.

    Exits with 0 if nothing is left, else with 1 and a line for each event that could not be deleted.

    \b
    Example:
      cronofy-conformance cleanup http://127.0.0.1:8000
    """
    chosen = run_options(accounts, (), subject=subject, ca=ca, journal=journal)
    from conformance.cli.output import echo
    from conformance.cli.run_command import cleanup as delete_leftovers

    deleted, left = delete_leftovers(chosen)
    echo(f"{deleted} events deleted, {len(left)} left\n")
    echo("".join(f"  {entry}\n" for entry in left))
    return 1 if left else 0
