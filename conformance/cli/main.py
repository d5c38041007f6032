"""The command line: options in, one of the package's functions, an exit code out."""

from __future__ import annotations

import click

from conformance.cli import client_commands as clients
from conformance.cli import contract_commands as contract
from conformance.cli import recording_commands as recorded
from conformance.cli import server_commands as servers
from conformance.cli.options import Cli
from conformance.version import NAME, VERSION

__all__ = ["cli", "main"]


@click.group(cls=Cli, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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
      0  nothing failed, nothing that binds was left inconclusive
      1  a rule of the --fail-on level failed
      2  could not be judged because of how it was called
      3  inconclusive: a rule that binds was left inconclusive, or the budget was spent
    """


for command in (
    servers.run,
    recorded.check,
    clients.certify,
    clients.proxy,
    contract.serve,
    contract.rules,
    recorded.verify,
    contract.drift,
    servers.cleanup,
):
    cli.add_command(command)


def main() -> None:
    """The script's entry point."""
    cli()
