"""Runs against a server: the campaign from options to a report, what it records, and its plan."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.cli.baseline_file import KnownFailures
from conformance.cli.evidence import EvidenceFile, run_metadata
from conformance.cli.files import Artefacts
from conformance.cli.output import TOOL, format_utc
from conformance.cli.plan_text import limit_warning
from conformance.cli.reproductions import reproduction
from conformance.cli.run_cassettes import write_cassettes
from conformance.contract.selection import clause_summaries, contract, select_rules
from conformance.errors import UsageError, nearest
from conformance.http.curl import variable_of
from conformance.http.redaction import Redactor
from conformance.http.webhooks import IN_PROCESS, NOTIFICATIONS, is_public
from conformance.interrupts import Interruption, until_interrupted
from conformance.judging.access import access_problem
from conformance.judging.summary import Policy, RunReport
from conformance.servers import campaign
from conformance.servers.coverage import reachable_coverage, unmet_coverage
from conformance.servers.run_options import RunOptions, default_examples
from conformance.servers.subject import Subject, parse

if TYPE_CHECKING:
    from conformance.cli.status_line import StatusLine
    from conformance.servers.campaign import RunResult
    from conformance.servers.scenarios import Plan
    from conformance.servers.scenarios.added_scenarios import Source

__all__ = ["cleanup", "leftovers", "run", "subject_of"]


def subject_of(options: RunOptions) -> Subject:
    """The subject that the options name; raises ConfigurationError, and UsageError for an unknown fault."""
    if options.faults:
        from conformance.reference import FAULTS

        for fault in options.faults:
            if fault not in FAULTS:
                raise UsageError(f"there is no fault {fault!r}; {nearest(fault, FAULTS)}")
    return parse(
        options.subject,
        options.accounts,
        default_profiles=options.default_profiles,
        faults=options.faults,
        authority=options.ca,
    )


def run(
    options: RunOptions,
    subject: Subject,
    redactor: Redactor,
    progress: StatusLine,
    scenarios: Source = (),
    warn: Callable[[str], None] = lambda warning: None,
    interruption: Interruption | None = None,
    artefacts: Artefacts | None = None,
) -> tuple[RunReport, RunResult]:
    """Run, record and judge; a signal ends it after clean-up with the report so far.  `scenarios` as in `run_campaign`.

    `interruption` stands around the run and what follows it.  `artefacts` learns what could not be written of evidence
    and recording, so that the report is not lost.  `warn` is told, before anything is written to the subject, that the
    plan will not fit into --max-requests.
    Raises ConfigurationError if nothing can be judged, UsageError for an unknown rule or a file that cannot be written.
    """
    artefacts = artefacts or Artefacts()
    if options.max_examples is None:
        options = replace(options, max_examples=_examples(options, subject))
    rules = select_rules(options.rules, ("server",), options.held)
    known = KnownFailures(options.baseline, write=options.write_baseline)
    settings = subject.run_settings(window=options.window, settle_timeout=options.settle_timeout)
    name = f"seed-{options.seed}" if subject.clock.virtual else secrets.token_hex(6)
    metadata = run_metadata(name, f"{subject.kind} {subject.name}", subject.tokens, settings, "server")
    with contextlib.ExitStack() as stack:
        evidence: EvidenceFile | None = None
        if options.evidence is not None and not options.plan:
            evidence = stack.enter_context(EvidenceFile(options.evidence, metadata, redactor))
        result = until_interrupted(
            campaign.run(
                options,
                subject=subject,
                rules=rules,
                sink=evidence.add if evidence else lambda _: None,
                progress=_Told(progress),
                scenarios=scenarios,
                planned=lambda plan: _warn_of_the_limit(options, plan, warn),
                known=known.knows,
                small=subject.kind != "cassette",  # a recording cannot answer smaller scenarios than it has
            ),
            interruption,
        )
        if result.interrupted and interruption is not None and not interruption.came:
            result = replace(result, interrupted=False, cut_short="code in this process cancelled the run")
        if options.record is not None and not options.plan:
            with artefacts.writing(f"--record {options.record}"):
                write_cassettes(options.record, result, metadata, redactor)
        run_report = known.applied(_run_report(options, subject, result))
        with artefacts.writing(f"--evidence {options.evidence}"):
            if evidence is not None:
                run_report = replace(run_report, evidence=evidence.finish(run_report))
    if not options.plan:
        with artefacts.writing("--baseline"):
            known.save(run_report, redactor.check)
    return run_report, result


def _examples(options: RunOptions, subject: Subject) -> int:
    if subject.kind == "cassette":
        return 0
    in_virtual_time = subject.app is not None and subject.clock.virtual
    return default_examples(options, in_virtual_time=in_virtual_time, loopback=subject.loopback)


def _warn_of_the_limit(options: RunOptions, plan: Plan, warn: Callable[[str], None]) -> None:
    warning = limit_warning(plan, options.max_requests)
    if warning is not None and not options.plan:
        warn(warning)


#: The phases of a run, in words.
_PHASES = {
    "scenarios": "Creating, changing and deleting events",
    "audit": "Reading in every documented way",
    "malformed requests": "Sending malformed requests",
    "counterexamples": "Looking for the smallest failures",
}


class _Told:
    """Shows the progress of a run, and tells each phase and each rule that begins to fail once."""

    def __init__(self, line: StatusLine) -> None:
        self._line = line
        self._phase = ""
        self._failed: set[str] = set()

    def __call__(self, state: campaign.RunProgress) -> None:
        self._line(_progress_text(state))
        if state.phase != self._phase:
            self._phase = state.phase
            self._line.event(f"{_PHASES.get(state.phase, state.phase)} ({state.requests} requests so far)")
        for rule in state.failed:
            if rule not in self._failed:
                self._failed.add(rule)
                self._line.event(f"Failed: {rule} (after {state.requests} requests)")


def _progress_text(state: campaign.RunProgress) -> str:
    parts = [
        f"round {state.round}",
        f"{state.requests} requests",
        f"{state.scenarios_done} of {state.scenarios} scenarios",
    ]
    if state.phase != "scenarios":
        parts.append(state.phase)
    if state.waiting:
        parts.append(f"waiting for {len(state.waiting)} events")
    if state.failed:
        parts.append(f"{len(state.failed)} rule{'' if len(state.failed) == 1 else 's'} failed")
    return ", ".join(parts)


def _run_report(options: RunOptions, subject: Subject, result: RunResult) -> RunReport:
    run = {
        **result.run,
        "max_examples": options.max_examples or 0,
        "started_at": format_utc(result.run["started_at"]),
        "finished_at": format_utc(result.run["finished_at"]),
        "settling_s": result.run.get("settling_s", {"p50": None, "max": None}),
    }
    variables = {name: variable_of(name, options.variables) for name in subject.tokens}
    return RunReport(
        report=result.report,
        rules=result.rules,
        subject=_subject(subject, options, result),
        run=run,
        contract=contract(options.held),
        tool=TOOL,
        policy=Policy(
            options.fail_on,
            options.require_coverage,
            reachable_coverage=reachable_coverage(result.inventory, result.rules, result.report),
            untested_reasons=_untested_reasons(options, result),
            unmet=unmet_coverage(result.unmet, result.rules),
            cut_short=result.cut_short,
            unjudged=None if options.plan else access_problem(result.exchanges) or _nothing_to_write_to(result),
            interrupted=result.interrupted,
        ),
        variables=variables,
        clauses=clause_summaries(),
        notes=(*result.plan.lacking, *result.notes, *leftovers(options, result)),
        reproductions=tuple(reproduction(example, result.inventory, variables) for example in result.counterexamples),
    )


def _subject(subject: Subject, options: RunOptions, result: RunResult) -> dict[str, Any]:
    document = {**result.subject, "lacking": list(result.plan.lacking)}
    if subject.default_profiles:
        document["default_profiles"] = dict(subject.default_profiles)
    if options.faults:
        document["faults"] = list(options.faults)
    return document


def _nothing_to_write_to(result: RunResult) -> str | None:
    """Why a run has proved nothing where no calendar is listed; None where a `must` rule says what is wrong with it,
    or the run ended before it knew."""
    failed = any(rule.level == "must" and result.report.tally(rule.id).failed for rule in result.rules)
    if result.inventory.targets or failed or result.cut_short or result.interrupted:
        return None
    return "no account lists a calendar that may be written to: connect one, or give the emulator one"


def _untested_reasons(options: RunOptions, result: RunResult) -> dict[str, str]:
    """Why rules on notifications were not exercised, where that is known."""
    found = {rule.id: _unheard(result) for rule in result.rules if rule.about == "notification"}
    if "a-notification-is-signed" in found and _has_arrived(result):
        found["a-notification-is-signed"] = "the client secret is not known: give it with --client-secret"
    if result.receiver is None or not is_public(result.receiver):
        where = (
            "there was no receiver" if result.receiver is None else f"{result.receiver} is not accessible from outside"
        )
        found["subscriptions-are-accepted"] = f"{where}: a server may refuse it"
    return found


def _unheard(result: RunResult) -> str:
    """Why a rule on notifications had nothing to judge."""
    if result.receiver is None:
        return "no notifications were subscribed to: run with --notifications"
    if not result.subscribed:
        return f"subscriptions to {result.receiver} were not accepted"
    which = "no notification of a conference came to" if _has_arrived(result) else "no notification came to"
    return f"{which} {'the receiver in this process' if result.receiver == IN_PROCESS else result.receiver}"


def _has_arrived(result: RunResult) -> bool:
    return any(NOTIFICATIONS in exchange.request.url for exchange in result.exchanges)


def leftovers(options: RunOptions, result: RunResult) -> Iterator[str]:
    if result.left:
        why = "clean-up was cut short" if result.interrupted else "not all could be deleted"
        yield (
            f"{why}, {len(result.left)} events may be left: run `cronofy-conformance cleanup {options.subject}` once "
            "the subject answers again"
        )


def cleanup(options: RunOptions) -> tuple[int, tuple[str, ...]]:
    """Delete what earlier runs against the subject left: how many events were deleted, and which were not."""
    deleted, left = until_interrupted(campaign.cleanup(subject_of(options), journal=options.journal))
    return deleted, tuple(f"{entry.account} {entry.calendar_id} {entry.event_id}" for entry in left)
