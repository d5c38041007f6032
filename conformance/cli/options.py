"""The options of all commands, each declared once: the pytest plugin takes its options from here too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from conformance.cli.configuration import parse_account, parse_default_profile, parse_listen, read_configuration
from conformance.cli.option_types import Pair, ReportPath, path, place, positive, seconds, word
from conformance.errors import UsageError
from conformance.judging.formats import FORMATS, NAMES

__all__ = [
    "account",
    "by_name",
    "ca",
    "calendar",
    "client_secret",
    "config",
    "default_profile",
    "evidence",
    "fail_fast",
    "fault",
    "fuzz",
    "journal",
    "judging",
    "max_examples",
    "max_requests",
    "max_scenarios",
    "max_time",
    "no_shrink",
    "notifications",
    "pairs",
    "plan",
    "quick",
    "rate_limit",
    "record",
    "redact_personal",
    "scenarios",
    "seed",
    "side",
    "timing",
    "wait",
]

F = TypeVar("F", bound=Callable[..., Any])


def _configure(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
    """Take the defaults of a command from a file; options of other commands are ignored."""
    if value is None:
        return
    group = ctx.parent.command if ctx.parent else ctx.command
    commands = group.commands.values() if isinstance(group, click.Group) else (group,)
    known = {name for command in commands for name in by_name(command)}
    contents = read_configuration(value, known - {"config", "help", "version"})
    params = by_name(ctx.command)
    ctx.default_map = {
        str(params[name].name): _typed(ctx, value, name, params[name], entry)
        for name, entry in contents.items()
        if name in params
    }


def by_name(command: click.Command) -> dict[str, click.Parameter]:
    """A command's parameters by their names in a configuration file: options without ``--``, arguments as they are."""
    return {
        option.removeprefix("--"): param
        for param in command.params
        for option in param.opts
        if option.startswith("--") or isinstance(param, click.Argument)
    }


def _typed(ctx: click.Context, file: Path, name: str, param: click.Parameter, value: Any) -> Any:
    where = f"--config {file}: {name}"
    flag = isinstance(param, click.Option) and param.is_flag
    repeatable = param.multiple if isinstance(param, click.Option) else param.nargs == -1
    if isinstance(value, bool) != flag:
        raise UsageError(f"{where} is {'true or false' if flag else 'no flag'}, got {type(value).__name__}")
    if isinstance(value, list) and not repeatable:
        raise UsageError(f"{where} takes one value, got a list of {len(value)}")
    if repeatable and not isinstance(value, list):
        value = [value]
    try:
        param.type_cast_value(ctx, value)
    except click.BadParameter as error:
        raise UsageError(f"{where}: {error.message}") from None
    except OverflowError:  # an endless number, for an option that takes an integer
        raise UsageError(f"{where}: {value} is no number that it takes") from None
    return value


