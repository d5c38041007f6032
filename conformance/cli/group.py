"""The group of all commands: unknown words are answered with the nearest, and every error is one line."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import click

from conformance.errors import UserError, nearest, place_of
from conformance.http.display import visible
from conformance.version import NAME

__all__ = ["Cli"]

#: Environment variables with secrets, by their names.
_SECRET = re.compile(r"TOKEN|SECRET|PASSW|API_?KEY", re.IGNORECASE)


class Cli(click.Group):
    """Commands whose errors are one line on standard error and exit code 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, in the order in which they were added."""
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
        """Run a command and exit with the code that it returns; Ctrl-C is 130."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.filterwarnings("always", category=UserWarning, module=r"conformance\b")
            warnings.showwarning = _warn
            try:
                code = super().main(args, prog_name or NAME, complete_var, standalone_mode=False, **extra)
            except (click.exceptions.Abort, KeyboardInterrupt):
                sys.exit(130)
            except click.UsageError as error:
                sys.exit(_refuse(error.format_message(), error.ctx))
            except click.ClickException as error:
                sys.exit(_refuse(error.format_message()))
            except Exception as error:  # noqa: BLE001 - optional modules raise errors of their own
                known = isinstance(error, UserError)
                sys.exit(_refuse(str(error) if known else f"the command could not go on: {place_of(error)}"))
        sys.exit(code if isinstance(code, int) else 0)


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    click.echo(f"Warning: {_one_line(str(message))}", err=True)


def _refuse(message: str, ctx: click.Context | None = None) -> int:
    where = "" if ctx is None else f" (see {ctx.command_path} --help)"
    click.echo(f"Error: {_one_line(message)}{where}", err=True)
    return 2


def _one_line(text: str) -> str:
    """A message without secrets of the environment: it may quote what a module of somebody else's raised."""
    from conformance.http.redaction import Redactor

    secrets = {name: value for name, value in os.environ.items() if value and _SECRET.search(name)}
    return visible(" ".join(Redactor(secrets).text(text).split()))
