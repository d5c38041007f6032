"""What certifying a client is told, and what comes of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from conformance.clients.counterexample import CallCounterexample
from conformance.clients.driver.process import MEMORY_LIMIT
from conformance.contract.rules import Rule
from conformance.judging.report import Report
from conformance.judging.verdict import Verdict

__all__ = ["Certificate", "CertifyOptions", "Judging"]

_BATCH = 500


@dataclass(frozen=True)
class CertifyOptions:
    """How a client is certified.

    `command` starts the driver (empty: the client is watched).  `driver_timeout`: seconds for each of its answers.
    `duration`: how long a client is watched (None: until Ctrl-C or the end of `watched`, a command that is run in
    the gateway's environment).  `max_examples` asks are made up beyond the table, from `seed`.  `port`: where the
    gateway listens when it watches (0: any).  `memory_limit`: bytes that the driver's processes may hold.
    """

    command: tuple[str, ...] = ()
    driver_timeout: float = 30.0
    duration: float | None = None
    watched: tuple[str, ...] = ()
    max_examples: int = 50
    seed: int = 0
    port: int = 0
    memory_limit: int = MEMORY_LIMIT


@dataclass(frozen=True)
class Certificate:
    """What came of it: the report with the rules that it is about, and the parts of that name of ``report.json``.

    `counterexamples` are the smallest failing cases, one a rule.  `elsewhere` says, a sentence each, what the client
    sent to other hosts, which was refused.  `interrupted`: Ctrl-C ended it before its time.
    """

    report: Report
    rules: tuple[Rule, ...]
    subject: Mapping[str, Any]
    run: Mapping[str, Any]
    counterexamples: tuple[CallCounterexample, ...] = ()
    elsewhere: tuple[str, ...] = ()
    interrupted: bool = False


@dataclass
class Judging:
    """A run's verdicts as they come, folded into a report now and then."""

    rules: tuple[Rule, ...]
    seed: int | None = None
    requests: int = 0
    exchanges: int = 0
    first_failure: int | None = None
    _began: datetime = field(default_factory=lambda: datetime.now(UTC))
    _verdicts: list[Verdict] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._report = Report.empty(self.rules)

    def add(self, verdicts: Iterable[Verdict]) -> None:
        """Takes more verdicts; the request that is counted last is the one that they are about."""
        new = list(verdicts)
        if self.first_failure is None and any(verdict.outcome == "failed" for verdict in new):
            self.first_failure = self.requests
        self._verdicts += new
        if len(self._verdicts) >= _BATCH:
            self.report()

    def report(self) -> Report:
        """The report so far."""
        self._report = self._report.with_verdicts(self._verdicts)
        self._verdicts = []
        return self._report.with_exchanges(self.exchanges - self._report.exchanges)

    def run(self) -> dict[str, Any]:
        """The facts of the run until now, as ``report.json`` has them."""
        run: dict[str, Any] = {
            "id": uuid.uuid4().hex[:12],
            "seed": self.seed,
            "started_at": _instant(self._began),
            "finished_at": _instant(datetime.now(UTC)),
            "requests": self.requests,
            "exchanges": self.exchanges,
            "settling_s": {"p50": None, "max": None},
        }
        if self.first_failure is not None:
            run["first_failure_request"] = max(1, self.first_failure)
        return run


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
