"""Commands about the contract itself: rules and drift, and serve, the server that follows it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from conformance.cli import option_types, options
from conformance.errors import UsageError, content_of

__all__ = ["drift", "rules", "serve"]


@click.command(short_help="List the rules, or explain one.")
@click.argument("rule", required=False, metavar="[ID]")
@click.option(
    "--format",
    "form",
    type=option_types.word(("text", "json")),
    default="text",
    show_default=True,
    metavar="FORMAT",
    help="text for people; json is the whole contract in one document: rules, clauses, schemas and examples.",
)
def rules(rule: str | None, form: str) -> int:
    """List the rules, or explain one: when it applies, what must hold, its clauses, a passed and a failed example.

    \b
    Examples:
      cronofy-conformance rules
      cronofy-conformance rules explicit-is-kept
      cronofy-conformance rules --format json
    """
    from conformance.cli import explanation
    from conformance.cli.output import colour_on, echo
    from conformance.contract.rules import load_clauses
    from conformance.contract.selection import select_rules

    chosen = select_rules(() if rule is None else (rule,))
    if form == "json":
        import json  # every start of the command would pay for it

        echo(json.dumps(explanation.contract_document(chosen), indent=2) + "\n")
    elif rule is not None:
        echo(explanation.explanation(chosen[0], load_clauses()))
    elif colour_on(sys.stdout):
        explanation.print_table(chosen)
    else:
        echo(explanation.listing(chosen))
    return 0


@click.command(short_help="Compare a copy of the documented page with the clauses.")
@click.argument("page", type=option_types.path)
def drift(page: Path) -> int:
    """Compare a copy of the documented page, as Markdown or HTML, with the clauses that the rules carry.

    Exits with 0 if they are the same, else with 1 and a line for each difference.

    \b
    Example:
      cronofy-conformance drift create.md
    """
    from conformance.cli.output import echo
    from conformance.contract import schemas
    from conformance.contract.drift import drift as compare
    from conformance.http.display import visible

    try:
        text = content_of(page, str(page), "name a copy of the page").decode()
    except UnicodeDecodeError:
        raise UsageError(f"{page} is not UTF-8 text; save the page as Markdown or HTML") from None
    if not text.strip():
        raise UsageError(f"{page} is empty; save the page as Markdown or HTML")
    changes = compare(text, schemas.read("clauses"))
    echo("".join(f"{visible(str(change))}\n" for change in changes) or "the same\n")
    return 1 if changes else 0


@click.command(short_help="Run the reference server.")
@options.fault
@click.option("--host", default="127.0.0.1", show_default=True, metavar="HOST", help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The port; 0 takes a free one."
)
@click.option(
    "--inventory",
    type=option_types.path,
    metavar="FILE",
    help="A TOML file with accounts, calendars, profiles, settling and page size.",
)
@click.option("--print-inventory", is_flag=True, help="Print the default inventory as such a file, and end.")
@click.option(
    "--settle",
    type=option_types.seconds,
    metavar="S",
    help="Seconds until conferencing is no longer pending: as the inventory says, or 0.5.",
)
@click.option("--latency", type=option_types.seconds, default=0.0, metavar="S", help="Seconds before each answer.")
@click.option("--log", is_flag=True, help="Print a line for each request.")
@options.evidence
@click.option(
    "--list-faults",
    is_flag=False,
    flag_value="",
    metavar="[WORD]",
    help="List the faults, or those with WORD in their name, title or clauses, and end.",
)
@options.config
def serve(list_faults: str | None, print_inventory: bool, **parameters: Any) -> int:
    """Run the reference server until Ctrl-C, to try a client on it or to see a fault.

    What --evidence writes is a recording of the client: `check` judges it.

    \b
    Examples:
      cronofy-conformance serve
      cronofy-conformance serve --port 0 --settle 3 --log
      cronofy-conformance serve --fault explicit-url-lower-cased
      cronofy-conformance serve --list-faults explicit
      cronofy-conformance serve --print-inventory
      cronofy-conformance serve --inventory inventory.toml --evidence traffic.ndjson
    """
    from conformance.cli import serve_command

    if list_faults is not None:
        serve_command.list_faults(list_faults)
    elif print_inventory:
        serve_command.print_inventory()
    else:
        serve_command.serve(serve_command.ServeOptions(**parameters))
    return 0
