"""The command line: options in, one of the package's functions, an exit code out."""

from __future__ import annotations

import click

from conformance.cli import client_commands, contract_commands, recording_commands, server_commands
from conformance.cli.group import Cli
from conformance.version import NAME, VERSION

__all__ = ["cli"]


@click.group(
    cls=Cli,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(VERSION, prog_name=NAME)
@click.pass_context
def cli(context: click.Context) -> None:
    """Contract and conformance tests for the Cronofy API's conferencing on events.

    \b
    Examples:
      cronofy-conformance run                          test the embedded reference server
      cronofy-conformance run http://127.0.0.1:8000    test a server
      cronofy-conformance check cassettes/             judge recordings
      cronofy-conformance certify -- node driver.js    test a client
      cronofy-conformance rules explicit-is-kept       explain a rule

    \b
    Exit codes:
        0  nothing that counts failed
        1  a rule of the --fail-on level failed, or a known failure is gone;
           for verify, drift and compare --fail-on-difference: different;
           for cleanup: something is left
        2  could not be judged: usage, configuration, unreadable input, preflight
        3  inconclusive: a must rule stayed inconclusive, a limit was reached, or the
           server stopped answering; with --require-coverage also: a must rule is
           untested
      130  Ctrl-C, SIGTERM or SIGHUP, after clean-up and with the report so far
    A failure (1) goes before an inconclusive rule (3).
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (
    server_commands.run,
    recording_commands.check,
    client_commands.certify,
    client_commands.proxy,
    contract_commands.serve,
    contract_commands.rules,
    recording_commands.verify,
    recording_commands.compare,
    contract_commands.drift,
    server_commands.cleanup,
):
    cli.add_command(command)
