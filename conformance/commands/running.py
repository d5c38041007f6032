"""Runs against a server, from options to a statement: the campaign, what it records, and what it could not show."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from conformance import campaign
from conformance.commands.evidence import Evidence, header_of_run
from conformance.commands.offers import offered
from conformance.commands.outcome import TOOL, about_clauses, chosen_rules, contract, instant
from conformance.configuration import Refused, RunOptions, nearest
from conformance.curl import curl, variable_of
from conformance.exchange import NOBODY, Exchange
from conformance.facts import Settings
from conformance.recordings import Header, write_vcr
from conformance.redaction import Redactor
from conformance.scenarios import Life, Move, Run
from conformance.statement import Repro, Statement, Terms
from conformance.subject import Subject, parse

if TYPE_CHECKING:
    from conformance.campaign import RunResult
    from conformance.campaign.shrinking import Counterexample
    from conformance.commands.progress import Progress
    from conformance.world import World

__all__ = ["plan_in_words", "run", "subject_of", "sweep", "until_interrupted"]

T = TypeVar("T")

#: Bytes of a cassette that is still read rather than searched, and what an exchange takes beside its bodies.
_READABLE, _AROUND = 100_000, 1_000


def subject_of(options: RunOptions) -> Subject:
    """What is under test; raises Misconfigured, and Refused for a fault that there is not."""
    if options.faults:
        from conformance.reference import FAULTS

        for fault in options.faults:
            if fault not in FAULTS:
                raise Refused(f"there is no fault {fault!r}; {nearest(fault, FAULTS)}")
    return parse(options.subject, options.accounts, default_profiles=options.default_profiles, faults=options.faults)


def run(options: RunOptions, subject: Subject, redactor: Redactor, progress: Progress) -> tuple[Statement, RunResult]:
    """Run, record and judge; Ctrl-C ends it after clean-up with the statement so far.

    Raises Misconfigured where nothing can be judged, Refused for an unknown rule or a file that cannot be written.
    """
    rules = chosen_rules(options.rules, ("server",))
    settings = Settings(
        quiet=subject.quiet,
        window=options.window,
        settle_timeout=options.settle_timeout or subject.settle_timeout,
        default_profiles=dict(subject.default_profiles),
    )
    name = f"seed-{options.seed}" if subject.clock.virtual else secrets.token_hex(6)
    header = header_of_run(name, f"{subject.kind} {subject.name}", subject.tokens, settings, "server")
    with contextlib.ExitStack() as stack:
        kept: Evidence | None = None
        if options.evidence is not None and not options.plan:
            kept = stack.enter_context(Evidence(options.evidence, header, redactor))
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


def until_interrupted(work: Coroutine[Any, Any, T]) -> T:
    """Do asynchronous work to its end; Ctrl-C, or a polite kill, cancels it once and leaves the end to it."""

    async def whole() -> T:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        if task is not None:
            with contextlib.suppress(NotImplementedError, RuntimeError):
                loop.add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    return asyncio.run(whole())


def _in_words(state: campaign.Progress) -> str:
    parts = [f"round {state.round}", f"{state.requests} requests", f"{state.lives_done} of {state.lives} lives"]
    if state.doing != "lives":
        parts.append(state.doing)
    if state.waiting:
        parts.append(f"waiting for {len(state.waiting)} events")
    if state.failed:
        parts.append(f"{len(state.failed)} rules failed")
    return ", ".join(parts)


def _stated(options: RunOptions, subject: Subject, result: RunResult, kept: Evidence | None) -> Statement:
    facts = result.run
    told = {
        **facts,
        "started_at": instant(facts["started_at"]),
        "finished_at": instant(facts["finished_at"]),
        "settling_s": facts.get("settling_s", {"p50": None, "max": None}),
    }
    variables = {name: variable_of(name, options.variables) for name in subject.tokens}
    statement = Statement(
        report=result.report,
        rules=result.rules,
        subject=_subject(subject, options, result),
        run=told,
        contract=contract(),
        tool=TOOL,
        terms=Terms(
            options.fail_on,
            options.require_complete,
            offered=offered(result.world, result.rules, result.report),
            cut_short=result.cut_short,
            interrupted=result.interrupted,
        ),
        variables=variables,
        clauses=about_clauses(),
        counterexamples=tuple(_example_in_words(example, variables) for example in result.counterexamples),
        remarks=(*result.plan.lacking, *_left(options, result)),
        repros=tuple(_repro(example, result.world, variables) for example in result.counterexamples),
    )
    if kept is None:
        return statement
    return replace(statement, evidence=kept.finish(statement))


def _example_in_words(example: Counterexample, variables: Mapping[str, str]) -> str:
    lines = [f"{example.rule}: {example.title}"]
    lines += [f"  writes  {' > '.join(map(_move, life.moves))}, on {life.calendar_id}" for life in example.lives]
    lines.append(f"  seen    {example.message.removeprefix(f'expected: {example.title}; seen: ')}")
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


def _repro(example: Counterexample, world: World, variables: Mapping[str, str]) -> Repro:
    return Repro(
        example.rule,
        example.title,
        tuple(f"({_place(life, world)!a}, {_source(life)})" for life in example.lives),
        tuple(curl(exchange.request, variables) for exchange in example.exchanges),
    )


def _place(life: Life, world: World) -> tuple[str | None, bool | None]:
    calendars = world.by_name[life.account].calendars
    found = next((calendar for calendar in calendars if calendar.calendar_id == life.calendar_id), None)
    return (None, None) if found is None else (found.provider_name, found.integrated)


def _source(value: Any) -> str:
    """A life, a move or a plain value as Python source, what is as usual left out."""
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
            f"{len(result.left)} events could not be deleted: run `cronofy-conformance sweep {options.subject}` "
            "once the subject answers again"
        )


def _record(folder: Path, result: RunResult, header: Header, redactor: Redactor) -> None:
    """A cassette for each account and theme: what a file tells by itself stays small enough to read."""
    themes = _themes(result)
    cassettes: dict[tuple[str, str], list[Exchange]] = {}
    for exchange in result.exchanges:
        cassettes.setdefault(_theme(exchange, themes), []).append(exchange)
    try:
        for (account, theme), exchanges in cassettes.items():
            parts = list(_parts(exchanges))
            for number, part in enumerate(parts, 1):
                name = theme if len(parts) == 1 else f"{theme}-{number:02}"
                write_vcr(folder / account / f"{name}.yaml", part, header, redactor)
    except OSError as error:
        raise Refused(f"--record {folder} cannot be written: {error.strerror or error}; name a folder") from None


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
    ours = Run(result.run["id"], 0.0, result.world)
    lives = (*result.plan.lives, *(odd.life for odd in result.plan.odd))
    return {ours.event_id(life): life.theme or "lives" for life in lives}


def _theme(exchange: Exchange, themes: dict[str, str]) -> tuple[str, str]:
    account = exchange.request.account
    if account is None or account == NOBODY:
        return "nobody", "access"
    if exchange.request.method == "GET":
        directory = exchange.request.path.rstrip("/").endswith(("/calendars", "/userinfo"))
        return account, "directory" if directory else "readings"
    body = exchange.request.body.decode("utf-8", "replace")
    theme = next((theme for event_id, theme in themes.items() if f'"{event_id}"' in body), "others")
    return account, theme


def plan_in_words(result: RunResult) -> str:
    """What a run would do and could not show, with every life of the core table on a line."""
    plan = result.plan
    ours = Run(result.run["id"], 0.0, result.world)
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(plan.kinds.items()))
    lines = [
        f"{len(plan.lives)} lives in {len(plan.waves)} waves, each one event's writes in turn:",
        "",
        *(
            f"  {life.account}  {life.calendar_id}  {ours.event_id(life)}  {life.theme or 'lives'}: "
            + " > ".join(map(_move, life.moves))
            for life in plan.lives
        ),
        "",
        *([f"Malformed requests beside them: {', '.join(odd.name for odd in plan.odd)}.", ""] if plan.odd else []),
        f"Writes: {kinds}; {plan.generated} of them ask for a conference to be generated.",
        f"At most {plan.requests:,} requests, {plan.objects:,} events at a time, {_duration(plan.seconds)}.",
        f"Sent to make this plan: {result.run['requests']} reads.",
        *(f"Not tried: {lack}" for lack in plan.lacking),
    ]
    return "\n".join(lines) + "\n"


def _move(move: Move) -> str:
    """A write by its kind and all in which it is not the plainest of its kind."""
    usual = Move(move.kind)
    told = [
        str(getattr(move, name))
        for name in ("flaw", "stray", "start", "form", "text", "url")
        if getattr(move, name) != getattr(usual, name)
    ]
    return f"{'hasty ' if move.hasty else ''}{move.kind}" + (f" ({' '.join(told)})" if told else "")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def sweep(options: RunOptions) -> tuple[int, tuple[str, ...]]:
    """Delete what earlier runs against the subject left: how many events are gone, and which are not."""
    deleted, left = until_interrupted(campaign.sweep(subject_of(options)))
    return deleted, tuple(f"{entry.account} {entry.calendar_id} {entry.event_id}" for entry in left)
