"""Certifying a client, and judging one through a proxy: from options to a run's report."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.advice import for_refused_requests, one_sided
from conformance.cli.evidence import EvidenceFile, run_metadata
from conformance.cli.files import Artefacts, write_atomically
from conformance.cli.output import TOOL
from conformance.clients.certificate import Certificate, CertifyOptions
from conformance.clients.certify import certify
from conformance.clients.held_exchanges import known_secrets
from conformance.clients.proxy import ProxyOptions, observe
from conformance.clients.watch import watch
from conformance.contract.rules import LEVELS
from conformance.contract.selection import clause_summaries, contract
from conformance.errors import UsageError
from conformance.facts import Settings
from conformance.http.redaction import Redactor
from conformance.http.redaction.locations import looks_random
from conformance.interrupts import until_interrupted
from conformance.judging.summary import Policy, RunReport

if TYPE_CHECKING:
    from conformance.cli.baseline_file import KnownFailures
    from conformance.cli.status_line import StatusLine
    from conformance.contract.rules import Rule
    from conformance.http.exchange import Exchange
    from conformance.recordings import RecordingMetadata

    Sink = Callable[[Exchange], None]

__all__ = ["run_certify", "run_proxy", "write_certificate"]


def run_certify(
    options: CertifyOptions,
    rules: tuple[Rule, ...],
    held: str | None,
    policy: Policy,
    evidence: Path | None,
    echo: Callable[[str], None],
    progress: StatusLine,
    known: KnownFailures,
    artefacts: Artefacts,
) -> tuple[RunReport, Redactor]:
    """Drive a client, or listen for one, and report on it; Ctrl-C ends it with the report so far.

    The redactor knows the credentials that passed, which nothing that is written may hold.
    `held` is the version of the contract that `rules` are of (None: this tool's).
    Raises DriverError for what the adapter does wrong, UsageError for a file that cannot be written.
    """
    source = _shown(options.command or options.watched) or "a client at the gateway"

    async def work(sink: Sink) -> Certificate:
        if not options.command:
            return await watch(options, rules, echo=echo, sink=sink)
        certificate = await certify(options, rules, sink=sink, progress=progress)
        return replace(certificate, run={**certificate.run, "max_examples": options.max_examples})

    return _run(
        work,
        run_metadata(uuid.uuid4().hex[:12], source, (), Settings(), "client"),
        policy,
        held,
        evidence,
        known,
        artefacts,
    )


def run_proxy(
    options: ProxyOptions,
    rules: tuple[Rule, ...],
    held: str | None,
    policy: Policy,
    evidence: Path | None,
    echo: Callable[[str], None],
    side: str | None,
    known: KnownFailures,
    artefacts: Artefacts,
) -> tuple[RunReport, Redactor]:
    """Stand between a client and its server until Ctrl-C or the end of the duration, and report on both.

    The redactor knows the credentials that passed, which nothing that is written may hold.
    `side`: ``server`` or ``client`` alone is judged.
    Raises UsageError for a file that cannot be written.
    """
    metadata = run_metadata(uuid.uuid4().hex[:12], options.upstream, (), options.settings, "server")

    async def work(sink: Sink) -> Certificate:
        certificate = await observe(options, rules, echo=echo, sink=sink)
        return replace(certificate, subject=one_sided(certificate.subject, side))

    run_report, redactor = _run(work, metadata, policy, held, evidence, known, artefacts)
    advice = tuple(for_refused_requests(run_report.report, run_report.rules, side))
    return replace(run_report, advice=advice), redactor


def _run(
    work: Callable[[Sink], Coroutine[Any, Any, Certificate]],
    metadata: RecordingMetadata,
    policy: Policy,
    held: str | None,
    evidence: Path | None,
    known: KnownFailures,
    artefacts: Artefacts,
) -> tuple[RunReport, Redactor]:
    if evidence is None:
        certificate = _concealed(until_interrupted(work(lambda _: None)))
        run_report = known.applied(_run_report(certificate, policy, held))
    else:
        with EvidenceFile(evidence, metadata, Redactor(known_secrets())) as file:
            certificate = _concealed(until_interrupted(work(file.add)))
            with artefacts.writing(f"--evidence {evidence}"):
                if certificate.conceal is not None:
                    again = file.conceal(certificate.conceal, certificate.redactor, certificate.rules)
                    certificate = replace(certificate, report=again)
            run_report = known.applied(_run_report(certificate, policy, held))
            with artefacts.writing(f"--evidence {evidence}"):
                run_report = replace(run_report, evidence=file.finish(run_report, certificate.redactor))
    with artefacts.writing("--baseline"):
        known.save(run_report, certificate.redactor.check)
    return run_report, certificate.redactor


def write_certificate(run_report: RunReport, path: Path, redactor: Redactor) -> None:
    """Write the page to publish, HTML or Markdown by suffix; raises UsageError for a file that cannot be written."""
    from conformance.judging.formats.certificate_page import PAGES

    try:
        write_atomically(path, PAGES[path.suffix.lower()](run_report), redactor.check)
    except OSError as error:
        raise UsageError(
            f"--certificate {path} cannot be written: {error.strerror or error}; choose another place"
        ) from None


def _shown(command: Sequence[str]) -> str:
    """A command line, written before anything has passed, without the words that look like credentials."""
    return " ".join("<redacted>" if looks_random(word) and not Path(word).exists() else word for word in command)


def _concealed(certificate: Certificate) -> Certificate:
    """The certificate without credentials in what is said of the client, and none that were learnt late in the rest."""
    value, late = certificate.redactor.value, certificate.conceal is not None
    return replace(
        certificate,
        report=value(certificate.report) if late else certificate.report,
        subject=value(certificate.subject),
        counterexamples=tuple(replace(one, calls=value(one.calls)) for one in certificate.counterexamples),
        blocked_requests=value(certificate.blocked_requests),
        unjudged=value(certificate.unjudged),
        program_failure=value(certificate.program_failure),
    )


def _run_report(certificate: Certificate, policy: Policy, held: str | None) -> RunReport:
    run_report = RunReport(
        report=certificate.report,
        rules=certificate.rules,
        subject=certificate.subject,
        run=certificate.run,
        contract=contract(held),
        tool=TOOL,
        policy=replace(
            policy,
            interrupted=certificate.interrupted,
            unjudged=certificate.unjudged,
            program_failure=certificate.program_failure,
        ),
        clauses=clause_summaries(),
        counterexamples=tuple(example.text() for example in certificate.counterexamples),
        notes=certificate.blocked_requests,
    )
    if certificate.driver_failed and run_report.failures:  # a proven failure goes before an adapter's bad end
        policy = replace(run_report.policy, unjudged=None, cut_short=certificate.unjudged)
        run_report = replace(run_report, policy=policy)
    if certificate.subject["kind"] != "client":
        return run_report
    level = _attested_level(run_report)
    return replace(
        run_report,
        subject={**run_report.subject, "attested_level": level},
        notes=(_attestation(level, run_report), *run_report.notes),
    )


def _attested_level(run_report: RunReport) -> str | None:
    """The weakest level of which, and of the stricter ones, no rule failed; None where nothing can be attested."""
    judged = any(run_report.report.tally(rule.id).outcome == "passed" for rule in run_report.rules)
    policy = run_report.policy
    if run_report.is_partial or policy.unjudged or policy.program_failure or not judged:
        return None
    failed = [LEVELS.index(rule.level) for rule in run_report.failed]
    return LEVELS[: min(failed, default=len(LEVELS))][-1] if 0 not in failed else None


def _attestation(level: str | None, run_report: RunReport) -> str:
    if level is None:
        return "This certificate attests no level."
    *stricter, last = LEVELS[: LEVELS.index(level) + 1]
    levels = f"{', '.join(stricter)} or {last}" if stricter else last
    passed = [rule for rule in run_report.rules if run_report.report.tally(rule.id).outcome == "passed"]
    return (
        f"This certificate attests level {level}: no rule of level {levels} failed, "
        f"and {len(passed)} of {len(run_report.rules)} rules passed."
    )
