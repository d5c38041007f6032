"""Commands that judge clients: certify and observe."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.cli import options
from conformance.errors import UsageError

__all__ = ["certify", "proxy"]


def _above_0(ctx: click.Context, param: click.Parameter, value: float) -> float:
    """Refuse a time in which nothing can be answered."""
    if value == 0:
        raise click.BadParameter("nothing can be answered in 0 seconds; leave it out for the usual 30", ctx, param)
    return value


duration = click.option("--duration", type=options.seconds, metavar="S", help="Seconds to listen. [default: to Ctrl-C]")
port = click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Where to listen; 0 is a free one."
)


@click.command(short_help="Certify a client.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@click.option("--watch", is_flag=True, help="COMMAND is a program that uses the client, not a driver of it.")
@click.option(
    "--driver-timeout",
    type=options.seconds,
    callback=_above_0,
    default=30.0,
    show_default=True,
    metavar="S",
    help="Seconds for each answer of the driver.",
)
@duration
@port
@options.max_examples
@options.seed
@options.evidence
@options.judging
def certify(
    command: tuple[str, ...],
    watch: bool,
    driver_timeout: float,
    duration: float | None,
    port: int,
    max_examples: int | None,
    seed: int,
    evidence: Path | None,
    rules: tuple[str, ...],
    fail_on: str,
    require_coverage: bool,
    reports: tuple[str, ...],
    quiet: bool,
) -> int:
    """Certify a client, in any language: what it sends, and what it makes of the answers.

    COMMAND starts a driver: a small program that uses the client as it is told, in JSON lines on its standard input
    and output (schemas/driver.json). Without one, the gateway listens, says what to point the client at, and judges
    what comes: until Ctrl-C, for --duration seconds, or, with --watch, to the end of COMMAND.

    \b
    Examples:
      cronofy-conformance certify -- python driver.py
      cronofy-conformance certify --report cert.json --evidence cert.ndjson -- node driver.js
      cronofy-conformance certify --duration 60
      cronofy-conformance certify --watch -- npm test
    """
    from dataclasses import replace

    from conformance.cli.certify_command import certificate, redactor
    from conformance.cli.output import present, say
    from conformance.cli.status_line import StatusLine
    from conformance.clients.certificate import CertifyOptions
    from conformance.judging.summary import Policy

    told = CertifyOptions(
        command=() if watch else command,
        watched=command if watch else (),
        driver_timeout=driver_timeout,
        duration=duration,
        seed=seed,
        port=port,
    )
    if watch and not command:
        raise UsageError("--watch names no program: put it behind --, as in `certify --watch -- npm test`")
    told = told if max_examples is None else replace(told, max_examples=max_examples)
    with StatusLine(shown=not quiet) as progress:
        statement = certificate(
            told, rules, Policy(fail_on, require_coverage), evidence, lambda line: say(f"{line}\n"), progress
        )
    if told.command and not statement.terms.interrupted and statement.terms.cut_short is not None:
        present(statement, reports, redactor(), quiet=True)
        raise UsageError(f"nothing was judged: {statement.terms.cut_short}")
    return present(statement, reports, redactor(), quiet=quiet)


@click.command(short_help="Judge a client and its server while they talk.")
@click.option("--upstream", required=True, metavar="URL", help="The server: a URL, or a data center.")
@duration
@port
@options.default_profile
@options.timing
@options.side
@options.evidence
@options.judging
def proxy(
    upstream: str,
    duration: float | None,
    port: int,
    default_profiles: tuple[tuple[str, str], ...],
    settle_timeout: float | None,
    window: float | None,
    side: str | None,
    evidence: Path | None,
    rules: tuple[str, ...],
    fail_on: str,
    require_coverage: bool,
    reports: tuple[str, ...],
    quiet: bool,
) -> int:
    """Stand between a client and its server: everything passes unaltered, and both are judged by what passes.

    Tokens go to the server and nowhere else. Reads that the client makes are all there is to judge by: a client that
    asks again until conferencing is assigned tells more than one that writes alone.

    \b
    Examples:
      cronofy-conformance proxy --upstream us --port 8080
      cronofy-conformance proxy --upstream http://127.0.0.1:8000 --duration 60 --report report.html
    """
    from conformance.cli.certify_command import observed, redactor
    from conformance.cli.output import present, say
    from conformance.clients.proxy import ProxyOptions
    from conformance.facts import Settings
    from conformance.judging.summary import Policy
    from conformance.servers.subject import parse

    server = parse(upstream, {"default": "a-clients-own"})
    if server.app is not None:
        raise UsageError(f"--upstream {upstream} is no server that listens; give its URL, or see `serve`")
    settings = Settings(
        quiet=server.quiet,
        window=window,
        settle_timeout=server.settle_timeout if settle_timeout is None else settle_timeout,
        default_profiles=options.pairs(default_profiles, "--default-profile"),
    )
    told = ProxyOptions(server.base_url, duration=duration, port=port, settings=settings)
    terms = Policy(fail_on, require_coverage)
    statement = observed(told, rules, terms, evidence, lambda line: say(f"{line}\n"), side)
    return present(statement, reports, redactor(), quiet=quiet)
