"""How a client is certified, and the certificate that results."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from conformance.clients.counterexample import CallCounterexample
from conformance.clients.driver.process import MEMORY_LIMIT
from conformance.contract.rules import Rule
from conformance.http.exchange import Exchange
from conformance.http.redaction import Redactor
from conformance.judging.report import Report
from conformance.judging.stream import LiveJudge

__all__ = ["Certificate", "CertifyOptions", "nothing_reached", "observed_facts", "run_facts"]


@dataclass(frozen=True)
class CertifyOptions:
    """How a client is certified.

    `command` starts the driver (empty: the client is watched).  `driver_timeout`: seconds for each of its answers.
    `duration`: how long a client is watched (None: until Ctrl-C or the end of `watched`, a command that is run in
    the gateway's environment).  `max_examples` cases are generated beyond the standard ones, from `seed`.  `port`:
    where the gateway listens when it watches (0: any).  `memory_limit`: bytes that the driver's processes may hold.
    `redact_personal`: what a watched client sends is judged and kept with stand-ins for personal data; what a driver
    is called for is none.
    """

    command: tuple[str, ...] = ()
    driver_timeout: float = 30.0
    duration: float | None = None
    watched: tuple[str, ...] = ()
    max_examples: int = 100
    seed: int = 0
    port: int = 0
    memory_limit: int = MEMORY_LIMIT
    redact_personal: bool = False


@dataclass(frozen=True)
class Certificate:
    """What came of it: the report with the rules that it is about, and the parts of that name of ``report.json``.

    `counterexamples` are the smallest failing cases, one a cause.  `blocked_requests` says, a sentence each, what the
    client sent to other hosts, which was refused.  `interrupted`: Ctrl-C ended the run early.  `unjudged` says why
    nothing, or not everything, could be judged, `program_failure` how the watched program failed.  `driver_failed`: it
    is the driver's fault that something is not judged, and a failure that was proven before goes before it.  `redactor`
    knows the credentials that passed, and `conceal` replaces them in an exchange: only where some were learnt after
    others had been judged or handed on, which is concealed and judged again then.
    """

    report: Report
    rules: tuple[Rule, ...]
    subject: Mapping[str, Any]
    run: Mapping[str, Any]
    counterexamples: tuple[CallCounterexample, ...] = ()
    blocked_requests: tuple[str, ...] = ()
    interrupted: bool = False
    unjudged: str | None = None
    program_failure: str | None = None
    driver_failed: bool = False
    redactor: Redactor = field(default_factory=lambda: Redactor({}))
    conceal: Callable[[Exchange], Exchange] | None = None


def nothing_reached(
    blocked_requests: Sequence[str], place: str = "gateway", hint: str = "CRONOFY_API_URL or HTTPS_PROXY"
) -> str:
    """Why nothing was judged where no request came: what the client should use, and what was refused."""
    refused = f" Refused: {'; '.join(blocked_requests)}" if blocked_requests else ""
    return f"nothing reached the {place}: does the client use {hint}?{refused}"


def run_facts(
    started: datetime, *, requests: int, exchanges: int, first_failure: int | None, seed: int | None = None
) -> dict[str, Any]:
    """The ``run`` of ``report.json`` for a run that began at `started` and ends now."""
    run: dict[str, Any] = {
        "id": uuid.uuid4().hex[:12],
        "seed": seed,
        "started_at": _iso(started),
        "finished_at": _iso(datetime.now(UTC)),
        "requests": requests,
        "exchanges": exchanges,
        "settling_s": {"p50": None, "max": None},
    }
    if first_failure is not None:
        run["first_failure_request"] = max(1, first_failure)
    return run


def observed_facts(started: datetime, live: LiveJudge) -> dict[str, Any]:
    """The ``run`` of a run in which every request was observed by `live`."""
    count = live.observer.exchanges
    return run_facts(started, requests=count, exchanges=count, first_failure=live.first_failure)


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
