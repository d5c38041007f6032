"""What the values of options and arguments are: each type converts a word, or says what was expected."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.errors import nearest
from conformance.judging.formats import destination

__all__ = ["Pair", "ReportPath", "path", "place", "positive", "recording", "seconds", "word"]

if TYPE_CHECKING:
    _Type = click.ParamType[Any]
    _Choice = click.Choice[str]
else:  # before click 8.2 these take no arguments
    _Type, _Choice = click.ParamType, click.Choice


class Pair(_Type):
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
    """One of a few words; an unknown one is answered with the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.choices:
            self.fail(f"{value!r} is unknown; {nearest(str(value), self.choices)}", param, ctx)
        return str(value)


class _Seconds(_Type):
    """A finite number, 0 or more."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number) or number < 0:
            self.fail(f"expected a number of 0 or more, got {value!r}", param, ctx)
        return number


class _Positive(_Seconds):
    """A finite number above 0; `usual` names what is used without the option."""

    def __init__(self, usual: str) -> None:
        self._usual = usual

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = super().convert(value, param, ctx)
        if number == 0:
            self.fail(f"expected a number above 0, got 0; leave it out for {self._usual}", param, ctx)
        return number


class ReportPath(_Type):
    """A path whose suffix names a format, FORMAT:PATH, ``-``, or the summary of a step of GitHub Actions."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if text == "-":
            return text
        if text == os.environ.get("GITHUB_STEP_SUMMARY"):
            return f"markdown:{text}"
        try:
            where = destination(text)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return text if where.path == "-" else f"{where.format}:{_from_here(where.path)}"


class _Place(click.Path):
    """Where something is written."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return Path(_from_here(os.fsdecode(super().convert(value, param, ctx))))


def _from_here(path: str) -> str:
    """A path that stays where it is when an application in this process goes to another folder."""
    with suppress(OSError):  # this folder is gone: it is said when it is written to
        return str(Path(path).absolute())
    return path


seconds, positive, word = _Seconds(), _Positive, _Word
path, place = click.Path(path_type=Path), _Place(path_type=Path)


class _Recording(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic since click 8.4
    """A path, a URL that fsspec reads, or ``-`` for standard input."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "-":
            return Path("/dev/stdin")
        if not isinstance(value, str) or ":" not in value or Path(value).exists():
            return path.convert(value, param, ctx)
        from conformance.recordings.remote import is_url, located  # seldom needed, and takes long to load

        return located(value) if is_url(value) else path.convert(value, param, ctx)


recording = _Recording()
