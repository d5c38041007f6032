"""Certifying a client, and observing one before its server, from options to a statement."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.advice import for_refused_requests, one_sided
from conformance.cli.evidence import EvidenceFile, header_of_run
from conformance.cli.output import TOOL
from conformance.clients.certificate import Certificate, CertifyOptions
from conformance.clients.certify import certify
from conformance.clients.proxy import ProxyOptions, observe
from conformance.clients.watch import watch
from conformance.contract.selection import clause_summaries, contract, of_side, select_rules
from conformance.facts import Settings
from conformance.http.redaction import Redactor
from conformance.interrupts import until_interrupted
from conformance.judging.summary import Policy, RunReport
from conformance.reference import INVENTORY

if TYPE_CHECKING:
    from conformance.cli.status_line import StatusLine
    from conformance.http.exchange import Exchange
    from conformance.recordings import RecordingMetadata

    Sink = Callable[[Exchange], None]

__all__ = ["certificate", "observed", "redactor"]


def redactor() -> Redactor:
    """A gate for the tokens that a client is given: the reference server's."""
    return Redactor({account.name: account.token for account in INVENTORY.accounts})


def certificate(
    options: CertifyOptions,
    rules: tuple[str, ...],
    terms: Policy,
    evidence: Path | None,
    say: Callable[[str], None],
    progress: StatusLine,
) -> RunReport:
    """Drive a client, or listen for one, and state what came of it; Ctrl-C ends it with the statement so far.

    Raises DriverError for what the adapter does wrong, UsageError for an unknown rule or a file that cannot be written.
    """
    chosen = select_rules(rules, ("client",))
    source = " ".join(options.command or options.watched) or "a client at the gateway"

    def work(sink: Sink) -> Coroutine[Any, Any, Certificate]:
        if options.command:
            return certify(options, chosen, sink=sink, progress=progress)
        return watch(options, chosen, say=say, sink=sink)

    return _kept(work, header_of_run(uuid.uuid4().hex[:12], source, (), Settings(), "client"), terms, evidence)


def observed(
    options: ProxyOptions,
    rules: tuple[str, ...],
    terms: Policy,
    evidence: Path | None,
    say: Callable[[str], None],
    side: str | None = None,
) -> RunReport:
    """Stand between a client and its server until Ctrl-C or the end of the time, and state what came of both.

    `side`: ``server`` or ``client`` alone is judged.
    Raises UsageError for an unknown rule or a file that cannot be written.
    """
    chosen = of_side(select_rules(rules), side)
    header = header_of_run(uuid.uuid4().hex[:12], options.upstream, (), options.settings, "server")

    async def work(sink: Sink) -> Certificate:
        found = await observe(options, chosen, say=say, sink=sink)
        return replace(found, subject=one_sided(found.subject, side))

    statement = _kept(work, header, terms, evidence)
    return replace(statement, advice=tuple(for_refused_requests(statement.report, statement.rules, side)))


def _kept(
    work: Callable[[Sink], Coroutine[Any, Any, Certificate]],
    header: RecordingMetadata,
    terms: Policy,
    evidence: Path | None,
) -> RunReport:
    """Do the work, with a file of evidence beside it where one is asked for."""
    if evidence is None:
        return _stated(until_interrupted(work(_drop)), terms)
    with EvidenceFile(evidence, header, redactor()) as kept:
        statement = _stated(until_interrupted(work(kept.add)), terms)
        return replace(statement, evidence=kept.finish(statement))


def _drop(_: Exchange) -> None:
    """Keep nothing: no evidence was asked for."""


def _stated(found: Certificate, terms: Policy) -> RunReport:
    return RunReport(
        report=found.report,
        rules=found.rules,
        subject=found.subject,
        run=found.run,
        contract=contract(),
        tool=TOOL,
        terms=replace(terms, interrupted=found.interrupted, cut_short=_unjudged(found)),
        clauses=clause_summaries(),
        counterexamples=tuple(example.text() for example in found.counterexamples),
        remarks=found.elsewhere,
    )


def _unjudged(found: Certificate) -> str | None:
    """Why a driven client was not judged at all; None where it was, and where a client was waited for."""
    if found.counterexamples or found.run["exchanges"] or not found.run["requests"]:
        return None
    if any(found.report.tally(rule.id).outcome != "untested" for rule in found.rules):
        return None
    return "the driver called unsupported all that it was asked, and supports nothing that could be judged"
