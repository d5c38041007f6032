"""The options of the command line, each declared once, and the group that turns every error into one line."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from conformance.cli.configuration import parse_account, parse_default_profile, read_configuration
from conformance.errors import UsageError, nearest
from conformance.http.display import visible
from conformance.judging.formats import FORMATS
from conformance.version import NAME

__all__ = [
    "Cli",
    "account",
    "calendar",
    "config",
    "default_profile",
    "evidence",
    "fault",
    "judging",
    "max_examples",
    "max_requests",
    "pairs",
    "path",
    "plan",
    "quiet",
    "rate_limit",
    "record",
    "report",
    "seconds",
    "seed",
    "side",
    "timing",
]

F = TypeVar("F", bound=Callable[..., Any])

if TYPE_CHECKING:
    _Type = click.ParamType[Any]
    _Choice = click.Choice[str]
else:  # before click 8.2 these take no arguments
    _Type, _Choice = click.ParamType, click.Choice


class _Pair(_Type):
    """NAME=VALUE, as a pair."""

    def __init__(self, name: str, parse: Callable[[str], tuple[str, str]]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        try:
            return self._parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Word(_Choice):
    """One of a few words; another one is answered with the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.choices:
            self.fail(f"{value!r} is unknown; {nearest(str(value), self.choices)}", param, ctx)
        return str(value)


class _Seconds(_Type):
    """A number that is finite and not below 0."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number) or number < 0:
            self.fail(f"expected a number that is not below 0, got {value!r}", param, ctx)
        return number


class _Rate(_Seconds):
    """A number above 0."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = super().convert(value, param, ctx)
        if number == 0:
            self.fail("nothing can be sent at 0 requests a second; leave it out for the subject's own rate", param, ctx)
        return number


class _Report(_Type):
    """A path whose suffix names a format, or ``-``."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        path = str(value)
        if path != "-" and Path(path).suffix.lower() not in FORMATS:
            self.fail(
                f"{path!r} names no format: end it in {' '.join(FORMATS)}, or give - for text on standard output",
                param,
                ctx,
            )
        return path


seconds = _Seconds()
path = click.Path(path_type=Path)


def _configure(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
    """Take the defaults of a command from a file; an option of another command is passed over."""
    if value is None:
        return
    group = ctx.parent.command if ctx.parent else ctx.command
    commands = group.commands.values() if isinstance(group, click.Group) else (group,)
    known = {name for command in commands for name in _named(command)}
    contents = read_configuration(value, known - {"config", "help", "version"})
    params = _named(ctx.command)
    ctx.default_map = {
        str(params[name].name): _typed(ctx, value, name, params[name], entry)
        for name, entry in contents.items()
        if name in params
    }


def _named(command: click.Command) -> dict[str, click.Parameter]:
    """A command's parameters as a configuration spells them."""
    named: dict[str, click.Parameter] = {}
    for param in command.params:
        if isinstance(param, click.Argument):
            named[str(param.name)] = param
        named |= {option.removeprefix("--"): param for option in param.opts if option.startswith("--")}
    return named


def _typed(ctx: click.Context, file: Path, name: str, param: click.Parameter, value: Any) -> Any:
    where = f"--config {file}: {name}"
    flag = isinstance(param, click.Option) and param.is_flag
    many = param.multiple if isinstance(param, click.Option) else param.nargs == -1
    if isinstance(value, bool) != flag:
        raise UsageError(f"{where} is {'true or false' if flag else 'no flag'}, got {type(value).__name__}")
    if isinstance(value, list) and not many:
        raise UsageError(f"{where} takes one value, got a list of {len(value)}")
    if many and not isinstance(value, list):
        value = [value]
    try:
        param.type_cast_value(ctx, value)
    except click.BadParameter as error:
        raise UsageError(f"{where}: {error.message}") from None
    return value


