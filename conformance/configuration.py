"""How a run is set up: options from the command line and from a TOML file that has the same names."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = [
    "DEFAULT_ACCOUNTS",
    "Misconfigured",
    "Refused",
    "RunOptions",
    "nearest",
    "parse_account",
    "parse_default_profile",
    "read_configuration",
    "tokens",
]

#: The account that is used where none is named, and the variable that holds its token.
DEFAULT_ACCOUNTS: Mapping[str, str] = {"default": "CRONOFY_ACCESS_TOKEN"}

_ACCOUNT = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_PLAINLY_A_NAME = re.compile(r"[A-Z_][A-Z0-9_]*\Z")

#: Options that are tables in a file: NAME = "VALUE" there is NAME=VALUE on the command line.
_TABLES = ("account", "default-profile")


class Misconfigured(Exception):  # noqa: N818 - it names a state of the configuration, in one sentence with the remedy
    """Nothing can be judged because of how the run was set up; the message says what to do."""


class Refused(Exception):  # noqa: N818 - it names what became of a request, in one sentence with the remedy
    """What was asked for cannot be done as it was asked; the message says what to do."""


@dataclass(frozen=True)
class RunOptions:
    """All that a run of a server is told.

    `accounts`: account name to bearer token.  `variables`: account name to the environment variable of its token.
    Times are in seconds and `rate` is in requests a second; None leaves the choice to the subject's kind.
    `rules` are the ids to judge by, empty for all of them.
    """

    subject: str = "reference"
    accounts: Mapping[str, str] = field(default_factory=dict, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict)
    calendars: tuple[str, ...] = ()
    default_profiles: Mapping[str, str] = field(default_factory=dict)
    examples: int | None = None
    fuzz: bool = False
    seed: int = 0
    settle_timeout: float | None = None
    window: float | None = None
    rate: float | None = None
    budget: int | None = None
    plan: bool = False
    rules: tuple[str, ...] = ()
    fail_on: str = "must"
    require_complete: bool = False
    faults: tuple[str, ...] = ()
    record: Path | None = None
    evidence: Path | None = None
    reports: tuple[str, ...] = ()
    quiet: bool = False


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence that names the known words which `word` may stand for, or a few of those there are.

    >>> nearest("explict", ["explicit", "none"])
    "did you mean 'explicit'?"
    """
    from difflib import get_close_matches

    words = sorted(known)
    close = get_close_matches(word, words, n=3, cutoff=0.6) or [name for name in words if word and word in name][:3]
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    if len(words) <= 12:
        return f"there is {', '.join(words)}" if words else "there is none"
    return f"there are {len(words)}, {words[0]} and {words[1]} among them"


def parse_account(text: str) -> tuple[str, str]:
    """NAME=ENVVAR as a pair; raises ValueError, whose message repeats no value that may be a token."""
    name, equals, variable = text.partition("=")
    if not equals:
        raise ValueError("expected NAME=ENVVAR, such as default=CRONOFY_ACCESS_TOKEN")
    _check_name(name)
    if not _VARIABLE.match(variable):
        raise ValueError(
            f"what stands behind {name}= is no name of an environment variable: put the token into a variable, and the "
            "variable's name here"
        )
    return name, variable


def parse_default_profile(text: str) -> tuple[str, str]:
    """ACCOUNT=ID as a pair; raises ValueError."""
    name, equals, profile = text.partition("=")
    if not equals or not profile:
        raise ValueError(f"expected ACCOUNT=ID, the profile_id of that account's default, got {text!r}")
    _check_name(name)
    return name, profile


def _check_name(name: str) -> None:
    if not _ACCOUNT.match(name) or name == "nobody":
        raise ValueError(f"{name!r} cannot name an account: take up to 64 letters, digits and . _ - (but not 'nobody')")


def tokens(accounts: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The token of each account, from the variable that holds it.

    Without `accounts`, the default one where its variable is set.  Raises Refused for a variable that is not set.
    """
    if not accounts:
        return {name: environment[var] for name, var in DEFAULT_ACCOUNTS.items() if environment.get(var)}
    for account, variable in accounts.items():
        if not environment.get(variable):
            # A token in the place of a variable's name must not be repeated on a terminal.
            shown = variable if _PLAINLY_A_NAME.match(variable) else "that is named"
            raise Refused(f"--account {account}: the variable {shown} is not set or empty; export the token in it")
    return {account: environment[variable] for account, variable in accounts.items()}


def read_configuration(path: Path, known: Iterable[str]) -> dict[str, Any]:
    """A TOML file's options by their names on the command line, tables as lists of NAME=VALUE.

    Raises Refused for a file that cannot be read, for an option that is not known and for a table where none belongs.
    """
    try:
        with path.open("rb") as file:
            contents = tomllib.load(file)
    except OSError as error:
        raise Refused(f"--config {path}: {error.strerror or error}; name a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(f"--config {path} is no TOML: {error}") from None
    names = set(known)
    for name in contents:
        if name not in names:
            raise Refused(f"--config {path}: unknown option {name!r}; {nearest(name, names)}")
    return {name: _value(path, name, value) for name, value in contents.items()}


def _value(path: Path, name: str, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if name not in _TABLES:
        raise Refused(f"--config {path}: {name} is a table, which only {' and '.join(_TABLES)} can be")
    return [f"{key}={entry}" for key, entry in value.items()]
