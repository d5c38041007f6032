"""Certifying a client, from options to a statement."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.clients.certificate import Certificate, CertifyOptions
from conformance.clients.certify import certify
from conformance.clients.watch import watch
from conformance.evidence import Evidence, header_of_run
from conformance.facts import Settings
from conformance.outcome import TOOL, about_clauses, chosen_rules, contract
from conformance.redaction import Redactor
from conformance.reference import WORLD
from conformance.report import Statement, Terms
from conformance.running import until_interrupted

if TYPE_CHECKING:
    from conformance.exchange import Exchange
    from conformance.progress import Progress

__all__ = ["certificate", "redactor"]


def redactor() -> Redactor:
    """A gate for the tokens that a client is given: the reference server's."""
    return Redactor({account.name: account.token for account in WORLD.accounts})


def certificate(
    options: CertifyOptions,
    rules: tuple[str, ...],
    terms: Terms,
    evidence: Path | None,
    say: Callable[[str], None],
    progress: Progress,
) -> Statement:
    """Drive a client, or listen for one, and state what came of it; Ctrl-C ends it with the statement so far.

    Raises DriverFault for what the adapter does wrong, Refused for an unknown rule or a file that cannot be written.
    """
    chosen = chosen_rules(rules, ("client",))
    source = " ".join(options.command or options.watched) or "a client at the gateway"
    header = header_of_run(uuid.uuid4().hex[:12], source, (), Settings(), "client")
    with contextlib.ExitStack() as stack:
        kept = None if evidence is None else stack.enter_context(Evidence(evidence, header, redactor()))
        sink: Callable[[Exchange], None] = kept.add if kept else _drop
        if options.command:
            work = certify(options, chosen, sink=sink, progress=progress)
        else:
            work = watch(options, chosen, say=say, sink=sink)
        statement = _stated(until_interrupted(work), terms)
        return statement if kept is None else replace(statement, evidence=kept.finish(statement))


def _drop(_: Exchange) -> None:
    """Keep nothing: no evidence was asked for."""


def _stated(found: Certificate, terms: Terms) -> Statement:
    return Statement(
        report=found.report,
        rules=found.rules,
        subject=found.subject,
        run=found.run,
        contract=contract(),
        tool=TOOL,
        terms=replace(terms, interrupted=found.interrupted),
        clauses=about_clauses(),
        counterexamples=tuple(example.text() for example in found.counterexamples),
        remarks=found.elsewhere,
    )