def _together(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


account = click.option(
    "--account",
    "accounts",
    type=_Pair("NAME=ENVVAR", parse_account),
    multiple=True,
    metavar="NAME=ENVVAR",
    help="An account and the environment variable that holds its token; repeatable. "
    "[default: default=CRONOFY_ACCESS_TOKEN]",
)
calendar = click.option(
    "--calendar",
    "calendars",
    multiple=True,
    metavar="ID",
    help="A calendar that may be written to; repeatable. Beyond this machine no other one is.",
)
default_profile = click.option(
    "--default-profile",
    "default_profiles",
    type=_Pair("ACCOUNT=ID", parse_default_profile),
    multiple=True,
    metavar="ACCOUNT=ID",
    help="The profile_id that an account's user chose as the default; repeatable.",
)
config = click.option(
    "--config",
    type=path,
    is_eager=True,
    expose_value=False,
    callback=_configure,
    metavar="FILE",
    help="A TOML file with options by the same names.",
)
max_examples = click.option(
    "--max-examples",
    "max_examples",
    type=click.IntRange(0),
    metavar="N",
    help="How many generated scenarios beyond the core table.",
)
fuzz = click.option(
    "--fuzz", is_flag=True, help="Send malformed requests beyond this machine too; here they are always sent."
)
seed = click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="What they are generated from.")
settle_timeout = click.option(
    "--settle-timeout", type=seconds, metavar="S", help="Seconds after which pending conferencing is given up."
)
window = click.option(
    "--window", type=seconds, metavar="S", help="Seconds to watch that something never happens. [default: measured]"
)
timing = _together(settle_timeout, window)
rate_limit = click.option("--rate-limit", type=_Rate(), metavar="N", help="Requests a second, at most.")
max_requests = click.option(
    "--max-requests", type=click.IntRange(1), metavar="N", help="Requests in all, clean-up included."
)
plan = click.option("--plan", is_flag=True, help="Read only, and print what a run would send and could decide.")
fault = click.option(
    "--fault", "faults", multiple=True, metavar="NAME", help="A defect of the reference server; repeatable."
)
record = click.option("--record", type=path, metavar="PATH", help="A folder for VCR cassettes of all exchanges.")
evidence = click.option(
    "--evidence", type=path, metavar="PATH", help="A file for all exchanges as NDJSON; the report carries its digest."
)
report = click.option(
    "--report",
    "reports",
    type=_Report(),
    multiple=True,
    metavar="PATH",
    help=f"A report by its suffix ({' '.join(FORMATS)}), or - for text on standard output; repeatable.",
)
quiet = click.option("--quiet", is_flag=True, help="Print nothing that was not asked for.")
rule = click.option("--rule", "rules", multiple=True, metavar="ID", help="Judge by this rule alone; repeatable.")
fail_on = click.option(
    "--fail-on",
    type=_Word(("must", "should", "inferred")),
    default="must",
    show_default=True,
    metavar="LEVEL",
    help="The weakest level whose failure makes the exit code 1: must, should or inferred.",
)
require_coverage = click.option(
    "--require-coverage", is_flag=True, help="Exit with 3 where a rule of level must was not exercised."
)
side = click.option(
    "--side", type=_Word(("server", "client")), metavar="SIDE", help="Judge server or client alone. [default: both]"
)
judging = _together(rule, fail_on, require_coverage, report, quiet, config)


class Cli(click.Group):
    """Commands whose errors are one line on standard error, with the exit codes of the suite."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which they were added."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command by its name; an unknown one is answered with the nearest."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            ctx.fail(f"there is no command {name!r}; {nearest(name, self.commands)}")
        return super().resolve_command(ctx, args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command and exit with the code that it returns."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.filterwarnings("always", category=UserWarning, module=r"conformance\b")
            warnings.showwarning = _warn
            try:
                done = super().main(args, prog_name or NAME, complete_var, standalone_mode=False, **extra)
            except (click.exceptions.Abort, KeyboardInterrupt):
                sys.exit(130)
            except click.UsageError as error:
                sys.exit(_refuse(error.format_message(), error.ctx))
            except click.ClickException as error:
                sys.exit(_refuse(error.format_message()))
            except Exception as error:  # noqa: BLE001 - optional modules raise errors of their own
                sys.exit(_refuse(str(error) if isinstance(error, _expected()) else _bug(error)))
        sys.exit(done if isinstance(done, int) else 0)


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    click.echo(f"Warning: {_one_line(str(message))}", err=True)


def _refuse(message: str, ctx: click.Context | None = None) -> int:
    where = "" if ctx is None else f" (see {ctx.command_path} --help)"
    click.echo(f"Error: {_one_line(message)}{where}", err=True)
    return 2


def _one_line(text: str) -> str:
    return visible(" ".join(text.split()))


def _expected() -> tuple[type[Exception], ...]:
    """Errors whose message is meant for the user."""
    from conformance.clients.driver.process import DriverError
    from conformance.http.redaction import SecretLeakError
    from conformance.recordings import InvalidRecordingError
    from conformance.servers.subject import ConfigurationError

    return (DriverError, UsageError, ConfigurationError, SecretLeakError, InvalidRecordingError)


def _bug(error: Exception) -> str:
    """Where a bug is; what its message says is left out, for it may hold a token."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = "" if at is None else f" at {Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}"
    return f"this is a bug of {NAME}: {type(error).__name__}{place}; please report it with the command that you gave"


def pairs(values: Sequence[tuple[str, str]], option: str) -> Mapping[str, str]:
    """Pairs as a mapping; raises UsageError for a name that comes twice with different values."""
    found: dict[str, str] = {}
    for name, value in values:
        if found.setdefault(name, value) != value:
            raise UsageError(f"{option} {name} is given twice with different values; give it once")
    return found
