"""Commands that judge clients: certify and proxy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.cli import option_types, options
from conformance.errors import UsageError
from conformance.http.display import visible

if TYPE_CHECKING:
    from conformance.cli.files import Artefacts
    from conformance.clients.certificate import CertifyOptions
    from conformance.http.redaction import Redactor
    from conformance.judging.summary import RunReport

__all__ = ["certify", "proxy"]


#: Prints the protocol itself, for those who have no checkout.
_SCHEMA = "schema"
#: Adapters to copy from, by the language in which they are written.
_EXAMPLES = {
    "python": "driver_httpx.py",
    "node": "driver_cronofy.js",
    "ruby": "driver_cronofy.rb",
    "shell": "driver_curl.sh",
}


def _print_driver(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        from importlib.resources import files

        from conformance.cli.output import echo
        from conformance.contract import schemas

        adapters = files("conformance.clients.driver.adapters")
        place = schemas.folder() / "driver.json" if value == _SCHEMA else adapters / _EXAMPLES[value]
        echo(place.read_text("utf-8"))
        ctx.exit(0)


def _pages(_ctx: click.Context, _option: click.Parameter, paths: tuple[Path, ...]) -> tuple[Path, ...]:
    for path in paths:
        if path.suffix.lower() not in (".html", ".md"):
            raise UsageError(f"--certificate {path} names no format: end it in .html or .md")
    return paths


duration = click.option(
    "--duration", type=option_types.seconds, metavar="S", help="Seconds to listen. [default: to Ctrl-C]"
)
port = click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="The port to listen on; 0 takes a free one."
)


@click.command(short_help="Certify a client.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@click.option("--watch", is_flag=True, help="COMMAND is a program that uses the client, not a driver.")
@click.option(
    "--driver-timeout",
    type=option_types.positive("the usual 30"),
    default=30.0,
    show_default=True,
    metavar="S",
    help="Seconds to wait for each answer of the driver.",
)
@click.option("--check-driver", is_flag=True, help="Play the protocol with the driver and say what it gets wrong.")
@click.option(
    "--print-driver",
    type=click.Choice([*sorted(_EXAMPLES), _SCHEMA]),
    is_eager=True,
    expose_value=False,
    callback=_print_driver,
    help="Print an example driver in this language, or the schema of the messages, and exit.",
)
@duration
@port
@options.max_examples
@options.seed
@options.evidence
@options.redact_personal
@click.option(
    "--certificate",
    "certificates",
    multiple=True,
    type=option_types.path,
    callback=_pages,
    metavar="PATH",
    help="A page to publish: client, contract, level and findings; .html or .md; repeatable.",
)
@options.judging_a_client
def certify(
    command: tuple[str, ...],
    watch: bool,
    check_driver: bool,
    max_examples: int | None,
    evidence: Path | None,
    certificates: tuple[Path, ...],
    rules: tuple[str, ...],
    fail_on: str,
    held: str | None,
    require_coverage: bool,
    baseline: Path | None,
    write_baseline: bool,
    reports: tuple[str, ...],
    quiet: bool,
    verbose: bool,
    **others: Any,
) -> int:
    """Certify a client in any language: what it sends, and what it makes of the answers.

    COMMAND starts a driver: a small program that reads calls on standard input, makes them with the client, and writes
    the results to standard output, one JSON message a line (--print-driver schema). With --watch, COMMAND is any
    program that uses the client, such as its own tests, and runs against the gateway. Without COMMAND, the gateway
    listens until Ctrl-C, or for --duration seconds, and judges what it receives.

    \b
    Examples:
      cronofy-conformance certify -- python driver.py
      cronofy-conformance certify --report cert.json --evidence cert.ndjson -- node driver.js
      cronofy-conformance certify --certificate certificate.html -- python driver.py
      cronofy-conformance certify --duration 60
      cronofy-conformance certify --watch -- npm test
      cronofy-conformance certify --print-driver python
      cronofy-conformance certify --check-driver -- python driver.py
    """
    if watch and not command:
        raise UsageError("--watch names no program: put it behind --, as in `certify --watch -- npm test`")
    from dataclasses import replace

    from conformance.cli.baseline_file import KnownFailures
    from conformance.cli.certify_command import run_certify, write_certificate
    from conformance.cli.files import Artefacts
    from conformance.cli.output import check_places, echo
    from conformance.cli.status_line import StatusLine
    from conformance.clients.certificate import CertifyOptions
    from conformance.contract.selection import select_rules
    from conformance.judging.summary import Policy

    chosen = CertifyOptions(command=() if watch else command, watched=command if watch else (), **others)
    if check_driver:
        return _check_driver(chosen)
    chosen = chosen if max_examples is None else replace(chosen, max_examples=max_examples)
    check_places({"--evidence": evidence}, {}, reports)
    for path in certificates:
        check_places({"--certificate": path}, {}, ())
    artefacts = Artefacts()
    policy = Policy(fail_on, require_coverage)
    known = KnownFailures(baseline, write=write_baseline)
    with StatusLine(shown=not quiet) as progress:
        run_report, redactor = run_certify(
            chosen,
            select_rules(rules, ("client",), held),
            held,
            policy,
            evidence,
            lambda line: echo(f"{line}\n"),
            progress,
            known,
            artefacts,
        )
    for path in certificates:
        with artefacts.writing(f"--certificate {path}"):
            write_certificate(run_report, path, redactor)
    return _report(run_report, redactor, reports, artefacts, quiet=quiet, verbose=verbose)


def _check_driver(chosen: CertifyOptions) -> int:
    from conformance.cli.output import echo
    from conformance.clients.driver.driver_check import check_driver
    from conformance.interrupts import until_interrupted

    if not chosen.command:
        raise UsageError("--check-driver names no driver: put it behind --, as in `--check-driver -- python driver.py`")
    well = until_interrupted(check_driver(chosen, lambda finding: echo(f"{visible(str(finding))}\n")))
    return 0 if well else 2


def _report(
    run_report: RunReport,
    redactor: Redactor,
    reports: tuple[str, ...],
    artefacts: Artefacts,
    *,
    quiet: bool,
    verbose: bool,
) -> int:
    """Write the reports and give the exit code; why not all was judged is said before them."""
    from conformance.cli.output import write_reports

    policy = run_report.policy
    reason = None if policy.interrupted else policy.program_failure or policy.unjudged or run_report.incomplete
    if reason is not None and run_report.exit_code == 2 and not run_report.report.exchanges:
        write_reports(run_report, reports, redactor, quiet=True, artefacts=artefacts)
        raise UsageError(f"nothing was judged: {reason}")
    if reason is not None:
        click.echo(f"Error: {visible(reason)}", err=True)
    return write_reports(run_report, reports, redactor, quiet=quiet, verbose=verbose, artefacts=artefacts)


@click.command(short_help="Judge a client and its server while they talk.")
@click.option("--upstream", required=True, metavar="URL", help="The server: a URL or a data center.")
@duration
@port
@options.default_profile
@options.timing
@options.side
@options.evidence
@options.redact_personal
@options.ca
@options.judging
def proxy(
    upstream: str,
    default_profiles: tuple[tuple[str, str], ...],
    settle_timeout: float | None,
    window: float | None,
    side: str | None,
    evidence: Path | None,
    rules: tuple[str, ...],
    fail_on: str,
    held: str | None,
    require_coverage: bool,
    baseline: Path | None,
    write_baseline: bool,
    reports: tuple[str, ...],
    quiet: bool,
    verbose: bool,
    **others: Any,
) -> int:
    """Stand between a client and a server, pass everything on unchanged, and judge both by what passes.

    Tokens go to the server and nowhere else. Only what the client reads can be judged: a client that reads its events
    until conferencing is assigned exercises more rules than one that only writes.

    \b
    Examples:
      cronofy-conformance proxy --upstream us --port 8080
      cronofy-conformance proxy --upstream http://127.0.0.1:8000 --duration 60 --report report.html
    """
    from conformance.cli.baseline_file import KnownFailures
    from conformance.cli.certify_command import run_proxy
    from conformance.cli.files import Artefacts
    from conformance.cli.output import check_places, echo
    from conformance.clients.proxy import ProxyOptions
    from conformance.contract.selection import of_side, select_rules
    from conformance.judging.summary import Policy
    from conformance.servers.subject import parse

    profiles = options.pairs(default_profiles, "--default-profile")
    server = parse(upstream, {"default": "a-clients-own"}, default_profiles=profiles)
    if server.app is not None:
        raise UsageError(f"--upstream {upstream} is no server that listens; give its URL, or see `serve`")
    settings = server.settings(window=window, settle_timeout=settle_timeout)
    chosen = ProxyOptions(server.base_url, settings=settings, **others)
    policy = Policy(fail_on, require_coverage)
    check_places({"--evidence": evidence}, {}, reports)
    artefacts = Artefacts()
    known = KnownFailures(baseline, write=write_baseline)
    run_report, redactor = run_proxy(
        chosen,
        of_side(select_rules(rules, version=held), side),
        held,
        policy,
        evidence,
        lambda line: echo(f"{line}\n"),
        side,
        known,
        artefacts,
    )
    return _report(run_report, redactor, reports, artefacts, quiet=quiet, verbose=verbose)
