"""The options of a run against a server, and the tokens that it takes from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from conformance.errors import UsageError

__all__ = ["DEFAULT_ACCOUNTS", "NotificationOptions", "RunOptions", "default_examples", "secrets_of", "tokens"]

#: The account that is used if none is named, and the variable that holds its token.
DEFAULT_ACCOUNTS: Mapping[str, str] = {"default": "CRONOFY_ACCESS_TOKEN"}

#: What is surely the name of a variable, and not a token by mistake.
_VARIABLE_NAME = re.compile(r"[A-Z_][A-Z0-9_]*\Z")


@dataclass(frozen=True)
class NotificationOptions:
    """Whether and where push notifications are received; the reference server's always are.

    They are listened for at `listen` (host and port, 0 for a free one), which the subject reaches by `url`; None: by
    that address itself.  `client_secrets`: account name to the secret that its notifications are signed with.
    """

    enabled: bool = False
    url: str | None = None
    listen: tuple[str, int] = ("127.0.0.1", 0)
    client_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls, *, enabled: bool, url: str | None, listen: tuple[str, str] | None, client_secrets: Mapping[str, str]
    ) -> NotificationOptions:
        """What the options of a command say together.  Raises UsageError for what does not fit."""
        if url is not None:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
                raise UsageError(f"--notification-url {url!r}: expected the http:// or https:// URL of a tunnel")
            if listen is None:
                raise UsageError("--notification-url needs --notification-listen HOST:PORT: where the tunnel leads to")
            url = url.rstrip("/")
        host, port = listen or ("127.0.0.1", "0")
        return cls(enabled or url is not None or listen is not None, url, (host, int(port)), client_secrets)

    @property
    def named_secrets(self) -> dict[str, str]:
        """The secrets by names that no account has."""
        return {f"client-secret-{name}": secret for name, secret in self.client_secrets.items()}


@dataclass(frozen=True)
class RunOptions:
    """All options of a run against a server.

    `accounts`: account name to bearer token.  `variables`: account name to the environment variable of its token.
    Times are in seconds and `rate_limit` is in requests a second; None leaves them to the kind of subject.
    `max_examples`: how many scenarios are explored beyond the core table; None is 0 in a call, and depends on the kind
    of subject in a command (`default_examples`).  `shrink`: whether smaller scenarios of failures are looked for.
    `wait`: how long the subject may take to answer at all.  `scenarios` name more scenarios, each as MODULE:ATTRIBUTE.
    `rules` are the ids to judge by, empty for all of them; those newer than the contract's version `held` are left out.
    With `rules` or `quick`, only what decides the rules and shows their known faults is sent.  With `fail_fast`, the
    run ends at the first failure that counts.
    """

    subject: str = "reference"
    accounts: Mapping[str, str] = field(default_factory=dict, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict)
    calendars: tuple[str, ...] = ()
    default_profiles: Mapping[str, str] = field(default_factory=dict)
    max_examples: int | None = None
    shrink: bool = True
    scenarios: tuple[str, ...] = ()
    fuzz: bool = False
    quick: bool = False
    fail_fast: bool = False
    seed: int = 0
    settle_timeout: float | None = None
    window: float | None = None
    rate_limit: float | None = None
    max_requests: int | None = None
    max_time: float | None = None
    wait: float = 0.0
    plan: bool = False
    notifications: NotificationOptions = field(default_factory=NotificationOptions)
    rules: tuple[str, ...] = ()
    held: str | None = None
    fail_on: str = "must"
    require_coverage: bool = False
    baseline: Path | None = None
    write_baseline: bool = False
    faults: tuple[str, ...] = ()
    record: Path | None = None
    evidence: Path | None = None
    journal: Path | None = None
    ca: Path | None = None
    redact_personal: bool = False
    reports: tuple[str, ...] = ()
    quiet: bool = False
    verbose: bool = False


#: Scenarios that a command explores: where time is free, and on this machine.
_EXPLORED, _EXPLORED_ON_LOOPBACK = 100, 25


def default_examples(options: RunOptions, *, in_virtual_time: bool, loopback: bool) -> int:
    """How many scenarios a command explores if nobody says how many.

    None where requests or time are limited, or recorded: a limit is for the core table, and a recording is replayed.
    None either where only what is needed is sent.
    """
    if options.rules or options.quick:
        return 0
    if options.max_requests is not None or options.max_time is not None or options.record is not None:
        return 0
    if in_virtual_time:
        return _EXPLORED
    return _EXPLORED_ON_LOOPBACK if loopback else 0


def secrets_of(variables: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The client secret of each account, from its variable.  Raises UsageError for one that is not set."""
    for account, variable in variables.items():
        if not environment.get(variable):
            shown = variable if _VARIABLE_NAME.match(variable) else "that is named"
            raise UsageError(f"--client-secret {account}: the variable {shown} is not set or empty; export it")
    return {account: environment[variable] for account, variable in variables.items()}


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
