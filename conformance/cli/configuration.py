"""The values of options that are pairs, and options from a TOML file, under the same names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from conformance.errors import UsageError, content_of, nearest

__all__ = ["parse_account", "parse_default_profile", "parse_listen", "read_configuration"]

_ACCOUNT = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

#: Options that are tables in a file: NAME = "VALUE" there is NAME=VALUE on the command line.
_TABLES = ("account", "client-secret", "default-profile")


def parse_account(text: str) -> tuple[str, str]:
    """NAME=ENVVAR as a pair; raises ValueError, whose message repeats no value that may be a token."""
    name, equals, variable = text.partition("=")
    if not equals:
        raise ValueError("expected NAME=ENVVAR, such as default=CRONOFY_ACCESS_TOKEN")
    _check_name(name)
    if not _VARIABLE.match(variable):
        raise ValueError(
            f"what follows {name}= is not the name of an environment variable: put the token into a variable, and the "
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


def parse_listen(text: str) -> tuple[str, str]:
    """HOST:PORT as a pair; raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"expected HOST:PORT, such as 127.0.0.1:8080, got {text!r}")
    return host.strip("[]"), port


def _check_name(name: str) -> None:
    if not _ACCOUNT.match(name) or name == "nobody":
        raise ValueError(f"{name!r} cannot name an account: use up to 64 letters, digits and . _ - (but not 'nobody')")


def read_configuration(path: Path, known: Iterable[str]) -> dict[str, Any]:
    """The options in a TOML file by their names on the command line, tables as lists of NAME=VALUE.

    `known` are the names that options may have. Raises UsageError for a file that cannot be read, for an unknown
    option, and for a table where the option takes a value.
    """
    import tomllib  # every start of the command would pay for it

    content = content_of(path, f"--config {path}", "name a TOML file")
    try:
        contents = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"--config {path} is not TOML: {error}") from None
    names = set(known)
    for name in contents:
        if name not in names:
            raise UsageError(f"--config {path}: unknown option {name!r}; {nearest(name, names)}")
    return {name: _value(path, name, value) for name, value in contents.items()}


def _value(path: Path, name: str, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if name not in _TABLES:
        raise UsageError(
            f"--config {path}: {name} is a table; only {', '.join(_TABLES[:-1])} and {_TABLES[-1]} can be tables"
        )

    return [f"{key}={entry}" for key, entry in value.items()]
