"""Cases that Hypothesis makes: what a client is called for, and how the server responds; the same for the same seed."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module
from pkgutil import walk_packages

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisWarning

from conformance.clients.cases.case_steps import (
    PARAMS,
    Fixture,
    answering,
    delete,
    event,
    list_calendars,
    read,
    write,
)
from conformance.clients.cases.case_values import (
    conferencing,
    event_ids,
    optional_fields,
    past_times,
    refusals,
    shown,
    times,
    validation_errors,
)
from conformance.clients.cases.driver_call import ABSENT, CannedResponse, Case, CaseStep, ReadOverride, StubBehavior
from conformance.hypothesis_home import away_from_here

__all__ = ["KINDS", "cases", "each_case", "generated_cases"]

#: Parameters of a reading that sees what the application manages.
_READINGS = (
    PARAMS,
    {"tzid": "Etc/UTC", "include_managed": True},
    {"tzid": "America/New_York", "only_managed": True, "localized_times": True},
    {"tzid": "Asia/Kolkata", "include_managed": True, "include_deleted": True},
)
_PARAMS = st.sampled_from(_READINGS)
_COUNTS = st.integers(1, 4)
_SIZES = st.sampled_from((None, 1, 2, 3))
_CALLS = st.sampled_from(("write", "write", "write", "write", "read", "read", "delete", "list"))
_RARELY = st.sampled_from((False, False, False, True))


#: The kinds of the cases, over and over, so that every run has each: calls that end in one of the kind, or a reading
#: of several events at once.
KINDS = (
    *("write", "pages", "delete", "read", "list", "write", "pages", "write", "pages", "write"),
    *("write", "pages", "delete", "read", "write", "pages", "write", "pages", "write", "write"),
)


@cache
def cases(fixture: Fixture, kind: str) -> st.SearchStrategy[Case]:
    """A case of one to four calls about a few events, or one reading of them; they shrink to one small call."""
    return _readings(fixture) if kind == "pages" else _sequences(fixture, kind)


@st.composite
def _sequences(draw: st.DrawFn, fixture: Fixture, kind: str) -> Case:
    """Calls about one event, or two: the last is of this kind; before it come writes above all."""
    ids = draw(st.lists(event_ids(), min_size=1, max_size=2, unique=True))
    home = {event_id: draw(_calendars(fixture)) for event_id in ids}
    steps = []
    for left in reversed(range(draw(_COUNTS))):
        event_id = ids[draw(_COUNTS) % len(ids)]
        steps.append(_step(draw, fixture, draw(_CALLS) if left else kind, home[event_id], event_id))
    return Case("generated", tuple(steps), kind=kind)


@cache
def _calendars(fixture: Fixture) -> st.SearchStrategy[str]:
    return st.sampled_from((fixture.calendar_id, fixture.other_id))


def _step(draw: st.DrawFn, fixture: Fixture, kind: str, calendar_id: str, event_id: str) -> CaseStep:
    behavior = draw(_behaviors(kind))
    if kind == "read":
        return read([calendar_id], [event_id], behavior, draw(_PARAMS))
    if kind == "delete":
        return delete(calendar_id, event_id, behavior)
    if kind == "list":
        return list_calendars(behavior)
    requested = draw(conferencing(fixture.profile_id))
    body = event(fixture, event_id, requested) | draw(times(fixture.year)) | draw(optional_fields())
    if draw(_RARELY) and requested is ABSENT:  # drawn last and always: what comes before can be made smaller by itself
        body |= draw(past_times())
    # A client that looks first may refuse what the calendar does not support.
    able = requested != {"profile_id": "integrated"} or calendar_id == fixture.calendar_id
    return write(calendar_id, body, behavior, valid=able)


@cache
def _behaviors(kind: str) -> st.SearchStrategy[StubBehavior]:
    """How a call of this kind is responded to: most often by the reference server."""
    usual: list[st.SearchStrategy[StubBehavior]] = [
        st.just(StubBehavior()),
        st.builds(lambda extra, settle: StubBehavior(extra=extra, settle=settle), st.booleans(), st.booleans()),
        st.builds(lambda code: StubBehavior(first=(CannedResponse(code),)), st.sampled_from((429, 500, 502, 503))),
    ]
    if kind in ("write", "delete"):
        usual.append(st.sampled_from(({}, "", [], {"x_future": None})).map(lambda body: StubBehavior(accepted=body)))
    if kind == "read":
        usual.append(st.just(StubBehavior(pages_key=False)))
    refused = st.one_of(refusals(), validation_errors())
    return st.one_of(*usual, refused.map(lambda answer: answering(kind, answer)))


@st.composite
def _readings(draw: st.DrawFn, fixture: Fixture) -> Case:
    """A reading of one to four events, on one page or several, on one calendar or both."""
    ids = draw(st.lists(event_ids(), min_size=1, max_size=4, unique=True))
    behavior = StubBehavior(
        overrides=tuple(ReadOverride(event_id, draw(shown())) for event_id in ids),
        page_size=draw(_SIZES),
        empty_page=draw(_RARELY),
        extra=draw(st.booleans()),
    )
    home = {event_id: draw(_calendars(fixture)) for event_id in ids}
    seeds = tuple((calendar, event(fixture, event_id)) for event_id, calendar in home.items())
    return Case("generated", (read(sorted({*home.values()}), ids, behavior, draw(_PARAMS)),), seeds, "pages")


@cache
def _load_modules() -> None:
    """Loads every module that playing a case may load, in a checkout of this project.

    There Hypothesis also draws the constants that it finds in loaded modules, those of installed packages excepted:
    a module that is loaded later would change what a seed makes.
    """
    if "site-packages" in __file__:
        return
    for room in ("clients", "contract", "facts", "http", "judging", "reference"):
        package = import_module(f"conformance.{room}")
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if ".adapters" not in module.name:
                import_module(module.name)


def each_case(
    fixture: Fixture, kind: str, examples: int, number: int, use: Callable[[Case], object], *phases: Phase
) -> Callable[[], None]:
    """A test of Hypothesis that gives `examples` cases of a kind from the seed `number` to `use`, always the same."""

    @seed(number * len(KINDS) + KINDS.index(kind))
    @settings(
        max_examples=max(1, examples),
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=tuple(HealthCheck),
        verbosity=Verbosity.quiet,
        print_blob=False,
    )
    @given(cases(fixture, kind))
    def test(case: Case) -> None:
        use(case)

    def run() -> None:
        _load_modules()
        with away_from_here(), warnings.catch_warnings():
            warnings.simplefilter("ignore", HypothesisWarning)
            test()

    return run


def generated_cases(fixture: Fixture, examples: int, number: int) -> tuple[Case, ...]:
    """`examples` cases from the seed `number`, each kind at its places."""
    kinds = [KINDS[place % len(KINDS)] for place in range(examples)]
    made: dict[str, Iterator[Case]] = {}
    for kind, count in Counter(kinds).items():
        found: list[Case] = []
        each_case(fixture, kind, count, number, found.append, Phase.generate)()
        made[kind] = iter(found)
    return tuple(replace(next(made[kind]), name=f"generated {place}") for place, kind in enumerate(kinds, 1))
