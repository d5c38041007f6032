"""The options of a run against a server, and the tokens that it takes from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from conformance.errors import UsageError

__all__ = ["DEFAULT_ACCOUNTS", "RunOptions", "tokens"]

#: The account that is used if none is named, and the variable that holds its token.
DEFAULT_ACCOUNTS: Mapping[str, str] = {"default": "CRONOFY_ACCESS_TOKEN"}

#: What is surely the name of a variable, and not a token by mistake.
_VARIABLE_NAME = re.compile(r"[A-Z_][A-Z0-9_]*\Z")


@dataclass(frozen=True)
class RunOptions:
    """All options of a run against a server.

    `accounts`: account name to bearer token.  `variables`: account name to the environment variable of its token.
    Times are in seconds and `rate_limit` is in requests a second; None leaves them to the kind of subject.
    `wait`: how long the subject may take to answer at all.  `scenarios` name more scenarios, each as MODULE:ATTRIBUTE.
    `rules` are the ids to judge by, empty for all of them; those
    newer than the contract's version `held` are left out.
    """

    subject: str = "reference"
    accounts: Mapping[str, str] = field(default_factory=dict, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict)
    calendars: tuple[str, ...] = ()
    default_profiles: Mapping[str, str] = field(default_factory=dict)
    max_examples: int | None = None
    scenarios: tuple[str, ...] = ()
    fuzz: bool = False
    seed: int = 0
    settle_timeout: float | None = None
    window: float | None = None
    rate_limit: float | None = None
    max_requests: int | None = None
    max_time: float | None = None
    wait: float = 0.0
    plan: bool = False
    rules: tuple[str, ...] = ()
    held: str | None = None
    fail_on: str = "must"
    require_coverage: bool = False
    baseline: Path | None = None
    write_baseline: bool = False
    faults: tuple[str, ...] = ()
    record: Path | None = None
    evidence: Path | None = None
    reports: tuple[str, ...] = ()
    quiet: bool = False


def tokens(accounts: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The token of each account, from the environment variable that `accounts` names for it.

    Without `accounts`, the default one if its variable is set.  Raises UsageError for a variable that is not set.
    """
    if not accounts:
        return {name: environment[var] for name, var in DEFAULT_ACCOUNTS.items() if environment.get(var)}
    for account, variable in accounts.items():
        if not environment.get(variable):
            # A token given instead of a variable's name must not be repeated on a terminal.
            shown = variable if _VARIABLE_NAME.match(variable) else "that is named"
            raise UsageError(f"--account {account}: the variable {shown} is not set or empty; export the token in it")
    return {account: environment[variable] for account, variable in accounts.items()}
