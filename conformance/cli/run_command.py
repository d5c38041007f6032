"""Runs against a server, from options to a statement: the campaign, what it records, and what it could not show."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.evidence import EvidenceFile, header_of_run
from conformance.cli.output import TOOL, instant
from conformance.contract.selection import clause_summaries, contract, select_rules
from conformance.errors import UsageError, nearest
from conformance.http.curl import curl, variable_of
from conformance.http.exchange import UNKNOWN_TOKEN, Exchange
from conformance.http.redaction import Redactor
from conformance.interrupts import until_interrupted
from conformance.judging.summary import Policy, Reproduction, RunReport
from conformance.recordings import RecordingMetadata, write_vcr
from conformance.servers import campaign
from conformance.servers.coverage import reachable_coverage, unmet_coverage
from conformance.servers.run_options import RunOptions
from conformance.servers.scenarios import RunContext, Scenario, Step
from conformance.servers.scenarios.malformed_requests import event_after
from conformance.servers.subject import Subject, parse

if TYPE_CHECKING:
    from conformance.cli.status_line import StatusLine
    from conformance.servers.campaign import RunResult
    from conformance.servers.campaign.scenario_shrinking import ScenarioCounterexample
    from conformance.servers.inventory import Inventory

__all__ = ["cleanup", "plan_in_words", "run", "subject_of"]


#: Bytes of a cassette that is still read rather than searched, and what an exchange takes beside its bodies.
_READABLE, _AROUND = 100_000, 1_000


def subject_of(options: RunOptions) -> Subject:
    """What is under test; raises ConfigurationError, and UsageError for a fault that there is not."""
    if options.faults:
        from conformance.reference import FAULTS

        for fault in options.faults:
            if fault not in FAULTS:
                raise UsageError(f"there is no fault {fault!r}; {nearest(fault, FAULTS)}")
    return parse(options.subject, options.accounts, default_profiles=options.default_profiles, faults=options.faults)


def run(options: RunOptions, subject: Subject, redactor: Redactor, progress: StatusLine) -> tuple[RunReport, RunResult]:
    """RunContext, record and judge; Ctrl-C ends it after clean-up with the statement so far.

    Raises ConfigurationError where nothing can be judged, UsageError for an unknown rule or a file that cannot be written.
    """
    rules = select_rules(options.rules, ("server",))
    settings = subject.settings(window=options.window, settle_timeout=options.settle_timeout)
    name = f"seed-{options.seed}" if subject.clock.virtual else secrets.token_hex(6)
    header = header_of_run(name, f"{subject.kind} {subject.name}", subject.tokens, settings, "server")
    with contextlib.ExitStack() as stack:
        kept: EvidenceFile | None = None
        if options.evidence is not None and not options.plan:
            kept = stack.enter_context(EvidenceFile(options.evidence, header, redactor))
        result = until_interrupted(
            campaign.run(
                options,
                subject=subject,
                rules=rules,
                sink=kept.add if kept else _drop,
                progress=lambda state: progress(_in_words(state)),
                small=subject.kind != "cassette",  # smaller failures than those that were recorded cannot be tried
            )
        )
        if options.record is not None and not options.plan:
            _record(options.record, result, header, redactor)
        return _stated(options, subject, result, kept), result


def _drop(_: Exchange) -> None:
    """Keep nothing: the campaign itself holds what it judges."""


def _in_words(state: campaign.RunProgress) -> str:
    parts = [
        f"round {state.round}",
        f"{state.requests} requests",
        f"{state.scenarios_done} of {state.scenarios} scenarios",
    ]
    if state.doing != "scenarios":
        parts.append(state.doing)
    if state.waiting:
        parts.append(f"waiting for {len(state.waiting)} events")
    if state.failed:
        parts.append(f"{len(state.failed)} rules failed")
    return ", ".join(parts)


def _stated(options: RunOptions, subject: Subject, result: RunResult, kept: EvidenceFile | None) -> RunReport:
    facts = result.run
    told = {
        **facts,
        "started_at": instant(facts["started_at"]),
        "finished_at": instant(facts["finished_at"]),
        "settling_s": facts.get("settling_s", {"p50": None, "max": None}),
    }
    variables = {name: variable_of(name, options.variables) for name in subject.tokens}
    statement = RunReport(
        report=result.report,
        rules=result.rules,
        subject=_subject(subject, options, result),
        run=told,
        contract=contract(),
        tool=TOOL,
        terms=Policy(
            options.fail_on,
            options.require_coverage,
            reachable_coverage=reachable_coverage(result.inventory, result.rules, result.report),
            unmet=unmet_coverage(result.unmet, result.rules),
            cut_short=result.cut_short,
            interrupted=result.interrupted,
        ),
        variables=variables,
        clauses=clause_summaries(),
        counterexamples=tuple(_example_in_words(example, variables) for example in result.counterexamples),
        remarks=(*result.plan.lacking, *_left(options, result)),
        repros=tuple(_repro(example, result.inventory, variables) for example in result.counterexamples),
    )
    if kept is None:
        return statement
    return replace(statement, evidence=kept.finish(statement))


def _example_in_words(example: ScenarioCounterexample, variables: Mapping[str, str]) -> str:
    lines = [f"{example.rule}: {example.title}"]
    lines += [
        f"  writes  {' > '.join(map(_move, scenario.steps))}, on {scenario.calendar_id}"
        for scenario in example.scenarios
    ]
    lines.append(f"  seen    {example.message.removeprefix(f'expected: {example.title}; got: ')}")
    for number, exchange in enumerate(example.exchanges, 1):
        status = exchange.response.status if exchange.response else "no answer"
        lines.append(f"  {number}. {curl(exchange.request, variables)}  # {status}")
    return "\n".join(lines)


def _subject(subject: Subject, options: RunOptions, result: RunResult) -> dict[str, Any]:
    told = {**result.subject, "lacking": list(result.plan.lacking)}
    if subject.default_profiles:
        told["default_profiles"] = dict(subject.default_profiles)
    if options.faults:
        told["faults"] = list(options.faults)
    return told


def _repro(example: ScenarioCounterexample, inventory: Inventory, variables: Mapping[str, str]) -> Reproduction:
    return Reproduction(
        example.rule,
        example.title,
        tuple(f"({_place(scenario, inventory)!a}, {_source(scenario)})" for scenario in example.scenarios),
        tuple(curl(exchange.request, variables) for exchange in example.exchanges),
    )


def _place(scenario: Scenario, inventory: Inventory) -> tuple[str | None, bool | None]:
    calendars = inventory.by_name[scenario.account].calendars
    found = next((calendar for calendar in calendars if calendar.calendar_id == scenario.calendar_id), None)
    return (None, None) if found is None else (found.provider_name, found.integrated)


def _source(value: Any) -> str:
    """A scenario, a step or a plain value as Python source, what is as usual left out."""
    if isinstance(value, tuple):
        inner = ", ".join(map(_source, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if not is_dataclass(value):
        return ascii(value)
    told = (
        f"{item.name}={_source(given)}"
        for item in fields(value)
        if (given := getattr(value, item.name)) != item.default
    )
    return f"{type(value).__name__}({', '.join(told)})"


def _left(options: RunOptions, result: RunResult) -> Iterator[str]:
    if result.left:
        yield (
            f"{len(result.left)} events could not be deleted: run `cronofy-conformance cleanup {options.subject}` "
            "once the subject answers again"
        )


def _record(folder: Path, result: RunResult, header: RecordingMetadata, redactor: Redactor) -> None:
    """A cassette for each account and theme: what a file tells by itself stays small enough to read."""
    families = _themes(result)
    cassettes: dict[tuple[str, str], list[Exchange]] = {}
    for exchange in result.exchanges:
        cassettes.setdefault(_theme(exchange, families), []).append(exchange)
    try:
        for (account, family), exchanges in cassettes.items():
            parts = list(_parts(exchanges))
            for number, part in enumerate(parts, 1):
                name = family if len(parts) == 1 else f"{family}-{number:02}"
                write_vcr(folder / account / f"{name}.yaml", part, header, redactor)
    except OSError as error:
        raise UsageError(f"--record {folder} cannot be written: {error.strerror or error}; name a folder") from None


def _parts(exchanges: Iterable[Exchange]) -> Iterator[list[Exchange]]:
    """The exchanges in their order, as many together as can be read in a file."""
    part: list[Exchange] = []
    size = 0
    for exchange in exchanges:
        bodies = len(exchange.request.body) + (len(exchange.response.body) if exchange.response else 0)
        if part and size + bodies + _AROUND > _READABLE:
            yield part
            part, size = [], 0
        part.append(exchange)
        size += bodies + _AROUND
    yield part


def _themes(result: RunResult) -> dict[str, str]:
    ours = RunContext(result.run["id"], 0.0, result.inventory)
    malformed = result.plan.malformed
    scenarios = (
        *result.plan.scenarios,
        *(request.scenario for request in malformed),
        *(event_after(request) for request in malformed[:1]),
    )
    return {ours.event_id(scenario): scenario.family or "scenarios" for scenario in scenarios}


def _theme(exchange: Exchange, families: dict[str, str]) -> tuple[str, str]:
    account = exchange.request.account
    if account is None or account == UNKNOWN_TOKEN:
        return "nobody", "access"
    if exchange.request.method == "GET":
        directory = exchange.request.path.rstrip("/").endswith(("/calendars", "/userinfo"))
        return account, "directory" if directory else "readings"
    body = exchange.request.body.decode("utf-8", "replace")
    family = next((family for event_id, family in families.items() if f'"{event_id}"' in body), "others")
    return account, family


def plan_in_words(result: RunResult) -> str:
    """What a run would do and could not show, with every scenario of the core table on a line."""
    plan = result.plan
    ours = RunContext(result.run["id"], 0.0, result.inventory)
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(plan.kinds.items()))
    lines = [
        f"{len(plan.scenarios)} scenarios in {len(plan.waves)} waves, each one event's writes in turn:",
        "",
        *(
            f"  {scenario.account}  {scenario.calendar_id}  {ours.event_id(scenario)}  {scenario.family or 'scenarios'}: "
            + " > ".join(map(_move, scenario.steps))
            for scenario in plan.scenarios
        ),
        "",
        *(
            [f"Malformed requests after them: {', '.join(one.name for one in plan.malformed)}.", ""]
            if plan.malformed
            else []
        ),
        f"Writes: {kinds}; {plan.generated} of them ask for a conference to be generated.",
        f"At most {plan.requests:,} requests, {plan.objects:,} events at a time, {_duration(plan.seconds)}.",
        f"Sent to make this plan: {result.run['requests']} reads.",
        *(f"Not tried: {lack}" for lack in plan.lacking),
    ]
    return "\n".join(lines) + "\n"


def _move(step: Step) -> str:
    """A write by its kind and all in which it is not the plainest of its kind."""
    usual = Step(step.kind)
    told = [
        str(getattr(step, name))
        for name in ("defect", "extra_fields", "start", "time_format", "text_variant", "url_variant")
        if getattr(step, name) != getattr(usual, name)
    ]
    return f"{step.kind}{'' if step.timing == 'settled' else f' {step.timing}'}" + (
        f" ({' '.join(told)})" if told else ""
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def cleanup(options: RunOptions) -> tuple[int, tuple[str, ...]]:
    """Delete what earlier runs against the subject left: how many events are gone, and which are not."""
    deleted, left = until_interrupted(campaign.cleanup(subject_of(options)))
    return deleted, tuple(f"{entry.account} {entry.calendar_id} {entry.event_id}" for entry in left)