def _all_of(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


account = click.option(
    "--account",
    "accounts",
    type=Pair("NAME=ENVVAR", parse_account),
    multiple=True,
    metavar="NAME=ENVVAR",
    help="An account, and the environment variable that holds its token; repeatable. "
    "[default: default=CRONOFY_ACCESS_TOKEN]",
)
calendar = click.option(
    "--calendar",
    "calendars",
    multiple=True,
    metavar="ID",
    help="A calendar to write to; repeatable. Outside loopback, a run writes to no other.",
)
default_profile = click.option(
    "--default-profile",
    "default_profiles",
    type=Pair("ACCOUNT=ID", parse_default_profile),
    multiple=True,
    metavar="ACCOUNT=ID",
    help="The profile_id of an account's default conferencing profile; repeatable.",
)
config = click.option(
    "--config",
    type=path,
    is_eager=True,
    expose_value=False,
    callback=_configure,
    metavar="FILE",
    help="A TOML file with the same options.",
)


def _max_examples(usual: str) -> Callable[[F], F]:
    return click.option(
        "--max-examples",
        "max_examples",
        type=click.IntRange(0),
        metavar="N",
        help=f"Cases to generate with Hypothesis beside the standard ones. [default: {usual}]",
    )


max_examples = _max_examples("50")
max_scenarios = _max_examples("100 in this process on a virtual clock, 25 on loopback, else 0; 0 with a limit")
no_shrink = click.option(
    "--no-shrink",
    "shrink",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Show failures as they were recorded; do not look for smaller ones.",
)
scenarios = click.option(
    "--scenarios",
    "scenarios",
    multiple=True,
    metavar="MODULE:NAME",
    help="Scenarios of your own: a list, a Hypothesis strategy, or a function of the inventory; repeatable.",
)
fuzz = click.option(
    "--fuzz", is_flag=True, help="Send malformed requests outside loopback too; on loopback they are always sent."
)
quick = click.option(
    "--quick",
    is_flag=True,
    help="Send the smallest part of the plan that decides every rule; a few faults may escape it.",
)
fail_fast = click.option("--fail-fast", is_flag=True, help="End at the first failure that counts, after clean-up.")
client_secret = click.option(
    "--client-secret",
    "client_secrets",
    type=Pair("ACCOUNT=ENVVAR", parse_account),
    multiple=True,
    metavar="ACCOUNT=ENVVAR",
    help="The environment variable that holds the secret by which notifications to an account are signed; repeatable.",
)
notifications = _all_of(
    click.option(
        "--notifications", is_flag=True, help="Subscribe to push notifications and receive them, on loopback."
    ),
    click.option("--notification-url", metavar="URL", help="The public address of a tunnel to --notification-listen."),
    click.option(
        "--notification-listen",
        type=Pair("HOST:PORT", parse_listen),
        metavar="HOST:PORT",
        help="Where notifications arrive. [default: 127.0.0.1 and a free port]",
    ),
    client_secret,
)
seed = click.option(
    "--seed", type=int, default=0, show_default=True, metavar="N", help="The seed of what is generated."
)
settle_timeout = click.option(
    "--settle-timeout", type=seconds, metavar="S", help="Seconds to wait for pending conferencing."
)
window = click.option(
    "--window", type=seconds, metavar="S", help="Seconds to watch for what must never happen. [default: measured]"
)
timing = _all_of(settle_timeout, window)
rate_limit = click.option(
    "--rate-limit", type=positive("the subject's usual rate"), metavar="N", help="The most requests a second."
)
max_requests = click.option(
    "--max-requests", type=click.IntRange(1), metavar="N", help="The most requests in all, clean-up included."
)
max_time = click.option(
    "--max-time",
    type=positive("the plan's own limit"),
    metavar="S",
    help="The most seconds in all, before clean-up. [default: three times the plan's, at least 60]",
)
wait = click.option(
    "--wait",
    type=seconds,
    default=0.0,
    metavar="S",
    help="Seconds to wait, at most, for a server that is starting.",
)
plan = click.option("--plan", is_flag=True, help="Only read, and print what a run would send.")
fault = click.option(
    "--fault", "faults", multiple=True, metavar="NAME", help="A fault of the reference server; repeatable."
)
record = click.option(
    "--record", type=place, metavar="PATH", help="A folder for VCR cassettes of all exchanges, without tokens."
)
evidence = click.option(
    "--evidence", type=place, metavar="PATH", help="A file for all exchanges as NDJSON; the report has its digest."
)
redact_personal = click.option(
    "--redact-personal",
    is_flag=True,
    help="Replace names, addresses, summaries, descriptions, locations and attendees by stand-ins.",
)
ca = click.option(
    "--ca",
    type=path,
    metavar="FILE",
    help="Certificates in PEM that are trusted beside the usual ones and those in SSL_CERT_FILE.",
)
journal = click.option(
    "--journal",
    type=place,
    metavar="FOLDER",
    help="The folder for the clean-up journal. [default: CRONOFY_CONFORMANCE_JOURNAL, else in the home directory]",
)
report = click.option(
    "--report",
    "reports",
    type=ReportPath(),
    multiple=True,
    metavar="PATH",
    help=f"A file for a report, its format by suffix ({' '.join(FORMATS)}) or as FORMAT:PATH ({' '.join(NAMES)}); "
    "- is text on standard output; repeatable.",
)
quiet = click.option("--quiet", is_flag=True, help="Print nothing but errors and the reports asked for.")
verbose = click.option("--verbose", "-v", is_flag=True, help="List every rule with its outcome in the text report.")
rule = click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="ID",
    help="Judge by this rule only, for which a run sends what it needs; repeatable.",
)


def _fail_on(default: str) -> Callable[[F], F]:
    return click.option(
        "--fail-on",
        type=word(("must", "should", "inferred")),
        default=default,
        show_default=True,
        metavar="LEVEL",
        help="The weakest level whose failures count: must, should or inferred.",
    )


require_coverage = click.option(
    "--require-coverage", is_flag=True, help="Count an untested rule of level must as inconclusive."
)
side = click.option(
    "--side", type=word(("server", "client")), metavar="SIDE", help="Judge server or client alone. [default: both]"
)
strength = click.option(
    "--strength",
    is_flag=True,
    help="List, by section of the page, how many known faults would be caught, which would not, and what would help.",
)
baseline = click.option(
    "--baseline",
    type=place,
    metavar="FILE",
    help="A TOML file of known failures, which do not count. Stale entries do.",
)
write_baseline = click.option(
    "--write-baseline", is_flag=True, help="Write what fails into the file of --baseline, and drop what is gone."
)
held = click.option(
    "--contract",
    "held",
    metavar="VERSION",
    help="Leave out rules that are newer than this version of the contract. [default: this tool's]",
)
_reporting = _all_of(held, require_coverage, baseline, write_baseline, report, quiet, verbose, config)
judging = _all_of(rule, _fail_on("must"), _reporting)
judging_a_client = _all_of(rule, _fail_on("should"), _reporting)


def pairs(values: Sequence[tuple[str, str]], option: str) -> Mapping[str, str]:
    """Pairs as a mapping; raises UsageError for a name with two different values."""
    found: dict[str, str] = {}
    for name, value in values:
        if found.setdefault(name, value) != value:
            raise UsageError(f"{option} {name} is given twice with different values; give it once")
    return found
