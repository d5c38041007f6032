"""The server under test: its name, URL, clock and tokens, and how fast it may be called."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from conformance.clock import Clock, RealClock, VirtualClock
from conformance.errors import ConfigurationError
from conformance.facts import Settings
from conformance.http.hosts import DATA_CENTRES
from conformance.servers.attributes import load_attribute

if TYPE_CHECKING:
    import httpx

    from conformance.servers.subject.reception import Limits

__all__ = ["EPOCH", "ConfigurationError", "Subject", "in_process", "parse"]


#: Where a virtual clock begins, so that runs in this process are repeatable: 28 April 2026, 09:00 UTC.
EPOCH = 1777366800.0

#: Events on a page of the embedded reference server: few enough for a run to get a second page.
_PAGE_SIZE = 8

_IN_PROCESS = "http://localhost"


@dataclass(frozen=True, slots=True)
class Subject:
    """A server under test.

    `kind`: ``reference``, ``url``, ``asgi``, ``wsgi`` or ``cassette``.  `tokens`: account name to bearer token.  `app`
    is what answers in this process, if anything does: an application, or the transport that replays a recording.
    `client_secrets`: account name to the secret by which its notifications are signed, where that is public.
    `authority`: a file of certificates that are trusted beside the usual ones.
    """

    kind: str
    name: str
    base_url: str
    clock: Clock
    tokens: Mapping[str, str] = field(repr=False)
    default_profiles: Mapping[str, str] = field(default_factory=dict)
    app: Any = field(default=None, repr=False)
    client_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    authority: Path | None = None

    @property
    def loopback(self) -> bool:
        """Whether the subject is on this machine, where requests disturb nobody else."""
        in_process = self.app is not None and self.kind != "cassette"
        return in_process or _is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def private(self) -> bool:
        """Whether the subject is on a private network, as an emulator in a container is."""
        return _is_private(urlsplit(self.base_url).hostname or "")

    @property
    def quiet(self) -> float:
        """Seconds over which readings must stay the same to be stable."""
        return 2.0 if self.loopback else 10.0

    @property
    def settle_timeout(self) -> float:
        """Default of the seconds after which pending conferencing times out."""
        return 15.0 if self.loopback else 120.0

    def settings(self, *, window: float | None = None, settle_timeout: float | None = None) -> Settings:
        """The settings for observing the subject; without `settle_timeout`, with its own."""
        timeout = self.settle_timeout if settle_timeout is None else settle_timeout
        return Settings(self.quiet, window, timeout, dict(self.default_profiles))

    def run_settings(self, *, window: float | None = None, settle_timeout: float | None = None) -> Settings:
        """The settings for a run, whose events nobody else knows."""
        return replace(self.settings(window=window, settle_timeout=settle_timeout), only_writer=True)

    @property
    def rate(self) -> float | None:
        """Default rate limit in requests a second; None: unlimited."""
        return None if self.loopback else 8.0

    @asynccontextmanager
    async def open(self, limits: Limits) -> AsyncIterator[httpx.AsyncClient]:
        """An HTTP client for the subject, in-process applications started and stopped around it."""
        from conformance.http.tls import trusting
        from conformance.servers.subject.app_transports import (
            AsgiTransport,
            DateHeaderTransport,
            WsgiTransport,
            lifespan,
        )
        from conformance.servers.subject.http_client import open_client

        async with AsyncExitStack() as stack:
            inner: httpx.AsyncBaseTransport | None = None
            if self.kind == "wsgi":
                inner = DateHeaderTransport(WsgiTransport(self.app, limits), self.clock)
            elif self.kind == "cassette":
                inner = self.app
            elif self.app is not None:
                await stack.enter_async_context(lifespan(self.app, limits))
                inner = DateHeaderTransport(AsgiTransport(self.app, limits), self.clock)
            # An application in this process needs no certificates, and they take long to load.
            secured = inner is None and (self.base_url.startswith("https:") or not self.loopback)
            verify = trusting(self.authority) if secured else False
            client = open_client(inner, trust_env=not self.loopback, limits=limits, verify=verify)
            yield await stack.enter_async_context(client)


def parse(
    name: str,
    accounts: Mapping[str, str],
    *,
    default_profiles: Mapping[str, str] | None = None,
    faults: Sequence[str] = (),
    settle: float = 0.15,
    authority: Path | None = None,
) -> Subject:
    """The subject called `name`, with the tokens of `accounts`; the reference server has its own.

    Raises ConfigurationError for an invalid name, for missing or unusable tokens and for an application that cannot be
    imported.
    """
    declared = default_profiles or {}
    if faults and name != "reference":
        raise ConfigurationError(f"--fault breaks the embedded reference server only: leave it out to test {name}")
    if name == "reference":
        return _reference(declared, faults, settle)
    scheme, colon, rest = name.partition(":")
    if colon and scheme in ("asgi", "wsgi"):
        tokens = _tokens(name, accounts)
        return in_process(_load(name, rest), tokens, kind=scheme, name=name, default_profiles=declared)
    if colon and scheme == "cassette":
        from conformance.servers.subject.cassette import recorded_run

        run = recorded_run(Path(rest), name)
        return Subject("cassette", name, run.base_url, run.clock, run.tokens, run.default_profiles, run.app)
    base_url = DATA_CENTRES.get(name) or _base_url(name)
    return Subject("url", base_url, base_url, RealClock(), _tokens(name, accounts), declared, authority=authority)


def in_process(
    app: Any,
    tokens: Mapping[str, str],
    *,
    kind: str = "asgi",
    name: str = "asgi",
    clock: Clock | None = None,
    default_profiles: Mapping[str, str] | None = None,
) -> Subject:
    """An application in this process as the subject; without `clock`, the run uses that of `app`, if it has one."""
    own = getattr(app, "clock", None)
    shared = clock or (own if isinstance(own, RealClock | VirtualClock) else RealClock())
    return Subject(kind, name, _IN_PROCESS, shared, tokens, default_profiles or {}, app)


def _reference(default_profiles: Mapping[str, str], faults: Sequence[str], settle: float) -> Subject:
    from conformance.reference import reference_app

    clock = VirtualClock(EPOCH)
    app = reference_app(clock=clock, settle=settle, faults=tuple(faults), page_size=_PAGE_SIZE)
    declared = {**app.default_profiles, **default_profiles}
    return Subject("reference", "reference", _IN_PROCESS, clock, dict(app.tokens), declared, app, app.client_secrets)


def _tokens(subject: str, accounts: Mapping[str, str]) -> Mapping[str, str]:
    if not accounts:
        raise ConfigurationError(
            f"{subject} needs an access token: export it as CRONOFY_ACCESS_TOKEN, "
            "or name the variable that holds it with --account NAME=ENVVAR"
        )
    for account, token in accounts.items():
        if not token.strip():
            raise ConfigurationError(f"the access token of account {account!r} is empty: export it in its variable")
        if not token.isascii() or any(character <= " " or character == "\x7f" for character in token):
            raise ConfigurationError(
                f"the access token of account {account!r} has characters that no header carries: "
                "copy it again, without white space around it"
            )
    first: dict[str, str] = {}
    for account, token in accounts.items():
        if token in first:
            raise ConfigurationError(
                f"accounts {first[token]!r} and {account!r} have the same access token: give each account its own"
            )
        first[token] = account
    return dict(accounts)


def _base_url(name: str) -> str:
    try:
        parts = urlsplit(name)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigurationError(f"{name!r} is no URL ({error}): give one such as http://127.0.0.1:8000") from None
    if "://" not in name:
        raise ConfigurationError(
            f"{name!r} is no subject: give `reference`, a URL with http:// or https://, a data center "
            f"({' '.join(DATA_CENTRES)}), asgi:MODULE:ATTRIBUTE, wsgi:MODULE:ATTRIBUTE or cassette:PATH"
        )
    if parts.scheme.lower() not in ("http", "https") or not host or port == 0:
        raise ConfigurationError(
            f"{name!r} cannot be called: a subject's URL begins with http:// or https:// and a host"
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigurationError(
            f"the URL of {host} carries credentials, a query or a fragment: give its origin alone; tokens go into "
            "the environment"
        )
    path = parts.path.rstrip("/")
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{path.removesuffix('/v1')}"


def _load(name: str, rest: str) -> Any:
    target = load_attribute(rest, name, f"{name.split(':')[0]}:MODULE:ATTRIBUTE", "application")
    if not callable(target):
        raise ConfigurationError(f"{rest!r} is no application but {type(target).__name__}: name a callable")
    return target


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_private(host: str) -> bool:
    if _is_loopback(host):
        return False
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:  # a name: without a dot it is one of the network's own
        return "." not in host or host.rpartition(".")[2] in ("internal", "lan", "local", "localdomain", "test")
